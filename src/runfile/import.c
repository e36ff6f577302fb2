/* Weights from any HDF5 file that has them by name: /parameters/NAME, and the running statistics of
 * batch norm at /state/buffers/NODE.running_mean, as gyre's checkpoints have them, or beside the
 * parameters, as PyTorch's state_dict does; or from a state_dict in safetensors. */
#include "class_names.h"
#include "gyre/checkpoint.h"
#include "gyre/log.h"
#include "gyre/seal.h"
#include "gyre/size.h"
#include "h5_reader.h"
#include "import_axes.h"
#include "import_size.h"
#include "import_summary.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding */

/* The axes from the first to the last that is longer than 1. */
static int longer_axes(const uint64_t *dims, int ndim, int *first) {
    *first = 0;
    while (ndim > 0 && dims[ndim - 1] == 1) ndim--;
    while (*first < ndim && dims[*first] == 1) ++*first;
    return ndim - *first;
}

/* Of a state_dict axes of length 1 at either end do not count: PyTorch has them where gyre has none
 * (a factor of (C, 1, 1)), and the other way round. Those of two matrices or filters do: (1, 8) and
 * (8, 1) are other layers. */
static bool same_shape(const import_file *f, const gyre_h5_entry *e, const h5_array *a) {
    uint64_t dims[sizeof a->dims / sizeof *a->dims];
    int from = 0, to = 0, count = e->ndim, here = a->ndim;
    for (int i = 0; i < a->ndim; i++) dims[i] = (uint64_t)a->dims[i];
    const bool layers = e->ndim == a->ndim && (a->ndim == 2 || a->ndim == 4);
    if (f->state_dict && !layers) {
        count = longer_axes(e->dims, e->ndim, &from);
        here = longer_axes(dims, a->ndim, &to);
    }
    return count == here && memcmp(e->dims + from, dims + to, (size_t)count * sizeof *dims) == 0;
}

static gyre_status find_item(const import_file *f, import_item *item) {
    const bool there = !f->state_dict || !item->state.computed;
    if (there) item->entry = weights_file_find(&f->file, item->array->name, item->statistic);
    if (there && item->entry == NULL) {
        item->entry = weights_file_find(&f->file, item->name, item->statistic);
    }
    char old[GYRE_NODE_NAME_SIZE];
    if (there && item->entry == NULL && f->state_dict && gyre_state_old_name(item->name, old)) {
        item->entry = weights_file_find(&f->file, old, item->statistic);
    }
    if (item->entry == NULL) {
        item->fate = IMPORT_ABSENT;
        return GYRE_OK;
    }
    if (item->entry->kind != GYRE_H5_FLOATS) {
        return gyre_fail(GYRE_EIO, "'%s': %s does not hold floats, as weights do", f->path,
                         item->entry->name);
    }
    item->fate = same_shape(f, item->entry, item->array) ? IMPORT_TAKEN : IMPORT_OTHER_SHAPE;
    return GYRE_OK;
}

/* The array as a state_dict has it. */
static void rename_item(import_item *item, h5_array *array, gyre_state_array state) {
    item->state = state;
    array->ndim = state.ndim;
    memcpy(array->dims, state.dims, sizeof array->dims);
    array->name = state.name;
}

/* A linear layer of an ONNX file, behind a picture that its network flattened to (c, h, w). */
static void order_row(const import_file *f, const gyre_param *p, import_item *item) {
    const gyre_onnx_weight *w = &f->file.onnx->weights[item->entry - f->file.onnx_entries];
    if (p->picture[0] == 0 || !w->chw) return;
    item->state.rows = (size_t)p->dims[0];
    item->state.pixels = (size_t)p->picture[0] * (size_t)p->picture[1];
    item->state.channels = (size_t)p->picture[2];
}

