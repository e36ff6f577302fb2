/* Carries out a program: device memory to dense arrays, the operations, and back with rounding. */
#include "fake_cudnn.h"

namespace fake {

/* The order in which an Array has a tensor's dimensions: channels last. */
static std::vector<size_t> order_of(const Tensor &t) {
    if (t.dims.size() == 4) return {0, 2, 3, 1};
    std::vector<size_t> order;
    for (size_t i = 0; i < t.dims.size(); i++) order.push_back(i);
    return order;
}

static Array array_of(const Tensor &t) {
    Array a;
    size_t n = 1;
    for (size_t d : order_of(t)) {
        a.dims.push_back(t.dims[d]);
        n *= (size_t)t.dims[d];
    }
    a.values.assign(n, 0);
    return a;
}

/* Calls f(offset in the tensor, offset in the array, count, stride) for each innermost row. */
template <class F> static void each_row(const Tensor &t, F f) {
    std::vector<size_t> order = order_of(t);
    size_t inner = order.back(), rows = 1;
    for (size_t d : order) rows *= d == inner ? 1 : (size_t)t.dims[d];
    for (size_t row = 0; row < rows; row++) {
        size_t rest = row, offset = 0;
        for (size_t i = order.size() - 1; i-- > 0;) {
            size_t size = (size_t)t.dims[order[i]];
            offset += rest % size * (size_t)t.strides[order[i]];
            rest /= size;
        }
        size_t count = (size_t)t.dims[inner];
        f(offset, row * count, count, (size_t)t.strides[inner]);
    }
}

static char *at(const Tensor &t, void *p, size_t element) {
    return (char *)p + element * (t.bf16 ? 2 : 4);
}

static Array load(const Tensor &t, void *p) {
    Array a = array_of(t);
    each_row(t, [&](size_t offset, size_t to, size_t count, size_t stride) {
        read_floats(&a.values[to], at(t, p, offset), count, stride, t.bf16);
    });
    return a;
}

static void store(const Tensor &t, void *p, const Array &a) {
    each_row(t, [&](size_t offset, size_t from, size_t count, size_t stride) {
        write_floats(at(t, p, offset), &a.values[from], count, stride, t.bf16);
    });
}

/* What a virtual tensor of bf16 would lose. */
static void round_values(Array *a) {
    std::vector<uint16_t> half(a->values.size());
    write_floats(half.data(), a->values.data(), half.size(), 1, true);
    read_floats(a->values.data(), half.data(), half.size(), 1, true);
}

void check_pointers(const Program &program, const std::map<int64_t, void *> &pointers) {
    size_t real = 0;
    for (const auto &entry : program.tensors) {
        const Tensor &t = entry.second;
        if (t.is_virtual) continue;
        real++;
        auto it = pointers.find(t.id);
        if (it == pointers.end()) stop("cuDNN: no pointer for tensor %lld", (long long)t.id);
        size_t last = 0;
        for (size_t d = 0; d < t.dims.size(); d++) {
            last += (size_t)(t.dims[d] - 1) * (size_t)t.strides[d];
        }
        if ((uintptr_t)it->second % (uintptr_t)t.alignment != 0)
            stop("cuDNN: tensor %lld at %p is not aligned to the %lld bytes that it claims",
                 (long long)t.id, it->second, (long long)t.alignment);
        check_device_range(it->second, (last + 1) * (t.bf16 ? 2 : 4), "cuDNN tensor");
    }
    if (real != pointers.size()) stop("cuDNN: %zu pointers for %zu tensors", pointers.size(), real);
}

void run_program(const Program &program, const std::map<int64_t, void *> &pointers) {
    std::map<int64_t, Array> values;
    auto value = [&](int64_t id) -> const Array & {
        auto it = values.find(id);
        if (it != values.end()) return it->second;
        const Tensor &t = program.tensors.at(id);
        if (t.is_virtual)
            stop("cuDNN: virtual tensor %lld is used before it is made", (long long)id);
        return values[id] = load(t, pointers.at(id));
    };
    for (const Operation &o : program.operations) {
        const Tensor &t = program.tensors.at(o.c);
        Array c = array_of(t);
        const Array &a = value(o.a);
        const Array *b = o.b >= 0 ? &value(o.b) : nullptr;
        switch (o.op) {
        case Op::CONVOLUTION: convolve(o, a, *b, &c); break;
        case Op::CONVOLUTION_DX: convolve_dx(o, a, *b, &c); break;
        case Op::CONVOLUTION_DW: convolve_dw(o, a, *b, &c); break;
        case Op::MATMUL: multiply(a, *b, &c); break;
        case Op::POINTWISE: pointwise(o, a, b, &c); break;
        case Op::REDUCTION: reduce(a, &c); break;
        }
        if (t.bf16) round_values(&c);
        if (!t.is_virtual) store(t, pointers.at(o.c), c);
        values[o.c] = std::move(c);
    }
}

/* ---- FAKE_COUNT */

static size_t elements(const Tensor &t) {
    size_t n = 1;
    for (int64_t d : t.dims) n *= (size_t)d;
    return n;
}

void sham_program(const Program &program, const std::map<int64_t, void *> &pointers) {
    for (const Operation &o : program.operations) {
        const Tensor &t = program.tensors.at(o.c);
        if (t.is_virtual) continue;
        Array c = array_of(t);
        for (size_t i = 0; i < c.values.size(); i++) {
            c.values[i] = 0.01f * ((float)(i * 7919 % 13) - 6);
        }
        store(t, pointers.at(o.c), c);
    }
}

/* "conv 8 16 32 32, w 16 16 3 3, y 8 16 32 32, bf16 bf16 bf16" */
static std::string describe(const Program &p, const Operation &o) {
    static const std::map<Op, const char *> names = {{Op::CONVOLUTION, "conv"},
                                                     {Op::CONVOLUTION_DX, "conv_dx"},
                                                     {Op::CONVOLUTION_DW, "conv_dw"}};
    auto name = names.find(o.op);
    std::string text = name == names.end() ? "other" : name->second, types;
    for (int64_t id : {o.a, o.b, o.c}) {
        if (id < 0) continue;
        const Tensor &t = p.tensors.at(id);
        for (int64_t d : t.dims) text += " " + std::to_string(d);
        text += ",";
        types += t.bf16 ? " bf16" : " f32";
    }
    return text + types;
}

/* Each operand is read once and the result written once; 2 for a product and its sum. */
std::shared_ptr<const Cost> cost_of(const Program &program) {
    auto cost = std::make_shared<Cost>(Cost{"cudnn", 0, 0, 0, ""});
    std::map<int64_t, bool> written;
    for (const Operation &o : program.operations) written[o.c] = true;
    for (const auto &entry : program.tensors) {
        const Tensor &t = entry.second;
        if (t.is_virtual) continue;
        size_t bytes = elements(t) * (t.bf16 ? 2 : 4);
        (written.count(t.id) == 1 ? cost->write : cost->read) += bytes;
    }
    for (const Operation &o : program.operations) {
        if (o.op > Op::CONVOLUTION_DW) continue;
        const Tensor &a = program.tensors.at(o.a), &b = program.tensors.at(o.b);
        const Tensor &c = program.tensors.at(o.c);
        const Tensor &w = o.op == Op::CONVOLUTION_DW ? c : b;
        const Tensor &y = o.op == Op::CONVOLUTION ? c : o.op == Op::CONVOLUTION_DX ? a : b;
        cost->flop += 2.0 * (double)elements(y) * (double)(elements(w) / (size_t)w.dims[0]);
        cost->detail = describe(program, o);
    }
    return cost;
}

} // namespace fake
