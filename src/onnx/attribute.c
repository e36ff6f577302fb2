/* Attributes by name. */
#include "attribute.h"

#include <limits.h>
#include <string.h>

const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *n, const char *name) {
    for (size_t i = 0; i < n->n_attribute; i++) {
        const Onnx__AttributeProto *a = n->attribute[i];
        if (a->name != NULL && strcmp(a->name, name) == 0) return a;
    }
    return NULL;
}

int64_t onnx_integer(const Onnx__NodeProto *n, const char *name, int64_t otherwise) {
    const Onnx__AttributeProto *a = onnx_attribute(n, name);
    return a != NULL ? a->i : otherwise; /* some writers leave out zeros */
}

double onnx_real(const Onnx__NodeProto *n, const char *name, double otherwise) {
    const Onnx__AttributeProto *a = onnx_attribute(n, name);
    return a != NULL ? (double)a->f : otherwise;
}

bool onnx_is_text(const Onnx__NodeProto *n, const char *name, const char *value) {
    const Onnx__AttributeProto *a = onnx_attribute(n, name);
    size_t length = strlen(value);
    return a != NULL && a->has_s && a->s.len == length && memcmp(a->s.data, value, length) == 0;
}

bool onnx_integers(const Onnx__NodeProto *n, const char *name, int count, int64_t otherwise,
                   int64_t *out) {
    const Onnx__AttributeProto *a = onnx_attribute(n, name);
    bool given = a != NULL && a->n_ints > 0;
    if (given && a->n_ints != (size_t)count) return false;
    for (int i = 0; i < count; i++) {
        out[i] = given ? a->ints[i] : otherwise;
        if (out[i] < 0 || out[i] > INT_MAX) return false;
    }
    return true;
}

bool onnx_has_subgraph(const Onnx__NodeProto *n) {
    for (size_t i = 0; i < n->n_attribute; i++) {
        if (n->attribute[i]->g != NULL || n->attribute[i]->n_graphs > 0) return true;
    }
    return false;
}