static gyre_status add_item(import_file *f, int i, int parameters, unsigned needs,
                            gyre_snapshot *s) {
    const gyre_model *m = f->model;
    const int k = i - parameters; /* of the statistics */
    const bool statistic = k >= 0;
    h5_array *array = statistic ? &f->statistics[k] : &f->parameters[i];
    unsigned need = statistic ? GYRE_NEED_STATISTICS : GYRE_NEED_PARAMETERS;
    f->items[i] = (import_item){
        .array = array,
        .name = statistic ? m->statistics[k].name : m->params[i].name,
        .vector = statistic ? s->buffers : s->parameters,
        .statistic = statistic,
        .needed = (statistic && m->statistics[k].frozen) || (needs & need) != 0,
    };
    if (f->state_dict) {
        rename_item(&f->items[i], array,
                    statistic ? gyre_state_of_statistic(m, k) : gyre_state_of_param(m, i));
    }
    GYRE_TRY(find_item(f, &f->items[i]));
    if (f->file.onnx != NULL && !statistic && f->items[i].entry != NULL)
        order_row(f, &m->params[i], &f->items[i]);
    return GYRE_OK;
}

static gyre_status find_items(import_file *f, unsigned needs, gyre_snapshot *s) {
    int parameters = 0, statistics = 0;
    GYRE_TRY(h5_arrays_of_parameters(f->model, &f->parameters, &parameters));
    GYRE_TRY(h5_arrays_of_buffers(f->model, &f->statistics, &statistics));
    f->count = parameters + statistics;
    f->items = calloc((size_t)f->count + 1, sizeof *f->items);
    if (f->items == NULL) return gyre_no_memory("reading '%s'", f->path);
    for (int i = 0; i < f->count; i++) GYRE_TRY(add_item(f, i, parameters, needs, s));
    return GYRE_OK;
}

/* ---- reading */

/* A number that is none would end training as if its rate were too high. */
static gyre_status check_values(const import_file *f, const import_item *item,
                                const float *values) {
    const char *name = item->array->name;
    bool variance = item->statistic && strstr(name, ".running_var") != NULL;
    for (size_t i = 0; i < item->array->count; i++) {
        if (isfinite(values[i]) && !(variance && values[i] < 0)) continue;
        return gyre_fail(GYRE_EIO, "'%s': value %zu of %s is %g; %s was expected", f->path, i,
                         item->entry->name, (double)values[i],
                         variance ? "a variance of 0 or more" : "a finite 32-bit float");
    }
    return GYRE_OK;
}

static gyre_status read_checked(const import_file *f, const import_item *item, float *out) {
    GYRE_TRY(weights_file_read(&f->file, item->entry, out, item->array->count));
    return check_values(f, item, out);
}

/* The numbers of a state_dict, put into gyre's order. */
static gyre_status read_state(const import_file *f, const import_item *item, float *out) {
    float *there = malloc(gyre_size_of(item->array->count, sizeof *there));
    if (there == NULL) return gyre_no_memory("reading '%s'", f->path);
    gyre_status status = read_checked(f, item, there);
    if (status == GYRE_OK) gyre_state_from_torch(&item->state, there, out);
    free(there);
    return status;
}

static gyre_status read_items(const import_file *f) {
    for (int i = 0; i < f->count; i++) {
        const import_item *item = &f->items[i];
        float *out = item->vector + item->array->offset;
        if (item->fate != IMPORT_TAKEN) continue;
        GYRE_TRY(item->state.rows > 0 ? read_state(f, item, out) : read_checked(f, item, out));
    }
    return GYRE_OK;
}

/* ---- what belongs to the network besides its weights */

static bool same_floats(const import_file *f, const char *name, const float *values, size_t count) {
    const gyre_h5_entry *e = gyre_h5_reader_find(f->file.h5, name);
    float *found = malloc(count * sizeof *found);
    bool same = e != NULL && found != NULL && e->kind == GYRE_H5_FLOATS && h5_count(e) == count &&
                h5_read_floats(f->file.h5, e, found, count) == GYRE_OK &&
                memcmp(found, values, count * sizeof *found) == 0;
    free(found);
    return same;
}

