/* Weights from any HDF5 file that has them by name: /parameters/NAME, and the running statistics of
 * batch norm at /state/buffers/NODE.running_mean, as gyre's checkpoints have them, or beside the
 * parameters, as PyTorch's state_dict does. */
#include "class_names.h"
#include "gyre/checkpoint.h"
#include "gyre/log.h"
#include "gyre/seal.h"
#include "h5_reader.h"
#include "import_axes.h"
#include "import_summary.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding */

static const gyre_h5_entry *find(const import_file *f, const char *group, const char *name) {
    char path[GYRE_H5_NAME_SIZE];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return gyre_h5_reader_find(f->reader, path);
}

static bool same_shape(const gyre_h5_entry *e, const h5_array *a) {
    bool same = e->ndim == a->ndim;
    for (int i = 0; same && i < a->ndim; i++) same = e->dims[i] == (uint64_t)a->dims[i];
    return same;
}

static gyre_status find_item(const import_file *f, import_item *item) {
    const char *name = item->array->name;
    if (item->statistic) item->entry = find(f, "/state/buffers", name);
    if (item->entry == NULL) item->entry = find(f, "/parameters", name);
    if (item->entry == NULL) {
        item->fate = IMPORT_ABSENT;
        return GYRE_OK;
    }
    if (item->entry->kind != GYRE_H5_FLOATS) {
        return gyre_fail(GYRE_EIO, "'%s': %s does not hold floats, as weights do", f->path,
                         item->entry->name);
    }
    item->fate = same_shape(item->entry, item->array) ? IMPORT_TAKEN : IMPORT_OTHER_SHAPE;
    return GYRE_OK;
}

static gyre_status find_items(import_file *f, unsigned needs, gyre_snapshot *s) {
    int parameters = 0, statistics = 0;
    GYRE_TRY(h5_arrays_of_parameters(f->model, &f->parameters, &parameters));
    GYRE_TRY(h5_arrays_of_buffers(f->model, &f->statistics, &statistics));
    f->count = parameters + statistics;
    f->items = calloc((size_t)f->count + 1, sizeof *f->items);
    if (f->items == NULL) return gyre_no_memory("reading '%s'", f->path);
    for (int i = 0; i < f->count; i++) {
        bool statistic = i >= parameters;
        bool frozen = statistic && f->model->statistics[i - parameters].frozen;
        unsigned need = statistic ? GYRE_NEED_STATISTICS : GYRE_NEED_PARAMETERS;
        f->items[i] = (import_item){
            .array = statistic ? &f->statistics[i - parameters] : &f->parameters[i],
            .vector = statistic ? s->buffers : s->parameters,
            .statistic = statistic,
            .needed = frozen || (needs & need) != 0,
        };
        GYRE_TRY(find_item(f, &f->items[i]));
    }
    return GYRE_OK;
}

/* ---- reading */

/* A number that is none would end training as if its rate were too high. */
static gyre_status check_values(const import_file *f, const import_item *item) {
    const float *values = item->vector + item->array->offset;
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

static gyre_status read_items(const import_file *f) {
    for (int i = 0; i < f->count; i++) {
        const import_item *item = &f->items[i];
        const h5_array *a = item->array;
        if (item->fate != IMPORT_TAKEN) continue;
        GYRE_TRY(h5_read_floats(f->reader, item->entry, item->vector + a->offset, a->count));
        GYRE_TRY(check_values(f, item));
    }
    return GYRE_OK;
}

/* ---- what belongs to the network besides its weights */

static bool same_floats(const import_file *f, const char *name, const float *values, size_t count) {
    const gyre_h5_entry *e = gyre_h5_reader_find(f->reader, name);
    float *found = malloc(count * sizeof *found);
    bool same = e != NULL && found != NULL && e->kind == GYRE_H5_FLOATS && h5_count(e) == count &&
                h5_read_floats(f->reader, e, found, count) == GYRE_OK &&
                memcmp(found, values, count * sizeof *found) == 0;
    free(found);
    return same;
}

/* A checkpoint's weights are for the input that its run made of pixels. */
static void say_input(const import_file *f, const gyre_snapshot *s) {
    const gyre_model *m = f->model;
    size_t channels = (size_t)m->c, count = (size_t)m->h * (size_t)m->w * channels;
    if (gyre_h5_reader_find(f->reader, "/state/input/mean") == NULL) return;
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
    GYRE_TRY(class_names_read(f->reader, &names));
    gyre_class_names_differ("that file", &names, "this dataset", &s->names, out, size);
    free(names.names);
    return GYRE_OK;
}

/* Other classes make a score void; training continues and learns them. */
static gyre_status check_classes(const import_file *f, const char *difference, unsigned needs) {
    if (difference[0] == '\0' || (needs & GYRE_NEED_PARAMETERS) == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' was trained on other classes: %s", f->path, difference);
}

gyre_status gyre_parameters_import(const char *path, const gyre_model *m, unsigned needs,
                                   gyre_snapshot *s) {
    gyre_status status = GYRE_OK;
    import_file f = {.path = path, .model = m};
    char difference[512];
    GYRE_GOTO(gyre_seal_check(path, "checkpoint", &f.own));
    GYRE_GOTO(gyre_h5_reader_open(path, &f.reader));
    GYRE_GOTO(find_items(&f, needs, s));
    GYRE_GOTO(import_check_axes(&f));
    GYRE_GOTO(import_check_needs(&f, needs));
    GYRE_GOTO(read_items(&f));
    GYRE_GOTO(compare_classes(&f, s, difference, sizeof difference));
    GYRE_GOTO(check_classes(&f, difference, needs));
    import_say(&f);
    import_summary(&f, s->imported, sizeof s->imported);
    if (difference[0] != '\0') gyre_say("its run had other classes: %s", difference);
    say_input(&f, s);
out:
    gyre_h5_reader_close(f.reader);
    free(f.parameters);
    free(f.statistics);
    free(f.items);
    return status;
}
