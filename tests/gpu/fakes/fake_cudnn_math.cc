/* The operations on dense arrays: plain loops with f32 sums, the innermost one over channels. This
 * file is never built with a sanitizer, which would make it too slow: it touches no device memory.
 */
#include "fake_cudnn.h"

#include <algorithm>

namespace fake {

static void axpy(int64_t n, float a, const float *x, float *y) {
    for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

/* Calls f(x's pixel, y's pixel, tap) for every pair that a convolution joins; arrays are (n, h, w,
 * c), the filter (k, r, s, c / groups). */
template <class F>
static void each_pair(const Operation &o, const std::vector<int64_t> &x,
                      const std::vector<int64_t> &w, const std::vector<int64_t> &y, F f) {
    for (int64_t n = 0; n < y[0]; n++) {
        for (int64_t p = 0; p < y[1]; p++) {
            for (int64_t q = 0; q < y[2]; q++) {
                for (int64_t r = 0; r < w[1]; r++) {
                    int64_t h = p * o.stride[0] - o.front[0] + r * o.dilation[0];
                    if (h < 0 || h >= x[1]) continue;
                    for (int64_t s = 0; s < w[2]; s++) {
                        int64_t v = q * o.stride[1] - o.front[1] + s * o.dilation[1];
                        if (v < 0 || v >= x[2]) continue;
                        f((n * x[1] + h) * x[2] + v, (n * y[1] + p) * y[2] + q, r * w[2] + s);
                    }
                }
            }
        }
    }
}

/* Channels of x and y in all and in each group. */
struct Channels {
    int64_t c, k, groups, part, filters;
};
static Channels channels(const Array &x, const Array &w, const Array &y) {
    int64_t c = x.dims[3], k = y.dims[3], part = w.dims[3];
    return {c, k, c / part, part, k / (c / part)};
}

/* (k, taps, part) to (taps, c, filters): for each tap and channel of x the filters that read it */
static std::vector<float> filter_by_tap(const Array &w, const Channels &z) {
    int64_t taps = w.dims[1] * w.dims[2];
    std::vector<float> out(w.values.size());
    for (int64_t k = 0; k < z.k; k++) {
        for (int64_t tap = 0; tap < taps; tap++) {
            for (int64_t i = 0; i < z.part; i++) {
                int64_t c = k / z.filters * z.part + i;
                out[(size_t)((tap * z.c + c) * z.filters + k % z.filters)] =
                    w.values[(size_t)((k * taps + tap) * z.part + i)];
            }
        }
    }
    return out;
}

void convolve(const Operation &o, const Array &x, const Array &w, Array *y) {
    const Channels z = channels(x, w, *y);
    std::vector<float> taps = filter_by_tap(w, z);
    std::fill(y->values.begin(), y->values.end(), 0.0f);
    each_pair(o, x.dims, w.dims, y->dims, [&](int64_t from, int64_t to, int64_t tap) {
        for (int64_t i = 0; i < z.c; i++) {
            axpy(z.filters, x.values[(size_t)(from * z.c + i)],
                 &taps[(size_t)((tap * z.c + i) * z.filters)],
                 &y->values[(size_t)(to * z.k + i / z.part * z.filters)]);
        }
    });
}

void convolve_dx(const Operation &o, const Array &dy, const Array &w, Array *dx) {
    const Channels z = channels(*dx, w, dy);
    int64_t taps = w.dims[1] * w.dims[2];
    std::fill(dx->values.begin(), dx->values.end(), 0.0f);
    each_pair(o, dx->dims, w.dims, dy.dims, [&](int64_t to, int64_t from, int64_t tap) {
        for (int64_t i = 0; i < z.k; i++) {
            axpy(z.part, dy.values[(size_t)(from * z.k + i)],
                 &w.values[(size_t)((i * taps + tap) * z.part)],
                 &dx->values[(size_t)(to * z.c + i / z.filters * z.part)]);
        }
    });
}

void convolve_dw(const Operation &o, const Array &x, const Array &dy, Array *dw) {
    const Channels z = channels(x, *dw, dy);
    int64_t taps = dw->dims[1] * dw->dims[2];
    std::vector<float> sums(dw->values.size(), 0.0f); /* (taps, c, filters) */
    each_pair(o, x.dims, dw->dims, dy.dims, [&](int64_t from, int64_t at, int64_t tap) {
        for (int64_t i = 0; i < z.c; i++) {
            axpy(z.filters, x.values[(size_t)(from * z.c + i)],
                 &dy.values[(size_t)(at * z.k + i / z.part * z.filters)],
                 &sums[(size_t)((tap * z.c + i) * z.filters)]);
        }
    });
    for (int64_t k = 0; k < z.k; k++) {
        for (int64_t tap = 0; tap < taps; tap++) {
            for (int64_t i = 0; i < z.part; i++) {
                int64_t c = k / z.filters * z.part + i;
                dw->values[(size_t)((k * taps + tap) * z.part + i)] =
                    sums[(size_t)((tap * z.c + c) * z.filters + k % z.filters)];
            }
        }
    }
}

/* (batch, m, k) (batch, k, n) */
void multiply(const Array &a, const Array &b, Array *c) {
    int64_t m = c->dims[1], n = c->dims[2], k = a.dims[2];
    std::fill(c->values.begin(), c->values.end(), 0.0f);
    for (int64_t row = 0; row < c->dims[0] * m; row++) {
        const float *right = &b.values[(size_t)(b.dims[0] == 1 ? 0 : row / m * k * n)];
        for (int64_t i = 0; i < k; i++) {
            axpy(n, a.values[(size_t)(row * k + i)], right + i * n, &c->values[(size_t)(row * n)]);
        }
    }
}

/* Where in `small` the element of `big` with this number lies; dimensions of size 1 are repeated.
 */
static int64_t place(int64_t number, const std::vector<int64_t> &big,
                     const std::vector<int64_t> &small) {
    int64_t at = 0, unit = 1;
    for (size_t d = big.size(); d-- > 0; number /= big[d]) {
        if (small[d] != 1) at += number % big[d] * unit;
        unit *= small[d];
    }
    return at;
}

void pointwise(const Operation &o, const Array &a, const Array *b, Array *c) {
    static const bool drop = getenv("FAKE_RELU_NAN") != nullptr; /* a ReLU that loses NaN */
    for (size_t i = 0; i < c->values.size(); i++) {
        float x = a.values[a.dims == c->dims ? i : (size_t)place((int64_t)i, c->dims, a.dims)];
        float y = b == nullptr ? 0 : b->values[(size_t)place((int64_t)i, c->dims, b->dims)];
        switch (o.mode) {
        case CUDNN_POINTWISE_ADD: x = x + y; break;
        case CUDNN_POINTWISE_MUL: x = x * y; break;
        case CUDNN_POINTWISE_IDENTITY: break;
        case CUDNN_POINTWISE_RELU_FWD: x = x < 0 || (drop && x != x) ? 0 : x; break;
        default: stop("cuDNN pointwise mode %d is not known here", o.mode);
        }
        c->values[i] = x;
    }
}

void reduce(const Array &a, Array *c) {
    std::fill(c->values.begin(), c->values.end(), 0.0f);
    for (size_t i = 0; i < a.values.size(); i++) {
        c->values[(size_t)place((int64_t)i, a.dims, c->dims)] += a.values[i];
    }
}

} // namespace fake
