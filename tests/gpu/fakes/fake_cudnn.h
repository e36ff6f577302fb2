/* The fake cuDNN: what the program told the real one (cudnn.cc), as a list of operations
 * (cudnn_read.cc) that the CPU carries out (cudnn_run.cc, cudnn_math.cc). */
#ifndef GYRE_TESTS_GPU_FAKE_CUDNN_H
#define GYRE_TESTS_GPU_FAKE_CUDNN_H

#include "fake.h"
#include <cudnn_graph.h>
#include <map>
#include <memory>
#include <vector>

namespace fake {

/* A descriptor's type and attributes as they were set. Others that it names are kept alive. */
struct Shadow {
    cudnnBackendDescriptorType_t type;
    std::map<int, std::vector<unsigned char>> values;
    std::map<int, std::vector<std::shared_ptr<Shadow>>> children;
    std::shared_ptr<Shadow> graph;           /* of an engine configuration from heuristics */
    std::shared_ptr<struct Program> program; /* of an operation graph, once it ran */

    bool finalized = false;

    bool has(int attribute) const { return values.count(attribute) == 1; }
    template <class T> T get(int attribute, T otherwise) const {
        auto it = values.find(attribute);
        return it == values.end() ? otherwise : *(const T *)(const void *)it->second.data();
    }
    template <class T> std::vector<T> list(int attribute) const {
        auto it = values.find(attribute);
        if (it == values.end()) return {};
        const T *p = (const T *)(const void *)it->second.data();
        return std::vector<T>(p, p + it->second.size() / sizeof(T));
    }
    std::shared_ptr<Shadow> child(int attribute) const {
        auto it = children.find(attribute);
        return it == children.end() || it->second.empty() ? nullptr : it->second[0];
    }
};

struct Tensor {
    int64_t id;
    std::vector<int64_t> dims, strides;
    bool bf16, is_virtual;
    int64_t alignment;
};

enum class Op { CONVOLUTION, CONVOLUTION_DX, CONVOLUTION_DW, MATMUL, POINTWISE, REDUCTION };

/* CONVOLUTION     c = a (x) * b (w)
 * CONVOLUTION_DX  c = b (w) and a (dy)
 * CONVOLUTION_DW  c = a (x) and b (dy)
 * MATMUL          c = a b
 * POINTWISE       c = mode(a, b), b may be missing
 * REDUCTION       c = sum of a over the dimensions where c has size 1 */
struct Operation {
    Op op;
    int64_t a, b, c;                                   /* tensor ids; b is -1 where there is none */
    int64_t front[2], back[2], stride[2], dilation[2]; /* of a convolution: height, width */
    int mode;
};

struct Program {
    std::map<int64_t, Tensor> tensors;
    std::vector<Operation> operations;
};

/* Stops on what the CPU version doesn't know. */
std::shared_ptr<Program> read_graph(const Shadow &graph);
/* Operand checks before the execution is put on a stream. */
void check_pointers(const Program &program, const std::map<int64_t, void *> &pointers);
void run_program(const Program &program, const std::map<int64_t, void *> &pointers);
/* Small numbers in the place of results, for FAKE_COUNT. */
void sham_program(const Program &program, const std::map<int64_t, void *> &pointers);
std::shared_ptr<const Cost> cost_of(const Program &program);

/* Values of a tensor, dense f32: (n, h, w, c) of a tensor (n, c, h, w), else as dims say. */
struct Array {
    std::vector<int64_t> dims; /* in that order */
    std::vector<float> values;
};
void convolve(const Operation &o, const Array &x, const Array &w, Array *y);
void convolve_dx(const Operation &o, const Array &dy, const Array &w, Array *dx);
void convolve_dw(const Operation &o, const Array &x, const Array &dy, Array *dw);
void multiply(const Array &a, const Array &b, Array *c);
void pointwise(const Operation &o, const Array &a, const Array *b, Array *c);
void reduce(const Array &a, Array *c);

} // namespace fake

#endif
