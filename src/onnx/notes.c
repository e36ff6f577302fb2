/* Notes: where a network from a file trains otherwise than in PyTorch, and what to do about it. */
#include "notes.h"

#include "weights.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    onnx_import *m;
    gyre_onnx *o;
    int count;
} notes;

static void note(notes *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(notes *n, const char *format, ...) {
    const int most = (int)(sizeof n->o->notes / sizeof *n->o->notes) - 1;
    char text[640];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    const char *copy = n->count < most ? onnx_text(&n->m->work, text, strlen(text)) : NULL;
    if (copy != NULL) n->o->notes[n->count++] = copy;
}

/* ---- layers */

/* The value of a batch norm that dynamo's optimiser has put into the layer in front of it. */
static bool gives_norm(const notes *n, const onnx_layer *l) {
    const char *value = l->from->n_output > 0 ? l->from->output[0] : "";
    const bool sums = onnx_layer_is(l, "conv") || onnx_layer_is(l, "linear");
    return sums && onnx_file_is_by(n->m->work.file, "pytorch") &&
           (strncmp(value, "getitem", 7) == 0 || strncmp(value, "batch_norm", 10) == 0);
}

static bool is_folded(const notes *n, const onnx_layer *l) {
    const onnx_constant *weight = onnx_layer_find_weight(l, "weight");
    const onnx_constant *bias = onnx_layer_find_weight(l, "bias");
    const char *name = weight == NULL || weight->name == NULL ? "" : weight->name;
    const char *other = bias == NULL || bias->name == NULL ? "" : bias->name;
    return strncmp(name, "onnx::Conv_", 11) == 0 || strstr(other, ".weight_bias") != NULL ||
           gives_norm(n, l);
}

static void note_folded(notes *n) {
    bool folded = false;
    for (int k = 0; k < n->m->layers.count; k++) {
        const onnx_layer *l = onnx_layer_at(n->m, k);
        folded = folded || (l->needed && is_folded(n, l));
    }
    if (!folded) return;
    note(n, "batch norms were folded into convolutions when it was exported; to train with batch "
            "norm, export it by to_gyre of gyre-exchange, or with dynamo=True and optimize=False, "
            "or with dynamo=False, training=torch.onnx.TrainingMode.PRESERVE and "
            "do_constant_folding=False");
}

/* What a node learns whose name an exporter lost, or that the file does not tell to be a parameter,
 * though it tells so of others: it may be a buffer, or computed from a parameter. */
static void note_nameless(notes *n) {
    for (int k = 0; k < n->m->layers.count; k++) {
        const onnx_layer *l = onnx_layer_at(n->m, k);
        const bool learns = onnx_layer_is(l, "scale") || onnx_layer_is(l, "bias");
        const onnx_constant *w = l->needed && learns ? l->weights[0].constant : NULL;
        if (w == NULL || w->name == NULL || w->trained) continue;
        if (!onnx_is_lost(w) && !n->m->marked) continue;
        note(n,
             "numbers for each channel have lost their names (%.60s), and are trained; if they "
             "are buffers, as those of FrozenBatchNorm2d, or computed from parameters, export the "
             "network by to_gyre, or with dynamo=True and optimize=False, whose files tell",
             w->name);
        return;
    }
}

static void note_doubtful(notes *n) {
    for (int k = 0; k < n->m->layers.count; k++) {
        const onnx_layer *l = onnx_layer_at(n->m, k);
        if (!l->needed || !l->doubtful) continue;
        note(n,
             "%.100s %s channels, and is trained; if it is a buffer, export the network by "
             "to_gyre, or with dynamo=True, whose files tell",
             l->weights[0].constant->name,
             onnx_layer_is(l, "scale") ? "multiplies all" : "is added to");
        return;
    }
}

/* ---- parameters */

static void note_shared(notes *n) {
    const onnx_import *m = n->m;
    if (m->apart != NULL)
        note(n,
             "two nodes share %.100s, but not all of their weights, or it may be two that the "
             "exporter merged; each has a copy, and the copies train apart",
             m->apart);
    if (m->averaged != NULL)
        note(n,
             "two nodes share the batch norm of %.100s: its running statistics are of both in "
             "PyTorch, and each node has its own here; those of the first go back under their "
             "names, those of the others have none there",
             m->averaged);
}

static void note_untrained(notes *n) {
    const onnx_import *m = n->m;
    if (m->computed_count > 0)
        note(n,
             "weights of %.100s%s are computed from %.100s: gyre trains what came of it, which "
             "no state_dict of that network has, so that it does not go back to PyTorch by "
             "safetensors or from_gyre; to train the parameter itself, make the weight plain "
             "before the export",
             m->computed[0], m->computed_count > 1 ? " and of other nodes" : "", m->computed[1]);
    if (m->constant != NULL)
        note(n,
             "%.100s is a constant here, which training leaves as it is: gyre learns factors "
             "for each channel, and the parameters of its nodes",
             m->constant);
}

/* ---- the images */

static void note_images(notes *n) {
    const onnx_import *m = n->m;
    if (m->normaliser != NULL)
        note(n,
             "%.100s normalises the images, and training leaves it as it is; if it is a "
             "parameter, and no buffer, export the network by to_gyre, or with dynamo=True, whose "
             "files tell",
             m->normaliser);
    if (m->doubtful > 0)
        note(n,
             "numbers of up to %g normalise the images: they were taken for pixels of 0 to %s; "
             "if the network reads other ones, export it without its normalisation, and give "
             "that as data.augment.normalize",
             m->doubtful, n->o->pixels ? "255" : "1");
}

/* One that is adaptive, or else the first that may be. */
static void find_fitted(const onnx_import *m, gyre_onnx *o) {
    for (int k = 0; k < m->layers.count; k++) {
        const onnx_layer *l = onnx_layer_at(m, k);
        if (!l->needed || !l->fitted || (o->fitted != NULL && (o->adaptive || !l->adaptive)))
            continue;
        o->fitted = l->name;
        o->adaptive = l->adaptive;
    }
}

void onnx_notes_set(onnx_import *m, gyre_onnx *o) {
    notes n = {m, o, 0};
    find_fitted(m, o);
    const char *converted = onnx_weights_converted(o->weights, o->weight_count);
    note_folded(&n);
    if (m->softmax != NULL) note(&n, "its last softmax is left out, since cross_entropy has it");
    note_shared(&n);
    note_untrained(&n);
    note_images(&n);
    if (m->no_momentum)
        note(&n,
             "a batch norm has a momentum of 1 or 0, as exporters write PyTorch's momentum=None, "
             "the mean of all batches; its running statistics take 0.1 of each batch here: give "
             "the module a momentum before the export, or the node one");
    note_nameless(&n);
    note_doubtful(&n);
    if (converted != NULL) note(&n, "its weights of %s became float32", converted);
}
