/* Equal nodes by a hash of what they compute: operator, attributes and inputs. An exporter that
 * does not optimise writes x - mean(x) once for each place where the network's code has it. That
 * two of 10,000 nodes differ and have one hash of 64 bits has a chance of 3e-12. */
#include "equal.h"

#include "attribute.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { NUMBERS_MAX = 64 /* of a constant that is compared by its numbers */ };

static void mix(uint64_t *hash, const void *bytes, size_t size) {
    const uint64_t pair[2] = {*hash, XXH3_64bits(bytes, size)};
    *hash = XXH3_64bits(pair, sizeof pair);
}

static void mix_integer(uint64_t *hash, int64_t x) {
    mix(hash, &x, sizeof x);
}

static void mix_pointer(uint64_t *hash, const void *pointer) {
    mix(hash, &pointer, sizeof pointer);
}

static void mix_message(onnx_import *m, uint64_t *hash, const ProtobufCMessage *message) {
    const size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL) onnx_fail_memory(&m->work);
    if (bytes == NULL) return;
    mix(hash, bytes, protobuf_c_message_pack(message, bytes));
    free(bytes);
}

/* ---- inputs */

static void mix_view(uint64_t *hash, const onnx_view *v) {
    mix_integer(hash, v->rank);
    for (int i = 0; i < v->rank; i++) mix_integer(hash, v->ends[i]);
    for (int i = 0; v->rank > 0 && i < v->ends[v->rank - 1]; i++) {
        mix_integer(hash, v->atoms[i].axis);
        mix_integer(hash, v->atoms[i].size);
        mix_integer(hash, v->atoms[i].stride);
    }
}

/* Numbers without a name are what they are; a parameter is itself alone. */
static void mix_constant(onnx_import *m, uint64_t *hash, onnx_constant *k) {
    const bool few = k->count <= NUMBERS_MAX && onnx_is_literal(k);
    const double *numbers = few ? onnx_constant_read(&m->work, k) : NULL;
    if (numbers == NULL) {
        mix_pointer(hash, k);
        return;
    }
    mix_integer(hash, k->integer);
    mix_integer(hash, k->rank);
    mix(hash, k->dims, (size_t)k->rank * sizeof *k->dims);
    mix(hash, numbers, k->count * sizeof *numbers);
}

/* False: no layer and no constant gives it. */
static bool mix_input(onnx_import *m, uint64_t *hash, const onnx_value *v) {
    mix_integer(hash, v == NULL ? -1 : (int)v->kind);
    if (v == NULL) return true;
    if (v->kind == ONNX_CONSTANT) {
        mix_constant(m, hash, v->constant);
        return true;
    }
    mix_integer(hash, v->layer);
    mix_pointer(hash, v->affine);
    mix_view(hash, &v->view);
    return v->kind == ONNX_PICTURE;
}

/* ---- nodes */

/* Each of two draws its own numbers, or has running statistics of its own. */
static bool is_own(const char *type) {
    static const char *const names[] = {"BatchNormalization", "Dropout",
                                        "Bernoulli",          "Multinomial",
                                        "RandomUniformLike",  "RandomNormalLike"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], type) == 0) return true;
    }
    return false;
}

static uint64_t key_of(onnx_import *m, const onnx_call *c) {
    const Onnx__NodeProto *n = c->node;
    uint64_t hash = XXH3_64bits(n->op_type, strlen(n->op_type));
    bool reads = false;
    if (n->n_output != 1 || c->out[0] == NULL || is_own(n->op_type) || onnx_has_subgraph(n))
        return 0;
    if (n->domain != NULL) mix(&hash, n->domain, strlen(n->domain));
    for (int i = 0; i < c->in_count; i++) {
        if (!mix_input(m, &hash, c->in[i])) return 0;
        reads = reads || (c->in[i] != NULL && c->in[i]->kind == ONNX_PICTURE);
    }
    for (size_t i = 0; i < n->n_attribute; i++) mix_message(m, &hash, &n->attribute[i]->base);
    return reads ? hash : 0;
}

static const char *name_of(uint64_t key, char out[20]) {
    snprintf(out, 20, "%016llx", (unsigned long long)key);
    return out;
}

bool onnx_equal_take(onnx_import *m, const onnx_call *c, uint64_t *key) {
    char name[20];
    *key = key_of(m, c);
    const onnx_value *old = *key == 0 ? NULL : onnx_values_find(&m->equal, name_of(*key, name));
    if (old == NULL) return false;
    const char *own = c->out[0]->name;
    *c->out[0] = *old;
    c->out[0]->name = own;
    return true;
}

void onnx_equal_keep(onnx_import *m, const onnx_call *c, uint64_t key) {
    char name[20];
    const onnx_layer *l = key == 0 ? NULL : onnx_layer_of(m, c->out[0]);
    const bool known = c->out[0] != NULL && c->out[0]->kind == ONNX_PICTURE;
    if (key == 0 || !known || (l != NULL && l->why != NULL)) return;
    const char *kept = onnx_text(&m->work, name_of(key, name), 16);
    onnx_value *v = kept == NULL ? NULL : onnx_values_add(&m->equal, kept);
    if (v == NULL) return;
    *v = *c->out[0];
    v->name = kept;
}
