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
 * c), the filter (k, r, s, c). */
template <class F>
static void each_pair(const Operation &o, const std::vector<int64_t> &x,
                      const std::vector<int64_t> &w, const std::vector<int64_t> &y, F f) {
    for (int64_t n = 0; n < y[0]; n++) {
        for (int64_t p = 0; p < y[1]; p++) {
            for (int64_t q = 0; q < y[2]; q++) {
                for (int64_t r = 0; r < w[1]; r++) {
                    int64_t h = p * o.stride[0] - o.pad[0] + r;
                    if (h < 0 || h >= x[1]) continue;
                    for (int64_t s = 0; s < w[2]; s++) {
                        int64_t v = q * o.stride[1] - o.pad[1] + s;
                        if (v < 0 || v >= x[2]) continue;
                        f((n * x[1] + h) * x[2] + v, (n * y[1] + p) * y[2] + q, r * w[2] + s);
                    }
                }
            }
        }
    }
}

/* (k, taps, c) to (taps, c, k) */
static std::vector<float> filter_by_tap(const Array &w) {
    int64_t k = w.dims[0], taps = w.dims[1] * w.dims[2], c = w.dims[3];
    std::vector<float> out(w.values.size());
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; j < taps * c; j++)
            out[(size_t)(j * k + i)] = w.values[(size_t)(i * taps * c + j)];
    }
    return out;
}

void convolve(const Operation &o, const Array &x, const Array &w, Array *y) {
    int64_t c = x.dims[3], k = y->dims[3];
    std::vector<float> taps = filter_by_tap(w);
    std::fill(y->values.begin(), y->values.end(), 0.0f);
    each_pair(o, x.dims, w.dims, y->dims, [&](int64_t from, int64_t to, int64_t tap) {
        for (int64_t i = 0; i < c; i++) {
            axpy(k, x.values[(size_t)(from * c + i)], &taps[(size_t)((tap * c + i) * k)],
                 &y->values[(size_t)(to * k)]);
        }
    });
}

void convolve_dx(const Operation &o, const Array &dy, const Array &w, Array *dx) {
    int64_t c = dx->dims[3], k = dy.dims[3], taps = w.dims[1] * w.dims[2];
    std::fill(dx->values.begin(), dx->values.end(), 0.0f);
    each_pair(o, dx->dims, w.dims, dy.dims, [&](int64_t to, int64_t from, int64_t tap) {
        for (int64_t i = 0; i < k; i++) {
            axpy(c, dy.values[(size_t)(from * k + i)], &w.values[(size_t)((i * taps + tap) * c)],
                 &dx->values[(size_t)(to * c)]);
        }
    });
}

void convolve_dw(const Operation &o, const Array &x, const Array &dy, Array *dw) {
    int64_t c = x.dims[3], k = dy.dims[3], taps = dw->dims[1] * dw->dims[2];
    std::vector<float> sums((size_t)(taps * c * k), 0.0f); /* (taps, c, k) */
    each_pair(o, x.dims, dw->dims, dy.dims, [&](int64_t from, int64_t at, int64_t tap) {
        for (int64_t i = 0; i < c; i++) {
            axpy(k, x.values[(size_t)(from * c + i)], &dy.values[(size_t)(at * k)],
                 &sums[(size_t)((tap * c + i) * k)]);
        }
    });
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; j < taps * c; j++) {
            dw->values[(size_t)(i * taps * c + j)] = sums[(size_t)(j * k + i)];
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
