/* Opening a dataset: its files, then everything that a run relies on, so that no step of it ever
 * has to ask. Labels are copied, because they are few and HDF5 may place them at any byte; images
 * stay in their files. */
#include "gyre/dataset.h"

#include "check_targets.h"
#include "contexts.h"
#include "gyre/foreign.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "images.h"
#include "manifest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct gyre_dataset {
    data_source *sources;
    int count;     /* of sources that are open */
    bool manifest; /* they are those of one */
    uint64_t bytes;
    gyre_images parts[DATA_PARTS];
    struct gyre_pieces *pieces[DATA_PARTS], *target_pieces[DATA_PARTS];
    int32_t *labels; /* of all parts, one after the other */
    int classes;
    uint8_t *seen; /* (GYRE_CLASSES_MAX), NULL: no classes */
    char (*names)[GYRE_NAME_SIZE];
    gyre_contexts contexts; /* count 0: none */
    float *context_values;
    uint64_t hash;
};

/* ---- the files */

static gyre_status allocate(gyre_dataset *d, int count) {
    d->sources = calloc((size_t)count, sizeof *d->sources);
    return d->sources != NULL ? GYRE_OK : gyre_no_memory("%d dataset files", count);
}

static gyre_status open_single(gyre_dataset *d, const char *path, bool whole) {
    struct stat st;
    if (stat(path, &st) == 0) d->bytes = (uint64_t)st.st_size;
    whole = whole || d->bytes <= GYRE_DATASET_LARGE;
    GYRE_TRY(allocate(d, 1));
    GYRE_TRY(data_source_open(path, whole, &d->sources[0]));
    d->count = 1;
    if (!whole) d->hash = d->sources[0].seal.content;
    return GYRE_OK;
}

static gyre_status open_files(gyre_dataset *d, const char *path, const data_manifest *m,
                              bool whole) {
    for (int i = 0; i < m->count; i++) d->bytes += m->files[i].bytes;
    whole = whole || d->bytes <= GYRE_DATASET_LARGE;
    GYRE_TRY(allocate(d, m->count));
    for (int i = 0; i < m->count; i++) {
        GYRE_TRY(gyre_fail_in(path, data_source_open(m->files[i].path, whole, &d->sources[i])));
        d->count++;
        GYRE_TRY(data_manifest_check(path, &m->files[i], &d->sources[i], whole));
    }
    if (!whole) d->hash = m->content;
    return GYRE_OK;
}

static gyre_status check_content(const gyre_dataset *d, const char *path, const data_manifest *m) {
    if (m->content == d->hash) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' tells the content %016llx, its files hold %016llx; were they put in "
                     "another order?",
                     path, (unsigned long long)m->content, (unsigned long long)d->hash);
}

/* A hash that the file does not hold is computed from the bytes. */
static gyre_status find_hash(gyre_dataset *d) {
    return d->hash != 0 ? GYRE_OK : data_source_hash(d->sources, d->count, &d->hash);
}

static gyre_status open_sources(gyre_dataset *d, const char *path, bool whole) {
    data_manifest m = {0};
    if (!data_manifest_is(path)) {
        GYRE_TRY(open_single(d, path, whole));
        return find_hash(d);
    }
    d->manifest = true;
    gyre_status status = data_manifest_read(path, &m);
    if (status == GYRE_OK) status = open_files(d, path, &m, whole);
    if (status == GYRE_OK) status = find_hash(d);
    if (status == GYRE_OK) status = check_content(d, path, &m);
    data_manifest_close(&m);
    return status;
}

/* ---- the parts */

static gyre_status check_shapes(const gyre_dataset *d) {
    const data_layout_part *first = &d->sources[0].layout.parts[DATA_PART_TRAIN];
    for (int i = 1; i < d->count; i++) {
        char its[DATA_LAYOUT_TEXT], mine[DATA_LAYOUT_TEXT];
        const data_layout_part *p = &d->sources[i].layout.parts[DATA_PART_TRAIN];
        if (data_layout_alike(p, first)) continue;
        return gyre_fail(GYRE_EIO, "'%s' has %s of %s, '%s' of %s", d->sources[i].path,
                         gyre_element_noun(p->element, 2), data_layout_text(p, its),
                         d->sources[0].path, data_layout_text(first, mine));
    }
    return GYRE_OK;
}

