/* A file from its bytes to a network; see gyre/onnx.h. */
#include "gyre/onnx.h"

#include "affine.h"
#include "classes.h"
#include "counterpart.h"
#include "external.h"
#include "fuse.h"
#include "graph.h"
#include "gyre/file.h"
#include "learned.h"
#include "naming.h"
#include "needed.h"
#include "notes.h"
#include "operators.h"
#include "print.h"
#include "tie.h"
#include "weights.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gyre_onnx_import {
    onnx_import m;
    char *layers;
};

/* ---- recognising */

/* Tags that an ONNX model may begin with: no text begins so. Files of safetensors may begin with
 * such a byte, but go on as their length and a brace. */
bool gyre_onnx_recognise(const char *path) {
    static const uint8_t tags[] = {0x08, 0x12, 0x1a, 0x22, 0x2a, 0x28,
                                   0x32, 0x3a, 0x42, 0x72, 0xa2};
    uint8_t head[9] = {0};
    int fd = -1;
    if (gyre_file_open(path, &fd) != GYRE_OK) return false;
    ssize_t got = pread(fd, head, sizeof head, 0);
    close(fd);
    bool lengths = got == (ssize_t)sizeof head && head[8] == '{' && head[5] == 0 && head[6] == 0 &&
                   head[7] == 0;
    return got > 0 && !lengths && memchr(tags, head[0], sizeof tags) != NULL;
}

/* ---- opening */

static bool has_constants(const onnx_import *m) {
    for (int i = 0; i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        if (l->needed && onnx_layer_find_weight(l, "factor") != NULL) return true;
        for (int k = 0; l->needed && k < l->weight_count; k++) {
            const bool statistic = onnx_is_statistic(l->weights[k].suffix);
            if (!statistic && l->weights[k].constant->untrained) return true;
        }
    }
    return false;
}

/* Filters and matrices that a network of PyTorch's has as numbers are no parameters. */
static void mark_numbers(onnx_import *m) {
    const bool told =
        onnx_file_is_by(m->work.file, "pytorch") || onnx_file_is_by(m->work.file, "gyre");
    for (int i = 0; told && i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        if (!onnx_layer_is(l, "conv") && !onnx_layer_is(l, "linear")) continue;
        onnx_constant *k = onnx_layer_find_weight(l, "weight");
        if (k != NULL && onnx_is_literal(k) && k->follows_count == 0) k->untrained = true;
    }
}

static gyre_status build(gyre_onnx *o) {
    struct gyre_onnx_import *i = o->import;
    onnx_import *m = &i->m;
    GYRE_TRY(onnx_graph_read(m));
    GYRE_TRY(onnx_graph_finish(m));
    onnx_needed_mark(m);
    mark_numbers(m);
    onnx_affine_nodes(m);
    GYRE_TRY(onnx_needed_check(m));
    GYRE_TRY(onnx_learned_check(m));
    onnx_norms_freeze(m);
    onnx_fuse(m);
    GYRE_TRY(onnx_needed_count(m));
    onnx_norms_complete(m);
    onnx_tie(m);
    onnx_naming_names(m);
    onnx_counterparts(m);
    GYRE_TRY(m->work.status);
    GYRE_TRY(onnx_weights_list(m, &o->weights, &o->weight_count));
    o->h = (int)m->size[ONNX_AXIS_H];
    o->w = (int)m->size[ONNX_AXIS_W];
    o->c = (int)m->size[ONNX_AXIS_C];
    o->outputs = (int)onnx_layer_at(m, m->output)->size[ONNX_AXIS_C];
    o->softmax = m->softmax;
    o->constants = has_constants(m);
    GYRE_TRY(onnx_affine_finish(m, o));
    onnx_classes_mark(m);
    GYRE_TRY(m->work.status);
    i->layers = onnx_print(m);
    if (i->layers == NULL) return gyre_no_memory("the network of '%s'", m->work.file->path);
    o->layers = i->layers;
    onnx_notes_set(m, o);
    return m->work.status;
}

gyre_status gyre_onnx_open(const char *path, gyre_onnx **out) {
    gyre_status status = GYRE_OK;
    gyre_onnx *o = calloc(1, sizeof *o);
    if (o != NULL) o->import = calloc(1, sizeof *o->import);
    if (o == NULL || o->import == NULL) {
        status = gyre_no_memory("reading '%s'", path);
        goto out;
    }
    GYRE_GOTO(onnx_file_open(path, &o->import->m.work.file));
    GYRE_GOTO(build(o));
    *out = o;
    o = NULL;
out:
    gyre_onnx_close(o);
    return status;
}

void gyre_onnx_close(gyre_onnx *o) {
    if (o == NULL) return;
    if (o->import != NULL) {
        onnx_layers_close(&o->import->m.layers);
        onnx_work_close(&o->import->m.work);
        free(o->import->layers);
        free(o->import);
    }
    free(o);
}

gyre_status gyre_onnx_read(const gyre_onnx *o, const gyre_onnx_weight *w, float *out) {
    return onnx_weights_read(&o->import->m, w, out);
}

gyre_status gyre_onnx_hash(const char *path, uint64_t *out) {
    onnx_file *f = NULL;
    GYRE_TRY(onnx_file_open(path, &f));
    gyre_status status = onnx_external_hash(f, out);
    onnx_file_close(f);
    return status;
}
