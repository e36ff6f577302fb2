/* Stream capture and graphs. A graph is the list of what was captured, by stream; launching it
 * plays that list on inner streams, one for each captured one, so that it has exactly the freedom
 * that a graph's dependencies leave. Kernel arguments stay as they were captured. */
#include "fake_cuda_queue.h"

#include <algorithm>
#include <map>
#include <set>

namespace fake {

struct Node {
    int on; /* number of the captured stream */
    Task task;
    int record = -1, wait = -1; /* numbers of records */
};
struct Capture {
    cudaGraph_t graph;
    cudaStream_t origin;
    cudaStreamCaptureMode mode;
    cudaError_t spoilt = cudaSuccess;
    std::map<cudaStream_t, int> numbers;
    /* [i][j]: how many nodes of stream j must be done before the next one of stream i */
    std::vector<std::vector<uint64_t>> after;
    std::vector<std::pair<int, std::vector<uint64_t>>> records; /* stream, and its `after` then */
};

} // namespace fake

struct CUgraph_st {
    std::vector<fake::Node> nodes;
    std::vector<int> ids;     /* of the captured streams */
    std::vector<int> records; /* captured stream of each record */
};
struct CUgraphExec_st {
    CUgraph_st graph;
    std::vector<cudaStream_t> inner;
};

