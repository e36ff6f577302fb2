/* A list of blocks that are freed together. */
#include "work.h"

#include "gyre/size.h"
#include <stdlib.h>
#include <string.h>

struct onnx_block {
    onnx_block *before;
    max_align_t data[];
};

/* Weights are not taken here, so that only a file that was made to ask for more does. */
#define TAKEN_MAX ((size_t)1 << 30)

static gyre_status too_much(const onnx_work *w) {
    return gyre_fail(GYRE_EIO,
                     "'%s': its graph takes more than %zu MiB to import; it is damaged, or no "
                     "network that gyre can train",
                     w->file->path, TAKEN_MAX >> 20);
}

void onnx_fail_memory(onnx_work *w) {
    if (w->status == GYRE_OK) w->status = gyre_no_memory("the network of '%s'", w->file->path);
}

void *onnx_take(onnx_work *w, size_t count, size_t each) {
    size_t bytes = 0;
    bool fits = gyre_size_add(gyre_size_of(count, each), sizeof(onnx_block), &bytes);
    if (!fits || bytes > TAKEN_MAX - w->taken) {
        if (w->status == GYRE_OK) w->status = too_much(w);
        return NULL;
    }
    w->taken += bytes;
    onnx_block *b = calloc(1, bytes);
    if (b == NULL) onnx_fail_memory(w);
    if (b == NULL) return NULL;
    b->before = w->last;
    w->last = b;
    return b->data;
}

void *onnx_grow(onnx_work *w, void *list, int count, int *room, size_t each) {
    if (count < *room) return list;
    int more = *room == 0 ? 64 : *room * 2;
    void *longer = onnx_take(w, (size_t)more, each);
    if (longer == NULL) return NULL;
    if (count > 0) memcpy(longer, list, (size_t)count * each);
    *room = more;
    return longer;
}

char *onnx_text(onnx_work *w, const char *text, size_t length) {
    char *copy = onnx_take(w, length + 1, 1);
    if (copy != NULL) memcpy(copy, text, length);
    return copy;
}

void onnx_work_close(onnx_work *w) {
    while (w->last != NULL) {
        onnx_block *b = w->last;
        w->last = b->before;
        free(b);
    }
    onnx_file_close(w->file);
    w->file = NULL;
}
