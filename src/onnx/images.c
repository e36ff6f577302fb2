/* The input of a graph: images, or rows of values. ONNX's convolutions read (N, C, H, W); networks
 * of other frameworks may read (N, H, W, C), which a Transpose in front of the first layer tells.
 */
#include "images.h"

#include "attribute.h"
#include "gyre/status.h"
#include <string.h>

enum { ANY_BATCH = 1000003 /* a prime: no other size divides by it */ };

static gyre_status wrong(const onnx_import *m, const char *what, const char *name,
                         const char *advice) {
    return gyre_fail(GYRE_EIO, "'%s': %s '%s'; %s", m->work.file->path, what,
                     name == NULL ? "" : name, advice);
}

/* ---- the order of axes */

static bool is_one_of(const char *op, const char *const *names) {
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], op) == 0) return true;
    }
    return false;
}

typedef enum { NOTHING, PIXELS_FIRST, PLANES_FIRST } evidence;

/* What a node that reads the images tells of their axes. */
static evidence told_by(const Onnx__NodeProto *n) {
    static const char *const any[] = {"Reshape", "Flatten", "Gemm", "MatMul", "Shape", NULL};
    static const int64_t to_planes[] = {0, 3, 1, 2};
    if (strcmp(n->op_type, "Transpose") != 0)
        return is_one_of(n->op_type, any) ? NOTHING : PLANES_FIRST;
    const Onnx__AttributeProto *a = onnx_attribute(n, "perm");
    const bool planes =
        a != NULL && a->n_ints == 4 && memcmp(a->ints, to_planes, sizeof to_planes) == 0;
    return planes ? PIXELS_FIRST : NOTHING;
}

/* The first node that reads the images, also behind operators that change their numbers alone. */
static evidence first_reader(const Onnx__GraphProto *g, const char *images) {
    static const char *const same[] = {"Sub", "Div", "Mul", "Add", "Cast", "Identity", NULL};
    const char *name = images;
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *n = g->node[i];
        bool reads = false;
        for (size_t k = 0; k < n->n_input; k++) reads = reads || strcmp(n->input[k], name) == 0;
        if (!reads || n->op_type == NULL) continue;
        if (!is_one_of(n->op_type, same) || n->n_output == 0) return told_by(n);
        name = n->output[0];
    }
    return NOTHING;
}

/* Where no node tells, images of up to 4 channels that are no file of PyTorch's or gyre's. */
static bool has_pixels_first(const onnx_import *m, const char *name, const int64_t *dims) {
    const evidence told = first_reader(m->work.file->model->graph, name);
    const bool ours =
        onnx_file_is_by(m->work.file, "gyre") || onnx_file_is_by(m->work.file, "pytorch");
    if (told != NOTHING) return told == PIXELS_FIRST;
    return dims[3] <= 4 && dims[1] > 4 && dims[2] > 4 && !ours;
}

/* ---- where the normalisation ends */

static bool reads(const Onnx__NodeProto *n, const char *name) {
    for (size_t k = 0; k < n->n_input; k++) {
        if (strcmp(n->input[k], name) == 0) return true;
    }
    return false;
}

static bool same_operator(const Onnx__NodeProto *a, const Onnx__NodeProto *b) {
    if (strcmp(a->op_type, b->op_type) != 0 || a->n_input != b->n_input) return false;
    for (size_t k = 0; k < a->n_input; k++) {
        if (strcmp(a->input[k], b->input[k]) != 0) return false;
    }
    return true;
}

/* The only operator that reads the value, but for its shape; NULL: there are several, *fork tells
 * whether they differ, or none. */
static const Onnx__NodeProto *reader_of(const Onnx__GraphProto *g, const char *name, bool *fork) {
    const Onnx__NodeProto *found = NULL;
    bool several = false;
    *fork = false;
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *n = g->node[i];
        if (n->op_type == NULL || strcmp(n->op_type, "Shape") == 0 || !reads(n, name)) continue;
        several = several || found != NULL;
        *fork = *fork || (found != NULL && !same_operator(found, n));
        found = n;
    }
    return several ? NULL : found;
}

/* What is done to the images in front of their first other reader is their normalisation; behind a
 * value that several operators read it is part of the network, as x and -x are. */
static const char *fork_of(const Onnx__GraphProto *g, const char *images) {
    static const char *const same[] = {"Sub",  "Div",      "Mul",       "Add",
                                       "Cast", "Identity", "Transpose", NULL};
    enum { STEPS_MAX = 16 };
    const char *name = images;
    for (int i = 0; i < STEPS_MAX; i++) {
        bool fork;
        const Onnx__NodeProto *n = reader_of(g, name, &fork);
        if (fork) return name;
        if (n == NULL || !is_one_of(n->op_type, same) || n->n_output == 0) return NULL;
        name = n->output[0];
    }
    return NULL;
}

