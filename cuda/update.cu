/* The update rules, one kernel each: formulas and their order are those of the CPU backend, and so
 * are the bits. */
#include "element.h"
#include "operation.h"

struct update_operands {
    uint64_t n;
    int shift;
    const float *g, *scalars;
    float *s1, *s2, *w;
    gyre_update_shape shape;
};

/* What all rules have: d = shrink g + coupled w is the gradient they use, and keep w what is left
 * of the weight beside the step. */
struct rule_terms {
    float lr, momentum, shrink, coupled, keep;
};

__device__ __forceinline__ rule_terms terms_of(const update_operands &u) {
    float lr = u.scalars[GYRE_SCALAR_LR] * u.shape.lr_mult;
    float decay = u.shape.weight_decay;
    return {lr, u.scalars[GYRE_SCALAR_MOMENTUM], u.scalars[GYRE_SCALAR_SHRINK],
            u.shape.decoupled ? 0.0f : decay, u.shape.decoupled ? 1.0f - lr * decay : 1.0f};
}

/* A rule's constants, made once per thread, and its step for one parameter: step(g, s1, s2, w). */
struct sgd_rule {
    static constexpr bool second = false;
    rule_terms t;
    float inside, outside, on_v, on_g;
    /* Nesterov's step in both conventions is m v + lr g', see the CPU backend. */
    __device__ __forceinline__ explicit sgd_rule(const update_operands &u) : t(terms_of(u)) {
        inside = u.shape.lr_in_momentum ? t.lr : 1.0f;
        outside = u.shape.lr_in_momentum ? 1.0f : t.lr;
        on_v = u.shape.nesterov ? t.momentum : 1.0f;
        on_g = u.shape.nesterov ? 1.0f : 0.0f;
    }
    __device__ __forceinline__ void step(float g, float &velocity, float &, float &w) const {
        float part = inside * (t.shrink * g + t.coupled * w);
        velocity = t.momentum * velocity + part;
        w = t.keep * w - outside * (on_v * velocity + on_g * part);
    }
};

struct adam_rule {
    static constexpr bool second = true;
    rule_terms t;
    float beta2, eps, inverse1, inverse2;
    __device__ __forceinline__ explicit adam_rule(const update_operands &u) : t(terms_of(u)) {
        beta2 = u.shape.square_decay;
        eps = u.shape.eps;
        inverse1 = 1.0f / u.scalars[GYRE_SCALAR_BIAS1];
        inverse2 = 1.0f / u.scalars[GYRE_SCALAR_BIAS2];
    }
    __device__ __forceinline__ void step(float g, float &m, float &v, float &w) const {
        float d = t.shrink * g + t.coupled * w;
        m = t.momentum * m + (1.0f - t.momentum) * d;
        v = beta2 * v + (1.0f - beta2) * d * d;
        w = t.keep * w - t.lr * (m * inverse1) / (sqrtf(v * inverse2) + eps);
    }
};

/* RMSProp, and AdaGrad, whose squares are kept whole: h = old h + fresh d^2. */
struct root_rule {
    static constexpr bool second = false;
    rule_terms t;
    float old, fresh, eps;
    __device__ __forceinline__ explicit root_rule(const update_operands &u) : t(terms_of(u)) {
        bool whole = u.shape.rule == GYRE_RULE_ADAGRAD;
        old = whole ? 1.0f : u.shape.square_decay;
        fresh = whole ? 1.0f : 1.0f - old;
        eps = u.shape.eps;
    }
    __device__ __forceinline__ void step(float g, float &h, float &, float &w) const {
        float d = t.shrink * g + t.coupled * w;
        h = old * h + fresh * d * d;
        w = t.keep * w - t.lr * d / (sqrtf(h) + eps);
    }
};

struct adadelta_rule {
    static constexpr bool second = true;
    rule_terms t;
    float old, fresh, eps;
    __device__ __forceinline__ explicit adadelta_rule(const update_operands &u) : t(terms_of(u)) {
        old = t.momentum;
        fresh = 1.0f - t.momentum;
        eps = u.shape.eps;
    }
    __device__ __forceinline__ void step(float g, float &h, float &k, float &w) const {
        float d = t.shrink * g + t.coupled * w;
        h = old * h + fresh * d * d;
        float u = d * sqrtf((eps + k) / (eps + h));
        k = old * k + fresh * u * u;
        w = t.keep * w - t.lr * u;
    }
};

/* What both schedule-free rules do with their direction d. */
__device__ __forceinline__ void free_step(const rule_terms &t, float c, float d, float &ahead,
                                          float &w) {
    float e = ahead, part = t.lr * d, rest = 1.0f - c;
    w = w + c * e - (1.0f - t.momentum * rest) * part;
    ahead = rest * (e - t.momentum * part);
}

