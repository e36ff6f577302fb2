/* The emulator itself: what must be found is found, kernels are known by the names that nvcc gives
 * them, orders differ. */
#include "port.h"
#include <csetjmp>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern "C" {
#include <cmocka.h> /* last: it defines words like fail */
}

#if defined(__SANITIZE_ADDRESS__)
static const bool asan = true, tsan = false;
#elif defined(__SANITIZE_THREAD__)
static const bool asan = false, tsan = true;
#else
static const bool asan = false, tsan = false;
#endif

/* ---- kernels with a fault each */

/* Each thread reads what another one wrote; `faulty`: without waiting for it. */
__global__ void turn_kernel(int faulty, const float *x, float *y) {
    SHARED(float, shared, [64]);
    shared[threadIdx.x] = x[threadIdx.x];
    if (!faulty) __syncthreads();
    y[threadIdx.x] = shared[63 - threadIdx.x];
}
KERNEL(turn_kernel);

__global__ void some_wait_kernel(float *y) {
    if (threadIdx.x < 16) __syncthreads();
    y[threadIdx.x] = 1;
}
KERNEL(some_wait_kernel);

__global__ void wait_apart_kernel(float *y) {
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    y[threadIdx.x] = 1;
}
KERNEL(wait_apart_kernel);

__global__ void half_shuffle_kernel(float *y) {
    float v = float(threadIdx.x);
    if (threadIdx.x % 2 == 0) v = __shfl_xor_sync(0xffffffffu, v, 2);
    y[threadIdx.x] = v;
}
KERNEL(half_shuffle_kernel);

__global__ void foreign_lane_kernel(float *y) {
    float v = float(threadIdx.x);
    if (threadIdx.x < 16) v = __shfl_sync(0xffffu, v, 20);
    y[threadIdx.x] = v;
}
KERNEL(foreign_lane_kernel);

__global__ void beyond_kernel(int n, float *y) {
    y[n] = 1;
}
KERNEL(beyond_kernel);

__global__ void beyond_shared_kernel(int i, float *y) {
    SHARED(float, shared, [8]);
    shared[i] = 1;
    y[0] = shared[i];
}
KERNEL(beyond_shared_kernel);

/* The sum of a warp, in every lane. */
__global__ void warp_sum_kernel(float *y) {
    float v = float(threadIdx.x);
    for (int bit = 16; bit > 0; bit /= 2) v += __shfl_xor_sync(0xffffffffu, v, bit);
    y[threadIdx.x] = v;
}
KERNEL(warp_sum_kernel);

static std::vector<unsigned> *visited;
template <class T, int V> __global__ void visit_kernel(T value) {
    visited->push_back(unsigned(blockIdx.x * 1000 + threadIdx.x + value * V));
}
KERNEL(visit_kernel<int, 0>);
KERNEL(visit_kernel<unsigned, 100000>);

/* ---- does it end the program, and say so? */

static std::string ending_of(const std::function<void()> &f) {
    int ends[2], status;
    char text[8192] = "";
    if (pipe(ends) != 0) fail_msg("no pipe");
    pid_t child = fork();
    if (child == 0) {
        rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], 2);
        f();
        _exit(0);
    }
    close(ends[1]);
    for (size_t at = 0; at < sizeof text - 1;) {
        ssize_t got = read(ends[0], text + at, sizeof text - 1 - at);
        if (got <= 0) break;
        at += size_t(got);
    }
    close(ends[0]);
    waitpid(child, &status, 0);
    return status == 0 ? "" : std::string("ended: ") + text;
}

static void must_say(const std::function<void()> &f, const char *what) {
    std::string ending = ending_of(f);
    if (ending.find(what) == std::string::npos)
        fail_msg("expected \"%s\", found \"%s\"", what, ending.c_str());
}

static float numbers[256];

template <class... A> static void launch(const char *name, unsigned grid, unsigned block, A... a) {
    void *arguments[] = {static_cast<void *>(&a)...};
    cudaError_t error = emulator_launch(name, dim3(grid), dim3(block), 0, arguments);
    if (error != cudaSuccess) fail_msg("%s: error %d", name, int(error));
}

static void disagreements_are_reported(void **) {
    must_say([] { launch("some_wait_kernel", 1, 64, numbers + 0); }, "never reach");
    must_say([] { launch("wait_apart_kernel", 1, 64, numbers + 0); }, "different barriers");
    must_say([] { launch("half_shuffle_kernel", 1, 32, numbers + 0); }, "has ended");
    must_say([] { launch("foreign_lane_kernel", 1, 32, numbers + 0); }, "outside the mask");
    must_say([] { launch("warp_sum_kernel", 1, 16, numbers + 0); }, "doesn't have");
    must_say([] { launch("some_wait_kernel", 1, 64, numbers + 0); }, "test_emulator.cc:");
}

static void sanitizers_see_kernels(void **) {
    float *four = static_cast<float *>(malloc(4 * sizeof(float)));
    const float *x = numbers;
    float *y = numbers + 64;
    std::string beyond = ending_of([=] { launch("beyond_kernel", 1, 1, 4, four); });
    assert_int_equal(asan, beyond.find("heap-buffer-overflow") != std::string::npos);
    std::string shared = ending_of([=] { launch("beyond_shared_kernel", 1, 1, 9, four); });
    assert_int_equal(asan, shared.find("ended: ") == 0);
    std::string race = ending_of([=] { launch("turn_kernel", 1, 64, 1, x, y); });
    assert_int_equal(tsan, race.find("data race") != std::string::npos);
    assert_true(ending_of([=] { launch("turn_kernel", 1, 64, 0, x, y); }) == "");
    free(four);
}

