/* The progress table; see progress.h. What other processes do is read from their result.json. */
#include "progress.h"

#include "cell_result.h"
#include "gyre/clock.h"
#include "gyre/log.h"
#include "gyre/terminal.h"
#include "gyre/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMN = 8, NAME = 28 };
static const double redraw_seconds = 0.5, look_seconds = 3;

struct study_progress {
    const gyre_study *study;
    bool quiet;
    int terminal;             /* -1: lines */
    int drawn;                /* lines of the table on the terminal, above the cursor */
    gyre_cell_result *states; /* (cells), as last read */
    gyre_study_cell now;      /* the cell under way */
    bool busy;
    double share, metric; /* of it */
    double resumed;       /* the share that an earlier launch trained; NAN before the first step */
    int64_t left;         /* cells of this part, the one under way included */
    double begun;         /* this cell, on gyre_clock() */
    double spent;         /* seconds of the cells that ended in this launch */
    double trained;       /* what those were, in cells: a resumed one counts as its rest */
    double drawn_at, looked_at;
};

static int index_of(const study_progress *t, gyre_study_cell c) {
    return c.seed * t->study->arm_count + c.arm;
}

static void look(study_progress *t) {
    for (int i = 0; i < gyre_study_cell_count(t->study); i++) {
        gyre_study_cell c = gyre_study_cell_at(t->study, i);
        gyre_cell_state state = t->states[i].state;
        if (state == GYRE_CELL_DONE || state == GYRE_CELL_DIVERGED) continue;
        bool damaged; /* shown as begun; one that cannot be read as missing */
        study_result_look(t->study, c.arm, c.seed, &t->states[i], &damaged);
    }
    t->looked_at = gyre_clock();
}

gyre_status study_progress_open(const gyre_study *s, bool draws, bool quiet, study_progress **out) {
    study_progress *t = calloc(1, sizeof *t);
    if (t != NULL) t->states = calloc((size_t)gyre_study_cell_count(s), sizeof *t->states);
    if (t == NULL || t->states == NULL) {
        free(t);
        return gyre_no_memory("the study's table");
    }
    t->study = s;
    t->quiet = quiet;
    t->terminal = draws && !quiet ? gyre_terminal_open() : -1;
    if (t->terminal >= 0) look(t);
    *out = t;
    return GYRE_OK;
}

/* Seconds until this part has run its cells; NaN: nothing is known yet. */
static double time_left(const study_progress *t) {
    double elapsed = t->busy ? gyre_clock() - t->begun : 0;
    double part = t->busy && isfinite(t->resumed) ? t->share - t->resumed : 0;
    double trained = t->trained + part, rest = (double)t->left - (t->busy ? t->share : 0);
    if (!(trained > 0.01)) return (double)NAN;
    return rest * (t->spent + elapsed) / trained;
}

static void print_left(const study_progress *t, char *out, size_t size) {
    double seconds = time_left(t);
    char time[40];
    out[0] = '\0';
    if (!isfinite(seconds)) return;
    gyre_print_duration(seconds, time, sizeof time);
    snprintf(out, size, ", about %s left", time);
}

static void print_state(const study_progress *t, gyre_study_cell c, char *out, size_t size) {
    const gyre_cell_result *r = &t->states[index_of(t, c)];
    const gyre_metric *m = t->study->arms[c.arm].metric;
    if (t->busy && c.arm == t->now.arm && c.seed == t->now.seed) {
        snprintf(out, size, "%.0f %%", floor(100 * t->share));
        return;
    }
    switch (r->state) {
    case GYRE_CELL_MISSING: snprintf(out, size, "-"); break;
    case GYRE_CELL_INTERRUPTED: snprintf(out, size, "begun"); break;
    case GYRE_CELL_DONE:
        snprintf(out, size, "%.*f", m->decimals, gyre_metric_shown(m, r->metric));
        break;
    case GYRE_CELL_DIVERGED: snprintf(out, size, "diverg."); break;
    case GYRE_CELL_FAILED: snprintf(out, size, "FAILED"); break;
    }
}

/* A row is never as wide as the terminal, which would wrap it. `more`: of seeds without room. */
typedef struct {
    int name, seeds; /* width of the name; how many seeds there is room for */
    const char *more;
} row_shape;

static row_shape fit_row(int columns, int seeds) {
    int name = columns - 1 < NAME ? columns - 1 : NAME;
    int room = (columns - 1 - name) / COLUMN;
    if (seeds <= room) return (row_shape){name, seeds, ""};
    if (columns - 1 < name + 2) return (row_shape){columns - 3, 0, " +"};
    return (row_shape){name, (columns - 1 - name - 2) / COLUMN, " +"};
}

/* A study's name may have characters of several bytes. */
static void print_name(const char *name, int width) {
    char text[NAME + 1];
    gyre_text_visible(name, text, (size_t)width + 1);
    fprintf(stderr, "\r%-*s", width, text);
}

/* Of a long seed the end. */
static void print_seed(uint64_t seed) {
    char text[24];
    size_t length = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    bool whole = length < COLUMN;
    fprintf(stderr, "%*s%s", whole ? COLUMN - (int)length : 3, whole ? "" : "..",
            whole ? text : text + length - (COLUMN - 3));
}

