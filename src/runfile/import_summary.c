/* What of a file of weights was taken and what was not, as text: a network that lacks something of
 * its file scores as if it had learned nothing, and only these lines tell why. */
#include "import_summary.h"

#include "gyre/checkpoint.h"
#include "gyre/log.h"
#include "gyre/names.h"
#include "gyre/text.h"
#include "import_axes.h"
#include "import_size.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "conv1.weight (8, 3, 3, 1), bn1.weight (8) and 17 more" */
typedef struct {
    char text[512];
    int shown, count;
} list;

static void add(list *l, const char *name, const char *shape, const char *other) {
    enum { MOST = 6, ROOM = 256 }; /* an entry has at most 220 bytes */
    l->count++;
    if (l->shown >= MOST || strlen(l->text) > ROOM) return;
    gyre_text_add(l->text, sizeof l->text, "%s%.80s %s%s%s", l->shown == 0 ? "" : ", ", name, shape,
                  other == NULL ? "" : " for ", other == NULL ? "" : other);
    l->shown++;
}

static const char *text_of(list *l) {
    if (l->shown < l->count) {
        gyre_text_add(l->text, sizeof l->text, " and %d more", l->count - l->shown);
    }
    return l->text;
}

static void list_items(const import_file *f, bool statistic, bool needed_only, import_fate fate,
                       list *out) {
    char shape[64], found[64];
    *out = (list){0};
    for (int i = 0; i < f->count; i++) {
        const import_item *item = &f->items[i];
        if (item->statistic != statistic || item->fate != fate) continue;
        if (needed_only && !item->needed) continue;
        h5_array_shape(item->array, shape, sizeof shape);
        if (fate == IMPORT_OTHER_SHAPE) gyre_h5_shape(item->entry, found, sizeof found);
        if (fate == IMPORT_OTHER_SHAPE)
            add(out, item->array->name, found, shape);
        else
            add(out, item->array->name, shape, NULL);
    }
}

static int count_items(const import_file *f, bool statistic, bool taken_only) {
    int count = 0;
    for (int i = 0; i < f->count; i++) {
        const import_item *item = &f->items[i];
        count += item->statistic == statistic && (!taken_only || item->fate == IMPORT_TAKEN);
    }
    return count;
}

/* ---- what the file holds besides */

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* Names that change nothing: a count that PyTorch keeps, and what else a checkpoint of gyre has, of
 * the two kinds of its weights those that are not meant. */
static bool is_harmless(const import_file *f, const char *name) {
    static const char tracked[] = "num_batches_tracked";
    size_t length = strlen(name), tail = sizeof tracked - 1;
    if (length >= tail && strcmp(name + length - tail, tracked) == 0) return true;
    const bool other = f->file.averaged
                           ? begins(name, "/parameters/") || begins(name, "/state/buffers/")
                           : begins(name, "/average/");
    const bool another = begins(name, "/average/") && strcmp(f->file.group, "/average") != 0;
    return other || another || begins(name, "/averages/") || begins(name, "/optimizer/") ||
           begins(name, "/state/input/") || strcmp(name, "/state/class_names") == 0 ||
           strcmp(name, "/state/network") == 0 || strcmp(name, "/state/config") == 0;
}

/* Where a file that is no state_dict has parameters. */
static const char *group_of(const import_file *f) {
    return f->file.averaged ? "/average/" : "/parameters/";
}

static bool is_taken(const import_file *f, const gyre_h5_entry *e) {
    for (int i = 0; i < f->count; i++) {
        if (f->items[i].entry == e && f->items[i].fate != IMPORT_ABSENT) return true;
    }
    return false;
}