static gyre_status take_labels(const gyre_dataset *d, int part, int32_t *labels) {
    for (int i = 0; i < d->count; i++) {
        const data_layout_part *from = &d->sources[i].layout.parts[part];
        size_t bytes = (size_t)from->count * sizeof *labels;
        GYRE_TRY(data_source_read(&d->sources[i], from->targets, labels, bytes));
        labels += from->count;
    }
    return GYRE_OK;
}

static gyre_status take_part(gyre_dataset *d, int part, int32_t *labels) {
    const data_layout_part *first = &d->sources[0].layout.parts[DATA_PART_TRAIN];
    bool large = d->bytes > GYRE_DATASET_LARGE, label = gyre_target_is_label(&first->target);
    gyre_images *p = &d->parts[part];
    *p = (gyre_images){.h = first->h,
                       .w = first->w,
                       .c = first->c,
                       .element = first->element,
                       .latents = first->latents,
                       .labels = label ? labels : NULL,
                       .target = first->target,
                       .target_stored = first->target_stored};
    for (int i = 0; i < d->count; i++) p->count += d->sources[i].layout.parts[part].count;
    if (p->count == 0) return GYRE_OK;
    GYRE_TRY(data_pieces_open(d->sources, d->count, part, false, large, &d->pieces[part]));
    p->pieces = d->pieces[part];
    if (label) return take_labels(d, part, labels);
    GYRE_TRY(data_pieces_open(d->sources, d->count, part, true, large, &d->target_pieces[part]));
    p->target_pieces = d->target_pieces[part];
    return GYRE_OK;
}

static gyre_status take_parts(gyre_dataset *d) {
    size_t count = 1, at = 0; /* one more, for an allocation that is never empty */
    bool label = gyre_target_is_label(&d->sources[0].layout.parts[DATA_PART_TRAIN].target);
    for (int i = 0; label && i < d->count; i++) {
        for (int part = 0; part < DATA_PARTS; part++) {
            count += (size_t)d->sources[i].layout.parts[part].count;
        }
    }
    d->labels = malloc(count * sizeof *d->labels);
    if (d->labels == NULL) return gyre_no_memory("%zu labels", count - 1);
    for (int part = 0; part < DATA_PARTS; part++) {
        GYRE_TRY(take_part(d, part, d->labels + at));
        if (label) at += (size_t)d->parts[part].count;
    }
    return GYRE_OK;
}

/* ---- classes */

/* As many as there are names; without names, up to the greatest one that is there. Of targets that
 * are no classes, the values of one position. */
static gyre_status count_classes(gyre_dataset *d, const char *path) {
    const gyre_target *t = &d->parts[DATA_PART_TRAIN].target;
    int names = (int)d->sources[0].layout.names;
    data_classes_found found = {0};
    if (gyre_target_has_classes(t) && d->contexts.count == 0) {
        d->seen = found.seen = calloc(GYRE_CLASSES_MAX, 1);
        if (d->seen == NULL) return gyre_no_memory("the classes of '%s'", path);
    }
    for (int part = 0; part < DATA_PARTS; part++) {
        const gyre_images *p = &d->parts[part];
        found.bit = part == DATA_PART_TRAIN ? 1 : 2;
        for (int64_t i = 0; p->labels != NULL && i < p->count; i++) {
            int32_t label = p->labels[i];
            if (label > found.greatest) found.greatest = label;
            if (found.seen != NULL && label >= 0 && label < GYRE_CLASSES_MAX)
                found.seen[label] |= found.bit;
        }
        if (p->labels != NULL || p->count == 0) continue;
        GYRE_TRY(data_targets_check(path, data_part_names[part], p, names, &found));
    }
    d->classes = d->contexts.count > 0               ? d->contexts.count
                 : !gyre_target_has_classes(t)       ? t->c
                 : names > 0                         ? names
                 : found.greatest < GYRE_CLASSES_MAX ? found.greatest + 1
                                                     : GYRE_CLASSES_MAX;
    if (names == 0 || names == d->classes) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': /names has %d names, %s", path, names,
                     d->contexts.count > 0 ? "and /contexts has another number of rows"
                                           : "and a target another number of values");
}

