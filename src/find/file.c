/* find.h5: the curves, and what was made of them, as tables that any HDF5 tool reads. Whoever reads
 * it back judges the curves anew; /repeats and /verdict are there for other programs. */
#include "gyre/find.h"

#include "gyre/h5.h"
#include "gyre/size.h"
#include "verdict.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    double from, to;
    int64_t steps, linear, repeats, every, subset, steps_per_epoch, samples;
} settings_row;

typedef struct {
    int64_t repeat;
    gyre_find_marks marks;
} repeat_row;

typedef struct {
    gyre_find_marks value, low, high;
    int64_t stepsize, reliable;
} verdict_row;

#define MARKS(end)                                                                                 \
    {"base_lr" end, false}, {"max_lr" end, false}, {"diverged" end, false}, {"third" end, false},  \
        {"valley" end, false}, {"slide" end, false}, {"minimum" end, false}, {                     \
        "steep" end, false                                                                         \
    }

static const gyre_h5_column settings_columns[] = {
    {"from", false},   {"to", false},   {"steps", true},  {"linear", true},
    {"repeats", true}, {"every", true}, {"subset", true}, {"steps_per_epoch", true},
    {"samples", true}};
static const gyre_h5_column sweep_columns[] = {{"repeat", true},  {"step", true},
                                               {"lr", false},     {"loss", false},
                                               {"smooth", false}, {"grad_norm", false}};
static const gyre_h5_column score_columns[] = {
    {"repeat", true}, {"step", true}, {"lr", false}, {"loss", false}, {"accuracy", false}};
static const gyre_h5_column repeat_columns[] = {{"repeat", true}, MARKS("")};
static const gyre_h5_column verdict_columns[] = {
    MARKS(""), MARKS("_low"), MARKS("_high"), {"stepsize", true}, {"reliable", true}};

static const gyre_h5_column trial_columns[] = {
    {"rate", false}, {"loss", false}, {"error", false}, {"accuracy", false}};

#define TABLE(name, row, columns)                                                                  \
    { name, sizeof(row), (int)(sizeof(columns) / sizeof *(columns)), columns, 0 }
enum { SETTINGS, SWEEP, VALIDATION, REPEATS, VERDICT, TRIALS, TABLES };
static const gyre_h5_layout layouts[TABLES] = {
    TABLE("settings", settings_row, settings_columns),
    TABLE("sweep", gyre_find_row, sweep_columns),
    TABLE("validation", gyre_find_score, score_columns),
    TABLE("repeats", repeat_row, repeat_columns),
    TABLE("verdict", verdict_row, verdict_columns),
    TABLE("trials", gyre_find_trial, trial_columns),
};

#define EIGHT_EACH(row, columns)                                                                   \
    _Static_assert(sizeof(row) == 8 * sizeof(columns) / sizeof *(columns), "eight bytes a column")
EIGHT_EACH(settings_row, settings_columns);
EIGHT_EACH(gyre_find_row, sweep_columns);
EIGHT_EACH(gyre_find_score, score_columns);
EIGHT_EACH(repeat_row, repeat_columns);
EIGHT_EACH(verdict_row, verdict_columns);
EIGHT_EACH(gyre_find_trial, trial_columns);

/* ---- out */

static gyre_status write_tables(const gyre_find *f, const char *path, const repeat_row *repeats) {
    const gyre_find_options *o = &f->options;
    const gyre_find_verdict *v = &f->verdict;
    const settings_row settings = {o->from,  o->to,     o->steps,           o->linear, o->repeats,
                                   o->every, o->subset, f->steps_per_epoch, f->samples};
    const verdict_row verdict = {v->value, v->low, v->high, v->stepsize, v->reliable};
    const gyre_h5_rows tables[TABLES] = {
        {&layouts[SETTINGS], &settings, 1},
        {&layouts[SWEEP], f->rows, f->row_count},
        {&layouts[VALIDATION], f->scores, f->score_count},
        {&layouts[REPEATS], repeats, (size_t)o->repeats},
        {&layouts[VERDICT], &verdict, 1},
        {&layouts[TRIALS], f->trials, (size_t)f->trial_count},
    };
    return gyre_h5_rows_write(path, tables, TABLES);
}