static void list_unused(const import_file *f, list *out) {
    size_t count = 0;
    const gyre_h5_entry *entries = weights_file_list(&f->file, &count);
    char shape[64];
    *out = (list){0};
    for (size_t i = 0; i < count; i++) {
        const gyre_h5_entry *e = &entries[i];
        if (e->kind == GYRE_H5_GROUP || is_harmless(f, e->name) || is_taken(f, e)) continue;
        gyre_h5_shape(e, shape, sizeof shape);
        const char *group = group_of(f);
        bool parameter = begins(e->name, group);
        add(out, parameter ? e->name + strlen(group) : e->name, shape, NULL);
    }
}

/* ---- names that are nearly right */

/* What all names of the file begin with and the network's do not: "module." where PyTorch's network
 * was wrapped. "": nothing such. */
static void find_prefix(const import_file *f, char *out, size_t size) {
    size_t count = 0, common = 0, end = 0;
    const gyre_h5_entry *entries = weights_file_list(&f->file, &count);
    out[0] = '\0';
    if (!f->state_dict || count < 2) return;
    common = strlen(entries[0].name);
    for (size_t i = 1; i < count; i++) {
        size_t k = 0;
        while (k < common && entries[0].name[k] == entries[i].name[k]) k++;
        common = k;
    }
    for (size_t k = 0; k < common; k++) end = entries[0].name[k] == '.' ? k + 1 : end;
    for (int i = 0; i < f->count; i++) {
        if (strcmp(f->items[i].array->name, entries[0].name + end) == 0) {
            snprintf(out, size, "%.*s", (int)end, entries[0].name);
            return;
        }
    }
}

/* The name in the file, of those that nothing took, which is nearest to one that is missing. */
static const char *find_near(const import_file *f, const char **missing) {
    size_t count = 0, used = 0;
    const gyre_h5_entry *entries = weights_file_list(&f->file, &count);
    const char **names = calloc(count + 1, sizeof *names), *near = NULL;
    const size_t skip = f->state_dict ? 0 : strlen(group_of(f));
    for (size_t i = 0; names != NULL && i < count; i++) {
        const gyre_h5_entry *e = &entries[i];
        if (!f->state_dict && !begins(e->name, group_of(f))) continue;
        if (!is_harmless(f, e->name) && !is_taken(f, e)) names[used++] = e->name + skip;
    }
    for (int i = 0; used > 0 && i < f->count && near == NULL; i++) {
        *missing = f->items[i].array->name;
        if (f->items[i].fate == IMPORT_ABSENT) near = gyre_name_nearest(*missing, names);
    }
    free(names);
    return near;
}

/* ---- what must be there */

/* The network is the file's own, and all that it trains is its last layer, for other classes. */
static bool is_all_of_classes(const import_file *f) {
    bool all = f->file.onnx != NULL;
    for (int i = 0; all && i < f->count; i++) {
        all = f->items[i].fate == IMPORT_OTHER_SHAPE && import_is_of_classes(f, &f->items[i]);
    }
    return all;
}

static gyre_status nothing_fits(const import_file *f) {
    list unused, other;
    char prefix[128];
    list_items(f, false, false, IMPORT_OTHER_SHAPE, &other);
    if (other.count > 0) {
        return gyre_fail(GYRE_EIO, "'%s' has no parameter of model %s with the same shape: %s",
                         f->path, f->model->name, text_of(&other));
    }
    list_unused(f, &unused);
    find_prefix(f, prefix, sizeof prefix);
    if (prefix[0] != '\0') {
        return gyre_fail(GYRE_EIO,
                         "'%s': all names begin with '%s', those of model %s do not; write the "
                         "state_dict of the network that is inside",
                         f->path, prefix, f->model->name);
    }
    return gyre_fail(GYRE_EIO,
                     "'%s' has no parameter of model %s with the same name and shape; one was "
                     "expected at %s%s, the file has %s",
                     f->path, f->model->name, f->state_dict ? "" : group_of(f),
                     f->count > 0 ? f->items[0].array->name : "NAME",
                     unused.count > 0 ? text_of(&unused) : "none");
}

