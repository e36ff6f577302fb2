/* Files of samples as numbers, before or after sampling: /latents f32 (samples, height, width,
 * channels). */
#ifndef GYRE_LATENTS_H
#define GYRE_LATENTS_H

#include "gyre/status.h"

typedef struct {
    int count, h, w, c;
    float *values; /* (count, h, w, c) */
} gyre_latents;

/* GYRE_EIO: something else is at `path`, which would be overwritten, or its folder cannot be
 * written. */
gyre_status gyre_latents_check(const char *path);
/* Writes a file atomically, in place of an earlier one. */
gyre_status gyre_latents_write(const char *path, const gyre_latents *l);

/* Reads a file of anyone's; free() the values. GYRE_EIO: it has no such array of floats. */
gyre_status gyre_latents_read(const char *path, gyre_latents *out);

#endif