gyre_status gyre_find_write(const gyre_find *f, const char *path) {
    size_t count = (size_t)f->options.repeats;
    repeat_row *repeats = calloc(count, sizeof *repeats);
    if (repeats == NULL) return gyre_no_memory("writing '%s'", path);
    for (size_t i = 0; i < count; i++) repeats[i] = (repeat_row){(int64_t)i, f->repeats[i]};
    gyre_status status = write_tables(f, path, repeats);
    free(repeats);
    return status;
}

/* ---- in */

static gyre_status get_trials(gyre_h5_reader *r, gyre_find *f) {
    void *rows = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_h5_rows_read(r, &layouts[TRIALS], &rows, &count));
    if (count == GYRE_FIND_TRIALS) {
        memcpy(f->trials, rows, sizeof f->trials);
        f->trial_count = GYRE_FIND_TRIALS;
        find_decide_trials(f);
    }
    free(rows);
    return GYRE_OK;
}

/* What the analysis relies on. */
static bool makes_sense(const gyre_find *f) {
    const gyre_find_options *o = &f->options;
    bool ok = o->repeats >= 1 && o->repeats <= GYRE_FIND_REPEATS_MAX && o->steps >= 1 &&
              f->row_count > 0 && f->rows[0].repeat == 0;
    for (size_t i = 0; ok && i < f->row_count; i++) {
        const gyre_find_row *r = &f->rows[i];
        ok = r->repeat >= 0 && r->repeat < o->repeats && r->lr > 0 &&
             (i == 0 || r->repeat > r[-1].repeat || r->lr > r[-1].lr);
    }
    for (size_t i = 1; ok && i < f->score_count; i++) {
        ok = f->scores[i].lr > 0 && f->scores[i].repeat >= f->scores[i - 1].repeat;
    }
    return ok;
}

gyre_status gyre_find_read(const char *path, gyre_find *out) {
    gyre_status status = GYRE_OK;
    settings_row *s = NULL;
    void *rows = NULL, *scores = NULL, *settings = NULL;
    size_t count = 0;
    int repeats = 0;
    *out = (gyre_find){0};
    gyre_h5_reader *r = NULL;
    GYRE_TRY(gyre_h5_reader_open(path, &r));
    GYRE_GOTO(gyre_h5_rows_read(r, &layouts[SETTINGS], &settings, &count));
    s = settings;
    if (count != 1) {
        GYRE_GOTO(
            gyre_fail(GYRE_EIO, "'%s': one row in /settings was expected, found %zu", path, count));
    }
    GYRE_GOTO(gyre_h5_rows_read(r, &layouts[SWEEP], &rows, &out->row_count));
    out->rows = rows;
    GYRE_GOTO(gyre_h5_rows_read(r, &layouts[VALIDATION], &scores, &out->score_count));
    out->scores = scores;
    GYRE_GOTO(
        gyre_fail_in(path, gyre_size_narrow(GYRE_EIO, "/settings.repeats", (uint64_t)s->repeats,
                                            GYRE_FIND_REPEATS_MAX, &repeats)));
    out->options = (gyre_find_options){.from = s->from,
                                       .to = s->to,
                                       .steps = s->steps,
                                       .linear = s->linear != 0,
                                       .repeats = repeats,
                                       .every = s->every,
                                       .subset = s->subset};
    out->steps_per_epoch = s->steps_per_epoch;
    out->samples = s->samples;
    if (!makes_sense(out)) {
        GYRE_GOTO(gyre_fail(GYRE_EIO, "'%s': its rows are not those of a range test", path));
    }
    out->repeats = calloc((size_t)repeats, sizeof *out->repeats);
    if (out->repeats == NULL) GYRE_GOTO(gyre_no_memory("reading '%s'", path));
    GYRE_GOTO(find_decide(out));
    status = get_trials(r, out);
out:
    gyre_h5_reader_close(r);
    free(settings);
    if (status != GYRE_OK) gyre_find_close(out);
    return status;
}
