/* Add, Div, Concat, Gather, Slice and their like on small constants. */
#include "fold_math.h"

#include "attribute.h"
#include <math.h>
#include <string.h>

double onnx_math_cast(double x, bool integer) {
    return integer ? trunc(x) : (double)(float)x;
}

/* ---- element by element */

static double apply(char op, double a, double b, bool integer) {
    switch (op) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    case '/': return integer ? (b == 0 ? 0 : trunc(a / b)) : a / b;
    case '^': return pow(a, b);
    case '%': return b == 0 ? 0 : a - b * floor(a / b);
    case '=': return a == b;
    case '<': return a < b;
    case '>': return a > b;
    case 'n': return -a;
    case 'r': return sqrt(a);
    case 'f': return floor(a);
    case 'c': return ceil(a);
    case '!': return a == 0;
    case 'i': return 1 / a;
    default: break;
    }
    return fabs(a);
}

static char binary_of(const char *op) {
    static const char *const names[] = {"Add", "Sub",   "Mul",  "Div",    "Pow",
                                        "Mod", "Equal", "Less", "Greater"};
    for (int i = 0; i < 9; i++) {
        if (strcmp(names[i], op) == 0) return "+-*/^%=<>"[i];
    }
    return '\0';
}

static char unary_of(const char *op) {
    static const char *const names[] = {"Neg", "Sqrt", "Floor", "Ceil", "Not", "Abs", "Reciprocal"};
    for (int i = 0; i < 7; i++) {
        if (strcmp(names[i], op) == 0) return "nrfc!ai"[i];
    }
    return '\0';
}

/* Dimensions of 1 in front do not count. */
static bool same_shape(const onnx_constant *a, const onnx_constant *b) {
    for (int i = 1; i <= a->rank || i <= b->rank; i++) {
        int64_t x = i <= a->rank ? a->dims[a->rank - i] : 1;
        int64_t y = i <= b->rank ? b->dims[b->rank - i] : 1;
        if (x != y) return false;
    }
    return true;
}

/* Dimension i of `rank`, counted from the front; 1 where k has fewer. */
static int64_t dim_of(const onnx_constant *k, int rank, int i) {
    return i < rank - k->rank ? 1 : k->dims[i - (rank - k->rank)];
}

/* Room for what two constants give, of which each is repeated along dimensions of 1; NULL: they do
 * not fit. */
static onnx_constant *room_for(onnx_import *m, const onnx_constant *a, const onnx_constant *b,
                               bool integer) {
    const int rank = a->rank > b->rank ? a->rank : b->rank;
    int64_t dims[ONNX_RANK_MAX];
    for (int i = 0; i < rank; i++) {
        int64_t x = dim_of(a, rank, i), y = dim_of(b, rank, i);
        if (x != y && x != 1 && y != 1) return NULL;
        dims[i] = x == 1 ? y : x;
    }
    return onnx_constant_make(&m->work, rank, dims, integer);
}

/* Where k has what stands at place i of `out`, along whose dimensions it is repeated. */
static size_t place_in(const onnx_constant *k, const onnx_constant *out, size_t i) {
    size_t at = 0, stride = 1;
    for (int axis = out->rank - 1; axis >= 0; axis--) {
        int64_t n = out->dims[axis], mine = dim_of(k, out->rank, axis);
        if (mine > 1) at += i % (size_t)n * stride;
        i /= (size_t)n;
        stride *= (size_t)mine;
    }
    return at;
}

static const double *numbers_of(onnx_import *m, onnx_constant *k) {
    return k->per_sample ? k->values : onnx_constant_read(&m->work, k);
}

static onnx_constant *fold_binary(onnx_import *m, const onnx_call *c, char op) {
    onnx_constant *a = onnx_constant_in(c, 0), *b = onnx_constant_in(c, 1);
    if (a == NULL || b == NULL) return NULL;
    const double *x = numbers_of(m, a), *y = numbers_of(m, b);
    if (x == NULL || y == NULL) return NULL;
    bool flags = strchr("=<>", op) != NULL;
    onnx_constant *k = room_for(m, a, b, flags || (a->integer && b->integer));
    if (k != NULL) k->per_sample = a->per_sample || b->per_sample;
    for (size_t i = 0; k != NULL && i < k->count; i++) {
        double z = apply(op, x[a->count == k->count ? i : place_in(a, k, i)],
                         y[b->count == k->count ? i : place_in(b, k, i)], k->integer);
        k->values[i] = onnx_math_cast(z, k->integer);
    }
    return k;
}