struct free_sgd_rule {
    static constexpr bool second = false;
    rule_terms t;
    float c, decay;
    __device__ __forceinline__ explicit free_sgd_rule(const update_operands &u) : t(terms_of(u)) {
        c = u.scalars[GYRE_SCALAR_PULL];
        decay = u.shape.weight_decay;
    }
    __device__ __forceinline__ void step(float g, float &ahead, float &, float &w) const {
        free_step(t, c, t.shrink * g + decay * w, ahead, w);
    }
};

struct free_adam_rule {
    static constexpr bool second = true;
    rule_terms t;
    float c, beta2, eps, inverse2, decay;
    bool inside; /* of the gradient; one float for either decay, since registers are few */
    __device__ __forceinline__ explicit free_adam_rule(const update_operands &u) : t(terms_of(u)) {
        c = u.scalars[GYRE_SCALAR_PULL];
        beta2 = u.shape.square_decay;
        eps = u.shape.eps;
        inverse2 = 1.0f / u.scalars[GYRE_SCALAR_BIAS2];
        decay = u.shape.weight_decay;
        inside = !u.shape.decoupled;
    }
    __device__ __forceinline__ void step(float g, float &ahead, float &v, float &w) const {
        float d = t.shrink * g, pull = decay * w;
        if (inside) d = d + pull;
        v = beta2 * v + (1.0f - beta2) * d * d;
        d = d / (sqrtf(v * inverse2) + eps);
        free_step(t, c, inside ? d : d + pull, ahead, w);
    }
};

template <class Rule, int V>
__global__ void __launch_bounds__(GPU_BLOCK) update_kernel(update_operands u) {
    if (!(u.scalars[GYRE_SCALAR_FINITE] > 0.0f)) return;
    const Rule rule(u);
    gpu_each_group<V>(u.n, u.shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float g[W], s1[W], s2[W] = {}, w[W];
        gpu_load<W>(u.g + at, g);
        gpu_load<W>(u.s1 + at, s1);
        if constexpr (Rule::second) gpu_load<W>(u.s2 + at, s2);
        gpu_load<W>(u.w + at, w);
#pragma unroll
        for (int j = 0; j < W; j++) rule.step(g[j], s1[j], s2[j], w[j]);
        gpu_store<W>(u.s1 + at, s1);
        if constexpr (Rule::second) gpu_store<W>(u.s2 + at, s2);
        gpu_store<W>(u.w + at, w);
    });
}
KERNEL(update_kernel<sgd_rule, 1>);
KERNEL(update_kernel<sgd_rule, 4>);
KERNEL(update_kernel<adam_rule, 1>);
KERNEL(update_kernel<adam_rule, 4>);
KERNEL(update_kernel<root_rule, 1>);
KERNEL(update_kernel<root_rule, 4>);
KERNEL(update_kernel<adadelta_rule, 1>);
KERNEL(update_kernel<adadelta_rule, 4>);
KERNEL(update_kernel<free_sgd_rule, 1>);
KERNEL(update_kernel<free_sgd_rule, 4>);
KERNEL(update_kernel<free_adam_rule, 1>);
KERNEL(update_kernel<free_adam_rule, 4>);

typedef void (*update_function)(update_operands u);

static update_function function_of(gyre_rule rule, bool wide) {
    switch (rule) {
    case GYRE_RULE_SGD: return wide ? &update_kernel<sgd_rule, 4> : &update_kernel<sgd_rule, 1>;
    case GYRE_RULE_ADAM: return wide ? &update_kernel<adam_rule, 4> : &update_kernel<adam_rule, 1>;
    case GYRE_RULE_RMSPROP:
    case GYRE_RULE_ADAGRAD:
        return wide ? &update_kernel<root_rule, 4> : &update_kernel<root_rule, 1>;
    case GYRE_RULE_ADADELTA:
        return wide ? &update_kernel<adadelta_rule, 4> : &update_kernel<adadelta_rule, 1>;
    case GYRE_RULE_FREE_SGD:
        return wide ? &update_kernel<free_sgd_rule, 4> : &update_kernel<free_sgd_rule, 1>;
    case GYRE_RULE_FREE_ADAM:
        return wide ? &update_kernel<free_adam_rule, 4> : &update_kernel<free_adam_rule, 1>;
    }
    return nullptr;
}

gyre_status gpu_update(gyre_queue *q, const gyre_update_shape *s, size_t n, gyre_f32 g, gyre_f32 s1,
                       gyre_f32 s2, gyre_f32 w, gyre_f32 scalars) {
    if (n == 0) return GYRE_OK;
    int bytes = gpu_common_shift(g, s1, s2, w);
    update_function kernel = function_of(s->rule, bytes >= 0);
    if (kernel == nullptr) return gpu_result(q, cudaErrorInvalidValue, __func__);
    update_operands u = {n,
                         gpu_group_shift(4, bytes),
                         gpu_floats(g),
                         gpu_floats(scalars),
                         gpu_floats(s1),
                         gpu_floats(s2),
                         gpu_floats(w),
                         *s};
    LAUNCH(kernel, gpu_group_grid(n, 4, bytes), GPU_BLOCK, 0, gpu_stream(q), u);
    return gpu_result(q, cudaGetLastError(), __func__);
}
