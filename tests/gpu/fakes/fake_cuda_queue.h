/* Streams and events as queues: what queue.cc, stream.cc and graph.cc share. */
#ifndef GYRE_TESTS_GPU_FAKE_QUEUE_H
#define GYRE_TESTS_GPU_FAKE_QUEUE_H

#include "fake.h"
#include <deque>
#include <memory>
#include <string>
#include <vector>

/* The thread sanitizer sees one fiber per stream; a Moment is what it knows of an ordering between
 * two of them (or the host): released by what comes before, acquired by what comes after. */
using Moment = std::shared_ptr<char>;

namespace fake {
struct Item {
    Task task;                      /* task.begin empty: only ordering */
    Step step;                      /* the execution under way */
    cudaStream_t wait_on = nullptr; /* runs after so many items of this stream */
    uint64_t wait_upto = 0;
    std::vector<Moment> acquire;
    Moment release;
    std::shared_ptr<Place> place; /* of a task, where FAKE_COUNT counts */
};
struct Capture;
} // namespace fake

struct CUstream_st {
    int id; /* by creation, from 0; a graph's inner streams have that of the captured one */
    int device;
    bool inner = false, destroyed = false, busy = false;
    std::deque<fake::Item> items;
    uint64_t issued = 0, done = 0;
    uint64_t known = 0; /* items that the host has been told are done */
    void *fiber = nullptr;
    char end = 0; /* address of the sanitizer's "everything so far on this stream" */
};

struct CUevent_st {
    cudaStream_t stream = nullptr; /* of the last record */
    uint64_t upto = 0;
    Moment moment;
    int polls = 0;
    fake::Capture *capture = nullptr; /* last recorded in this capture */
    int record = 0;                   /* and there with this number */
};

namespace fake {

int current_device(); /* of the calling thread */
void use_device(int number);
/* ---- view.cc: one visible GPU, or a slice (>= 0) of one */
struct Seen {
    int gpu, slice;
};
const std::vector<Seen> &view(); /* by device number, of this process */
int gpus_there();                /* on the host */
void uuid_of(const Seen &g, unsigned char uuid[16]);
int numa_node(int gpu);
/* The k-th part of a list; of a shorter one the last, or "". */
std::string entry(const char *list, int k, char separator, bool counts_on);
/* `inner`: of the fake's own, for graphs. */
cudaStream_t new_stream(int id, int device, bool inner);
/* Appends to the queue and runs what FAKE_ORDER says to run now. */
void push(cudaStream_t stream, Item item);
Moment moment_of_host(); /* everything that the host has done so far */
void host_acquires(const Moment &moment);
void host_acquires_stream(cudaStream_t stream);
/* Runs what is needed until so many items of the stream are done; false: peers are not there. */
bool advance(cudaStream_t stream, uint64_t upto);
/* One question of the host whether the stream got so far: progress as FAKE_ORDER has it. */
bool poll(cudaStream_t stream, uint64_t upto, int *polls);
/* Waits, and stops the program where peers stay away. */
void wait_for(cudaStream_t stream, uint64_t upto, const char *why);
const std::vector<cudaStream_t> &all_streams();

/* capture (graph.cc) */
bool captures(cudaStream_t stream); /* this stream is being captured */
bool captures_all_threads();        /* and what other threads call may spoil it */
void capture_task(cudaStream_t stream, Task task);
void capture_record(cudaStream_t stream, cudaEvent_t event);
cudaError_t capture_wait(cudaStream_t stream, cudaEvent_t event);
/* Is `event` or `stream` part of the capture under way? */
bool capture_concerns(cudaStream_t stream, cudaEvent_t event);
/* The error of a call that may not be made during capture, which it spoils; for nullptr any. */
cudaError_t refuse_in_capture(cudaStream_t stream);

} // namespace fake

#endif
