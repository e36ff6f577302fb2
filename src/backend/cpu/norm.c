/* The loops of norm.h, in tiles of a group of elements times ROWS rows. */
#include "norm.h"
#include "act.h"

#include <math.h>

enum {
    ROWS = 256 /* numbers summed in f32 before the sum goes to double: error <= 256 * 2^-24 of the
                  block's absolute sum, and far less on average */
};

/* What is handled at a time: rows `begin` to `end` of the `width` elements from `at` on. The next
 * tile is that of the same rows' next elements, while those are still in the cache. */
typedef struct {
    size_t begin, end, at, width;
} tile;

norm_extent norm_extent_of(size_t pixels, size_t channels) {
    norm_extent e = {pixels, channels, channels};
    for (; GROUP % (2 * e.width) == 0 && e.rows % 2 == 0; e.rows /= 2) e.width *= 2;
    return e;
}

static inline tile tile_at(norm_extent e, size_t begin, size_t at) {
    size_t end = begin + ROWS < e.rows ? begin + ROWS : e.rows;
    return (tile){begin, end, at, e.width - at < GROUP ? e.width - at : GROUP};
}

static inline tile tile_after(norm_extent e, tile t) {
    return t.at + GROUP < e.width ? tile_at(e, t.begin, t.at + GROUP)
                                  : tile_at(e, t.begin + ROWS, 0);
}

#define FOR_TILES(t, e) for (tile t = tile_at(e, 0, 0); t.begin < e.rows; t = tile_after(e, t))

static inline size_t channel_after(norm_extent e, size_t c) {
    return c + 1 < e.channels ? c + 1 : 0;
}

/* A number for each channel, in the places of a tile's elements. */
ACT_LOOP void per_element(bool bf16, size_t width, const float *per_channel, norm_extent e, tile t,
                          group *out) {
    float list[GROUP] = {0};
    for (size_t j = 0, c = t.at % e.channels; j < width; j++, c = channel_after(e, c)) {
        float value = per_channel[c];
        list[j] = value == value ? value : NAN; /* the plain one, as round_lanes takes it */
    }
    group_of(bf16, list, out);
}

ACT_LOOP void add_tile(bool bf16, size_t width, norm_extent e, tile t, const group *first,
                       const group *second, norm_sums out) {
    float f[GROUP], s[GROUP];
    group_list(bf16, first, f);
    group_list(bf16, second, s);
    for (size_t j = 0, c = t.at % e.channels; j < width; j++, c = channel_after(e, c)) {
        out.first[c] += (double)f[j];
        out.second[c] += (double)s[j];
    }
}

ACT_LOOP void add_moments(lanes *x, const lanes *shift, lanes *s, lanes *q) {
    *x -= *shift;
    *s += *x;
    *q += *x * *x;
}

ACT_LOOP void moments_of_tile(bool bf16, size_t width, const void *x, norm_extent e, tile t,
                              const float *shift, norm_sums out) {
    group s = {0}, q = {0}, from, row;
    per_element(bf16, width, shift, e, t, &from);
    for (size_t i = t.begin; i < t.end; i++) {
        group_get(bf16, width, x, i * e.width + t.at, &row);
        add_moments(&row.a, &from.a, &s.a, &q.a);
        add_moments(&row.b, &from.b, &s.b, &q.b);
    }
    add_tile(bf16, width, e, t, &s, &q, out);
}

CPU_CLONES
void norm_sum_moments(bool bf16, const void *x, norm_extent e, const float *shift, norm_sums out) {
    FOR_TILES(t, e) ACT_CALL(bf16, t.width, moments_of_tile, x, e, t, shift, out);
}

ACT_LOOP void apply_to_tile(bool bf16, size_t width, const void *x, const void *residual,
                            norm_extent e, tile t, norm_affine f, void *y) {
    group mean, a, b, v, r;
    per_element(bf16, width, f.mean, e, t, &mean);
    per_element(bf16, width, f.a, e, t, &a);
    per_element(bf16, width, f.b, e, t, &b);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.width + t.at;
        group_get(bf16, width, x, at, &v);
        v.a = (v.a - mean.a) * a.a + b.a;
        v.b = (v.b - mean.b) * a.b + b.b;
        if (residual != NULL) {
            group_get(bf16, width, residual, at, &r);
            v.a += r.a;
            v.b += r.b;
        }
        if (f.relu) {
            rectify_lanes(&v.a);
            rectify_lanes(&v.b);
        }
        group_put(bf16, width, &v, y, at);
    }
}

CPU_CLONES
void norm_apply(bool bf16, const void *x, const void *residual, norm_extent e, norm_affine f,
                void *y) {
    FOR_TILES(t, e) {
        if (residual != NULL)
            ACT_CALL(bf16, t.width, apply_to_tile, x, residual, e, t, f, y);
        else
            ACT_CALL(bf16, t.width, apply_to_tile, x, NULL, e, t, f, y);
    }
}

/* dy' = dy behind the ReLU */
ACT_LOOP void masked_gradient(bool bf16, size_t width, norm_backward f, size_t at, group *out) {
    group y;
    group_get(bf16, width, f.dy, at, out);
    if (!f.relu) return;
    group_get(bf16, width, f.y, at, &y);
    mask_lanes(&out->a, &y.a);
    mask_lanes(&out->b, &y.b);
}

ACT_LOOP void gradients_of_tile(bool bf16, size_t width, norm_backward f, norm_extent e, tile t,
                                norm_sums out) {
    group s = {0}, q = {0}, from, x, d;
    per_element(bf16, width, f.mean, e, t, &from);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.width + t.at;
        group_get(bf16, width, f.x, at, &x);
        masked_gradient(bf16, width, f, at, &d);
        s.a += d.a;
        s.b += d.b;
        q.a += d.a * (x.a - from.a);
        q.b += d.b * (x.b - from.b);
    }
    add_tile(bf16, width, e, t, &s, &q, out);
}

CPU_CLONES
void norm_sum_gradients(bool bf16, norm_backward f, norm_extent e, norm_sums out) {
    FOR_TILES(t, e) ACT_CALL(bf16, t.width, gradients_of_tile, f, e, t, out);
}

ACT_LOOP void gradient_to_tile(bool bf16, size_t width, norm_backward f, norm_extent e, tile t,
                               norm_slopes g, void *dx, void *dresidual) {
    group k, m, b, mean, x, d;
    per_element(bf16, width, g.k, e, t, &k);
    per_element(bf16, width, g.m, e, t, &m);
    per_element(bf16, width, g.b, e, t, &b);
    per_element(bf16, width, f.mean, e, t, &mean);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.width + t.at;
        group_get(bf16, width, f.x, at, &x);
        masked_gradient(bf16, width, f, at, &d);
        x.a = k.a * d.a + (m.a * (x.a - mean.a) + b.a);
        x.b = k.b * d.b + (m.b * (x.b - mean.b) + b.b);
        if (dresidual != NULL) group_put_exact(bf16, width, &d, dresidual, at);
        group_put(bf16, width, &x, dx, at);
    }
}

CPU_CLONES
void norm_apply_gradient(bool bf16, norm_backward f, norm_extent e, norm_slopes g, void *dx,
                         void *dresidual) {
    FOR_TILES(t, e) {
        if (dresidual != NULL)
            ACT_CALL(bf16, t.width, gradient_to_tile, f, e, t, g, dx, dresidual);
        else
            ACT_CALL(bf16, t.width, gradient_to_tile, f, e, t, g, dx, NULL);
    }
}