static onnx_constant *fold_unary(onnx_import *m, const onnx_call *c, char op) {
    onnx_constant *a = onnx_constant_in(c, 0);
    const double *x = a == NULL ? NULL : onnx_constant_read(&m->work, a);
    onnx_constant *k =
        x == NULL ? NULL : onnx_constant_make(&m->work, a->rank, a->dims, a->integer);
    for (size_t i = 0; k != NULL && i < k->count; i++) {
        k->values[i] = onnx_math_cast(apply(op, x[i], 0, k->integer), k->integer);
    }
    return k;
}

/* Between two numbers, of which each may be missing. Before opset 11 they were attributes. */
static onnx_constant *fold_clip(onnx_import *m, const onnx_call *c) {
    onnx_constant *a = onnx_constant_in(c, 0);
    const double *x = a == NULL ? NULL : onnx_constant_read(&m->work, a);
    double bounds[2] = {-INFINITY, INFINITY};
    bool known = x != NULL && c->node->n_attribute == 0;
    for (int i = 0; known && i < 2; i++) {
        if (i + 1 >= c->in_count || c->in[i + 1] == NULL) continue;
        onnx_constant *bound = onnx_constant_in(c, i + 1);
        known = bound != NULL && onnx_constant_all(&m->work, bound, &bounds[i]);
    }
    onnx_constant *k = known ? onnx_constant_make(&m->work, a->rank, a->dims, a->integer) : NULL;
    for (size_t i = 0; k != NULL && i < k->count; i++) {
        double low = x[i] < bounds[0] ? bounds[0] : x[i];
        k->values[i] = low > bounds[1] ? bounds[1] : low;
    }
    return k;
}

/* ---- lists */

static onnx_constant *fold_concat(onnx_import *m, const onnx_call *c) {
    int64_t count = 0;
    for (int i = 0; i < c->in_count; i++) {
        const onnx_constant *k = onnx_constant_in(c, i);
        if (k == NULL || k->rank != 1 || k->count > ONNX_READ_MAX) return NULL;
        count += (int64_t)k->count;
    }
    onnx_constant *out = onnx_constant_make(&m->work, 1, &count, true);
    for (int i = 0, at = 0; out != NULL && i < c->in_count; i++) {
        onnx_constant *k = onnx_constant_in(c, i);
        const double *x = onnx_constant_read(&m->work, k);
        if (x == NULL) return NULL;
        out->integer = out->integer && k->integer;
        memcpy(out->values + at, x, k->count * sizeof *x);
        at += (int)k->count;
    }
    return out;
}

static onnx_constant *fold_gather(onnx_import *m, const onnx_call *c) {
    onnx_constant *a = onnx_constant_in(c, 0), *b = onnx_constant_in(c, 1);
    if (a == NULL || b == NULL || a->rank != 1) return NULL;
    const double *x = onnx_constant_read(&m->work, a), *at = onnx_constant_read(&m->work, b);
    if (x == NULL || at == NULL) return NULL;
    onnx_constant *k = onnx_constant_make(&m->work, b->rank, b->dims, a->integer);
    for (size_t i = 0; k != NULL && i < k->count; i++) {
        double place = at[i] < 0 ? at[i] + (double)a->count : at[i];
        if (!(place >= 0 && place < (double)a->count)) return NULL;
        k->values[i] = x[(size_t)place];
    }
    return k;
}

/* A bound of Slice within 0..count. */
static double bound(double x, double count) {
    if (x < 0) x += count;
    return !(x > 0) ? 0 : x > count ? count : x;
}

static bool slice_part(onnx_import *m, const onnx_call *c, int k, const char *name, double *out) {
    const Onnx__AttributeProto *a = onnx_attribute(c->node, name);
    onnx_constant *given = onnx_constant_in(c, k);
    if (a != NULL && a->n_ints == 1) *out = (double)a->ints[0];
    if (a != NULL && a->n_ints != 1) return false;
    return given == NULL || onnx_constant_all(&m->work, given, out);
}

/* All rows in the other order: how TorchScript turns paddings round. */
static onnx_constant *reverse(onnx_import *m, onnx_constant *a, double from, double to) {
    const int64_t rows = a->dims[0];
    const double *x = rows < 1 ? NULL : onnx_constant_read(&m->work, a);
    if (x == NULL || (from != -1 && from < (double)(rows - 1)) || to > (double)(-rows - 1)) {
        return NULL;
    }
    const size_t row = a->count / (size_t)rows;
    onnx_constant *k = onnx_constant_make(&m->work, a->rank, a->dims, a->integer);
    for (size_t i = 0; k != NULL && i < (size_t)rows; i++) {
        memcpy(k->values + i * row, x + ((size_t)rows - 1 - i) * row, row * sizeof *x);
    }
    return k;
}

