/* Chooses between the kinds; see weights_file.h. */
#include "weights_file.h"

#include "gyre/checkpoint.h"
#include "gyre/file.h"
#include "gyre/foreign.h"
#include "h5_reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gyre_status open_onnx(const char *path, weights_file *f) {
    GYRE_TRY(gyre_onnx_open(path, &f->onnx));
    const int count = f->onnx->weight_count;
    f->onnx_entries = calloc((size_t)count + 1, sizeof *f->onnx_entries);
    if (f->onnx_entries == NULL) return gyre_no_memory("reading '%s'", path);
    for (int i = 0; i < count; i++) {
        const gyre_onnx_weight *w = &f->onnx->weights[i];
        gyre_h5_entry *e = &f->onnx_entries[i];
        *e = (gyre_h5_entry){.kind = GYRE_H5_FLOATS, .size = sizeof(float), .ndim = w->ndim};
        for (int k = 0; k < w->ndim; k++) e->dims[k] = (uint64_t)w->dims[k];
        e->name = strdup(w->name);
        if (e->name == NULL) return gyre_no_memory("reading '%s'", path);
    }
    return GYRE_OK;
}

gyre_status weights_file_open(const char *path, weights_file *out) {
    *out = (weights_file){0};
    if (gyre_safetensors_is(path)) return gyre_safetensors_open(path, &out->tensors);
    if (gyre_onnx_recognise(path)) return open_onnx(path, out);
    GYRE_TRY(gyre_foreign_check(path, true));
    return gyre_h5_reader_open(path, &out->h5);
}

/* Of several averages, the one that is meant by name; an older file has one alone. */
static gyre_status choose_kind(weights_file *f, const char *path, gyre_average_kind kind) {
    const h5_type text = {H5_TEXT, 16, 0, NULL};
    const gyre_h5_entry *state = f->h5 == NULL ? NULL : gyre_h5_reader_find(f->h5, "/state");
    char taken[17] = "";
    f->averaged = true;
    snprintf(f->group, sizeof f->group, "/averages/%s", gyre_average_name(kind));
    if (f->h5 != NULL && gyre_h5_reader_find(f->h5, f->group) != NULL) return GYRE_OK;
    snprintf(f->group, sizeof f->group, "/average");
    if (state != NULL && h5_read_attribute(f->h5, state, "average", &text, taken) == GYRE_OK &&
        strcmp(taken, gyre_average_name(kind)) == 0)
        return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' has no average %s of its weights", path,
                     gyre_average_name(kind));
}

gyre_status weights_file_choose(weights_file *f, const char *path, gyre_weights_choice weights) {
    const gyre_average_kind kind = gyre_weights_kind(weights);
    if (kind != GYRE_AVERAGE_NONE) return choose_kind(f, path, kind);
    snprintf(f->group, sizeof f->group, "/average");
    const bool there = f->h5 != NULL && gyre_h5_reader_find(f->h5, "/average") != NULL;
    f->averaged = there && weights != GYRE_WEIGHTS_LAST;
    if (there || weights != GYRE_WEIGHTS_AVERAGE) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' has no average of its weights (no group /average)", path);
}

void weights_file_close(weights_file *f) {
    gyre_h5_reader_close(f->h5);
    gyre_safetensors_close(f->tensors);
    for (int i = 0; f->onnx_entries != NULL && i < f->onnx->weight_count; i++) {
        free(f->onnx_entries[i].name);
    }
    free(f->onnx_entries);
    gyre_onnx_close(f->onnx);
    *f = (weights_file){0};
}

const gyre_h5_entry *weights_file_list(const weights_file *f, size_t *count) {
    if (f->tensors != NULL) return gyre_safetensors_list(f->tensors, count);
    if (f->onnx == NULL) return gyre_h5_reader_list(f->h5, count);
    *count = (size_t)f->onnx->weight_count;
    return f->onnx_entries;
}

static const gyre_h5_entry *find_tensor(const weights_file *f, const char *name) {
    size_t count = 0;
    const gyre_h5_entry *entries = weights_file_list(f, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].name, name) == 0) return &entries[i];
    }
    return NULL;
}

static const gyre_h5_entry *find_dataset(const weights_file *f, const char *group,
                                         const char *name) {
    char path[GYRE_H5_NAME_SIZE];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return gyre_h5_reader_find(f->h5, path);
}

const gyre_h5_entry *weights_file_find(const weights_file *f, const char *name, bool statistic) {
    const gyre_h5_entry *e = NULL;
    if (f->h5 == NULL) return find_tensor(f, name);
    if (f->averaged) return find_dataset(f, f->group, name);
    if (statistic) e = find_dataset(f, "/state/buffers", name);
    return e != NULL ? e : find_dataset(f, "/parameters", name);
}

gyre_status weights_file_read(const weights_file *f, const gyre_h5_entry *e, float *out,
                              size_t count) {
    if (f->tensors != NULL) return gyre_safetensors_read(f->tensors, e, out, count);
    if (f->onnx == NULL) return h5_read_floats(f->h5, e, out, count);
    return gyre_onnx_read(f->onnx, &f->onnx->weights[e - f->onnx_entries], out);
}

gyre_status gyre_weights_hash(const char *path, uint64_t *out) {
    if (gyre_safetensors_is(path)) return gyre_safetensors_hash(path, out);
    return gyre_onnx_recognise(path) ? gyre_onnx_hash(path, out) : gyre_file_hash(path, out);
}
