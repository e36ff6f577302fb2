/* A file from its bytes to a network; see gyre/onnx.h. */
#include "gyre/onnx.h"

#include "affine.h"
#include "classes.h"
#include "counterpart.h"
#include "external.h"
#include "fuse.h"
#include "graph.h"
#include "gyre/file.h"
#include "naming.h"
#include "needed.h"
#include "operators.h"
#include "print.h"
#include "tie.h"
#include "weights.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gyre_onnx_import {
    onnx_import m;
    char *layers;
    char note[160], apart[240], constant[240], normaliser[320], computed[480], averaged[320],
        nameless[320], doubtful[320];
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

/* ---- notes */

static bool is_folded(const onnx_layer *l) {
    const onnx_constant *weight = onnx_layer_find_weight(l, "weight");
    const onnx_constant *bias = onnx_layer_find_weight(l, "bias");
    const char *name = weight == NULL || weight->name == NULL ? "" : weight->name;
    const char *other = bias == NULL || bias->name == NULL ? "" : bias->name;
    return strncmp(name, "onnx::Conv_", 11) == 0 || strstr(other, ".weight_bias") != NULL;
}

/* A factor for each channel whose name an exporter lost: a buffer's is not told from a parameter's.
 */
static const char *nameless_factor(const onnx_import *m) {
    for (int k = 0; k < m->layers.count; k++) {
        const onnx_layer *l = onnx_layer_at(m, k);
        if (!l->needed || strcmp(l->type, "scale") != 0) continue;
        const onnx_constant *w = onnx_layer_find_weight(l, "weight");
        if (w != NULL && w->name != NULL && onnx_name_is_lost(w->name)) return w->name;
    }
    return NULL;
}

static void set_training_notes(gyre_onnx *o, int *count) {
    struct gyre_onnx_import *i = o->import;
    const char *nameless = nameless_factor(&i->m);
    if (nameless != NULL) {
        snprintf(i->nameless, sizeof i->nameless,
                 "factors for each channel have lost their names (%.60s), and are trained; if they "
                 "are buffers, as those of FrozenBatchNorm2d, export the network with dynamo=True, "
                 "whose files tell",
                 nameless);
        o->notes[(*count)++] = i->nameless;
    }
    if (i->m.averaged != NULL) {
        snprintf(i->averaged, sizeof i->averaged,
                 "two nodes share the batch norm of %.100s: its running statistics are of both in "
                 "PyTorch, and each node has its own here; those of the first go back under their "
                 "names, those of the others have none there",
                 i->m.averaged);
        o->notes[(*count)++] = i->averaged;
    }
}

static void set_notes(gyre_onnx *o) {
    struct gyre_onnx_import *i = o->import;
    int count = 0;
    bool folded = false;
    const char *converted = onnx_weights_converted(o->weights, o->weight_count);
    for (int k = 0; k < i->m.layers.count; k++) {
        const onnx_layer *l = onnx_layer_at(&i->m, k);
        folded = folded || (l->needed && is_folded(l));
    }
    if (folded) {
        o->notes[count++] =
            "batch norms were folded into convolutions when it was exported; to train with batch "
            "norm, export it with training=torch.onnx.TrainingMode.PRESERVE and "
            "do_constant_folding=False, or dynamo=True and optimize=False";
    }
    if (i->m.softmax) o->notes[count++] = "its last softmax is left out, since the loss has it";
    if (i->m.apart != NULL) {
        snprintf(i->apart, sizeof i->apart,
                 "two nodes share %.100s, but not all of their weights; each has a copy, and the "
                 "copies train apart",
                 i->m.apart);
        o->notes[count++] = i->apart;
    }
    if (i->m.computed_count > 0) {
        snprintf(i->computed, sizeof i->computed,
                 "weights of %.100s%s are computed from %.100s: gyre trains what came of it, which "
                 "no state_dict of that network has, so that it does not go back to PyTorch by "
                 "safetensors or from_gyre; to train the parameter itself, make the weight plain "
                 "before the export",
                 i->m.computed[0], i->m.computed_count > 1 ? " and of other nodes" : "",
                 i->m.computed[1]);
        o->notes[count++] = i->computed;
    }
    if (i->m.constant != NULL) {
        snprintf(i->constant, sizeof i->constant,
                 "%.100s is a constant here, which training leaves as it is: gyre learns factors "
                 "for each channel, and the parameters of its nodes",
                 i->m.constant);
        o->notes[count++] = i->constant;
    }
    if (i->m.normaliser != NULL) {
        snprintf(i->normaliser, sizeof i->normaliser,
                 "%.100s normalises the images, and training leaves it as it is; if it is a "
                 "parameter, and no buffer, export the network with dynamo=True, whose files tell",
                 i->m.normaliser);
        o->notes[count++] = i->normaliser;
    }
    if (i->m.doubtful > 0) {
        snprintf(i->doubtful, sizeof i->doubtful,
                 "numbers of up to %g normalise the images: they were taken for pixels of 0 to %s; "
                 "if the network reads other ones, export it without its normalisation, and give "
                 "that as data.augment.normalize",
                 i->m.doubtful, o->pixels ? "255" : "1");
        o->notes[count++] = i->doubtful;
    }
    if (i->m.no_momentum) {
        o->notes[count++] =
            "a batch norm has a momentum of 1 or 0, as exporters write PyTorch's momentum=None, "
            "the "
            "mean of all batches; its running statistics take 0.1 of each batch here: give the "
            "module a momentum before the export, or the node one";
    }
    set_training_notes(o, &count);
    if (converted != NULL) {
        snprintf(i->note, sizeof i->note, "its weights of %s became float32", converted);
        o->notes[count++] = i->note;
    }
}

/* ---- opening */

static bool has_constants(const onnx_import *m) {
    for (int i = 0; i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        if (l->needed && onnx_layer_find_weight(l, "factor") != NULL) return true;
    }
    return false;
}

static gyre_status build(gyre_onnx *o) {
    struct gyre_onnx_import *i = o->import;
    onnx_import *m = &i->m;
    GYRE_TRY(onnx_graph_read(m));
    GYRE_TRY(onnx_graph_finish(m));
    onnx_needed_mark(m);
    onnx_affine_nodes(m);
    GYRE_TRY(onnx_needed_check(m));
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
    o->constants = has_constants(m);
    GYRE_TRY(onnx_affine_finish(m, o));
    onnx_classes_mark(m);
    GYRE_TRY(m->work.status);
    i->layers = onnx_print(m);
    if (i->layers == NULL) return gyre_no_memory("the network of '%s'", m->work.file->path);
    o->layers = i->layers;
    set_notes(o);
    return GYRE_OK;
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
