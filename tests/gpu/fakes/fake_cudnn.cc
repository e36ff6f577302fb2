/* cuDNN without a device: descriptors, heuristics and plans are the real library's, in its
 * deviceless mode (a description of the device in the place of a handle); only the execution is
 * ours.
 *
 *   FAKE_DEVICE_JSON   the description: JSON text, or a file that holds it; of several, joined by
 *                      commas, GPU k takes file k
 *   FAKE_CUDNN=91900   version that cudnnGetVersion gives
 *   FAKE_RELU_NAN=drop a fused ReLU that makes 0 of NaN
 *
 * Calls that cuDNN's libraries make among themselves go through untouched. */
#include "fake_cudnn.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <sstream>

struct cudnnContext {
    cudaStream_t stream;
    int gpu; /* that was current when the handle was made */
};

namespace fake {

typedef cudnnBackendDescriptor_t Descriptor;

static std::map<Descriptor, std::shared_ptr<Shadow>> &shadows() {
    static auto *all = new std::map<Descriptor, std::shared_ptr<Shadow>>;
    return *all;
}
static int handles;
static thread_local int inside; /* of calls into the real library */

struct Inside {
    Inside() { inside++; }
    ~Inside() { inside--; }
};

template <class F> static F *real(const char *name) {
    void *f = dlsym(RTLD_NEXT, name);
    if (f == nullptr) stop("%s: the program is not linked to cuDNN", name);
    return (F *)f;
}
#define REAL(function, ...)                                                                        \
    [&] {                                                                                          \
        static auto *f_ = real<decltype(function)>(#function);                                     \
        Inside guard_;                                                                             \
        return f_(__VA_ARGS__);                                                                    \
    }()

static Shadow *shadow_of(Descriptor d) {
    auto it = shadows().find(d);
    return it == shadows().end() ? nullptr : it->second.get();
}

static int current() {
    int gpu = 0;
    cudaGetDevice(&gpu);
    return gpu;
}

static std::string device_text(int gpu) {
    const char *text = getenv("FAKE_DEVICE_JSON");
    if (text == nullptr) stop("FAKE_DEVICE_JSON is not set: expected a device description");
    if (*text == '{') return text;
    std::vector<std::string> files;
    std::stringstream list(text);
    for (std::string name; std::getline(list, name, ',');) files.push_back(name);
    std::ifstream file(files[(size_t)gpu % files.size()]);
    std::stringstream all;
    all << file.rdbuf();
    if (!file || all.str().empty()) stop("cannot read FAKE_DEVICE_JSON=%s", text);
    return all.str();
}

static void describe(Descriptor d, int gpu) {
    std::string text = device_text(gpu);
    REAL(cudnnBackendSetAttribute, d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
         (int64_t)text.size() + 1, text.c_str());
}

static Descriptor device() {
    static Descriptor d = [] {
        Descriptor fresh = nullptr;
        REAL(cudnnBackendCreateDescriptor, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &fresh);
        describe(fresh, current());
        if (REAL(cudnnBackendFinalize, fresh) != CUDNN_STATUS_SUCCESS)
            stop("cuDNN refuses the device description in FAKE_DEVICE_JSON");
        return fresh;
    }();
    return d;
}

static cudnnStatus_t give_device(Descriptor d, cudnnBackendAttributeName_t attribute) {
    Descriptor prop = device();
    return REAL(cudnnBackendSetAttribute, d, attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &prop);
}

/* Heuristics and engines know it by themselves, or by their graph's handle. */
static void of_device(Descriptor d, const Shadow &s, cudnnBackendAttributeName_t itself,
                      cudnnBackendAttributeName_t graph) {
    if (s.has(itself)) return;
    auto of = s.child(graph);
    if (of == nullptr || !of->has(CUDNN_ATTR_OPERATIONGRAPH_HANDLE))
        stop("cuDNN: engines for no device");
    give_device(d, itself);
}

static size_t size_of(cudnnBackendAttributeType_t type) {
    switch (type) {
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR: return 8;
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR: return 1;
    case CUDNN_TYPE_FRACTION: return sizeof(cudnnFraction_t);
    default: return 4;
    }
}

static void keep(Shadow *s, int name, cudnnBackendAttributeType_t type, int64_t count,
                 const void *data) {
    const unsigned char *bytes = (const unsigned char *)data;
    if (count < 0 || data == nullptr) return;
    s->values[name].assign(bytes, bytes + (size_t)count * size_of(type));
    if (type != CUDNN_TYPE_BACKEND_DESCRIPTOR) return;
    auto &list = s->children[name];
    list.clear();
    for (int64_t i = 0; i < count; i++) {
        auto it = shadows().find(((const Descriptor *)data)[i]);
        list.push_back(it == shadows().end() ? nullptr : it->second);
    }
}

/* The operation graph behind an execution plan. */
static std::shared_ptr<Shadow> graph_of(const Shadow &plan) {
    auto configuration = plan.child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    if (configuration == nullptr) stop("cuDNN plan without an engine configuration");
    if (configuration->graph != nullptr) return configuration->graph;
    auto engine = configuration->child(CUDNN_ATTR_ENGINECFG_ENGINE);
    auto graph = engine != nullptr ? engine->child(CUDNN_ATTR_ENGINE_OPERATION_GRAPH) : nullptr;
    if (graph == nullptr) stop("cuDNN plan: its operation graph is not known");
    return graph;
}

static int64_t workspace_of(Descriptor plan) {
    int64_t size = 0, count = 0;
    REAL(cudnnBackendGetAttribute, plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
         1, &count, &size);
    return size;
}

static Task execution(const Shadow &plan, const Shadow &pack, int64_t workspace_size) {
    auto graph = graph_of(plan);
    if (graph->program == nullptr) graph->program = read_graph(*graph);
    auto program = graph->program;
    auto ids = pack.list<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    auto list = pack.list<void *>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    void *workspace = pack.get<void *>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, nullptr);
    if (ids.size() != list.size()) stop("cuDNN: %zu ids for %zu pointers", ids.size(), list.size());
    std::map<int64_t, void *> pointers;
    for (size_t i = 0; i < ids.size(); i++) pointers[ids[i]] = list[i];
    check_pointers(*program, pointers);
    if (workspace_size > 0) {
        check_device_range(workspace, (size_t)workspace_size, "cuDNN workspace");
        if ((uintptr_t)workspace % 256 != 0) stop("cuDNN workspace at %p: not aligned", workspace);
    }
    Task task = plain("cudnnBackendExecute", [=] {
        if (counting()) return sham_program(*program, pointers);
        if (workspace_size > 0) set_bytes(workspace, 0xff, (size_t)workspace_size);
        run_program(*program, pointers);
    });
    if (counting()) task.cost = cost_of(*program);
    return task;
}

__attribute__((destructor)) static void at_exit() {
    if (handles > 0) note("leak: %d cuDNN handles", handles);
}

} // namespace fake