/* ---- reading */

/* The size of a dimension; 0: any. */
static int64_t size_of(const Onnx__TensorShapeProto__Dimension *d) {
    bool known = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    return known && d->dim_value > 0 ? d->dim_value : 0;
}

static gyre_status check_dimension(const onnx_import *m, const char *name, const char *which,
                                   int64_t size) {
    if (size > INT32_MAX) {
        return gyre_fail(GYRE_EIO, "'%s': the %s of input '%s' is %lld; at most %d was expected",
                         m->work.file->path, which, name, (long long)size, INT32_MAX);
    }
    if (size >= 1) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s': the %s of input '%s' has no fixed size; only the first dimension, the "
                     "batch, may be dynamic: export it without dynamic height, width and channels",
                     m->work.file->path, which, name);
}

static gyre_status input_size(onnx_import *m, const char *name, const int64_t *dims, int rank,
                              const char **axes) {
    static const char *const axis_names[ONNX_AXES] = {
        [ONNX_AXIS_C] = "number of channels", [ONNX_AXIS_H] = "height", [ONNX_AXIS_W] = "width"};
    *axes = rank == 2 ? "NC" : has_pixels_first(m, name, dims) ? "NHWC" : "NCHW";
    int64_t all = 1;
    m->size[ONNX_AXIS_H] = m->size[ONNX_AXIS_W] = 1;
    for (int i = 0; i < rank; i++) {
        static const char names[] = "NCHW";
        int axis = (int)(strchr(names, (*axes)[i]) - names);
        m->size[axis] = dims[i] == 0 && i == 0 ? ANY_BATCH : dims[i];
        GYRE_TRY(
            check_dimension(m, name, i == 0 ? "first dimension" : axis_names[axis], m->size[axis]));
        if (i > 0)
            all = all > (INT64_MAX >> 32) / m->size[axis] ? INT64_MAX >> 32 : all * m->size[axis];
    }
    if (all < INT64_MAX >> 32) return GYRE_OK;
    return wrong(m, "more than 2^31 values has input", name, "gyre's images are smaller");
}

static gyre_status add_input(onnx_import *m, const Onnx__ValueInfoProto *in) {
    const Onnx__TypeProto *t = in->type;
    const Onnx__TensorShapeProto *s =
        t != NULL && t->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? t->tensor_type->shape
                                                                          : NULL;
    int64_t dims[4] = {0};
    const char *axes = NULL;
    onnx_value *v = NULL;
    if (s == NULL || (s->n_dim != 2 && s->n_dim != 4)) {
        return gyre_fail(
            GYRE_EIO, "'%s': input '%s' has %zu dimensions; (N, C, H, W) or (N, C) was expected",
            m->work.file->path, in->name == NULL ? "" : in->name, s == NULL ? (size_t)0 : s->n_dim);
    }
    for (size_t i = 0; i < s->n_dim; i++) dims[i] = size_of(s->dim[i]);
    const bool named = in->name != NULL && in->name[0] != '\0';
    v = named ? onnx_values_add(&m->values, in->name) : NULL;
    if (v == NULL) return wrong(m, "no name of its own has input", in->name, "the file is damaged");
    GYRE_TRY(input_size(m, in->name, dims, (int)s->n_dim, &axes));
    m->fork = fork_of(m->work.file->model->graph, in->name);
    v->kind = ONNX_PICTURE;
    v->layer = ONNX_IMAGES;
    v->forked = m->fork != NULL && strcmp(m->fork, in->name) == 0;
    v->view = onnx_view_of(axes, m->size);
    return GYRE_OK;
}

/* Older files list initialisers among the inputs. */
gyre_status onnx_images_add(onnx_import *m) {
    const Onnx__GraphProto *g = m->work.file->model->graph;
    const Onnx__ValueInfoProto *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < g->n_input; i++) {
        const char *name = g->input[i]->name;
        if (name != NULL && onnx_values_find(&m->values, name) != NULL) continue;
        only = g->input[i];
        count++;
    }
    if (count == 1 && g->n_output == 1) return add_input(m, only);
    return gyre_fail(GYRE_EIO,
                     "'%s' has %zu input%s and %zu output%s; one of each was expected: images, and "
                     "the values for each class",
                     m->work.file->path, count, count == 1 ? "" : "s", g->n_output,
                     g->n_output == 1 ? "" : "s");
}
