/* Names: "layer1.0.conv1" of the initialiser "layer1.0.conv1.weight", so that state_dicts fit. An
 * exporter that folds or transposes weights loses their names ("onnx::Conv_193", "val_4"); then the
 * node's path tells ("/layer1/layer1.0/conv1/Conv"), or its output. */
#include "naming.h"

#include "gyre/text.h"
#include <stdio.h>
#include <string.h>

enum { NAME_MOST = 100, NAME_ROOM = 128 }; /* with ".running_mean" at most 127 bytes */

/* What a terminal and a file of weights can show: no slash, no space, nothing beyond ASCII. */
static void clean(const char *from, size_t length, char out[NAME_ROOM]) {
    size_t n = 0;
    for (size_t i = 0; i < length && n < NAME_MOST; i++) {
        unsigned char c = (unsigned char)from[i];
        out[n++] = c == '/' ? '.' : c <= ' ' || c >= 127 || strchr("\"\\:", c) ? '_' : (char)c;
    }
    out[n] = '\0';
}

/* "conv1" of "conv1.weight", and of gyre's own "conv1/factor"; a name that does not end so is the
 * node's own. */
static bool stem_of(const onnx_weight *w, char out[NAME_ROOM]) {
    const char *name = w->constant->name;
    if (name == NULL) return false;
    size_t length = strlen(name), tail = strlen(w->suffix);
    bool ends = length >= tail && strcmp(name + length - tail, w->suffix) == 0;
    if (ends && length == tail) return false;
    const bool marked = w->constant->kind != ONNX_NAME_TOLD;
    const bool own = marked && ends && name[length - tail - 1] == '/';
    if (!own && onnx_is_lost(w->constant)) return false;
    if (own || (ends && name[length - tail - 1] == '.')) length -= tail + 1;
    clean(name, length, out);
    return out[0] != '\0';
}

/* "features.1.0.block" of "/features/features.1/features.1.0/block/Mul": the children of a
 * container repeat its name. */
static void module_of(const char *path, char out[NAME_ROOM]) {
    char part[NAME_ROOM], before[NAME_ROOM] = "";
    size_t used = 0, last = 0;
    out[0] = '\0';
    while (*path == '/') {
        const char *end = strchr(++path, '/');
        if (end == NULL) return;
        clean(path, (size_t)(end - path), part);
        path = end;
        size_t length = strlen(before);
        bool child = length > 0 && strncmp(part, before, length) == 0 && part[length] == '.';
        if (child) used = last;
        last = used;
        if (used + strlen(part) + 2 > NAME_MOST) return;
        out[used] = '\0';
        gyre_text_add(out, NAME_ROOM, "%s%s", used > 0 ? "." : "", part);
        used = strlen(out);
        memcpy(before, part, sizeof before);
    }
}

/* Operators that modules have in their own forward(), so that the module's name says too little. */
static bool is_function(const char *type) {
    static const char *const names[] = {"add", "mul", "concat", "flatten", "upsample"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(names[i], type) == 0) return true;
    }
    return false;
}

static void place_of(const onnx_layer *l, char out[NAME_ROOM]) {
    const Onnx__NodeProto *n = l->from;
    const char *output = n->n_output > 0 ? n->output[0] : "";
    if (n->name != NULL && n->name[0] == '/') {
        module_of(n->name, out);
        bool more = out[0] == '\0' || is_function(l->type);
        const char *dot = out[0] != '\0' ? "." : "";
        if (more) gyre_text_add(out, NAME_ROOM, "%s%s", dot, l->type);
        return;
    }
    bool usable =
        output[0] != '\0' && !onnx_name_is_lost(output) && strcmp(l->type, "flatten") != 0;
    clean(usable ? output : l->type, strlen(usable ? output : l->type), out);
}

/* A name of its own: the one asked for, else with a number behind it. */
static void take_name(onnx_import *m, onnx_values *taken, onnx_layer *l, const char *wanted) {
    char name[NAME_ROOM];
    snprintf(name, sizeof name, "%s", wanted);
    for (int i = 1; m->work.status == GYRE_OK; i++) {
        bool reserved = strcmp(name, "images") == 0 || strcmp(name, "loss") == 0;
        const char *copy = onnx_text(&m->work, name, strlen(name));
        if (copy == NULL) return;
        if (!reserved && onnx_values_add(taken, copy) != NULL) {
            l->name = copy;
            return;
        }
        /* of many alike, the count of all names is one that is free */
        snprintf(name, sizeof name, "%.110s_%d", wanted, i < 9 ? i : taken->count + i);
    }
}

static bool is_taken(const onnx_values *taken, const char *name) {
    return onnx_values_find(taken, name) != NULL;
}

/* "bn1" of "bn1.running_mean": modules may share a weight, but hardly ever their statistics. */
static bool stem_of_statistics(const onnx_layer *l, char out[NAME_ROOM]) {
    static const char tail[] = ".running_mean";
    for (int k = 0; k < l->weight_count; k++) {
        const char *name = l->weights[k].constant->name;
        const size_t length = name == NULL ? 0 : strlen(name), end = sizeof tail - 1;
        if (strcmp(l->weights[k].suffix, tail + 1) != 0 || length <= end) continue;
        return strcmp(name + length - end, tail) == 0 && stem_of(&l->weights[k], out);
    }
    return false;
}

static void name_by_weights(onnx_import *m, onnx_values *taken, onnx_layer *l) {
    char name[NAME_ROOM];
    if (stem_of_statistics(l, name) && !is_taken(taken, name)) {
        take_name(m, taken, l, name);
        return;
    }
    for (int k = 0; k < l->weight_count; k++) {
        if (!stem_of(&l->weights[k], name) || is_taken(taken, name)) continue;
        take_name(m, taken, l, name);
        return;
    }
}

void onnx_naming_names(onnx_import *m) {
    onnx_values taken;
    char name[NAME_ROOM];
    onnx_values_open(&m->work, &taken, m->layers.count);
    if (m->work.status != GYRE_OK) return;
    for (int i = 0; i < m->layers.count; i++) {
        onnx_layer *l = onnx_layer_at(m, i);
        if (l->needed && l->tied < 0) name_by_weights(m, &taken, l);
    }
    for (int i = 0; i < m->layers.count; i++) {
        onnx_layer *l = onnx_layer_at(m, i);
        if (!l->needed || l->name != NULL) continue;
        const onnx_layer *owner = onnx_layer_at(m, l->tied);
        if (owner == NULL) place_of(l, name);
        take_name(m, &taken, l, owner == NULL ? name : owner->name);
    }
}
