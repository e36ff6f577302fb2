/* Streams and events as the runtime offers them. Events order exactly as in CUDA: a wait takes what
 * the event's last record stood for at the time of the call; for an event that was never recorded
 * it waits for nothing, which is reported since it must be a mistake.
 *
 *   FAKE_DROP_WAIT=k   the k-th needed cudaStreamWaitEvent does nothing (of rank FAKE_RANK, if
 *                      given). One for what the host knows to be done already is not needed there:
 *                      it could not be told from none. In FAKE_LOG: "needed wait k". */
#include "fake_cuda_queue.h"

#include <set>

namespace fake {

static std::set<cudaEvent_t> &events() {
    static auto *all = new std::set<cudaEvent_t>;
    return *all;
}

static int created; /* streams that the program made */

void report_streams() {
    size_t open = 0, unfinished = 0;
    for (cudaStream_t s : all_streams()) {
        open += !s->inner && !s->destroyed;
        unfinished += s->done < s->issued;
    }
    if (open > 0) note("leak: %zu streams", open);
    if (!events().empty()) note("leak: %zu events", events().size());
    if (unfinished > 0) note("%zu streams had work left at the end", unfinished);
}

/* Is a wait for this event one that FAKE_DROP_WAIT counts, and the one that it drops? */
static bool dropped(cudaEvent_t event) {
    static const long drop = setting("FAKE_DROP_WAIT", 0);
    static const bool mine = setting("FAKE_RANK", rank()) == rank();
    static long count;
    bool recorded = event->capture != nullptr || event->stream != nullptr;
    bool known = event->capture == nullptr && recorded && event->upto <= event->stream->known;
    if (!recorded || known) return false;
    call("needed wait", 0);
    return ++count == drop && mine;
}

/* The host knows that the event has passed. */
static void learn(cudaEvent_t event) {
    host_acquires(event->moment);
    if (event->stream->known < event->upto) event->stream->known = event->upto;
}

static void check_stream(cudaStream_t stream, const char *what) {
    if ((uintptr_t)stream < 16) stop("%s: the default stream is used", what);
    if (stream->destroyed) stop("%s: the stream is destroyed", what);
}

static void check_event(cudaEvent_t event, const char *what) {
    if (events().count(event) == 0) stop("%s: %p is no event", what, (void *)event);
}

} // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    if ((flags & cudaStreamNonBlocking) == 0) stop("a stream is not created as non-blocking");
    *out = new_stream(created++, current_device(), false);
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *out, unsigned flags, int) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    if ((flags & cudaStreamNonBlocking) == 0) stop("a stream is not created as non-blocking");
    *out = new_stream(created++, current_device(), false);
    return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest) {
    FAKE_ENTER(cudaErrorUnknown);
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
}

/* What is on it still runs, as in CUDA. */
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    cudaError_t error = entered(__func__, cudaErrorUnknown);
    check_stream(stream, __func__);
    advance(stream, stream->issued);
    stream->destroyed = true;
    return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    check_stream(stream, __func__);
    if (cudaError_t e = refuse_in_capture(stream)) return remember(e);
    wait_for(stream, stream->issued, __func__);
    host_acquires_stream(stream);
    return entered("result of cudaStreamSynchronize", cudaErrorLaunchFailure);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    static int polls;
    check_stream(stream, __func__);
    if (cudaError_t e = refuse_in_capture(stream)) return remember(e);
    if (!poll(stream, stream->issued, &polls))
        return remember(cudaErrorNotReady); /* the last error, too */
    polls = 0;
    host_acquires_stream(stream);
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    if (cudaError_t e = refuse_in_capture(nullptr)) return remember(e);
    drain(__func__);
    return entered("result of cudaDeviceSynchronize", cudaErrorLaunchFailure);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    *out = new CUevent_st;
    events().insert(*out);
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *out) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    *out = new CUevent_st;
    events().insert(*out);
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    cudaError_t error = entered(__func__, cudaErrorUnknown);
    check_event(event, __func__);
    events().erase(event);
    delete event;
    return error;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    check_event(event, __func__);
    check_stream(stream, __func__);
    event->polls = 0;
    if (captures(stream)) {
        capture_record(stream, event);
        return cudaSuccess;
    }
    Item item;
    item.release = std::make_shared<char>();
    event->moment = item.release;
    event->stream = stream;
    event->upto = stream->issued + 1;
    event->capture = nullptr;
    push(stream, std::move(item));
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    check_event(event, __func__);
    check_stream(stream, __func__);
    if (flags != 0) stop("cudaStreamWaitEvent with flags %u", flags);
    if (dropped(event)) return cudaSuccess;
    if (capture_concerns(stream, event)) return remember(capture_wait(stream, event));
    if (event->stream == nullptr) {
        note("stream %d waits for an event that was never recorded: it waits for nothing",
             stream->id);
        return cudaSuccess;
    }
    Item item;
    item.wait_on = event->stream;
    item.wait_upto = event->upto;
    item.acquire.push_back(event->moment);
    push(stream, std::move(item));
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    check_event(event, __func__);
    if (event->capture != nullptr) return remember(cudaErrorCapturedEvent);
    if (cudaError_t e = refuse_in_capture(nullptr)) return remember(e);
    if (event->stream == nullptr) return cudaSuccess;
    if (!poll(event->stream, event->upto, &event->polls))
        return remember(cudaErrorNotReady); /* the last error, too */
    learn(event);
    return entered("result of cudaEventQuery", cudaErrorLaunchFailure);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    check_event(event, __func__);
    if (event->capture != nullptr) return remember(cudaErrorCapturedEvent);
    if (cudaError_t e = refuse_in_capture(nullptr)) return remember(e);
    if (event->stream == nullptr) return cudaSuccess;
    wait_for(event->stream, event->upto, __func__);
    learn(event);
    return entered("result of cudaEventSynchronize", cudaErrorLaunchFailure);
}

/* Time does not pass on this device. */
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t, cudaEvent_t) {
    FAKE_ENTER(cudaErrorUnknown);
    *ms = 1;
    return cudaSuccess;
}

/* A host function runs as a task; it may not call CUDA, which is not checked. */
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    check_stream(stream, __func__);
    return issue(stream, plain("host function", [=] { function(data); }));
}
}
