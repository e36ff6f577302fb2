/* Arrays become a dataset: samples of any type and shape, each with its target. */
#include "array_file.h"
#include "check_targets.h"
#include "gyre/import.h"
#include "gyre/log.h"
#include "write.h"
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 20 }; /* bytes that are copied at a time */

typedef struct {
    const char *names[2];
    data_array *samples, *targets;
    int32_t *labels; /* where each sample has one */
} part;

typedef struct {
    part parts[DATA_PARTS];
    data_rows_shape shape;
    data_rows *rows;
    data_classes_found found;
} import;

/* ---- what the arrays are */

static gyre_status apart(const char *output, const part *p) {
    for (int i = 0; i < 2; i++) {
        char *path = data_array_path(p->names[i]);
        if (path == NULL) return gyre_no_memory("the name '%s'", p->names[i]);
        gyre_status status = data_output_apart(output, path);
        free(path);
        GYRE_TRY(status);
    }
    return GYRE_OK;
}

static gyre_status describe(import *in, part *p, int index) {
    data_rows_shape s = {0}, *all = &in->shape;
    int size[3], target[3];
    GYRE_TRY(data_array_open(p->names[0], false, &p->samples));
    GYRE_TRY(data_array_open(p->names[1], true, &p->targets));
    data_array_shape(p->samples, size);
    int ndim = data_array_shape(p->targets, target);
    s.h = size[0];
    s.w = size[1];
    s.c = size[2];
    s.element = data_array_element(p->samples);
    s.target_stored = data_array_element(p->targets);
    bool integers = s.target_stored == GYRE_ELEMENT_I32;
    if (!integers || ndim != 1) {
        s.target = (gyre_target){target[0], target[1], target[2], integers && ndim == 3};
    }
    int64_t count = data_array_rows(p->samples);
    if (data_array_rows(p->targets) != count) {
        return gyre_fail(
            GYRE_EUSAGE, "'%s' has %lld rows, '%s' has %lld; each sample needs its target",
            p->names[0], (long long)count, p->names[1], (long long)data_array_rows(p->targets));
    }
    const data_layout_part mine = {.h = s.h,
                                   .w = s.w,
                                   .c = s.c,
                                   .element = s.element,
                                   .target = s.target,
                                   .target_stored = s.target_stored};
    const data_layout_part train = {.h = all->h,
                                    .w = all->w,
                                    .c = all->c,
                                    .element = all->element,
                                    .target = all->target,
                                    .target_stored = all->target_stored};
    char text[DATA_LAYOUT_TEXT], other[DATA_LAYOUT_TEXT];
    if (index != DATA_PART_TRAIN && !data_layout_alike(&mine, &train)) {
        return gyre_fail(GYRE_EUSAGE, "'%s' has samples of %s, '%s' of %s", p->names[0],
                         data_layout_text(&mine, text), in->parts[DATA_PART_TRAIN].names[0],
                         data_layout_text(&train, other));
    }
    if (index == DATA_PART_TRAIN) *all = s;
    all->counts[index] = count;
    return GYRE_OK;
}

/* ---- classes */

static gyre_status read_labels(import *in, part *p, int index) {
    int64_t count = data_array_rows(p->targets);
    p->labels = malloc((size_t)count * sizeof *p->labels);
    if (p->labels == NULL) return gyre_no_memory("the labels of '%s'", p->names[1]);
    GYRE_TRY(data_array_read(p->targets, 0, count, p->labels));
    GYRE_TRY(
        data_labels_check(p->names[1], data_part_names[index], p->labels, count, GYRE_CLASSES_MAX));
    for (int64_t i = 0; i < count; i++) {
        if (p->labels[i] > in->found.greatest) in->found.greatest = p->labels[i];
    }
    return GYRE_OK;
}

static size_t rows_of_piece(size_t row_bytes) {
    return row_bytes < PIECE ? PIECE / row_bytes : 1;
}

/* Calls `use` for each piece of an array's rows. */
static gyre_status each_piece(import *in, data_array *a, size_t row_bytes, int index,
                              gyre_status (*use)(import *in, int part, int64_t first, int64_t count,
                                                 const uint8_t *rows)) {
    gyre_status status = GYRE_OK;
    int64_t total = data_array_rows(a), most = (int64_t)rows_of_piece(row_bytes);
    uint8_t *rows = malloc((size_t)(most < total ? most : total) * row_bytes);
    if (rows == NULL) return gyre_no_memory("rows of an array");
    for (int64_t first = 0; first < total; first += most) {
        int64_t count = total - first < most ? total - first : most;
        GYRE_GOTO(data_array_read(a, first, count, rows));
        GYRE_GOTO(use(in, index, first, count, rows));
    }
out:
    free(rows);
    return status;
}