/* Class `i` as the file names it, or its number. `name` has room for the file's own. */
static gyre_status read_name(const data_source *s, int i, char *name) {
    const data_layout *l = &s->layout;
    size_t size = (size_t)l->name_size;
    if (l->names == 0) {
        snprintf(name, GYRE_NAME_SIZE, "%d", i);
        return GYRE_OK;
    }
    GYRE_TRY(data_source_read(s, l->names_at + (uint64_t)i * size, name, size));
    name[size] = '\0';
    if (strlen(name) < GYRE_NAME_SIZE) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': /names[%d] has %zu bytes, at most %d were expected", s->path,
                     i, strlen(name), GYRE_NAME_SIZE - 1);
}

/* The first file's names, which the others must have, too. */
static gyre_status take_names(gyre_dataset *d) {
    enum { ROOM = DATA_NAME_BYTES_MAX + GYRE_NAME_SIZE };
    const data_source *first = &d->sources[0];
    char name[ROOM];
    d->names = calloc((size_t)d->classes, sizeof *d->names);
    if (d->names == NULL) return gyre_no_memory("%d names", d->classes);
    for (int k = 0; k < d->count; k++) {
        const data_source *s = &d->sources[k];
        if (s->layout.names != first->layout.names) {
            return gyre_fail(GYRE_EIO, "'%s' names %lld classes, '%s' names %lld", s->path,
                             (long long)s->layout.names, first->path,
                             (long long)first->layout.names);
        }
        for (int i = 0; i < d->classes; i++) {
            GYRE_TRY(read_name(s, i, name));
            if (k == 0) memcpy(d->names[i], name, strlen(name));
            if (strcmp(name, d->names[i]) == 0) continue;
            return gyre_fail(GYRE_EIO, "'%s': class %d is '%s', in '%s' it is '%s'", s->path, i,
                             name, first->path, d->names[i]);
        }
    }
    return GYRE_OK;
}

/* File by file, so that an error names the file and the row in it. */
static gyre_status check_labels(const gyre_dataset *d) {
    for (int part = 0; part < DATA_PARTS; part++) {
        const int32_t *labels = d->parts[part].labels;
        for (int i = 0; labels != NULL && i < d->count; i++) {
            int64_t count = d->sources[i].layout.parts[part].count;
            const char *path = d->sources[i].path, *name = data_part_names[part];
            GYRE_TRY(d->contexts.count > 0
                         ? data_contexts_check(path, name, labels, count, &d->contexts)
                         : data_labels_check(path, name, labels, count, d->classes));
            labels += count;
        }
    }
    return GYRE_OK;
}

/* Names first: a file with more classes than the others is known by them. */
static gyre_status take_classes(gyre_dataset *d, const char *path) {
    GYRE_TRY(count_classes(d, path));
    GYRE_TRY(take_names(d));
    return check_labels(d);
}

/* ---- opening */

static gyre_status open_dataset(const char *path, bool whole, gyre_dataset **out) {
    gyre_status status = GYRE_OK;
    gyre_dataset *d = calloc(1, sizeof *d);
    *out = NULL;
    if (d == NULL) return gyre_no_memory("opening '%s'", path);
    GYRE_GOTO(gyre_foreign_check(path, true));
    GYRE_GOTO(open_sources(d, path, whole));
    GYRE_GOTO(check_shapes(d));
    GYRE_GOTO(take_parts(d));
    GYRE_GOTO(data_contexts_read(d->sources, d->count, &d->contexts, &d->context_values));
    GYRE_GOTO(take_classes(d, path));
    *out = d;
    d = NULL;
out:
    gyre_dataset_close(d);
    return status;
}

