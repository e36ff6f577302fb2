/* find.h5: the curves, and what was made of them, as tables that any HDF5 tool reads. Whoever reads
 * it back judges the curves anew; /repeats and /verdict are there for other programs. */
#include "gyre/find.h"

#include "gyre/h5.h"
#include "gyre/size.h"
#include "range.h"
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

typedef struct {
    int64_t budget, whole, complete, config_hash, run_steps, scored;
    double start_loss, start_metric;
} search_row;

typedef struct {
    int64_t outcome;
    double max_lr, low, high, base_lr;
    int64_t stepsize, cycles, steps;
} range_row;

#define MARKS(end)                                                                                 \
    {"base_lr" end, false}, {"max_lr" end, false}, {"diverged" end, false}, {"third" end, false},  \
        {"valley" end, false}, {"slide" end, false}, {"minimum" end, false}, {                     \
        "steep" end, false                                                                         \
    }

#define METRIC NULL /* the name of the network's metric is its column's */

static const gyre_h5_column settings_columns[] = {
    {"from", false},   {"to", false},   {"steps", true},  {"linear", true},
    {"repeats", true}, {"every", true}, {"subset", true}, {"steps_per_epoch", true},
    {"samples", true}};
static const gyre_h5_column sweep_columns[] = {{"repeat", true},  {"step", true},
                                               {"lr", false},     {"loss", false},
                                               {"smooth", false}, {"grad_norm", false}};
static const gyre_h5_column score_columns[] = {
    {"repeat", true}, {"step", true}, {"lr", false}, {"loss", false}, {METRIC, false}};
static const gyre_h5_column repeat_columns[] = {{"repeat", true}, MARKS("")};
static const gyre_h5_column verdict_columns[] = {
    MARKS(""), MARKS("_low"), MARKS("_high"), {"stepsize", true}, {"reliable", true}};

static const gyre_h5_column trial_columns[] = {
    {"rate", false}, {"loss", false}, {"error", false}, {METRIC, false}};

static const gyre_h5_column search_columns[] = {
    {"budget", true},    {"whole", true},  {"complete", true},    {"config_hash", true},
    {"run_steps", true}, {"scored", true}, {"start_loss", false}, {METRIC, false}};
static const gyre_h5_column ladder_columns[] = {
    {"rung", true},    {"seed", true},      {"steps", true}, {"cycles", true}, {"base_lr", false},
    {"max_lr", false}, {"completed", true}, {"loss", false}, {METRIC, false}};
static const gyre_h5_column range_columns[] = {
    {"outcome", true},  {"max_lr", false},  {"plateau_low", false}, {"plateau_high", false},
    {"base_lr", false}, {"stepsize", true}, {"cycles", true},       {"steps", true}};

#define TABLE(name, row, columns)                                                                  \
    { name, sizeof(row), (int)(sizeof(columns) / sizeof *(columns)), columns, 0 }
enum { SETTINGS, SWEEP, VALIDATION, REPEATS, VERDICT, TRIALS, SEARCH, LADDER, RANGE, TABLES };
static const gyre_h5_layout kinds[TABLES] = {
    TABLE("settings", settings_row, settings_columns),
    TABLE("sweep", gyre_find_row, sweep_columns),
    TABLE("validation", gyre_find_score, score_columns),
    TABLE("repeats", repeat_row, repeat_columns),
    TABLE("verdict", verdict_row, verdict_columns),
    TABLE("trials", gyre_find_trial, trial_columns),
    TABLE("search", search_row, search_columns),
    TABLE("ladder", gyre_find_cycle, ladder_columns),
    TABLE("range", range_row, range_columns),
};

#define EIGHT_EACH(row, columns)                                                                   \
    _Static_assert(sizeof(row) == 8 * sizeof(columns) / sizeof *(columns), "eight bytes a column")
EIGHT_EACH(settings_row, settings_columns);
EIGHT_EACH(gyre_find_row, sweep_columns);
EIGHT_EACH(gyre_find_score, score_columns);
EIGHT_EACH(repeat_row, repeat_columns);
EIGHT_EACH(verdict_row, verdict_columns);
EIGHT_EACH(gyre_find_trial, trial_columns);
EIGHT_EACH(search_row, search_columns);
EIGHT_EACH(gyre_find_cycle, ladder_columns);
EIGHT_EACH(range_row, range_columns);

/* A table of rows whose column METRIC has the metric's name. */
typedef struct {
    gyre_h5_layout layout;
    gyre_h5_column columns[9];
} metric_table;

static metric_table *name_metric(metric_table *t, int kind, const gyre_metric *metric) {
    t->layout = kinds[kind];
    for (int i = 0; i < t->layout.column_count; i++) {
        t->columns[i] = kinds[kind].columns[i];
        if (t->columns[i].name == METRIC) t->columns[i].name = metric->name;
    }
    t->layout.columns = t->columns;
    return t;
}

/* ---- out */

