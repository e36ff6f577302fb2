/* Each value by a table of 256 where that does; a pixel or its neighbours where not. */
#include "pixels.h"

#include <math.h>
#include <string.h>

/* Down to a whole number, as a conversion to uint8. */
static uint8_t cut(float v) {
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)v;
}

typedef struct {
    float own, other;
} blend;

static blend blend_of(double f) {
    return (blend){(float)f, (float)(1 - f)};
}

static uint8_t mix(blend b, int v, float other) {
    return cut(b.own * (float)v + b.other * other);
}

static void apply(data_pixels *p, const uint8_t table[256]) {
    for (size_t i = 0, n = data_pixels_count(p); i < n; i++) p->bytes[i] = table[p->bytes[i]];
}

/* 0.2989 r + 0.587 g + 0.114 b, rounded down. */
static int gray_of(const uint8_t *pixel) {
    return (2989 * pixel[0] + 5870 * pixel[1] + 1140 * pixel[2]) / 10000;
}

static void mix_all(data_pixels *p, double f, float other) {
    const blend b = blend_of(f);
    uint8_t table[256];
    for (int v = 0; v < 256; v++) table[v] = mix(b, v, other);
    apply(p, table);
}

void data_brighten(data_pixels *p, double f) {
    mix_all(p, f, 0);
}

void data_contrast(data_pixels *p, double f) {
    uint64_t sum = 0;
    size_t pixels = (size_t)p->h * (size_t)p->w;
    for (size_t i = 0; i < pixels; i++) {
        sum += (uint64_t)(p->c == 1 ? p->bytes[i] : gray_of(p->bytes + 3 * i));
    }
    mix_all(p, f, (float)((double)sum / (double)pixels));
}

void data_saturate(data_pixels *p, double f) {
    const blend b = blend_of(f);
    if (p->c == 1) return;
    for (size_t i = 0, n = data_pixels_count(p); i < n; i += 3) {
        float gray = (float)gray_of(p->bytes + i);
        for (size_t k = i; k < i + 3; k++) p->bytes[k] = mix(b, p->bytes[k], gray);
    }
}

/* 13 times the mean. */
static int sum_around(const uint8_t *v, size_t line, size_t c) {
    const uint8_t *up = v - line, *down = v + line;
    return up[0] + down[0] + *(v - c) + v[c] + *(up - c) + up[c] + *(down - c) + down[c] + 5 * v[0];
}

void data_sharpen(data_pixels *p, double f) {
    const blend b = blend_of(f);
    const size_t c = (size_t)p->c, line = (size_t)p->w * c;
    if (p->h < 3 || p->w < 3) return;
    memcpy(p->spare, p->bytes, data_pixels_count(p));
    for (size_t y = 1; y + 1 < (size_t)p->h; y++) {
        for (size_t i = y * line + c; i < (y + 1) * line - c; i++) {
            int mean = (2 * sum_around(p->spare + i, line, c) + 13) / 26; /* to nearest */
            p->bytes[i] = mix(b, p->spare[i], (float)mean);
        }
    }
}

/* ---- hue */

typedef struct {
    float h, s, v; /* each 0 to 1 */
} hsv;

static hsv hsv_of(float r, float g, float b) {
    float most = fmaxf(r, fmaxf(g, b)), least = fminf(r, fminf(g, b)), range = most - least;
    if (!(range > 0)) return (hsv){0, 0, most};
    float from_r = (most - r) / range, from_g = (most - g) / range, from_b = (most - b) / range;
    float h = most == r ? from_b - from_g : most == g ? 2 + from_r - from_b : 4 + from_g - from_r;
    h = h / 6 + 1;
    return (hsv){h - floorf(h), range / most, most};
}

