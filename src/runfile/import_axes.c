/* The order of axes: weights that fit the network only when their axes are permuted are those of
 * another framework, and would be noise if they were taken or left out. */
#include "import_axes.h"

#include "gyre/log.h"
#include "gyre/text.h"
#include <stdio.h>
#include <string.h>

enum { AXES = 4 };

typedef struct {
    int ndim;
    int axes[AXES]; /* the network's axis i is the file's axis axes[i], as numpy's transpose has it
                     */
} order;

/* The layouts that are common come first; of several that fit, the first is taken. */
static const order known[] = {
    {4, {0, 2, 3, 1}}, /* PyTorch's (k, c, r, s) */
    {4, {3, 0, 1, 2}}, /* TensorFlow's (r, s, c, k) */
    {2, {1, 0}},       /* (in, out) */
};
/* The same where PyTorch's order is expected. */
static const order known_of_state[] = {
    {4, {0, 3, 1, 2}}, /* gyre's (k, r, s, c) */
    {4, {3, 2, 0, 1}},
    {2, {1, 0}},
};
enum { KNOWN = sizeof known / sizeof *known };

static bool fits(const order *o, const import_item *item) {
    const h5_array *a = item->array;
    if (item->entry == NULL || a->ndim != o->ndim || item->entry->ndim != o->ndim) return false;
    for (int i = 0; i < o->ndim; i++) {
        if (item->entry->dims[o->axes[i]] != (uint64_t)a->dims[i]) return false;
    }
    return true;
}

/* Would the values of an array of this shape lie in another order? Axes of length 1 may move. */
static bool moves(const order *o, const h5_array *a) {
    int last = -1;
    for (int i = 0; i < o->ndim; i++) {
        if (a->dims[i] == 1) continue; /* so has the axis that it comes from: the shape fits */
        if (o->axes[i] < last) return true;
        last = o->axes[i];
    }
    return false;
}

static bool misfit(const import_item *item) {
    return item->fate == IMPORT_OTHER_SHAPE;
}

/* The next order of axes in lexical sequence; false after the last. */
static bool next(order *o) {
    int i = o->ndim - 2, j = o->ndim - 1;
    while (i >= 0 && o->axes[i] > o->axes[i + 1]) i--;
    if (i < 0) return false;
    while (o->axes[j] < o->axes[i]) j--;
    int kept = o->axes[i];
    o->axes[i] = o->axes[j];
    o->axes[j] = kept;
    for (int a = i + 1, b = o->ndim - 1; a < b; a++, b--) {
        kept = o->axes[a];
        o->axes[a] = o->axes[b];
        o->axes[b] = kept;
    }
    return true;
}

static int count_misfits(const import_file *f, const order *o) {
    int count = 0;
    for (int i = 0; i < f->count; i++) count += misfit(&f->items[i]) && fits(o, &f->items[i]);
    return count;
}

static void keep_better(const import_file *f, const order *o, order *best, int *most) {
    int count = count_misfits(f, o);
    if (count <= *most) return;
    *best = *o;
    *most = count;
}

/* The order of `ndim` axes that makes the most arrays fit, and how many; 0: none does. One array
 * may fit in several orders by accident, all of a file seldom do. */
static int find_order(const import_file *f, int ndim, order *best) {
    int most = 0;
    order o = {.ndim = ndim, .axes = {0, 1, 2, 3}};
    const order *common = f->state_dict ? known_of_state : known;
    for (int i = 0; i < KNOWN; i++) {
        if (common[i].ndim == ndim) keep_better(f, &common[i], best, &most);
    }
    while (next(&o)) keep_better(f, &o, best, &most);
    return most;
}

static void print_order(const order *o, char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; i < o->ndim; i++) {
        gyre_text_add(out, size, i == 0 ? "%d" : ", %d", o->axes[i]);
    }
}

/* How many arrays of the file fit as they are and in this order as well, and the first of them. */
static int count_silent(const import_file *f, const order *o, const h5_array **first) {
    int count = 0;
    for (int i = 0; i < f->count; i++) {
        const import_item *item = &f->items[i];
        if (item->fate != IMPORT_TAKEN || !fits(o, item) || !moves(o, item->array)) continue;
        if (count++ == 0) *first = item->array;
    }
    return count;
}

static gyre_status refuse(const import_file *f, const order *o, int count) {
    const import_item *item = f->items;
    const h5_array *silent = NULL;
    char found[128], wanted[128], axes[32], rest[256] = "";
    while (!misfit(item) || !fits(o, item)) item++;
    gyre_h5_shape(item->entry, found, sizeof found);
    h5_array_shape(item->array, wanted, sizeof wanted);
    print_order(o, axes, sizeof axes);
    int equal = count_silent(f, o, &silent);
    if (equal > 0) {
        snprintf(rest, sizeof rest, "; so do, by this, %d whose shape does not tell (%s)", equal,
                 silent->name);
    }
    return gyre_fail(GYRE_EIO,
                     "'%s': %s has the shape %s, the network's is %s: its axes have another order; "
                     "write w.transpose(%s), as docs/formats.md shows (%d of the file's arrays "
                     "need it%s)",
                     f->path, item->entry->name, found, wanted, axes, count, rest);
}

/* No array of the file tells in which order its axes are. */
static void say_unknown(const import_file *f, const order *o) {
    const h5_array *first = NULL;
    char shape[128];
    int silent = count_silent(f, o, &first);
    if (silent == 0 || f->own || f->state_dict) return;
    for (int i = 0; i < f->count; i++) {
        const import_item *item = &f->items[i];
        if (item->fate == IMPORT_TAKEN && item->array->ndim == o->ndim && !fits(o, item)) return;
    }
    h5_array_shape(first, shape, sizeof shape);
    gyre_say("the shape of %s %s%s does not tell the order of its axes; %s is assumed", first->name,
             shape, silent > 1 ? " (and of the others)" : "",
             o->ndim == 4 ? "(k, r, s, c)" : "(out, in)");
}

gyre_status import_check_axes(const import_file *f) {
    order o = {0};
    for (int ndim = AXES; ndim > 1; ndim--) {
        int count = find_order(f, ndim, &o);
        if (count > 0) return refuse(f, &o, count);
    }
    return GYRE_OK;
}

void import_say_axes(const import_file *f) {
    say_unknown(f, &known[0]);
    say_unknown(f, &known[2]);
}
