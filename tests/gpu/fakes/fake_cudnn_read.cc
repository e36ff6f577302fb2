/* An operation graph's descriptors as a list of operations. A filter with fewer channels than x
 * makes a grouped convolution, as in real cuDNN. */
#include "fake_cudnn.h"

namespace fake {

static int64_t read_tensor(Program *p, const std::shared_ptr<Shadow> &s, const char *what) {
    if (s == nullptr) stop("cuDNN graph: %s has no descriptor", what);
    Tensor t;
    t.id = s->get<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID, -1);
    t.dims = s->list<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
    t.strides = s->list<int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
    t.is_virtual = s->get<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false);
    t.alignment = s->get<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 1);
    auto type = s->get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
    if (type != CUDNN_DATA_FLOAT && type != CUDNN_DATA_BFLOAT16)
        stop("cuDNN graph: %s has data type %d, not known here", what, (int)type);
    if (s->get<bool>(CUDNN_ATTR_TENSOR_IS_BY_VALUE, false))
        stop("cuDNN graph: %s is given by value, not known here", what);
    t.bf16 = type == CUDNN_DATA_BFLOAT16;
    auto known = p->tensors.find(t.id);
    if (known != p->tensors.end() && known->second.dims != t.dims)
        stop("cuDNN graph: two tensors have the id %lld", (long long)t.id);
    p->tensors[t.id] = t;
    return t.id;
}

static void expect_scale(const Shadow &s, int alpha, int beta) {
    double a = s.has(alpha) && s.values.at(alpha).size() == 8 ? s.get<double>(alpha, 1)
                                                              : s.get<float>(alpha, 1);
    double b = s.has(beta) && s.values.at(beta).size() == 8 ? s.get<double>(beta, 0)
                                                            : s.get<float>(beta, 0);
    if (a != 1 || b != 0) stop("cuDNN convolution with alpha %g and beta %g", a, b);
}

static void read_geometry(Operation *o, const std::shared_ptr<Shadow> &s) {
    if (s == nullptr) stop("cuDNN graph: a convolution has no descriptor");
    auto front = s->list<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
    auto back = s->list<int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
    auto stride = s->list<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
    auto dilation = s->list<int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
    auto mode = s->get<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CONVOLUTION);
    if (front.size() != 2 || back.size() != 2 || stride.size() != 2 || dilation.size() != 2)
        stop("cuDNN convolution: expected two dimensions");
    if (mode != CUDNN_CROSS_CORRELATION) stop("cuDNN convolution that flips the filter");
    for (size_t i = 0; i < 2; i++) {
        o->front[i] = front[i];
        o->back[i] = back[i];
        o->stride[i] = stride[i];
        o->dilation[i] = dilation[i];
    }
}

static void expect_shapes(const Program &p, int64_t x, int64_t w, int64_t y, const Operation &o) {
    const auto &xd = p.tensors.at(x).dims, &wd = p.tensors.at(w).dims, &yd = p.tensors.at(y).dims;
    bool right =
        xd.size() == 4 && wd.size() == 4 && yd.size() == 4 && xd[0] == yd[0] && wd[0] == yd[1];
    for (size_t i = 0; right && i < 2; i++) {
        int64_t padded = xd[2 + i] + o.front[i] + o.back[i];
        int64_t extent = (wd[2 + i] - 1) * o.dilation[i] + 1;
        right = padded >= extent && yd[2 + i] == (padded - extent) / o.stride[i] + 1;
    }
    if (!right) stop("cuDNN convolution: the shapes of x, w and y do not fit");
    if (xd[1] % wd[1] != 0 || yd[1] % (xd[1] / wd[1]) != 0)
        stop("cuDNN convolution: x has %lld channels, the filter %lld, y %lld: no number of groups",
             (long long)xd[1], (long long)wd[1], (long long)yd[1]);
}