namespace fake {

static Capture *capture;
static std::set<cudaGraph_t> graphs;
static std::set<cudaGraphExec_t> execs;

static std::vector<Capture *> &old_captures() {
    static auto *all = new std::vector<Capture *>;
    return *all;
}

void report_graphs() {
    if (!graphs.empty()) note("leak: %zu graphs", graphs.size());
    if (!execs.empty()) note("leak: %zu instantiated graphs", execs.size());
}

bool captures(cudaStream_t stream) {
    return capture != nullptr && capture->numbers.count(stream) == 1;
}

bool captures_all_threads() {
    return capture != nullptr && capture->mode == cudaStreamCaptureModeGlobal;
}

bool capture_concerns(cudaStream_t stream, cudaEvent_t event) {
    return event->capture != nullptr || captures(stream);
}

cudaError_t refuse_in_capture(cudaStream_t stream) {
    if (capture == nullptr) return cudaSuccess;
    bool unsafe = stream == nullptr && capture->mode != cudaStreamCaptureModeRelaxed;
    if (!unsafe && !captures(stream)) return cudaSuccess;
    capture->spoilt = cudaErrorStreamCaptureInvalidated;
    return cudaErrorStreamCaptureUnsupported;
}

static int join(cudaStream_t stream) {
    int number = (int)capture->after.size();
    capture->numbers[stream] = number;
    capture->graph->ids.push_back(stream->id);
    for (auto &row : capture->after) row.push_back(0);
    capture->after.emplace_back(number + 1, 0);
    return number;
}

static void append(Node node) {
    capture->after[(size_t)node.on][(size_t)node.on]++;
    capture->graph->nodes.push_back(std::move(node));
}

void capture_task(cudaStream_t stream, Task task) {
    Node node;
    node.on = capture->numbers[stream];
    node.task = std::move(task);
    append(std::move(node));
}

void capture_record(cudaStream_t stream, cudaEvent_t event) {
    Node node;
    node.on = capture->numbers[stream];
    node.record = (int)capture->records.size();
    event->capture = capture;
    event->record = node.record;
    append(node);
    capture->records.emplace_back(node.on, capture->after[(size_t)node.on]);
    capture->graph->records.push_back(node.on);
}

cudaError_t capture_wait(cudaStream_t stream, cudaEvent_t event) {
    if (capture == nullptr) return cudaErrorCapturedEvent; /* its graph plays elsewhere */
    if (event->capture != capture) {
        capture->spoilt = cudaErrorStreamCaptureInvalidated;
        return cudaErrorStreamCaptureIsolation;
    }
    Node node;
    node.on = captures(stream) ? capture->numbers[stream] : join(stream);
    node.wait = event->record;
    append(node);
    auto &mine = capture->after[(size_t)node.on];
    const auto &theirs = capture->records[(size_t)event->record].second;
    for (size_t j = 0; j < theirs.size(); j++) mine[j] = std::max(mine[j], theirs[j]);
    return cudaSuccess;
}

/* FAKE_CHAIN=1: how many tasks of a graph are behind each other, whatever is beside them. */
static void tell_chain(const CUgraph_st &graph) {
    std::vector<size_t> at(graph.ids.size()), of_record(graph.records.size());
    size_t tasks = 0, longest = 0;
    if (setting("FAKE_CHAIN", 0) == 0) return;
    for (const Node &node : graph.nodes) {
        size_t &mine = at[(size_t)node.on];
        if (node.wait >= 0) mine = std::max(mine, of_record[(size_t)node.wait]);
        if (node.task.begin) mine++, tasks++;
        if (node.record >= 0) of_record[(size_t)node.record] = mine;
        longest = std::max(longest, mine);
    }
    note("graph: %zu tasks on %zu streams, %zu behind each other", tasks, at.size(), longest);
}

/* Plays the nodes on the inner streams, between "begin" on the launching stream and "end". */
static void play(const CUgraphExec_st &exec, cudaStream_t stream) {
    const CUgraph_st &graph = exec.graph;
    static long launches;
    long launch = ++launches;
    std::vector<Moment> moments(graph.records.size());
    std::vector<uint64_t> places(graph.records.size());
    Moment begin = std::make_shared<char>();
    Item first;
    first.release = begin;
    push(stream, std::move(first));
    uint64_t upto = stream->issued;
    for (cudaStream_t s : exec.inner) {
        Item item;
        item.wait_on = stream;
        item.wait_upto = upto;
        item.acquire = {begin};
        push(s, std::move(item));
    }
    for (const Node &node : graph.nodes) {
        cudaStream_t s = exec.inner[(size_t)node.on];
        Item item;
        item.task = node.task;
        if (node.task.begin) item.place = place_of(launch, node.on);
        if (node.record >= 0) {
            count_event(launch, node.on, "record", node.record);
            item.release = moments[(size_t)node.record] = std::make_shared<char>();
            places[(size_t)node.record] = s->issued + 1;
        }
        if (node.wait >= 0) {
            count_event(launch, node.on, "wait", node.wait);
            item.wait_on = exec.inner[(size_t)graph.records[(size_t)node.wait]];
            item.wait_upto = places[(size_t)node.wait];
            item.acquire = {moments[(size_t)node.wait]};
        }
        if (item.task.begin) item.acquire.push_back(moment_of_host()); /* behind the copy above */
        push(s, std::move(item));
    }
    for (cudaStream_t s : exec.inner) {
        Item last, item;
        last.release = std::make_shared<char>();
        item.acquire = {last.release};
        push(s, std::move(last));
        item.wait_on = s;
        item.wait_upto = s->issued;
        push(stream, std::move(item));
    }
}

} // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
    FAKE_ENTER(cudaErrorStreamCaptureUnsupported);
    if (capture != nullptr) stop("a second capture begins while one is under way");
    capture = new Capture;
    capture->graph = new CUgraph_st;
    capture->origin = stream;
    capture->mode = mode;
    join(stream);
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *out) {
    cudaError_t error = entered(__func__, cudaErrorStreamCaptureInvalidated);
    *out = nullptr;
    if (capture == nullptr) return remember(cudaErrorIllegalState);
    if (capture->origin != stream) error = cudaErrorStreamCaptureUnmatched;
    if (capture->spoilt != cudaSuccess) error = capture->spoilt;
    for (size_t j = 1; error == cudaSuccess && j < capture->after.size(); j++) {
        if (capture->after[0][j] < capture->after[j][j]) error = cudaErrorStreamCaptureUnjoined;
    }
    cudaGraph_t graph = capture->graph;
    old_captures().push_back(capture); /* events that were recorded in it name it */
    capture = nullptr;
    if (error != cudaSuccess) {
        delete graph;
        return remember(error);
    }
    tell_chain(*graph);
    graphs.insert(graph);
    *out = graph;
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus *status) {
    FAKE_ENTER(cudaErrorUnknown);
    *status = !captures(stream)                ? cudaStreamCaptureStatusNone
              : capture->spoilt != cudaSuccess ? cudaStreamCaptureStatusInvalidated
                                               : cudaStreamCaptureStatusActive;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    auto *exec = new CUgraphExec_st{*graph, {}};
    for (int id : graph->ids) exec->inner.push_back(new_stream(id, current_device(), true));
    execs.insert(exec);
    *out = exec;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *out, cudaGraph_t graph,
                                          unsigned long long flags) {
    return cudaGraphInstantiate(out, graph, flags);
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    FAKE_ENTER(cudaErrorLaunchFailure);
    if (execs.count(exec) == 0) stop("cudaGraphLaunch: %p is no graph", (void *)exec);
    if (captures(stream)) stop("cudaGraphLaunch on a stream that is being captured");
    play(*exec, stream);
    return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count) {
    FAKE_ENTER(cudaErrorUnknown);
    if (nodes != nullptr) stop("cudaGraphGetNodes: only the count is known here");
    *count = 0;
    for (const Node &node : graph->nodes) *count += node.task.begin ? 1 : 0;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    cudaError_t error = entered(__func__, cudaErrorUnknown);
    if (graphs.erase(graph) == 0) stop("cudaGraphDestroy: %p is no graph", (void *)graph);
    delete graph;
    return error;
}

/* A graph under way ends first, as in CUDA. */
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    cudaError_t error = entered(__func__, cudaErrorUnknown);
    if (execs.erase(exec) == 0) stop("cudaGraphExecDestroy: %p is no graph", (void *)exec);
    for (cudaStream_t s : exec->inner) {
        advance(s, s->issued);
        s->destroyed = true;
    }
    delete exec;
    return error;
}
}
