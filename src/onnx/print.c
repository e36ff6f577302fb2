/* Printing: each node with all that it reads, and options that are not the default. */
#include "print.h"

#include "operators.h"

#include <string.h>

static bool add(cJSON *object, const char *key, cJSON *item) {
    if (item != NULL && cJSON_AddItemToObject(object, key, item)) return true;
    cJSON_Delete(item);
    return false;
}

static const char *input_name(const onnx_import *m, int place) {
    const onnx_layer *l = onnx_layer_at(m, place);
    return l == NULL ? "images" : l->name;
}

static bool add_inputs(const onnx_import *m, const onnx_layer *l, cJSON *node) {
    if (l->input_count == 1)
        return add(node, "input", cJSON_CreateString(input_name(m, l->inputs[0])));
    cJSON *list = cJSON_CreateArray();
    bool made = list != NULL;
    for (int i = 0; made && i < l->input_count; i++) {
        cJSON *name = cJSON_CreateString(input_name(m, l->inputs[i]));
        made = name != NULL && cJSON_AddItemToArray(list, name);
        if (!made) cJSON_Delete(name);
    }
    if (made) return add(node, "inputs", list);
    cJSON_Delete(list);
    return false;
}

static bool add_false(cJSON *node, const char *key) {
    return add(node, key, cJSON_CreateFalse());
}

/* The weight of a bias alone stays 1, and buffers, as the filter of a blur, what they are. */
static bool stays(const onnx_layer *l, const onnx_weight *w) {
    if (onnx_is_statistic(w->suffix)) return false;
    return w->constant->untrained || (l->fixed && strcmp(w->suffix, "weight") == 0);
}

static bool add_rates(const onnx_layer *l, cJSON *node) {
    cJSON *rates = NULL;
    for (int i = 0; i < l->weight_count && l->tied < 0; i++) {
        if (!stays(l, &l->weights[i])) continue;
        if (rates == NULL) rates = cJSON_AddObjectToObject(node, "lr_mult");
        if (cJSON_AddNumberToObject(rates, l->weights[i].suffix, 0) == NULL) return false;
    }
    return true;
}

/* The parts that it does not have. */
static bool add_parts(const onnx_layer *l, cJSON *node) {
    bool weight = onnx_layer_find_weight(l, "weight") != NULL;
    bool bias = onnx_layer_find_weight(l, "bias") != NULL;
    bool norm = onnx_is_norm(l), sums = onnx_layer_is(l, "conv") || onnx_layer_is(l, "linear");
    if (norm && !weight && !bias) return add_false(node, "affine");
    if ((norm || sums) && !bias) return add_false(node, "bias");
    return true;
}

static bool add_options(const onnx_layer *l, cJSON *node) {
    for (const cJSON *o = l->options->child; o != NULL; o = o->next) {
        if (!add(node, o->string, cJSON_Duplicate(o, true))) return false;
    }
    return add_parts(l, node) && add_rates(l, node);
}

static cJSON *node_of(const onnx_import *m, const onnx_layer *l) {
    cJSON *node = cJSON_CreateObject();
    bool made = node != NULL && add(node, "name", cJSON_CreateString(l->name)) &&
                add(node, "type", cJSON_CreateString(l->type)) && add_inputs(m, l, node);
    if (made && l->tied >= 0)
        made = add(node, "parameters", cJSON_CreateString(input_name(m, l->tied)));
    if (made && add_options(l, node)) return node;
    cJSON_Delete(node);
    return NULL;
}

char *onnx_print(const onnx_import *m) {
    cJSON *root = cJSON_CreateObject();
    cJSON *nodes = root == NULL ? NULL : cJSON_AddArrayToObject(root, "nodes");
    bool made = nodes != NULL;
    for (int i = 0; made && i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        cJSON *node = l->needed ? node_of(m, l) : NULL;
        made = !l->needed || (node != NULL && cJSON_AddItemToArray(nodes, node));
    }
    char *text = made ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return text;
}