using namespace fake;

#define ENTER(natural)                                                                             \
    do {                                                                                           \
        int error_ = call(__func__, natural);                                                      \
        if (error_ != 0) return (cudnnStatus_t)error_;                                             \
    } while (0)

extern "C" {

size_t cudnnGetVersion(void) {
    return (size_t)setting("FAKE_CUDNN", (long)REAL(cudnnGetVersion));
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *out) {
    ENTER(CUDNN_STATUS_NOT_INITIALIZED);
    *out = new cudnnContext{nullptr, current()};
    handles++;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
    int error = call(__func__, CUDNN_STATUS_INTERNAL_ERROR);
    delete handle;
    handles--;
    return (cudnnStatus_t)error;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    ENTER(CUDNN_STATUS_BAD_PARAM);
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t *stream) {
    ENTER(CUDNN_STATUS_BAD_PARAM);
    *stream = handle->stream;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, Descriptor *out) {
    if (inside == 0) ENTER(CUDNN_STATUS_INTERNAL_ERROR);
    cudnnStatus_t status = REAL(cudnnBackendCreateDescriptor, type, out);
    if (status == CUDNN_STATUS_SUCCESS && inside == 0) {
        auto s = std::make_shared<Shadow>();
        s->type = type;
        shadows()[*out] = s;
    }
    return status;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(Descriptor d) {
    if (inside == 0) shadows().erase(d);
    return REAL(cudnnBackendDestroyDescriptor, d);
}

cudnnStatus_t cudnnBackendSetAttribute(Descriptor d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void *data) {
    if (inside == 0) ENTER(CUDNN_STATUS_INTERNAL_ERROR);
    Shadow *s = inside == 0 ? shadow_of(d) : nullptr;
    if (s == nullptr) return REAL(cudnnBackendSetAttribute, d, name, type, count, data);
    keep(s, (int)name, type, count, data);
    if (s->type == CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR) {
        bool ids = name == CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS;
        if (type != (ids ? CUDNN_TYPE_INT64 : CUDNN_TYPE_VOID_PTR)) return CUDNN_STATUS_BAD_PARAM;
        if (name == CUDNN_ATTR_VARIANT_PACK_WORKSPACE && count != 1) return CUDNN_STATUS_BAD_PARAM;
        return CUDNN_STATUS_SUCCESS;
    }
    bool device_by_number = name == CUDNN_ATTR_DEVICEPROP_DEVICE_ID;
    if (type == CUDNN_TYPE_HANDLE || device_by_number) return CUDNN_STATUS_SUCCESS; /* finalize */
    return REAL(cudnnBackendSetAttribute, d, name, type, count, data);
}

cudnnStatus_t cudnnBackendGetAttribute(Descriptor d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       int64_t *found, void *data) {
    if (inside == 0) ENTER(CUDNN_STATUS_INTERNAL_ERROR);
    cudnnStatus_t status = REAL(cudnnBackendGetAttribute, d, name, type, count, found, data);
    Shadow *s = inside == 0 ? shadow_of(d) : nullptr;
    if (s == nullptr || status != CUDNN_STATUS_SUCCESS || data == nullptr) return status;
    if (name != CUDNN_ATTR_ENGINEHEUR_RESULTS) return status;
    for (int64_t i = 0; i < count && found != nullptr && i < *found; i++) {
        Shadow *configuration = shadow_of(((Descriptor *)data)[i]);
        if (configuration != nullptr) {
            configuration->graph = s->child(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
        }
    }
    return status;
}

/* Of a handle cuDNN would ask the device; what it would hear is given in its place. */
cudnnStatus_t cudnnBackendFinalize(Descriptor d) {
    if (inside == 0) ENTER(CUDNN_STATUS_NOT_SUPPORTED);
    Shadow *s = inside == 0 ? shadow_of(d) : nullptr;
    if (s == nullptr) return REAL(cudnnBackendFinalize, d);
    s->finalized = true;
    switch (s->type) {
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR: return CUDNN_STATUS_SUCCESS;
    case CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR:
        if (s->has(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION)) break;
        if (!s->has(CUDNN_ATTR_DEVICEPROP_HANDLE) && !s->has(CUDNN_ATTR_DEVICEPROP_DEVICE_ID))
            stop("cuDNN: properties of no device");
        describe(d, s->has(CUDNN_ATTR_DEVICEPROP_HANDLE)
                        ? s->get<cudnnHandle_t>(CUDNN_ATTR_DEVICEPROP_HANDLE, nullptr)->gpu
                        : current());
        break;
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        of_device(d, *s, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
        break;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
        of_device(d, *s, CUDNN_ATTR_ENGINE_DEVICEPROP, CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
        break;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        if (s->has(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP)) break;
        if (!s->has(CUDNN_ATTR_EXECUTION_PLAN_HANDLE)) stop("cuDNN: a plan for no device");
        give_device(d, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
        break;
    default: break;
    }
    return REAL(cudnnBackendFinalize, d);
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, Descriptor plan, Descriptor pack) {
    ENTER(CUDNN_STATUS_EXECUTION_FAILED);
    Shadow *p = shadow_of(plan), *v = shadow_of(pack);
    if (p == nullptr || v == nullptr) stop("cudnnBackendExecute: unknown plan or variant pack");
    if (!p->finalized || !v->finalized) stop("cudnnBackendExecute: a part is not finalized");
    Task task = execution(*p, *v, workspace_of(plan));
    return issue(handle->stream, std::move(task)) == cudaSuccess ? CUDNN_STATUS_SUCCESS
                                                                 : CUDNN_STATUS_EXECUTION_FAILED;
}
}
