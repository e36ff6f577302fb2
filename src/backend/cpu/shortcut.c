/* ResNet's option A shortcut. */
#include "cpu.h"

#include <string.h>

/* Sizes in bytes: a shortcut only copies. */
typedef struct {
    int oh, ow;
    size_t c, k, front, images;
} shortcut;

static shortcut shortcut_of(const gyre_queue *q, const gyre_shortcut_shape *s) {
    size_t one = q->backend->act_size, c = (size_t)s->c * one, k = (size_t)s->k * one;
    return (shortcut){gyre_shortcut_out(s->h, s->stride),
                      gyre_shortcut_out(s->w, s->stride),
                      c,
                      k,
                      (size_t)((s->k - s->c) / 2) * one,
                      (size_t)s->n};
}

/* Where in x the pixel (i, j) of image n of y comes from. */
static size_t source_of(const gyre_shortcut_shape *s, const shortcut *f, size_t n, int i, int j) {
    return ((n * (size_t)s->h + (size_t)(i * s->stride)) * (size_t)s->w + (size_t)(j * s->stride)) *
           f->c;
}

gyre_status cpu_shortcut(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act x, gyre_act y) {
    shortcut f = shortcut_of(q, s);
    const char *from = (const char *)(const void *)x;
    char *to = (char *)(void *)y;
    memset(to, 0, f.images * (size_t)f.oh * (size_t)f.ow * f.k);
    for (size_t n = 0; n < f.images; n++) {
        for (int i = 0; i < f.oh; i++) {
            for (int j = 0; j < f.ow; j++, to += f.k) {
                memcpy(to + f.front, from + source_of(s, &f, n, i, j), f.c);
            }
        }
    }
    return GYRE_OK;
}

gyre_status cpu_shortcut_dx(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act dy, gyre_act dx) {
    shortcut f = shortcut_of(q, s);
    const char *from = (const char *)(const void *)dy;
    char *to = (char *)(void *)dx;
    memset(to, 0, f.images * (size_t)s->h * (size_t)s->w * f.c);
    for (size_t n = 0; n < f.images; n++) {
        for (int i = 0; i < f.oh; i++) {
            for (int j = 0; j < f.ow; j++, from += f.k) {
                memcpy(to + source_of(s, &f, n, i, j), from + f.front, f.c);
            }
        }
    }
    return GYRE_OK;
}
