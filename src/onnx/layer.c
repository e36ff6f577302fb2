/* Layers and their options, which are JSON from the start. */
#include "layer.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int onnx_layers_add(onnx_work *w, onnx_layers *l, const char *type, const Onnx__NodeProto *from,
                    const int *inputs, int count) {
    onnx_layer *list = onnx_grow(w, l->list, l->count, &l->room, sizeof *list);
    if (list == NULL) return -1;
    l->list = list;
    onnx_layer *added = &list[l->count];
    *added = (onnx_layer){.type = type,
                          .from = from,
                          .input_count = count,
                          .options = cJSON_CreateObject(),
                          .number = NAN,
                          .trained_number = NAN,
                          .tied = -1};
    if (added->options == NULL) onnx_fail_memory(w);
    for (int i = 0; i < count; i++) added->inputs[i] = inputs[i];
    return l->count++;
}

void onnx_layers_close(onnx_layers *l) {
    for (int i = 0; i < l->count; i++) cJSON_Delete(l->list[i].options);
}

bool onnx_layer_is(const onnx_layer *l, const char *type) {
    return l != NULL && l->type != NULL && strcmp(l->type, type) == 0;
}

static void add(onnx_work *w, onnx_layer *l, const char *key, cJSON *item) {
    if (item != NULL && cJSON_AddItemToObject(l->options, key, item)) return;
    cJSON_Delete(item);
    onnx_fail_memory(w);
}

void onnx_option(onnx_work *w, onnx_layer *l, const char *key, double value) {
    add(w, l, key, cJSON_CreateNumber(value));
}

void onnx_option_flag(onnx_work *w, onnx_layer *l, const char *key, bool value) {
    add(w, l, key, cJSON_CreateBool(value));
}

void onnx_option_text(onnx_work *w, onnx_layer *l, const char *key, const char *value) {
    add(w, l, key, cJSON_CreateString(value));
}

void onnx_option_list(onnx_work *w, onnx_layer *l, const char *key, const int64_t *values,
                      int count) {
    double numbers[ONNX_RANK_MAX];
    bool alike = true;
    for (int i = 0; i < count; i++) {
        numbers[i] = (double)values[i];
        alike = alike && values[i] == values[0];
    }
    add(w, l, key,
        alike ? cJSON_CreateNumber(numbers[0]) : cJSON_CreateDoubleArray(numbers, count));
}

void onnx_layer_weight(onnx_layer *l, const char *suffix, onnx_constant *constant) {
    l->weights[l->weight_count++] = (onnx_weight){suffix, constant, false};
}

onnx_constant *onnx_layer_find_weight(const onnx_layer *l, const char *suffix) {
    for (int i = 0; i < l->weight_count; i++) {
        if (strcmp(l->weights[i].suffix, suffix) == 0) return l->weights[i].constant;
    }
    return NULL;
}

bool onnx_is_statistic(const char *suffix) {
    return strncmp(suffix, "running_", 8) == 0 || strcmp(suffix, "factor") == 0 ||
           strcmp(suffix, "shift") == 0;
}

double onnx_short(double value) {
    char text[40];
    for (int digits = 1; digits < FLT_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtof(text, NULL) == (float)value) return strtod(text, NULL);
    }
    return value;
}

double onnx_short_complement(double value) {
    char text[40];
    for (int digits = 1; digits < FLT_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, 1 - value);
        double complement = strtod(text, NULL);
        if ((float)(1 - complement) == (float)value) return complement;
    }
    return 1 - value;
}