static int print_rows(const study_progress *t, int columns) {
    const gyre_study *s = t->study;
    row_shape row = fit_row(columns, s->seed_count);
    print_name(s->name, row.name);
    for (int k = 0; k < row.seeds; k++) print_seed(s->seeds[k]);
    fprintf(stderr, "%s\033[K\n", row.more);
    for (int i = 0; i < s->arm_count; i++) {
        print_name(s->arms[i].name, row.name);
        for (int k = 0; k < row.seeds; k++) {
            char text[16];
            print_state(t, (gyre_study_cell){i, k}, text, sizeof text);
            fprintf(stderr, "%*s", COLUMN, text);
        }
        fprintf(stderr, "\033[K\n");
    }
    return s->arm_count + 1;
}

static void draw(study_progress *t) {
    gyre_terminal_extent size = gyre_terminal_size(t->terminal);
    int cells = gyre_study_cell_count(t->study), ended = 0;
    char left[64], line[160], value[64];
    if (t->drawn > 0) fprintf(stderr, "\033[%dA", t->drawn);
    t->drawn = size.rows > t->study->arm_count + 3 ? print_rows(t, size.columns) : 0;
    for (int i = 0; i < cells; i++) {
        gyre_cell_state state = t->states[i].state;
        ended += state == GYRE_CELL_DONE || state == GYRE_CELL_DIVERGED;
    }
    print_left(t, left, sizeof left);
    snprintf(line, sizeof line, "%d of %d cells ended%s", ended, cells, left);
    if (t->busy && isfinite(t->metric)) {
        const gyre_metric *m = t->study->arms[t->now.arm].metric;
        gyre_text_add(line, sizeof line, "; %s %s in the running one", gyre_metric_prose(m).text,
                      gyre_metric_text(m, t->metric, value, sizeof value));
    }
    fprintf(stderr, "\r%.*s\033[K", size.columns - 1, line);
    fflush(stderr);
    t->drawn_at = gyre_clock();
}

void study_progress_begin(study_progress *t, gyre_study_cell c, int64_t left) {
    t->now = c;
    t->busy = true;
    t->share = 0;
    t->resumed = t->metric = (double)NAN;
    t->left = left;
    t->begun = gyre_clock();
    if (t->terminal >= 0) draw(t);
}

/* Of the whole study, not only of this process. */
static int cells_to_go(study_progress *t) {
    int cells = gyre_study_cell_count(t->study), ended = 0;
    look(t);
    for (int i = 0; i < cells; i++) {
        gyre_cell_state state = t->states[i].state;
        ended += state == GYRE_CELL_DONE || state == GYRE_CELL_DIVERGED;
    }
    return cells - ended;
}

/* A cell may take hours, and without this line a log would be silent until its end. */
static void print_begin(study_progress *t, int64_t first, int64_t steps) {
    char left[64] = "", what[96];
    if (t->trained > 0) print_left(t, left, sizeof left);
    if (first == 1)
        snprintf(what, sizeof what, "begins, %lld steps", (long long)steps);
    else
        snprintf(what, sizeof what, "resumes at step %lld of %lld", (long long)first,
                 (long long)steps);
    bool muted = gyre_log_mute(false); /* as a cell is while it runs */
    gyre_say("%s, seed %llu: %s; %d of %d cells to go%s", t->study->arms[t->now.arm].name,
             (unsigned long long)t->study->seeds[t->now.seed], what, cells_to_go(t),
             gyre_study_cell_count(t->study), left);
    gyre_log_mute(muted);
}

void study_progress_step(study_progress *t, int64_t completed, int64_t steps, double metric) {
    double now = gyre_clock();
    t->share = (double)completed / (double)steps;
    if (isnan(t->resumed)) {
        t->resumed = (double)(completed - 1) / (double)steps;
        if (t->terminal < 0 && !t->quiet) print_begin(t, completed, steps);
    }
    t->metric = metric;
    if (t->terminal < 0 || now - t->drawn_at < redraw_seconds) return;
    if (now - t->looked_at >= look_seconds) look(t);
    draw(t);
}

static void print_line(study_progress *t, const gyre_cell_result *r, double seconds) {
    char time[40], left[64] = "", value[64], what[160];
    const gyre_study_arm *arm = &t->study->arms[t->now.arm];
    unsigned long long seed = t->study->seeds[t->now.seed];
    if (t->left > 0) print_left(t, left, sizeof left);
    gyre_print_duration(seconds, time, sizeof time);
    if (r->state == GYRE_CELL_DONE)
        snprintf(what, sizeof what, "%s %s", gyre_metric_prose(arm->metric).text,
                 gyre_metric_text(arm->metric, r->metric, value, sizeof value));
    else
        snprintf(what, sizeof what, "%s", r->state == GYRE_CELL_DIVERGED ? "diverged" : "FAILED");
    gyre_say("%s, seed %llu: %s, %s%s%s; %d of %d cells to go%s", arm->name, seed, what, time,
             r->message[0] == '\0' ? "" : "; ", r->message, cells_to_go(t),
             gyre_study_cell_count(t->study), left);
}

void study_progress_end(study_progress *t, const gyre_cell_result *result) {
    double seconds = gyre_clock() - t->begun;
    t->busy = false;
    t->left--;
    t->spent += seconds;
    t->trained += isfinite(t->resumed) ? t->share - t->resumed : 0;
    t->states[index_of(t, t->now)] = *result;
    if (t->terminal >= 0)
        draw(t);
    else if (!t->quiet)
        print_line(t, result, seconds);
}

void study_progress_skip(study_progress *t) {
    t->busy = false;
    t->left--;
    if (t->terminal >= 0) look(t);
}

void study_progress_close(study_progress *t) {
    if (t == NULL) return;
    if (t->terminal >= 0) {
        t->busy = false;
        look(t);
        draw(t);
        fputc('\n', stderr);
        close(t->terminal);
    }
    free(t->states);
    free(t);
}