static gyre_status look_at_classes(import *in, int index, int64_t first, int64_t count,
                                   const uint8_t *rows) {
    const gyre_images piece = {.count = count,
                               .target = in->shape.target,
                               .target_stored = in->shape.target_stored,
                               .targets = rows};
    (void)first;
    return data_targets_check(in->parts[index].names[1], data_part_names[index], &piece, 0,
                              &in->found);
}

static gyre_status find_classes(import *in) {
    const gyre_target *t = &in->shape.target;
    size_t bytes = gyre_target_values(t) * sizeof(float);
    for (int i = 0; i < DATA_PARTS; i++) {
        part *p = &in->parts[i];
        if (p->targets == NULL) continue;
        GYRE_TRY(gyre_target_is_label(t) ? read_labels(in, p, i)
                                         : each_piece(in, p->targets, bytes, i, look_at_classes));
    }
    in->shape.classes = gyre_target_has_classes(t) ? in->found.greatest + 1 : t->c;
    return GYRE_OK;
}

/* ---- rows */

static gyre_status put_samples(import *in, int index, int64_t first, int64_t count,
                               const uint8_t *rows) {
    const data_rows_shape *s = &in->shape;
    const gyre_images piece = {
        .count = count, .h = s->h, .w = s->w, .c = s->c, .element = s->element, .images = rows};
    gyre_not_finite bad;
    GYRE_TRY(gyre_view_not_finite(&(gyre_view){.images = &piece, .count = count}, &bad));
    if (bad.found) {
        return gyre_fail(GYRE_EIO,
                         "'%s': sample %lld of /%s holds %g (as %s) at value %zu; every value must "
                         "be a finite number, so mend or leave out such samples",
                         in->parts[index].names[0], (long long)(first + bad.row),
                         data_part_names[index], (double)bad.value, gyre_element_name(s->element),
                         bad.at);
    }
    return data_rows_put(in->rows, index, first, count, rows);
}

static gyre_status put_targets(import *in, int index, int64_t first, int64_t count,
                               const uint8_t *rows) {
    return data_rows_put_targets(in->rows, index, first, count, rows);
}

static gyre_status copy(import *in) {
    const data_rows_shape *s = &in->shape;
    size_t row = (size_t)s->h * (size_t)s->w * (size_t)s->c * gyre_element_size(s->element);
    size_t target = gyre_target_values(&s->target) * sizeof(float);
    const int32_t *labels[DATA_PARTS] = {0};
    bool label = gyre_target_is_label(&s->target);
    for (int i = 0; i < DATA_PARTS; i++) {
        part *p = &in->parts[i];
        labels[i] = p->labels;
        if (p->samples == NULL) continue;
        GYRE_TRY(each_piece(in, p->samples, row, i, put_samples));
        if (!label) GYRE_TRY(each_piece(in, p->targets, target, i, put_targets));
    }
    return data_rows_finish(in->rows, label ? labels : NULL);
}

/* Tables often hold labels as (N, 1), and masks as (N, H, W, 1). */
static void hint_at_values(const import *in) {
    const data_rows_shape *s = &in->shape;
    bool integers = s->target_stored == GYRE_ELEMENT_I32;
    if (!integers || gyre_target_has_classes(&s->target) || s->target.c != 1) return;
    gyre_warn("'%s' is taken as values, since its last axis is 1; where the integers are classes, "
              "leave that axis away, as by y.squeeze(-1)",
              in->parts[DATA_PART_TRAIN].names[1]);
}

static gyre_status run(import *in, const char *output, bool force) {
    GYRE_TRY(data_output_check(output, force));
    for (int i = 0; i < DATA_PARTS; i++) {
        if (in->parts[i].names[0] != NULL) GYRE_TRY(apart(output, &in->parts[i]));
    }
    for (int i = 0; i < DATA_PARTS; i++) {
        if (in->parts[i].names[0] != NULL) GYRE_TRY(describe(in, &in->parts[i], i));
    }
    hint_at_values(in);
    GYRE_TRY(find_classes(in));
    GYRE_TRY(data_rows_open(output, force, &in->shape, &in->rows));
    return copy(in);
}

gyre_status gyre_import_array(const gyre_array_names *train, const gyre_array_names *validation,
                              const gyre_array_names *test, const char *output, bool force) {
    const gyre_array_names *const names[DATA_PARTS] = {train, validation, test};
import in = {0 };
    for (int i = 0; i < DATA_PARTS; i++) {
        if (names[i] == NULL || names[i]->samples == NULL) continue;
        in.parts[i].names[0] = names[i]->samples;
        in.parts[i].names[1] = names[i]->targets;
    }
    gyre_status status = run(&in, output, force);
    data_rows_close(in.rows);
    for (int i = 0; i < DATA_PARTS; i++) {
        data_array_close(in.parts[i].samples);
        data_array_close(in.parts[i].targets);
        free(in.parts[i].labels);
    }
    return status;
}