/* A checkpoint's weights are for the input that its run made of pixels. */
static void say_input(const import_file *f, const gyre_snapshot *s) {
    const gyre_model *m = f->model;
    size_t channels = (size_t)m->c, count = (size_t)m->h * (size_t)m->w * channels;
    if (f->file.h5 == NULL || gyre_h5_reader_find(f->file.h5, "/state/input/mean") == NULL) return;
    if (same_floats(f, "/state/input/mean", s->mean, count) &&
        same_floats(f, "/state/input/scale", s->scale, channels)) {
        return;
    }
    gyre_say("its run normalised images by other numbers (/state/input), which are not taken; "
             "data.augment.normalize says what holds here");
}

/* The first difference between the classes that the weights were trained on and the dataset's. */
static gyre_status compare_classes(const import_file *f, const gyre_snapshot *s, char *out,
                                   size_t size) {
    gyre_class_names names;
    out[0] = '\0';
    if (f->file.h5 == NULL) return GYRE_OK;
    GYRE_TRY(class_names_read(f->file.h5, &names));
    gyre_class_names_differ("that file", &names, "this dataset", &s->names, out, size);
    free(names.names);
    return GYRE_OK;
}

/* Other classes make a score void; training continues and learns them. */
static gyre_status check_classes(const import_file *f, const char *difference, unsigned needs) {
    if (difference[0] == '\0' || (needs & GYRE_NEED_PARAMETERS) == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' was trained on other classes: %s", f->path, difference);
}

/* ---- the example of an ONNX file */

static bool is_pool(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->node_count; i++) {
        if (strcmp(m->nodes[i].name, name) == 0)
            return strstr(gyre_model_node(m, i).type, "_pool") != NULL;
    }
    return false;
}

/* PyTorch's adaptive pools have other windows for images of another size; the file has those for
 * the example's. */
static gyre_status check_example(const import_file *f) {
    const gyre_onnx *o = f->file.onnx;
    const gyre_model *m = f->model;
    if (o == NULL || o->fitted == NULL || (o->h == m->h && o->w == m->w)) return GYRE_OK;
    if (!is_pool(m, o->fitted)) return GYRE_OK;
    if (o->adaptive) {
        return gyre_fail(GYRE_EUSAGE,
                         "'%s': %s is an adaptive pool, and the file has its windows for images of "
                         "%d x %d, not of %d x %d as here; export the network with an example of "
                         "this size",
                         f->path, o->fitted, o->h, o->w, m->h, m->w);
    }
    gyre_say("'%s' was exported for images of %d x %d, and those here are of %d x %d: pools as %s "
             "keep their windows; where PyTorch's is adaptive, it has others, so export the "
             "network with an example of this size",
             f->path, o->h, o->w, m->h, m->w, o->fitted);
    return GYRE_OK;
}

gyre_status gyre_parameters_import(const char *path, const gyre_model *m, unsigned needs,
                                   gyre_weights_choice weights, gyre_snapshot *s) {
    gyre_status status = GYRE_OK;
    import_file f = {.path = path, .model = m};
    char difference[512];
    GYRE_GOTO(gyre_seal_check(path, "checkpoint", &f.own));
    GYRE_GOTO(weights_file_open(path, &f.file));
    GYRE_GOTO(weights_file_choose(&f.file, path, weights));
    f.state_dict = f.file.tensors != NULL;
    f.own = f.own || f.file.onnx != NULL;
    GYRE_GOTO(find_items(&f, needs, s));
    GYRE_GOTO(import_check_axes(&f));
    GYRE_GOTO(import_check_size(&f));
    GYRE_GOTO(check_example(&f));
    GYRE_GOTO(import_check_needs(&f, needs));
    GYRE_GOTO(read_items(&f));
    GYRE_GOTO(compare_classes(&f, s, difference, sizeof difference));
    GYRE_GOTO(check_classes(&f, difference, needs));
    import_say(&f);
    for (int i = 0; f.file.onnx != NULL && f.file.onnx->notes[i] != NULL; i++) {
        gyre_say("%s", f.file.onnx->notes[i]);
    }
    import_summary(&f, s->imported, sizeof s->imported);
    if (difference[0] != '\0') gyre_say("its run had other classes: %s", difference);
    say_input(&f, s);
out:
    weights_file_close(&f.file);
    free(f.parameters);
    free(f.statistics);
    free(f.items);
    return status;
}
