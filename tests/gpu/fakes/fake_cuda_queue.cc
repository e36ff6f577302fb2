/* When device work runs.
 *
 *   FAKE_ORDER=eager     at once
 *   FAKE_ORDER=lazy      as late as possible: when the host waits for it, or asks the third time
 *   FAKE_ORDER=early:K   stream K (the K-th created, from 0) at once, the others lazily
 *   FAKE_ORDER=late:K    stream K lazily, the others at once
 *   FAKE_ORDER=seed:N    a random legal order
 *
 * "At once" includes what the stream waits for. Work that needs peers (collectives) may be begun
 * and not end; it is taken up again at later calls, and while the host waits in MPI. */
#include "fake_cuda_queue.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <time.h>

#ifdef FAKE_TSAN
extern "C" {
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_set_fiber_name(void *fiber, const char *name);
void __tsan_acquire(void *address);
void __tsan_release(void *address);
}
enum { NO_ORDERING = 1 }; /* a switch by itself orders nothing */
#else
static void __tsan_acquire(void *) {}
static void __tsan_release(void *) {}
#endif

namespace fake {

namespace {
enum Order { EAGER, LAZY, EARLY, LATE, SEED };
enum { PATIENCE = 2 }; /* questions answered "not ready" before lazy work moves */
struct Queue {
    std::vector<cudaStream_t> streams;
    Order order = LAZY;
    long number = 0;
    std::mt19937 random;
    int depth = 0; /* of calls that may have opened the memory */
};
Queue &queue() {
    static Queue *q = [] {
        auto *fresh = new Queue;
        const char *text = getenv("FAKE_ORDER");
        std::string order = text != nullptr ? text : "lazy";
        size_t colon = order.find(':');
        if (colon != std::string::npos) fresh->number = atol(order.c_str() + colon + 1);
        order = order.substr(0, colon);
        if (order == "eager")
            fresh->order = EAGER;
        else if (order == "lazy")
            fresh->order = LAZY;
        else if (order == "early")
            fresh->order = EARLY;
        else if (order == "late")
            fresh->order = LATE;
        else if (order == "seed")
            fresh->order = SEED;
        else
            stop("FAKE_ORDER=%s: expected eager, lazy, early:K, late:K or seed:N", text);
        fresh->random.seed((unsigned)fresh->number);
        return fresh;
    }();
    return *q;
}
thread_local cudaError_t last_error = cudaSuccess;
cudaError_t spoilt = cudaSuccess; /* after a failed kernel every call gives this */

/* Closes the memory again when the outermost call that ran work ends. */
struct Section {
    Section() { queue().depth++; }
    ~Section() {
        if (--queue().depth == 0) memory_lock();
    }
};
} // namespace

bool toss() {
    return queue().order == SEED && queue().random() % 2 == 1;
}

cudaError_t remember(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

cudaError_t entered(const char *function, cudaError_t natural) {
    cudaError_t error = (cudaError_t)call(function, natural);
    if (error == cudaErrorLaunchFailure) spoilt = error;
    return remember(error != cudaSuccess ? error : spoilt);
}

extern "C" cudaError_t cudaGetLastError(void) {
    if (last_error ==
        cudaErrorNotReady) { /* asked only to forget it, as often as a poll came early */
        last_error = spoilt;
        return cudaErrorNotReady;
    }
    cudaError_t ordered = (cudaError_t)call(__func__, cudaErrorLaunchFailure);
    cudaError_t error = ordered != cudaSuccess ? ordered : last_error;
    last_error = spoilt;
    return error;
}

extern "C" cudaError_t cudaPeekAtLastError(void) {
    return last_error;
}

const std::vector<cudaStream_t> &all_streams() {
    return queue().streams;
}

cudaStream_t new_stream(int id, int device, bool inner) {
    auto *s = new CUstream_st;
    s->id = id;
    s->device = device;
    s->inner = inner;
#ifdef FAKE_TSAN
    s->fiber = __tsan_create_fiber(0);
    std::string name = (inner ? "graph part of stream " : "stream ") + std::to_string(id);
    __tsan_set_fiber_name(s->fiber, name.c_str());
#endif
    queue().streams.push_back(s);
    return s;
}

/* One call of the item's step, as the sanitizer's fiber of the stream. What the step holds is
 * destroyed there as well. */
static bool run(cudaStream_t s, Item &item) {
#ifdef FAKE_TSAN
    void *host = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(s->fiber, NO_ORDERING);
#endif
    bool done = true;
    for (auto &m : item.acquire) __tsan_acquire(m.get());
    if (item.task.begin && !item.step) item.step = item.task.begin();
    if (item.step) done = item.step();
    if (done) {
        item.step = nullptr;
        item.task.begin = nullptr;
        if (item.release) __tsan_release(item.release.get());
        __tsan_release(&s->end);
    }
#ifdef FAKE_TSAN
    __tsan_switch_to_fiber(host, NO_ORDERING);
#endif
    return done;
}

static bool execute(cudaStream_t s, Item &item) {
    if (!item.task.begin) return run(s, item);
    if (!item.step && spoilt == cudaSuccess &&
        call("execution", cudaErrorLaunchFailure) != cudaSuccess) {
        spoilt = cudaErrorLaunchFailure;
    }
    if (spoilt != cudaSuccess) return true; /* a spoilt device does nothing more */
    memory_unlock();
    const char *outer = running();
    set_running(item.task.what.c_str());
    if (item.place) count_begin();
    bool done = run(s, item);
    if (item.place) count_end(item.place.get(), item.task, done);
    set_running(outer);
    return done;
}

/* Only what is needed, in stream order. Waits name earlier items, so there are no cycles. */
bool advance(cudaStream_t s, uint64_t upto) {
    Section section;
    if (s->done >= upto) return true;
    if (s->busy) return false;
    s->busy = true;
    while (s->done < upto) {
        Item &item = s->items.front();
        if (item.wait_on != nullptr && !advance(item.wait_on, item.wait_upto)) break;
        if (!execute(s, item)) break;
        s->items.pop_front();
        s->done++;
    }
    s->busy = false;
    return s->done >= upto;
}

void pump() {
    Section section;
    for (size_t i = 0; i < queue().streams.size(); i++) {
        advance(queue().streams[i], queue().streams[i]->issued);
    }
}

static bool at_once(cudaStream_t s) {
    const Queue &q = queue();
    return q.order == EAGER || (q.order == EARLY && s->id == q.number) ||
           (q.order == LATE && s->id != q.number);
}

static void run_eager_ones() {
    for (size_t i = 0; i < queue().streams.size(); i++) {
        cudaStream_t s = queue().streams[i];
        if (at_once(s)) advance(s, s->issued);
    }
}

/* A few steps on streams chosen at random. */
static void run_some() {
    Queue &q = queue();
    for (unsigned n = q.random() % 4; n > 0 && !q.streams.empty(); n--) {
        cudaStream_t s = q.streams[q.random() % q.streams.size()];
        uint64_t upto = s->done + 1 + q.random() % 4;
        advance(s, upto < s->issued ? upto : s->issued);
    }
}

void push(cudaStream_t stream, Item item) {
    Section section;
    stream->items.push_back(std::move(item));
    stream->issued++;
    if (queue().order == SEED)
        run_some();
    else
        run_eager_ones();
}

bool poll(cudaStream_t stream, uint64_t upto, int *polls) {
    Section section;
    if (queue().order == SEED)
        run_some();
    else
        run_eager_ones();
    if (stream->done < upto && ++*polls > PATIENCE) advance(stream, upto);
    return stream->done >= upto;
}

void wait_for(cudaStream_t stream, uint64_t upto, const char *why) {
    static const long limit = setting("FAKE_HANG_SECONDS", 60) * 10000;
    Section section;
    for (long n = 0; !advance(stream, upto); n++) {
        if (n > limit) stop("%s waits for peers that do not come: a GPU would hang here", why);
        struct timespec pause = {0, 100000};
        nanosleep(&pause, nullptr);
    }
}

void drain(const char *why) {
    for (size_t i = 0; i < queue().streams.size(); i++) {
        wait_for(queue().streams[i], queue().streams[i]->issued, why);
        host_acquires_stream(queue().streams[i]);
    }
}

Moment moment_of_host() {
    auto m = std::make_shared<char>();
    __tsan_release(m.get());
    return m;
}

void host_acquires(const Moment &moment) {
    if (moment) __tsan_acquire(moment.get());
}

void host_acquires_stream(cudaStream_t stream) {
    stream->known = stream->done;
    __tsan_acquire(&stream->end);
}

cudaError_t issue(cudaStream_t stream, Task task) {
    if ((uintptr_t)stream < 16) stop("%s: the default stream is used", task.what.c_str());
    if (stream->destroyed) stop("%s: the stream is destroyed", task.what.c_str());
    if (current_device() != stream->device) return remember(cudaErrorInvalidResourceHandle);
    if (captures(stream)) {
        capture_task(stream, std::move(task));
        return cudaSuccess;
    }
    Item item;
    item.task = std::move(task);
    item.acquire.push_back(moment_of_host());
    push(stream, std::move(item));
    return cudaSuccess;
}

} // namespace fake