/* Of a list, with step 1; or all rows, the last one first. */
static onnx_constant *fold_slice(onnx_import *m, const onnx_call *c) {
    onnx_constant *a = onnx_constant_in(c, 0);
    double from = 0, to = 0, axis = 0, step = 1;
    if (a != NULL && a->rank >= 1 && slice_part(m, c, 1, "starts", &from) &&
        slice_part(m, c, 2, "ends", &to) && slice_part(m, c, 3, "axes", &axis) &&
        slice_part(m, c, 4, "steps", &step) && step == -1 && axis == 0) {
        return reverse(m, a, from, to);
    }
    if (a == NULL || a->rank != 1 || !slice_part(m, c, 1, "starts", &from) ||
        !slice_part(m, c, 2, "ends", &to) || !slice_part(m, c, 3, "axes", &axis) ||
        !slice_part(m, c, 4, "steps", &step) || step != 1 || (axis != 0 && axis != -1)) {
        return NULL;
    }
    const double *x = onnx_constant_read(&m->work, a);
    from = bound(from, (double)a->count);
    to = bound(to, (double)a->count);
    int64_t count = to > from ? (int64_t)(to - from) : 0;
    onnx_constant *k = x == NULL ? NULL : onnx_constant_make(&m->work, 1, &count, a->integer);
    if (k != NULL) memcpy(k->values, x + (size_t)from, (size_t)count * sizeof *x);
    return k;
}

static onnx_constant *fold_where(onnx_import *m, const onnx_call *c) {
    onnx_constant *k[3];
    const double *x[3];
    const onnx_constant *like = NULL;
    for (int i = 0; i < 3; i++) {
        k[i] = onnx_constant_in(c, i);
        x[i] = k[i] == NULL ? NULL : onnx_constant_read(&m->work, k[i]);
        if (x[i] == NULL) return NULL;
        if (like == NULL || k[i]->count > like->count) like = k[i];
    }
    onnx_constant *out = onnx_constant_make(&m->work, like->rank, like->dims, k[1]->integer);
    for (int i = 0; i < 3; i++) {
        if (k[i]->count != 1 && !same_shape(k[i], like)) return NULL;
    }
    for (size_t i = 0; out != NULL && i < out->count; i++) {
        int from = x[0][k[0]->count == 1 ? 0 : i] != 0 ? 1 : 2;
        out->values[i] = x[from][k[from]->count == 1 ? 0 : i];
    }
    return out;
}

static onnx_constant *fold_product(onnx_import *m, const onnx_call *c) {
    onnx_constant *a = onnx_constant_in(c, 0);
    const double *x = a == NULL || a->rank > 1 ? NULL : onnx_constant_read(&m->work, a);
    int64_t one = 1;
    int rank = onnx_integer(c->node, "keepdims", 1) != 0 ? 1 : 0;
    onnx_constant *k = x == NULL ? NULL : onnx_constant_make(&m->work, rank, &one, a->integer);
    if (k == NULL) return NULL;
    k->values[0] = 1;
    for (size_t i = 0; i < a->count; i++) k->values[0] *= x[i];
    return k;
}

/* The places of a batch that may be any (images.c) are those of two samples. */
static onnx_constant *fold_range(onnx_import *m, const onnx_call *c) {
    double x[3];
    for (int i = 0; i < 3; i++) {
        onnx_constant *k = onnx_constant_in(c, i);
        if (k == NULL || k->count != 1 || !onnx_constant_all(&m->work, k, &x[i])) return NULL;
    }
    const bool samples =
        x[0] == 0 && x[1] == (double)m->size[ONNX_AXIS_N] && x[1] > ONNX_READ_MAX && x[2] == 1;
    if (samples) x[1] = ONNX_SAMPLES;
    double all = x[2] == 0 ? 0 : ceil((x[1] - x[0]) / x[2]);
    int64_t count = all > 0 && all <= ONNX_READ_MAX ? (int64_t)all : 0;
    onnx_constant *k = onnx_constant_make(&m->work, 1, &count, onnx_constant_in(c, 0)->integer);
    for (int64_t i = 0; k != NULL && i < count; i++) k->values[i] = x[0] + x[2] * (double)i;
    if (k != NULL) k->per_sample = samples;
    return k;
}

onnx_constant *onnx_math_fold(onnx_import *m, const onnx_call *c) {
    const char *op = c->node->op_type;
    if (binary_of(op) != '\0') return fold_binary(m, c, binary_of(op));
    if (unary_of(op) != '\0') return fold_unary(m, c, unary_of(op));
    if (strcmp(op, "Clip") == 0) return fold_clip(m, c);
    if (strcmp(op, "Concat") == 0) return fold_concat(m, c);
    if (strcmp(op, "Gather") == 0) return fold_gather(m, c);
    if (strcmp(op, "Slice") == 0) return fold_slice(m, c);
    if (strcmp(op, "Where") == 0) return fold_where(m, c);
    if (strcmp(op, "Range") == 0) return fold_range(m, c);
    if (strcmp(op, "ReduceProd") == 0) return fold_product(m, c);
    return NULL;
}
