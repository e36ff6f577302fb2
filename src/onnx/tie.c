/* Ties: nodes that have one tensor of the file as a parameter. Layers are found by their tensors,
 * so that time follows the number of layers. */
#include "tie.h"

#include <string.h>
#include <xxhash.h>

/* Two names of one tensor are two parameters, whose numbers are equal so far: TorchScript writes
 * these once, and the second as an Identity of the first. */
static bool are_two(const onnx_constant *a, const onnx_constant *b) {
    bool named = onnx_is_parameter(a) && onnx_is_parameter(b);
    return named && strcmp(a->name, b->name) != 0;
}

static bool same_tensor(const onnx_constant *a, const onnx_constant *b) {
    return b != NULL && a->tensor != NULL && a->tensor == b->tensor && !are_two(a, b);
}

static bool has_axes(const onnx_layer *l) {
    return onnx_layer_is(l, "conv") || onnx_layer_is(l, "linear") || onnx_layer_is(l, "positions");
}

/* With its axes in the same places: a matrix and its transpose are no weights of one node, nor are
 * positions of (h, w, c) and (c, h, w). Where numbers are of channels, axes of size 1 do not count.
 */
static bool same_weight(const onnx_layer *l, const onnx_constant *a, const onnx_constant *b) {
    return same_tensor(a, b) && a->transposed == b->transposed && a->planes == b->planes &&
           (!has_axes(l) || a->rank == b->rank);
}

/* TorchScript gives each parameter its name, be they equal; so do gyre, and dynamo in to_gyre's
 * files. Dynamo's optimiser writes equal ones once, under one of the names. */
static bool tells_parameters(const onnx_import *m, const onnx_constant *k) {
    const onnx_file *f = m->work.file;
    if (!onnx_is_parameter(k)) return false;
    return onnx_file_is_by(f, "gyre") || onnx_file_note(f, "gyre_exchange.checksum") != NULL ||
           (onnx_file_is_by(f, "pytorch") && !k->trained);
}

/* Elsewhere tensors of one number, as the ones of fresh norms, are no sign of sharing. */
static bool is_shared(onnx_import *m, onnx_constant *a, const onnx_constant *b) {
    double number;
    if (!same_tensor(a, b)) return false;
    return tells_parameters(m, a) || !onnx_constant_all(&m->work, a, &number);
}

static int parameters_of(const onnx_layer *l) {
    int count = 0;
    for (int k = 0; k < l->weight_count; k++) count += !onnx_is_statistic(l->weights[k].suffix);
    return count;
}

typedef struct {
    const char *shared, *single; /* single: of one number, as an activation's slope */
    int same;                    /* parameters in the same place of both nodes */
} common;

static const char *name_of(const onnx_constant *k, const char *otherwise) {
    return k->name == NULL ? otherwise : k->name;
}

/* A weight of both layers, which may be another one in each. */
static void compare(onnx_import *m, const onnx_layer *l, const onnx_weight *a, const onnx_layer *o,
                    const onnx_weight *b, common *c) {
    onnx_constant *mine = a->constant, *theirs = b->constant;
    const bool place = strcmp(a->suffix, b->suffix) == 0;
    const bool statistic = onnx_is_statistic(a->suffix) || onnx_is_statistic(b->suffix);
    if (!same_tensor(mine, theirs) || (statistic && !place)) return;
    if (mine->count == 1 && onnx_is_parameter(mine)) c->single = mine->name;
    if (l->follows || o->follows || is_shared(m, mine, theirs))
        c->shared = name_of(mine, "a constant");
    if (c->shared != NULL && place && strcmp(a->suffix, "running_mean") == 0) {
        m->averaged = name_of(mine, "a batch norm");
    }
    c->same += place && !statistic && same_weight(l, mine, theirs);
}

/* Nodes share all parameters or none: of a part each gets its own, which a note tells. Each has
 * statistics of its own. */
static void tie(onnx_import *m, int place, int other) {
    onnx_layer *l = onnx_layer_at(m, place);
    const onnx_layer *o = onnx_layer_at(m, other);
    common c = {0};
    for (int i = 0; i < l->weight_count; i++) {
        for (int k = 0; k < o->weight_count; k++)
            compare(m, l, &l->weights[i], o, &o->weights[k], &c);
    }
    if (c.shared == NULL && c.single != NULL) m->apart = c.single;
    if (c.shared == NULL || parameters_of(l) == 0 || parameters_of(o) == 0) return;
    if (c.same == parameters_of(l) && c.same == parameters_of(o) && strcmp(l->type, o->type) == 0)
        l->tied = o->tied < 0 ? other : o->tied;
    else
        m->apart = c.shared;
}

/* ---- by tensors */

enum { NEAR = 64 /* layers with one tensor, of which no two have all parameters in common */ };

typedef struct {
    const Onnx__TensorProto *tensor;
    int layer, next; /* place in the list + 1 */
} user;

typedef struct {
    user *list;
    int *heads; /* places in the list + 1, by the hash of the tensor */
    size_t mask;
    int count;
} users;

static bool open_users(onnx_import *m, users *u) {
    size_t all = 0, slots = 64;
    for (int i = 0; i < m->layers.count; i++) all += (size_t)onnx_layer_at(m, i)->weight_count;
    while (slots < 2 * all) slots *= 2;
    *u = (users){.list = onnx_take(&m->work, all + 1, sizeof *u->list),
                 .heads = onnx_take(&m->work, slots, sizeof *u->heads),
                 .mask = slots - 1};
    return u->list != NULL && u->heads != NULL;
}

static int *head_of(users *u, const Onnx__TensorProto *tensor) {
    return &u->heads[XXH3_64bits(&tensor, sizeof tensor) & u->mask];
}

static void tie_to_users(onnx_import *m, users *u, int place) {
    const onnx_layer *l = onnx_layer_at(m, place);
    for (int k = 0; k < l->weight_count; k++) {
        const Onnx__TensorProto *tensor = l->weights[k].constant->tensor;
        int seen = 0;
        if (tensor == NULL) continue;
        for (int at = *head_of(u, tensor); at > 0 && seen < NEAR; at = u->list[at - 1].next) {
            if (u->list[at - 1].tensor != tensor) continue;
            tie(m, place, u->list[at - 1].layer);
            if (l->tied >= 0) return;
            seen++;
        }
    }
}

static void add_user(onnx_import *m, users *u, int place) {
    const onnx_layer *l = onnx_layer_at(m, place);
    for (int k = 0; k < l->weight_count; k++) {
        const Onnx__TensorProto *tensor = l->weights[k].constant->tensor;
        if (tensor == NULL) continue;
        int *head = head_of(u, tensor);
        u->list[u->count++] = (user){tensor, place, *head};
        *head = u->count;
    }
}

void onnx_tie(onnx_import *m) {
    users u;
    if (!open_users(m, &u)) return;
    for (int i = 0; i < m->layers.count; i++) {
        if (!onnx_layer_at(m, i)->needed) continue;
        tie_to_users(m, &u, i);
        if (onnx_layer_at(m, i)->tied < 0) add_user(m, &u, i);
    }
}
