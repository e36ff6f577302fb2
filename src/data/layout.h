/* Where a dataset file keeps its samples, targets and names: all that HDF5 is asked for.
 *
 * Plain data without pointers, so that a child process can find it out about an untrusted file
 * and send it through a pipe. Internal to src/data. */
#ifndef GYRE_DATA_LAYOUT_H
#define GYRE_DATA_LAYOUT_H

#include "gyre/element.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { DATA_PART_TRAIN, DATA_PART_VALIDATION, DATA_PART_TEST, DATA_PARTS };
enum {
    DATA_SIDE_MAX = 32767,      /* pixels of a picture; its bytes fit 32 bits */
    DATA_NAME_BYTES_MAX = 4096, /* of a class name in a file of another program */
    DATA_UNREAD_SIZE = 64
};

typedef struct {
    int64_t count; /* samples; 0: the part is absent */
    int32_t h, w, c;
    gyre_element element;
    bool latents; /* means, then deviations, in twice the channels */
    gyre_target target;
    gyre_element target_stored; /* GYRE_ELEMENT_I32 or F32 */
    uint64_t images, targets;   /* where they begin, in bytes from the file's begin */
} data_layout_part;

typedef struct {
    data_layout_part parts[DATA_PARTS];
    int64_t names, name_size; /* class names and the bytes of each; names 0: absent */
    uint64_t names_at;
    int64_t contexts; /* 0: absent */
    int32_t tokens, context_channels;
    gyre_element context_element; /* GYRE_ELEMENT_F16 or F32 */
    uint64_t contexts_at;
    char unread[DATA_UNREAD_SIZE]; /* a group with images that is no part, as /val, or "" */
} data_layout;

extern const char *const data_part_names[DATA_PARTS]; /* "train", "validation", "test" */

/* Bytes of a sample, and of its target. */
static inline uint64_t data_layout_row(const data_layout_part *p) {
    return (uint64_t)p->h * (uint64_t)p->w * (uint64_t)p->c * gyre_element_size(p->element);
}
static inline uint64_t data_layout_target(const data_layout_part *p) {
    return gyre_target_values(&p->target) * sizeof(float);
}

/* Is a sample a picture of bytes? Such may have more than INT32_MAX values, others may not. */
static inline bool data_is_picture(gyre_element e, int h, int w, int c) {
    return e == GYRE_ELEMENT_U8 && h >= 1 && h <= DATA_SIDE_MAX && w >= 1 && w <= DATA_SIDE_MAX &&
           c >= 1 && c <= 4;
}

/* Bytes of a context. */
static inline uint64_t data_layout_context(const data_layout *l) {
    return (uint64_t)l->tokens * (uint64_t)l->context_channels *
           gyre_element_size(l->context_element);
}

/* Do two parts have samples and targets of one shape and type? */
bool data_layout_alike(const data_layout_part *a, const data_layout_part *b);

/* "f32, 28 x 28 x 1, with targets of 1 x 1 x 3", for messages. */
enum { DATA_LAYOUT_TEXT = 160 };
const char *data_layout_text(const data_layout_part *p, char out[DATA_LAYOUT_TEXT]);

/* Asks HDF5. Types, ranks, storage and the agreement of shapes are checked, sizes against the
 * file's length are not. GYRE_EIO. */
gyre_status data_layout_read(const char *path, data_layout *out);

/* The same from a child process (gyre/child.h) of at most `seconds`, which may hang or crash
 * without harm: for every file that this process has not written itself. */
gyre_status data_layout_probe(const char *path, int seconds, data_layout *out);

#endif
