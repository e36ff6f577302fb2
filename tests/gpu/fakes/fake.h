/* What the fake CUDA runtime, NCCL and cuDNN share. They are preloaded before the real libraries,
 * so that the unmodified nvcc-built program runs where there is no GPU (README.md).
 *
 * The one idea: "device" work is a list of tasks per stream that the host's own thread carries out
 * inside its calls, at a time that FAKE_ORDER chooses among all that streams and events allow.
 *
 * Errors of the program under test end it: stop() prints "fake: ..." and leaves with code 99. */
#ifndef GYRE_TESTS_GPU_FAKE_H
#define GYRE_TESTS_GPU_FAKE_H

#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>
#include <functional>
#include <memory>
#include <string>

namespace fake {

/* ---- control.cc: settings, failures on demand, the list of calls */

enum { EXIT_STOPPED = 99 };

[[noreturn]] void stop(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2))); /* stderr, continues */
/* An integer from the environment. */
long setting(const char *name, long otherwise);
int rank(); /* of this process, as the launcher says; 0 without one */

/* Counts a call of `function`, writes it to FAKE_LOG, and returns 0, or the error that
 * FAKE_FAIL=function:k[:code] asks for: `natural` where no code is given. */
int call(const char *function, int natural);

/* ---- tasks */

/* One execution under way: called again and again until it returns true (done). Only collectives
 * ever return false: their peers are not there yet. */
using Step = std::function<bool()>;
/* What a task costs, for FAKE_COUNT (count.cc). Of a kernel the bytes are those that it touches. */
struct Cost {
    const char *kind;   /* "kernel", "cudnn", "nccl" */
    size_t read, write; /* bytes */
    double flop;
    std::string detail;
};
/* What was put on a stream. begin() is called once per execution, more than once in a graph. */
struct Task {
    std::string what;
    std::function<Step()> begin;
    std::shared_ptr<const Cost> cost = nullptr; /* of count.cc */
};
/* A task that waits for nothing. */
Task plain(std::string what, std::function<void()> run);

/* ---- queue.cc */

/* Puts a task on a stream, or into the graph that the stream is being captured for. */
cudaError_t issue(cudaStream_t stream, Task task);
/* Heads or tails under FAKE_ORDER=seed:N; else false. */
bool toss();
/* Every task that can run now, on all streams: what a device does while the host is elsewhere. */
void pump();
/* Runs everything; stops the program where a collective's peers stay away too long. */
void drain(const char *why);
/* Collectives of a communicator that was aborted end without result: their steps see to that. */

/* The last error, and the one that stays (a failed kernel spoils the context). */
cudaError_t remember(cudaError_t error);
cudaError_t entered(const char *function, cudaError_t natural);

/* ---- memory.cc */

bool on_device(const void *p);
/* Stops unless [p, p + bytes) lies in one live allocation of device (or pinned) memory. */
void check_device_range(const void *p, size_t bytes, const char *what);
/* Device memory is out of reach except while a task runs. */
void memory_unlock();
void memory_lock();
const char *running(); /* what runs now, for messages; "" */
void set_running(const char *what);
/* While pages are watched, each is counted at its first read and its first write. */
void watch_pages();
void touched_pages(size_t *read, size_t *written); /* bytes since watch_pages() */
void install_fault_handler();
/* A copy that the thread sanitizer sees (touch.cc). */
void copy_bytes(void *to, const void *from, size_t bytes);
void set_bytes(void *to, int value, size_t bytes);
void read_floats(float *to, const void *from, size_t n, size_t stride, bool bf16);
void write_floats(void *to, const float *from, size_t n, size_t stride, bool bf16);

/* ---- count.cc: what a step costs, as a table */

bool counting();
/* One execution of a task: where it is in what the device did. */
struct Place {
    long launch; /* of a graph, from 1 */
    long index;  /* in the order of the graph */
    int stream;
    size_t read = 0, written = 0;
};
std::shared_ptr<Place> place_of(long launch, int stream); /* the next one; nullptr: not counted */
void count_begin();
void count_end(Place *place, const Task &task, bool done);
/* The launch records (`what` "record") or waits for ("wait") its k-th event. */
void count_event(long launch, int stream, const char *what, int event);

/* ---- what is still held, for the report at exit */
void report_memory();
void report_streams();
void report_graphs();

/* Shorthand for runtime functions: counts the call and gives the failure on demand. */
#define FAKE_ENTER(natural)                                                                        \
    do {                                                                                           \
        cudaError_t fake_error_ = fake::entered(__func__, natural);                                \
        if (fake_error_ != cudaSuccess) return fake_error_;                                        \
    } while (0)

} // namespace fake

#endif