static void put_hsv(hsv x, uint8_t *pixel) {
    float place = x.h * 6, sector = floorf(place), f = place - sector;
    float p = x.v * (1 - x.s), q = x.v * (1 - x.s * f), t = x.v * (1 - x.s * (1 - f));
    const float rgb[6][3] = {{x.v, t, p}, {q, x.v, p}, {p, x.v, t},
                             {p, q, x.v}, {t, p, x.v}, {x.v, p, q}};
    const float *from = rgb[(int)sector % 6];
    for (int k = 0; k < 3; k++) pixel[k] = cut(from[k] * 255.999f);
}

void data_turn_hue(data_pixels *p, double turn) {
    if (p->c == 1) return;
    for (size_t i = 0, n = data_pixels_count(p); i < n; i += 3) {
        uint8_t *pixel = p->bytes + i;
        hsv x = hsv_of((float)pixel[0] / 255, (float)pixel[1] / 255, (float)pixel[2] / 255);
        x.h += (float)turn;
        x.h -= floorf(x.h);
        put_hsv(x, pixel);
    }
}

/* ---- tables */

void data_posterize(data_pixels *p, int bits) {
    uint8_t table[256];
    for (int v = 0; v < 256; v++) table[v] = (uint8_t)(v >> (8 - bits) << (8 - bits));
    apply(p, table);
}

void data_solarize(data_pixels *p, double threshold) {
    uint8_t table[256];
    for (int v = 0; v < 256; v++) table[v] = (uint8_t)(v >= threshold ? 255 - v : v);
    apply(p, table);
}

static void apply_to_channel(data_pixels *p, int channel, const uint8_t table[256]) {
    for (size_t i = (size_t)channel, n = data_pixels_count(p); i < n; i += (size_t)p->c) {
        p->bytes[i] = table[p->bytes[i]];
    }
}

static void count_values(const data_pixels *p, int channel, uint32_t counts[256]) {
    memset(counts, 0, 256 * sizeof *counts);
    for (size_t i = (size_t)channel, n = data_pixels_count(p); i < n; i += (size_t)p->c) {
        counts[p->bytes[i]]++;
    }
}

void data_stretch(data_pixels *p) {
    for (int channel = 0; channel < p->c; channel++) {
        uint32_t counts[256];
        uint8_t table[256];
        int least = 0, most = 255;
        count_values(p, channel, counts);
        while (least < 255 && counts[least] == 0) least++;
        while (most > 0 && counts[most] == 0) most--;
        if (most <= least) continue;
        float scale = 255 / (float)(most - least);
        for (int v = 0; v < 256; v++) table[v] = cut((float)(v - least) * scale);
        apply_to_channel(p, channel, table);
    }
}

void data_equalize(data_pixels *p) {
    for (int channel = 0; channel < p->c; channel++) {
        uint32_t counts[256];
        uint8_t table[256];
        int last = 255;
        count_values(p, channel, counts);
        while (last > 0 && counts[last] == 0) last--;
        uint32_t step = ((uint32_t)p->h * (uint32_t)p->w - counts[last]) / 255, below = step / 2;
        if (step == 0) continue;
        for (int v = 0; v < 256; v++) {
            table[v] = (uint8_t)(below / step < 255 ? below / step : 255);
            below += counts[v];
        }
        apply_to_channel(p, channel, table);
    }
}

/* ---- places */

void data_warp(data_pixels *p, const data_affine *from) {
    const size_t c = (size_t)p->c;
    memcpy(p->spare, p->bytes, data_pixels_count(p));
    uint8_t *out = p->bytes;
    for (int y = 0; y < p->h; y++) {
        const double row = y + 0.5, x0 = from->b * row + from->c, y0 = from->e * row + from->f;
        for (int x = 0; x < p->w; x++, out += c) {
            double sx = floor(from->a * (x + 0.5) + x0), sy = floor(from->d * (x + 0.5) + y0);
            if (sx >= 0 && sx < p->w && sy >= 0 && sy < p->h)
                memcpy(out, p->spare + ((size_t)sy * (size_t)p->w + (size_t)sx) * c, c);
            else
                memset(out, 0, c);
        }
    }
}
