/* The fake cuDNN against sums written out: convolution with bias and ReLU, its two gradients, and a
 * matmul, planned by the real library and carried out by the fake, in f32 and bf16, with a second
 * stream's worth of everything that the fake must refuse tried by hand. */
#include "fake.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cudnn_graph.h>
#include <functional>
#include <vector>

typedef cudnnBackendDescriptor_t Descriptor;

static void need(bool right, const char *what) {
    if (right) return;
    printf("wrong: %s\n", what);
    exit(1);
}
#define NEED(condition) need((condition), #condition)
#define OK(call) need((call) == CUDNN_STATUS_SUCCESS, #call)

static Descriptor make(cudnnBackendDescriptorType_t type) {
    Descriptor d;
    OK(cudnnBackendCreateDescriptor(type, &d));
    return d;
}

static void set(Descriptor d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                int64_t count, const void *values) {
    OK(cudnnBackendSetAttribute(d, name, type, count, values));
}

static void set_part(Descriptor d, cudnnBackendAttributeName_t name, Descriptor part) {
    set(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &part);
}

/* NHWC, named n, c, h, w. */
static Descriptor tensor(int64_t id, cudnnDataType_t type, std::vector<int64_t> d, bool inner) {
    Descriptor t = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    int64_t alignment = 16;
    std::vector<int64_t> strides = {d[1] * d[2] * d[3], 1, d[1] * d[3], d[1]};
    set(t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, d.data());
    set(t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides.data());
    set(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    if (inner) set(t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &inner);
    OK(cudnnBackendFinalize(t));
    return t;
}

/* A convolution of images of h by h pixels with filters of r by r. `back` is the padding behind,
 * where it is not that in front. */
struct Shape {
    int64_t n, h, c, k, r, stride, pad;
    int64_t groups = 1, dilation = 1, back = -1;
    int64_t behind() const { return back < 0 ? pad : back; }
    int64_t out() const { return (h + pad + behind() - (r - 1) * dilation - 1) / stride + 1; }
    int64_t part() const { return c / groups; }
};

static Descriptor geometry(const Shape &s) {
    Descriptor d = make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    int64_t two = 2, pads[] = {s.pad, s.pad}, backs[] = {s.behind(), s.behind()};
    int64_t strides[] = {s.stride, s.stride}, dilations[] = {s.dilation, s.dilation};
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    set(d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &two);
    set(d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set(d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, pads);
    set(d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, backs);
    set(d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilations);
    set(d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, strides);
    OK(cudnnBackendFinalize(d));
    return d;
}

/* The operations of one graph: kinds differ in their attributes' names only. */
static Descriptor convolution(int kind, Descriptor x, Descriptor w, Descriptor y, Descriptor g) {
    static const struct {
        cudnnBackendDescriptorType_t type;
        cudnnBackendAttributeName_t x, w, y, g, alpha, beta;
    } kinds[] = {
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA}};
    float one = 1, zero = 0;
    Descriptor d = make(kinds[kind].type);
    set_part(d, kinds[kind].x, x);
    set_part(d, kinds[kind].w, w);
    set_part(d, kinds[kind].y, y);
    set_part(d, kinds[kind].g, g);
    set(d, kinds[kind].alpha, CUDNN_TYPE_FLOAT, 1, &one);
    set(d, kinds[kind].beta, CUDNN_TYPE_FLOAT, 1, &zero);
    OK(cudnnBackendFinalize(d));
    return d;
}

static Descriptor pointwise(cudnnPointwiseMode_t mode, Descriptor x, Descriptor b, Descriptor y) {
    Descriptor p = make(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    Descriptor d = make(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    set(p, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(p, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type);
    OK(cudnnBackendFinalize(p));
    set_part(d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, p);
    set_part(d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (b != nullptr) set_part(d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
    set_part(d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    OK(cudnnBackendFinalize(d));
    return d;
}

static Descriptor plan_of(cudnnHandle_t handle, std::vector<Descriptor> operations) {
    Descriptor graph = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    Descriptor heuristics = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
        (int64_t)operations.size(), operations.data());
    OK(cudnnBackendFinalize(graph));
    set_part(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    set(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    OK(cudnnBackendFinalize(heuristics));
    Descriptor all[8];
    int64_t count = 0;
    for (Descriptor &c : all) c = make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    OK(cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                CUDNN_TYPE_BACKEND_DESCRIPTOR, 8, &count, all));
    for (int64_t i = 0; i < count; i++) {
        Descriptor plan = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        set(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
        set_part(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, all[i]);
        if (cudnnBackendFinalize(plan) == CUDNN_STATUS_SUCCESS) return plan;
    }
    need(false, "a plan");
    return nullptr;
}

static void execute(cudnnHandle_t handle, Descriptor plan, std::vector<int64_t> ids,
                    std::vector<void *> pointers) {
    Descriptor pack = make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    int64_t size = 0, count = 0;
    void *workspace = nullptr;
    OK(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                                &count, &size));
    if (size > 0) NEED(cudaMalloc(&workspace, (size_t)size) == cudaSuccess);
    set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, (int64_t)ids.size(),
        ids.data());
    set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, (int64_t)ids.size(),
        pointers.data());
    set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    OK(cudnnBackendFinalize(pack));
    OK(cudnnBackendExecute(handle, plan, pack));
    NEED(cudaDeviceSynchronize() == cudaSuccess);
    if (workspace != nullptr) NEED(cudaFree(workspace) == cudaSuccess);
}

/* A tensor's values in device memory, and what they are as f32 on the host. */
struct Buffer {
    std::vector<float> values;
    bool bf16;
    void *device;
};

static cudaStream_t stream;

static Buffer buffer(size_t n, bool bf16, unsigned seed) {
    Buffer b = {std::vector<float>(n), bf16, nullptr};
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        b.values[i] = (float)(seed >> 24) / 64 - 2; /* 8 bits: exact in bf16 */
    }
    NEED(cudaMalloc(&b.device, n * (bf16 ? 2 : 4)) == cudaSuccess);
    NEED(fake::issue(stream, fake::plain("fill", [b] {
                         fake::write_floats(b.device, b.values.data(), b.values.size(), 1, b.bf16);
                     })) == cudaSuccess);
    return b;
}

/* The device's values are `expected` within what f32 sums (and bf16) allow. */
static void compare(const Buffer &b, const std::vector<double> &expected, const char *what) {
    std::vector<float> got(b.values.size());
    NEED(fake::issue(stream, fake::plain("read", [&] {
                         fake::read_floats(got.data(), b.device, got.size(), 1, b.bf16);
                     })) == cudaSuccess);
    NEED(cudaStreamSynchronize(stream) == cudaSuccess);
    double bound = b.bf16 ? 1.0 / 256 : 1e-5;
    for (size_t i = 0; i < got.size(); i++) {
        need(fabs(got[i] - expected[i]) <= bound * (1 + fabs(expected[i])), what);
    }
}

/* f(x's index, w's index, y's index) for every product of the convolution. */
static void products(const Shape &s, const std::function<void(size_t, size_t, size_t)> &f) {
    int64_t o = s.out();
    for (int64_t n = 0; n < s.n; n++)
        for (int64_t p = 0; p < o; p++)
            for (int64_t q = 0; q < o; q++)
                for (int64_t k = 0; k < s.k; k++)
                    for (int64_t i = 0; i < s.r; i++)
                        for (int64_t j = 0; j < s.r; j++)
                            for (int64_t c = 0; c < s.part(); c++) {
                                int64_t h = p * s.stride - s.pad + i * s.dilation;
                                int64_t w = q * s.stride - s.pad + j * s.dilation;
                                int64_t group = k / (s.k / s.groups);
                                if (h < 0 || w < 0 || h >= s.h || w >= s.h) continue;
                                f((size_t)(((n * s.h + h) * s.h + w) * s.c + group * s.part() + c),
                                  (size_t)(((k * s.r + i) * s.r + j) * s.part() + c),
                                  (size_t)(((n * o + p) * o + q) * s.k + k));
                            }
}

static void test_convolution(cudnnHandle_t handle, const Shape &s, bool bf16) {
    cudnnDataType_t type = bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    int64_t o = s.out();
    Buffer x = buffer((size_t)(s.n * s.h * s.h * s.c), bf16, 1);
    Buffer w = buffer((size_t)(s.k * s.r * s.r * s.part()), bf16, 2);
    Buffer y = buffer((size_t)(s.n * o * o * s.k), bf16, 3);
    std::vector<double> sum(y.values.size()), dx(x.values.size()), dw(w.values.size());
    products(s, [&](size_t i, size_t j, size_t l) {
        sum[l] += (double)x.values[i] * w.values[j];
        dx[i] += (double)w.values[j] * y.values[l];
        dw[j] += (double)x.values[i] * y.values[l];
    });
    Descriptor xd = tensor(1, type, {s.n, s.c, s.h, s.h}, false);
    Descriptor wd = tensor(2, type, {s.k, s.part(), s.r, s.r}, false);
    Descriptor yd = tensor(3, type, {s.n, s.k, o, o}, false), g = geometry(s);
    execute(handle, plan_of(handle, {convolution(1, xd, wd, yd, g)}), {1, 2, 3},
            {x.device, w.device, y.device});
    compare(x, dx, "dx");
    x = buffer(x.values.size(), bf16, 1);
    execute(handle, plan_of(handle, {convolution(2, xd, wd, yd, g)}), {1, 2, 3},
            {x.device, w.device, y.device});
    compare(w, dw, "dw");
    w = buffer(w.values.size(), bf16, 2);
    execute(handle, plan_of(handle, {convolution(0, xd, wd, yd, g)}), {3, 2, 1},
            {y.device, w.device, x.device});
    compare(y, sum, "y");
}

/* y = relu(conv(x) + bias), the sums between in virtual tensors */
static void test_fused(cudnnHandle_t handle, const Shape &s) {
    cudnnDataType_t type = CUDNN_DATA_BFLOAT16;
    int64_t o = s.out();
    Buffer x = buffer((size_t)(s.n * s.h * s.h * s.c), true, 1);
    Buffer w = buffer((size_t)(s.k * s.r * s.r * s.part()), true, 2);
    Buffer y = buffer((size_t)(s.n * o * o * s.k), true, 3), b = buffer((size_t)s.k, false, 4);
    std::vector<double> sum(y.values.size());
    products(s, [&](size_t i, size_t j, size_t l) { sum[l] += (double)x.values[i] * w.values[j]; });
    for (size_t l = 0; l < sum.size(); l++) sum[l] = fmax(0, sum[l] + b.values[l % (size_t)s.k]);
    Descriptor xd = tensor(1, type, {s.n, s.c, s.h, s.h}, false);
    Descriptor wd = tensor(2, type, {s.k, s.part(), s.r, s.r}, false);
    Descriptor bd = tensor(4, CUDNN_DATA_FLOAT, {1, s.k, 1, 1}, false);
    Descriptor v1 = tensor(5, CUDNN_DATA_FLOAT, {s.n, s.k, o, o}, true);
    Descriptor v2 = tensor(6, CUDNN_DATA_FLOAT, {s.n, s.k, o, o}, true);
    Descriptor yd = tensor(3, type, {s.n, s.k, o, o}, false);
    Descriptor plan = plan_of(handle, {convolution(0, xd, wd, v1, geometry(s)),
                                       pointwise(CUDNN_POINTWISE_ADD, v1, bd, v2),
                                       pointwise(CUDNN_POINTWISE_RELU_FWD, v2, nullptr, yd)});
    execute(handle, plan, {1, 2, 4, 3}, {x.device, w.device, b.device, y.device});
    compare(y, sum, "relu(y + bias)");
}

int main() {
    cudnnHandle_t handle;
    OK(cudnnCreate(&handle));
    NEED(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
    OK(cudnnSetStream(handle, stream));
    test_convolution(handle, {2, 8, 16, 8, 3, 1, 1}, false);
    test_convolution(handle, {2, 9, 8, 16, 3, 2, 1}, false);
    test_convolution(handle, {2, 8, 16, 8, 3, 1, 1}, true);
    test_convolution(handle, {4, 1, 64, 16, 1, 1, 0}, true);
    test_convolution(handle, {2, 8, 16, 32, 3, 2, 1, 4}, false);
    test_convolution(handle, {2, 8, 16, 32, 3, 1, 2, 1, 2, 1}, false);
    test_convolution(handle, {2, 8, 16, 16, 3, 2, 0, 16, 1, 1}, true);
    test_fused(handle, {2, 8, 16, 8, 3, 1, 1});
    printf("right\n");
    return 0;
}
