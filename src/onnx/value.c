/* A table of names with open addressing. */
#include "value.h"

#include <string.h>
#include <xxhash.h>

void onnx_values_open(onnx_work *w, onnx_values *v, int room) {
    int slots = 64;
    while (slots / 2 < room) slots *= 2;
    *v = (onnx_values){.room = room, .slot_count = slots};
    v->list = onnx_take(w, (size_t)room + 1, sizeof *v->list);
    v->slots = onnx_take(w, (size_t)slots, sizeof *v->slots);
}

static int slot_of(const onnx_values *v, const char *name) {
    size_t mask = (size_t)v->slot_count - 1, at = XXH3_64bits(name, strlen(name)) & mask;
    for (; v->slots[at] != 0; at = (at + 1) & mask) {
        const char *there = v->list[v->slots[at] - 1].name;
        if (there != NULL && strcmp(there, name) == 0) break;
    }
    return (int)at;
}

void onnx_values_forget(onnx_values *v, int from) {
    for (int i = from; i < v->count; i++) v->list[i].name = NULL;
}

onnx_value *onnx_values_find(const onnx_values *v, const char *name) {
    int place = v->slots[slot_of(v, name)];
    return place == 0 ? NULL : &v->list[place - 1];
}

onnx_value *onnx_values_add(onnx_values *v, const char *name) {
    int at = slot_of(v, name);
    if (v->slots[at] != 0 || v->count == v->room) return NULL;
    onnx_value *added = &v->list[v->count++];
    *added = (onnx_value){.name = name, .kind = ONNX_UNKNOWN, .layer = ONNX_IMAGES};
    v->slots[at] = v->count;
    return added;
}

bool onnx_affine_same(const onnx_affine *a, const onnx_affine *b, int64_t channels) {
    if ((a == NULL ? NULL : a->image) != (b == NULL ? NULL : b->image)) return false;
    for (int64_t i = 0; a != b && i < channels; i++) {
        const double scale = a == NULL ? 1 : a->scale[i], shift = a == NULL ? 0 : a->shift[i];
        if (scale != (b == NULL ? 1 : b->scale[i]) || shift != (b == NULL ? 0 : b->shift[i]))
            return false;
    }
    return true;
}