gyre_status gyre_dataset_open(const char *path, gyre_dataset **out) {
    return open_dataset(path, false, out);
}

gyre_status gyre_dataset_verify(const char *path, gyre_dataset **out) {
    return open_dataset(path, true, out);
}

void gyre_dataset_close(gyre_dataset *d) {
    if (d == NULL) return;
    for (int i = 0; i < d->count; i++) data_source_close(&d->sources[i]);
    for (int part = 0; part < DATA_PARTS; part++) {
        free(d->pieces[part]);
        free(d->target_pieces[part]);
    }
    free(d->sources);
    free(d->labels);
    free(d->seen);
    free(d->names);
    free(d->context_values);
    free(d);
}

const gyre_images *gyre_dataset_train(const gyre_dataset *d) {
    return &d->parts[DATA_PART_TRAIN];
}

const gyre_images *gyre_dataset_test(const gyre_dataset *d) {
    return &d->parts[DATA_PART_TEST];
}

const gyre_images *gyre_dataset_validation(const gyre_dataset *d) {
    return &d->parts[DATA_PART_VALIDATION];
}

void gyre_dataset_warn_unread(const gyre_dataset *d) {
    static uint64_t told;
    const data_source *s = d->sources;
    while (s < d->sources + d->count - 1 && s->layout.unread[0] == '\0') s++;
    if (s->layout.unread[0] == '\0' || told == d->hash) return;
    told = d->hash;
    gyre_warn(
        "'%s' has images in /%s, which are not read: parts are called /train, /validation and "
        "/test",
        s->path, s->layout.unread);
}

void gyre_dataset_parts_text(const gyre_dataset *d, char out[GYRE_PARTS_TEXT]) {
    int parts = 0;
    out[0] = '\0';
    for (int part = 0; part < DATA_PARTS; part++) parts += d->parts[part].count > 0;
    for (int part = 0, done = 0; part < DATA_PARTS; part++) {
        int64_t count = d->parts[part].count;
        if (count == 0) continue;
        const char *before = done == 0 ? "" : done == parts - 1 ? " and " : ", ";
        gyre_text_add(out, GYRE_PARTS_TEXT, "%s%s (%lld%s%s)", before, data_part_names[part],
                      (long long)count, done > 0 ? "" : " ",
                      done > 0 ? "" : gyre_element_noun(d->parts[part].element, count));
        done++;
    }
}

const gyre_contexts *gyre_dataset_contexts(const gyre_dataset *d) {
    return d->contexts.count > 0 ? &d->contexts : NULL;
}

int gyre_dataset_classes(const gyre_dataset *d) {
    return d->classes;
}

gyre_status gyre_dataset_yes_or_no(const gyre_dataset *d, const char *path, const char *loss) {
    for (int part = 0; part < DATA_PARTS; part++) {
        const gyre_images *p = &d->parts[part];
        if (p->count > 0) GYRE_TRY(data_targets_yes_or_no(path, data_part_names[part], p, loss));
    }
    return GYRE_OK;
}

const uint8_t *gyre_dataset_classes_seen(const gyre_dataset *d) {
    return d->seen;
}

const char *gyre_dataset_class_name(const gyre_dataset *d, int label) {
    return d->names[label];
}

gyre_class_names gyre_dataset_class_names(const gyre_dataset *d) {
    char number[16];
    for (int i = 0; i < d->classes; i++) {
        snprintf(number, sizeof number, "%d", i);
        if (strcmp(d->names[i], number) != 0) return (gyre_class_names){d->classes, d->names};
    }
    return (gyre_class_names){0};
}

uint64_t gyre_dataset_hash(const gyre_dataset *d) {
    return d->hash;
}

bool gyre_dataset_sealed(const gyre_dataset *d) {
    bool all = true;
    for (int i = 0; i < d->count; i++) all = all && d->sources[i].seal.sealed;
    return all;
}

int gyre_dataset_files(const gyre_dataset *d) {
    return d->manifest ? d->count : 0;
}