gyre_status import_check_needs(const import_file *f, unsigned needs) {
    list absent, other;
    const char *frozen =
        f->model->norm_frozen ? "model.batch_norm \"frozen\"" : "the nodes' option \"frozen\"";
    if (count_items(f, false, true) == 0 && !is_all_of_classes(f)) return nothing_fits(f);
    for (int statistic = 0; statistic < 2; statistic++) {
        list_items(f, statistic, true, IMPORT_ABSENT, &absent);
        list_items(f, statistic, true, IMPORT_OTHER_SHAPE, &other);
        if (absent.count + other.count == 0) continue;
        return gyre_fail(GYRE_EIO, "'%s' %s %s: %s; %s needs all of them", f->path,
                         absent.count > 0 ? "lacks" : "has another shape of",
                         statistic ? "running statistics" : "parameters",
                         text_of(absent.count > 0 ? &absent : &other),
                         needs & GYRE_NEED_PARAMETERS ? "a score" : frozen);
    }
    return GYRE_OK;
}

/* ---- the lines */

static void count_text(const import_file *f, char *out, size_t size) {
    int parameters = count_items(f, false, false), statistics = count_items(f, true, false);
    char text[80] = "";
    if (statistics > 0) {
        snprintf(text, sizeof text, " and %d of %d running statistics", count_items(f, true, true),
                 statistics);
    }
    snprintf(out, size, "%d of %d parameters%s%s", count_items(f, false, true), parameters, text,
             f->file.averaged ? " of the average" : "");
}

void import_summary(const import_file *f, char *out, size_t size) {
    static const struct {
        import_fate fate;
        const char *reason;
    } lacks[] = {{IMPORT_ABSENT, "not in the file"},
                 {IMPORT_OTHER_SHAPE, "of another shape there"}};
    count_text(f, out, size);
    for (int i = 0; i < 4; i++) {
        list l;
        list_items(f, i >= 2, false, lacks[i % 2].fate, &l);
        if (l.count == 0) continue;
        gyre_text_add(out, size, "; %s: %s", lacks[i % 2].reason, text_of(&l));
    }
}

static void say_list(list *l, const char *before) {
    if (l->count > 0) gyre_say("%s: %s", before, text_of(l));
}

/* A linear layer behind an image reads (h, w, c); the shape is the same when it was (c, h, w). */
static void say_flattened(const import_file *f) {
    const gyre_model *m = f->model;
    for (int i = 0; i < m->param_count && !f->own && !f->state_dict; i++) {
        const int *size = m->params[i].picture; /* h, w, c */
        if (m->params[i].ndim != 2) continue;
        if (size[0] * size[1] <= 1 || size[2] == 1 || f->items[i].fate != IMPORT_TAKEN) continue;
        gyre_say("%s reads (h, w, c) = (%d, %d, %d) as one row; weights for (c, h, w), "
                 "PyTorch's order, have the same shape and must be permuted: docs/formats.md",
                 m->params[i].name, size[0], size[1], size[2]);
    }
}
void import_say(const import_file *f) {
    list l;
    char counts[160];
    const char *missing = NULL, *near;
    count_text(f, counts, sizeof counts);
    gyre_say("%s from '%s'", counts, f->path);
    list_items(f, false, false, IMPORT_ABSENT, &l);
    say_list(&l, "drawn, since the file has none");
    list_items(f, false, false, IMPORT_OTHER_SHAPE, &l);
    say_list(&l, "drawn, since the file has another shape");
    list_items(f, true, false, IMPORT_ABSENT, &l);
    say_list(&l, "mean 0 and variance 1 to begin with, since the file has none");
    list_items(f, true, false, IMPORT_OTHER_SHAPE, &l);
    say_list(&l, "mean 0 and variance 1 to begin with, since the file has another shape");
    list_unused(f, &l);
    say_list(&l, "in the file, but not of this network");
    near = find_near(f, &missing);
    if (near != NULL) gyre_say("is '%s' of the file meant to be %s?", near, missing);
    import_say_axes(f);
    say_flattened(f);
}