static Operation read_forward(Program *p, const Shadow &s) {
    Operation o = {Op::CONVOLUTION, 0, 0, 0, {}, {}, {}, {}, 0};
    o.a = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X), "x");
    o.b = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W), "w");
    o.c = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y), "y");
    read_geometry(&o, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC));
    expect_scale(s, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA);
    expect_shapes(*p, o.a, o.b, o.c, o);
    return o;
}

static Operation read_dx(Program *p, const Shadow &s) {
    Operation o = {Op::CONVOLUTION_DX, 0, 0, 0, {}, {}, {}, {}, 0};
    o.a = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY), "dy");
    o.b = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W), "w");
    o.c = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX), "dx");
    read_geometry(&o, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC));
    expect_scale(s, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA);
    expect_shapes(*p, o.c, o.b, o.a, o);
    return o;
}

static Operation read_dw(Program *p, const Shadow &s) {
    Operation o = {Op::CONVOLUTION_DW, 0, 0, 0, {}, {}, {}, {}, 0};
    o.a = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X), "x");
    o.b = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY), "dy");
    o.c = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW), "dw");
    read_geometry(&o, s.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC));
    expect_scale(s, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA);
    expect_shapes(*p, o.a, o.c, o.b, o);
    return o;
}

static Operation read_matmul(Program *p, const Shadow &s) {
    Operation o = {Op::MATMUL, 0, 0, 0, {}, {}, {}, {}, 0};
    o.a = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_MATMUL_ADESC), "a");
    o.b = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_MATMUL_BDESC), "b");
    o.c = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_MATMUL_CDESC), "c");
    const auto &a = p->tensors[o.a].dims, &b = p->tensors[o.b].dims, &c = p->tensors[o.c].dims;
    if (a.size() != 3 || b.size() != 3 || c.size() != 3 || a[1] != c[1] || b[2] != c[2] ||
        a[2] != b[1] || a[0] != c[0])
        stop("cuDNN matmul: the shapes do not fit");
    return o;
}

static Operation read_pointwise(Program *p, const Shadow &s) {
    Operation o = {Op::POINTWISE, 0, -1, 0, {}, {}, {}, {}, 0};
    auto descriptor = s.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    o.mode = descriptor->get<int>(CUDNN_ATTR_POINTWISE_MODE, -1);
    o.a = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_POINTWISE_XDESC), "x");
    auto b = s.child(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    if (b != nullptr) o.b = read_tensor(p, b, "b");
    o.c = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_POINTWISE_YDESC), "y");
    return o;
}

static Operation read_reduction(Program *p, const Shadow &s) {
    Operation o = {Op::REDUCTION, 0, -1, 0, {}, {}, {}, {}, 0};
    auto descriptor = s.child(CUDNN_ATTR_OPERATION_REDUCTION_DESC);
    int mode = descriptor->get<int>(CUDNN_ATTR_REDUCTION_OPERATOR, -1);
    if (mode != CUDNN_REDUCE_TENSOR_ADD) stop("cuDNN reduction %d is not known here", mode);
    o.a = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_REDUCTION_XDESC), "x");
    o.c = read_tensor(p, s.child(CUDNN_ATTR_OPERATION_REDUCTION_YDESC), "y");
    return o;
}

static Operation read_operation(Program *p, const Shadow &s) {
    switch (s.type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: return read_forward(p, s);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: return read_dx(p, s);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR: return read_dw(p, s);
    case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR: return read_matmul(p, s);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: return read_pointwise(p, s);
    case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR: return read_reduction(p, s);
    default: stop("cuDNN operation of type %d is not known here", (int)s.type);
    }
}

std::shared_ptr<Program> read_graph(const Shadow &graph) {
    auto p = std::make_shared<Program>();
    auto it = graph.children.find(CUDNN_ATTR_OPERATIONGRAPH_OPS);
    if (it == graph.children.end()) stop("cuDNN graph without operations");
    for (const auto &s : it->second) p->operations.push_back(read_operation(p.get(), *s));
    return p;
}

} // namespace fake