/* Thread t of every block is one thread for the sanitizer; that blocks meet is seen where other
 * threads of them do. */
__global__ void neighbours_kernel(float *y) {
    y[(threadIdx.x + blockIdx.x) % 64] = 1;
}
KERNEL(neighbours_kernel);

static void two_blocks_race(void **) {
    std::string race = ending_of([] { launch("neighbours_kernel", 2, 64, numbers + 0); });
    assert_int_equal(tsan, race.find("data race") != std::string::npos);
}

static void a_missing_barrier_shows_as_nan(void **) {
    if (tsan) return;
    for (int i = 0; i < 64; i++) numbers[i] = float(i);
    const float *x = numbers;
    float *y = numbers + 64;
    int faulty = 0;
    launch("turn_kernel", 1, 64, faulty, x, y);
    for (int i = 0; i < 64; i++) assert_true(y[i] == float(63 - i));
    faulty = 1;
    launch("turn_kernel", 1, 64, faulty, x, y);
    assert_true(y[0] != y[0]);
}

static void shuffles_move_values(void **) {
    for (uint64_t seed = 0; seed < 5; seed++) {
        emulator_seed(seed);
        launch("warp_sum_kernel", 1, 64, numbers + 0);
        for (int i = 0; i < 64; i++) assert_true(numbers[i] == (i < 32 ? 496 : 1520));
    }
    emulator_seed(0);
}

/* ---- names */

static void kernels_are_found_by_name(void **) {
    std::vector<unsigned> list;
    visited = &list;
    emulator_sanitize_threads(false); /* the list is everybody's */
    launch("visit_kernel<int, 0>", 1, 1, 7);
    launch("void visit_kernel<int, 0>(int)", 1, 1, 7);
    launch("_Z12visit_kernelIiLi0EEvT_", 1, 1, 7);
    launch("_Z12visit_kernelIjLi100000EEvT_", 1, 1, 3u);
    emulator_sanitize_threads(true);
    assert_int_equal(list.size(), 4);
    assert_int_equal(list[3], 300000);
    const size_t *sizes;
    assert_int_equal(emulator_arguments("turn_kernel", &sizes), 3);
    assert_int_equal(sizes[0], 4);
    assert_int_equal(sizes[2], 8);
    assert_int_equal(emulator_arguments("turn", nullptr), -1);
}

static void bad_launches_are_refused(void **) {
    void *arguments[] = {nullptr};
    assert_int_equal(emulator_launch("nothing", 1, 1, 0, arguments),
                     cudaErrorInvalidDeviceFunction);
    for (dim3 grid : {dim3(0), dim3(1, 65536)}) {
        assert_int_equal(emulator_launch("some_wait_kernel", grid, 1, 0, arguments),
                         cudaErrorInvalidConfiguration);
    }
    for (dim3 block : {dim3(0), dim3(1025), dim3(32, 33)}) {
        assert_int_equal(emulator_launch("some_wait_kernel", 1, block, 0, arguments),
                         cudaErrorInvalidConfiguration);
    }
}

/* registers.txt is made from what nvcc calls them: each line begins with a name. */
static void nvcc_and_the_emulator_agree_on_names(void **) {
    std::ifstream file("tests/gpu/kernels/registers.txt");
    std::string line;
    std::set<std::string> real, ours;
    while (std::getline(file, line)) {
        size_t at = line.find(": ");
        if (line[0] != '#' && at != std::string::npos) real.insert(line.substr(0, at));
    }
    emulator_each([](void *set,
                     const char *name) { static_cast<std::set<std::string> *>(set)->insert(name); },
                  &ours);
    if (real.empty())
        fail_msg("no kernels in tests/gpu/kernels/registers.txt (run from the top folder)");
    for (const std::string &name : real) {
        if (ours.count(name) == 0) fail_msg("%s has no KERNEL() for the emulator", name.c_str());
    }
}

/* ---- orders */

static std::vector<unsigned> visit(uint64_t seed, unsigned grid, unsigned block) {
    std::vector<unsigned> list;
    visited = &list;
    emulator_seed(seed);
    emulator_sanitize_threads(false);
    launch("visit_kernel<int, 0>", grid, block, 0);
    emulator_sanitize_threads(true);
    emulator_seed(0);
    return list;
}

static void every_thread_runs_once_in_every_order(void **) {
    std::set<std::vector<unsigned>> orders;
    for (uint64_t seed = 0; seed < 6; seed++) {
        std::vector<unsigned> list = visit(seed, 7, 70);
        orders.insert(list);
        assert_int_equal(list.size(), 490);
        assert_int_equal(std::set<unsigned>(list.begin(), list.end()).size(), 490);
        assert_true(list == visit(seed, 7, 70) || seed > 1);
    }
    assert_int_equal(orders.size(), 6);
    emulator_blocks(3, 4);
    assert_int_equal(visit(5, 7, 70).size(), 140);
    emulator_blocks(9, 9);
    assert_int_equal(visit(5, 7, 70).size(), 0);
    emulator_blocks(0, UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disagreements_are_reported),
        cmocka_unit_test(sanitizers_see_kernels),
        cmocka_unit_test(two_blocks_race),
        cmocka_unit_test(a_missing_barrier_shows_as_nan),
        cmocka_unit_test(shuffles_move_values),
        cmocka_unit_test(kernels_are_found_by_name),
        cmocka_unit_test(bad_launches_are_refused),
        cmocka_unit_test(nvcc_and_the_emulator_agree_on_names),
        cmocka_unit_test(every_thread_runs_once_in_every_order),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