static gyre_status write_tables(const gyre_find *f, const char *path, const repeat_row *repeats) {
    const gyre_find_options *o = &f->options;
    const gyre_find_verdict *v = &f->verdict;
    const settings_row settings = {o->from,  o->to,     o->steps,           o->linear, o->repeats,
                                   o->every, o->subset, f->steps_per_epoch, f->samples};
    const verdict_row verdict = {v->value, v->low, v->high, v->stepsize, v->reliable};
    const gyre_find_range *r = &f->range;
    const search_row search = {o->budget,    f->whole,  f->complete,   f->config_hash,
                               f->run_steps, f->scored, f->start_loss, f->start_metric};
    const range_row range = {(int64_t)r->outcome, r->max_lr,   r->low,    r->high,
                             r->base_lr,          r->stepsize, r->cycles, r->steps};
    metric_table scores, trials, start, cycles;
    const gyre_h5_rows tables[TABLES] = {
        {&kinds[SETTINGS], &settings, 1},
        {&kinds[SWEEP], f->rows, f->row_count},
        {&name_metric(&scores, VALIDATION, f->metric)->layout, f->scores, f->score_count},
        {&kinds[REPEATS], repeats, (size_t)o->repeats},
        {&kinds[VERDICT], &verdict, 1},
        {&name_metric(&trials, TRIALS, f->metric)->layout, f->trials, (size_t)f->trial_count},
        {&name_metric(&start, SEARCH, f->metric)->layout, &search, 1},
        {&name_metric(&cycles, LADDER, f->metric)->layout, f->cycles, f->cycle_count},
        {&kinds[RANGE], &range, f->cycle_count > 0 ? 1 : 0},
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

/* The file names its metric by the column of /validation: the first one that is there. */
static gyre_status get_scores(gyre_h5_reader *r, gyre_find *f) {
    gyre_status status = GYRE_EIO;
    void *rows = NULL;
    metric_table t;
    for (int i = 0; status == GYRE_EIO && gyre_metric_at(i) != NULL; i++) {
        f->metric = gyre_metric_at(i);
        name_metric(&t, VALIDATION, f->metric);
        status = gyre_h5_rows_read(r, &t.layout, &rows, &f->score_count);
    }
    f->scores = rows;
    return status;
}

static gyre_status get_trials(gyre_h5_reader *r, gyre_find *f) {
    void *rows = NULL;
    size_t count = 0;
    metric_table t;
    GYRE_TRY(gyre_h5_rows_read(r, &name_metric(&t, TRIALS, f->metric)->layout, &rows, &count));
    if (count == GYRE_FIND_TRIALS) {
        memcpy(f->trials, rows, sizeof f->trials);
        f->trial_count = GYRE_FIND_TRIALS;
        find_decide_trials(f);
    }
    free(rows);
    return GYRE_OK;
}

static gyre_status get_search(gyre_h5_reader *r, gyre_find *f) {
    void *rows = NULL;
    size_t count = 0;
    metric_table t;
    f->whole = f->options.repeats;
    if (gyre_h5_reader_find(r, "/search") == NULL) return GYRE_OK; /* of an older program */
    GYRE_TRY(gyre_h5_rows_read(r, &name_metric(&t, SEARCH, f->metric)->layout, &rows, &count));
    const search_row *s = rows;
    bool ok = count == 1 && s->whole >= 1 && s->whole <= f->options.repeats && s->run_steps >= 0;
    if (ok) {
        f->options.budget = s->budget;
        f->options.quick = s->budget == 0;
        f->whole = (int)s->whole;
        f->complete = s->complete != 0;
        f->config_hash = s->config_hash;
        f->run_steps = s->run_steps;
        f->scored = s->scored;
        f->start_loss = s->start_loss;
        f->start_metric = s->start_metric;
    }
    free(rows);
    return ok ? GYRE_OK
              : gyre_fail(GYRE_EIO, "'%s': /search is not that of a range test",
                          gyre_h5_reader_path(r));
}

static bool is_trial(const gyre_find_cycle *c) {
    return c->rung >= 0 && c->rung < GYRE_FIND_RUNGS && c->seed >= 0 && c->seed < 1000 &&
           c->steps >= 1 && c->steps < 1 << 30 && c->cycles >= 1 && c->cycles <= c->steps &&
           c->max_lr > 0 && c->base_lr >= 0;
}

static gyre_status get_ladder(gyre_h5_reader *r, gyre_find *f) {
    void *rows = NULL;
    metric_table t;
    if (gyre_h5_reader_find(r, "/ladder") == NULL) return GYRE_OK;
    GYRE_TRY(
        gyre_h5_rows_read(r, &name_metric(&t, LADDER, f->metric)->layout, &rows, &f->cycle_count));
    f->cycles = rows;
    for (size_t i = 0; i < f->cycle_count; i++) {
        if (is_trial(&f->cycles[i])) continue;
        return gyre_fail(GYRE_EIO, "'%s': row %zu of /ladder is not a trial",
                         gyre_h5_reader_path(r), i);
    }
    return find_decide_range(f);
}

/* The repeats that are whole are judged, as if no more had been asked for. */
static gyre_status decide_whole(gyre_find *f) {
    int asked = f->options.repeats;
    f->options.repeats = f->whole;
    gyre_status status = find_decide(f);
    f->options.repeats = asked;
    return status;
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
    void *rows = NULL, *settings = NULL;
    size_t count = 0;
    int repeats = 0;
    *out = (gyre_find){0};
    gyre_h5_reader *r = NULL;
    GYRE_TRY(gyre_h5_reader_open(path, &r));
    GYRE_GOTO(gyre_h5_rows_read(r, &kinds[SETTINGS], &settings, &count));
    s = settings;
    if (count != 1) {
        GYRE_GOTO(
            gyre_fail(GYRE_EIO, "'%s': one row in /settings was expected, found %zu", path, count));
    }
    GYRE_GOTO(gyre_h5_rows_read(r, &kinds[SWEEP], &rows, &out->row_count));
    out->rows = rows;
    GYRE_GOTO(get_scores(r, out));
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
    GYRE_GOTO(get_search(r, out));
    GYRE_GOTO(decide_whole(out));
    GYRE_GOTO(get_trials(r, out));
    status = get_ladder(r, out);
out:
    gyre_h5_reader_close(r);
    free(settings);
    if (status != GYRE_OK) gyre_find_close(out);
    return status;
}
