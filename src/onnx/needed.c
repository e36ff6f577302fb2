/* Layers that nothing needs, and those that gyre does not have. */
#include "needed.h"

#include "gyre/settings.h"
#include "gyre/text.h"
#include <string.h>

void onnx_needed_mark(onnx_import *m) {
    onnx_layer *list = m->layers.list;
    for (int i = 0; i < m->layers.count; i++) {
        list[i].needed = i == m->output;
        list[i].uses = i == m->output;
    }
    for (int i = m->layers.count - 1; i >= 0; i--) {
        for (int k = 0; list[i].needed && k < list[i].input_count; k++) {
            onnx_layer *before = onnx_layer_at(m, list[i].inputs[k]);
            if (before == NULL) continue;
            before->needed = true;
            before->uses++;
        }
    }
}

static bool is_unsupported(const onnx_layer *l) {
    return l->needed && l->type == NULL && !l->silent;
}

static const char *why(const onnx_layer *l) {
    if (l->why != NULL) return l->why;
    if (strcmp(l->from->op_type, "Pad") == 0)
        return "gyre pads pictures in front of a convolution or an average alone";
    if (l->half > 0)
        return "gyre takes no parts of pictures but every so manyth pixel, and the halves of "
               "channels whose first is multiplied by the GELU of the second";
    return "gyre has it as part of a norm or an activation alone";
}

static const char *name_of(const onnx_layer *l) {
    const Onnx__NodeProto *n = l->from;
    if (n->name != NULL && n->name[0] != '\0') return n->name;
    return n->n_output > 0 ? n->output[0] : "";
}

static bool is_alike(const onnx_layer *a, const onnx_layer *b) {
    return strcmp(a->from->op_type, b->from->op_type) == 0 && strcmp(why(a), why(b)) == 0;
}

/* The same operator for the same reason, before layer i. */
static bool is_told(const onnx_import *m, int i) {
    const onnx_layer *list = m->layers.list;
    for (int k = 0; k < i; k++) {
        if (is_unsupported(&list[k]) && is_alike(&list[k], &list[i])) return true;
    }
    return false;
}

/* "; a, b and 3 more (Erf): why" */
static void tell(const onnx_import *m, int first, char *out, size_t size) {
    enum { SHOWN = 2 };
    const onnx_layer *list = m->layers.list;
    int count = 0;
    for (int i = first; i < m->layers.count; i++) {
        if (!is_unsupported(&list[i]) || !is_alike(&list[first], &list[i])) continue;
        if (count < SHOWN)
            gyre_text_add(out, size, "%s%.60s", count > 0 ? ", " : "; ", name_of(&list[i]));
        count++;
    }
    if (count > SHOWN) gyre_text_add(out, size, " and %d more", count - SHOWN);
    gyre_text_add(out, size, " (%.40s): %s", list[first].from->op_type, why(&list[first]));
}

gyre_status onnx_needed_check(const onnx_import *m) {
    char text[GYRE_ERROR_MAX] = "";
    int count = 0;
    for (int i = 0; i < m->layers.count; i++) {
        if (!is_unsupported(&m->layers.list[i])) continue;
        count++;
        if (strlen(text) + 1 < sizeof text && !is_told(m, i)) tell(m, i, text, sizeof text);
    }
    if (count == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' has %d node%s that gyre cannot take%s", m->work.file->path,
                     count, count > 1 ? "s" : "", text);
}

gyre_status onnx_needed_count(const onnx_import *m) {
    int count = 0;
    for (int i = 0; i < m->layers.count; i++) count += m->layers.list[i].needed;
    if (count <= GYRE_NODES_MAX) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' makes a network of %d nodes; at most %d were expected",
                     m->work.file->path, count, GYRE_NODES_MAX);
}
