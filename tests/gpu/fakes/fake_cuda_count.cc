/* What recorded steps ask of the device, as a table: what a model of their time is fed with.
 *
 *   FAKE_COUNT=file   a line for each task of each launch of a graph, as they end (with several
 * ranks file.<rank>):
 *
 *     launch  from 1
 *     index   in the order of the graph
 *     stream  by the order in which streams joined the capture
 *     kind    kernel, cudnn, copy, set, nccl, host; record, wait: of an event of the graph
 *     name    of the kernel, call or event
 *     read, written   bytes: of cuDNN and NCCL those of their operands, of all else those of the
 *                     pages (4096 bytes) of device memory that were touched
 *     flop    of cuDNN
 *     detail  its operation; blocks and threads of a kernel; calls and ranks of NCCL
 *
 * Convolutions are not computed then: their results are small numbers, so that large networks take
 * seconds. */
#include "fake.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>

namespace fake {

static FILE *table() {
    static FILE *file = [] {
        const char *path = getenv("FAKE_COUNT");
        if (path == nullptr) return (FILE *)nullptr;
        std::string name = path;
        if (setting("OMPI_COMM_WORLD_SIZE", 1) > 1) name += "." + std::to_string(rank());
        FILE *f = fopen(name.c_str(), "w");
        if (f == nullptr) stop("cannot write FAKE_COUNT=%s", name.c_str());
        setlinebuf(f); /* a failing program may leave by _exit */
        fprintf(f, "launch\tindex\tstream\tkind\tname\tread\twritten\tflop\tdetail\n");
        return f;
    }();
    return file;
}

bool counting() {
    return table() != nullptr;
}

static long next_index() {
    static long count;
    return count++;
}

std::shared_ptr<Place> place_of(long launch, int stream) {
    if (!counting()) return nullptr;
    auto p = std::make_shared<Place>();
    p->launch = launch;
    p->index = next_index();
    p->stream = stream;
    return p;
}

void count_event(long launch, int stream, const char *what, int event) {
    if (!counting()) return;
    fprintf(table(), "%ld\t%ld\t%d\t%s\t%d\t0\t0\t0\t\n", launch, next_index(), stream, what,
            event);
}

/* Without "void " and the parameters. */
static std::string plain_name(const std::string &what) {
    int status = 0;
    char *text = abi::__cxa_demangle(what.c_str(), nullptr, nullptr, &status);
    std::string name = status == 0 ? text : what;
    free(text);
    if (name.compare(0, 5, "void ") == 0) name = name.substr(5);
    int depth = 0;
    for (size_t i = 0; i < name.size(); i++) {
        depth += (name[i] == '<') - (name[i] == '>');
        if (name[i] == '(' && depth == 0) return name.substr(0, i);
    }
    return name;
}

static const char *kind_of(const std::string &what) {
    if (what == "cudaMemcpyAsync") return "copy";
    if (what == "cudaMemsetAsync") return "set";
    return "host";
}

void count_begin() {
    watch_pages();
}

void count_end(Place *place, const Task &task, bool done) {
    size_t read = 0, written = 0;
    touched_pages(&read, &written);
    place->read += read;
    place->written += written;
    if (!done) return;
    static const Cost none = {nullptr, 0, 0, 0, ""};
    const Cost &c = task.cost ? *task.cost : none;
    bool touched = c.kind == nullptr || strcmp(c.kind, "kernel") == 0;
    fprintf(table(), "%ld\t%ld\t%d\t%s\t%s\t%zu\t%zu\t%.0f\t%s\n", place->launch, place->index,
            place->stream, c.kind != nullptr ? c.kind : kind_of(task.what),
            plain_name(task.what).c_str(), touched ? place->read : c.read,
            touched ? place->written : c.write, c.flop, c.detail.c_str());
}

} // namespace fake
