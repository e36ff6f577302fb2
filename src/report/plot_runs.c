/* Curves of one or several runs: learning rate, training loss, and loss and metric of the
 * evaluations, over one axis of steps. */
#include "gyre/plot.h"

#include "captions.h"
#include "figure.h"
#include "gnuplot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Okabe and Ito's colours, told apart by colour-blind readers too; then dashes. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#e69f00", "#56b4e9", "#000000"};
enum { COLOURS = sizeof colours / sizeof colours[0], RUNS_MAX = 4 * COLOURS };
enum { DOTS_MAX = 20 };    /* rows that are also shown as dots: of one, no line can be seen */
enum { UNIT_SHORT = 16 };  /* letters of a unit that leaves room for a note in the heading */
enum { NUMBERS_MAX = 12 }; /* values of the metric written beside their points */

/* The data blocks of one run. */
typedef struct {
    int lr, raw, smooth, loss, metric, minima_loss, minima_metric;
} blocks;

typedef struct {
    const gyre_metric *metric;
    char loss_unit[REPORT_UNIT_MAX];
    report_run *runs;
    blocks *blocks;
    int count;
    bool validated; /* some run was evaluated */
    report_range lr, train, loss, values;
} picture;

/* ---- tables as points */

typedef double (*column)(const void *rows, size_t i);
static double train_x(const void *rows, size_t i) {
    return (double)((const gyre_train_row *)rows)[i].step;
}
static double train_lr(const void *rows, size_t i) {
    return ((const gyre_train_row *)rows)[i].lr;
}
static double train_loss(const void *rows, size_t i) {
    return ((const gyre_train_row *)rows)[i].loss;
}
static double validation_x(const void *rows, size_t i) {
    return (double)((const gyre_validation_row *)rows)[i].step;
}
static double validation_loss(const void *rows, size_t i) {
    return ((const gyre_validation_row *)rows)[i].loss;
}
static double validation_metric(const void *rows, size_t i) {
    return ((const gyre_validation_row *)rows)[i].metric;
}
static double cycle_x(const void *rows, size_t i) {
    return (double)((const gyre_cycle_row *)rows)[i].end_step;
}
static double cycle_loss(const void *rows, size_t i) {
    return ((const gyre_cycle_row *)rows)[i].loss;
}
static double cycle_metric(const void *rows, size_t i) {
    return ((const gyre_cycle_row *)rows)[i].metric;
}

static report_point *points_of(const void *rows, size_t count, column x, column y,
                               const gyre_metric *shown) {
    report_point *points = calloc(count + 1, sizeof *points);
    for (size_t i = 0; points != NULL && i < count; i++) {
        double value = y(rows, i);
        points[i] = (report_point){x(rows, i), shown ? gyre_metric_shown(shown, value) : value};
    }
    return points;
}

static void widen(report_range *range, const report_point *points, size_t count) {
    double least = 0, greatest = 0;
    if (!report_series_extent(points, count, &least, &greatest)) return;
    if (!(range->lo <= least)) range->lo = least; /* also from NaN */
    if (!(range->hi >= greatest)) range->hi = greatest;
}

/* ---- data blocks */

typedef struct {
    const char *comment; /* of the data block */
    const char *run;
    const void *rows;
    size_t count;
    column x, y;
    const gyre_metric *shown; /* y is a value of it, to be drawn in its unit; NULL: of none */
} series;

static gyre_status thin_block(report_figure *f, const series *from, report_range *range,
                              int *index) {
    char comment[512];
    report_point *points = points_of(from->rows, from->count, from->x, from->y, from->shown);
    report_point *thin = calloc(REPORT_SERIES_MAX, sizeof *thin);
    gyre_status status = GYRE_OK;
    if (points == NULL || thin == NULL) {
        status = gyre_no_memory("drawing %zu rows", from->count);
        goto out;
    }
    size_t drawn = report_series_thin(points, from->count, thin);
    if (range != NULL) widen(range, points, from->count);
    snprintf(
        comment, sizeof comment, "%s, %zu rows of %zu%s, run %s", from->comment, drawn, from->count,
        drawn < from->count ? " (first, least, greatest and last of each stretch)" : "", from->run);
    for (char *c = comment; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == '\\') *c = '?'; /* it is a comment of one line */
    }
    *index = report_figure_block(f, comment, thin, drawn);
    if (drawn < from->count) fprintf(f->gp, "# index %d: %s.\n", *index, comment);
out:
    free(points);
    free(thin);
    return status;
}

static gyre_status smooth_block(report_figure *f, const report_run *r, report_range *range,
                                int *index) {
    size_t count = r->content.tables.train_count, half = report_series_half(count);
    char comment[96];
    report_point *points = points_of(r->content.tables.train, count, train_x, train_loss, NULL);
    report_point *smooth = calloc(REPORT_SERIES_BUCKETS, sizeof *smooth);
    gyre_status status = GYRE_OK;
    if (points == NULL || smooth == NULL) {
        status = gyre_no_memory("drawing %zu rows", count);
        goto out;
    }
    size_t drawn = report_series_smooth(points, count, half, smooth);
    widen(range, smooth, drawn);
    snprintf(comment, sizeof comment, "training loss, means of %zu rows around a step",
             2 * half + 1);
    *index = report_figure_block(f, comment, smooth, drawn);
out:
    free(points);
    free(smooth);
    return status;
}

static gyre_status run_blocks(report_figure *f, picture *p, int i, report_range *raw) {
    const report_run *r = &p->runs[i];
    const gyre_tables *t = &r->content.tables;
    const gyre_metric *m = p->metric;
    blocks *b = &p->blocks[i];
    const void *train = t->train, *validation = t->validation, *cycles = t->cycles;
    size_t n = t->train_count, v = t->validation_count, c = t->cycle_count;
    const series lr = {"learning rate", r->name, train, n, train_x, train_lr, NULL};
    const series losses = {"training loss", r->name, train, n, train_x, train_loss, NULL};
    const series loss = {"evaluation loss", r->name,         validation, v,
                         validation_x,      validation_loss, NULL};
    char comment[REPORT_UNIT_MAX], minima_comment[REPORT_UNIT_MAX];
    snprintf(comment, sizeof comment, "%s%s%s", gyre_metric_prose(m).text,
             *m->unit == '\0' ? "" : " in ", m->unit);
    snprintf(minima_comment, sizeof minima_comment, "%.100s at minima", comment);
    const series metric = {comment, r->name, validation, v, validation_x, validation_metric, m};
    const series minima = {
        "evaluation loss at minima", r->name, cycles, c, cycle_x, cycle_loss, NULL};
    const series minima_metric = {minima_comment, r->name, cycles, c, cycle_x, cycle_metric, m};
    GYRE_TRY(thin_block(f, &lr, &p->lr, &b->lr));
    GYRE_TRY(thin_block(f, &losses, raw, &b->raw));
    GYRE_TRY(smooth_block(f, r, &p->train, &b->smooth));
    GYRE_TRY(thin_block(f, &loss, &p->loss, &b->loss));
    GYRE_TRY(thin_block(f, &metric, &p->values, &b->metric));
    GYRE_TRY(thin_block(f, &minima, NULL, &b->minima_loss));
    return thin_block(f, &minima_metric, NULL, &b->minima_metric);
}

/* ---- ranges */

static report_range with_margins(report_range r, double below, double above) {
    if (!(r.lo <= r.hi)) return (report_range){0, 1, false};
    double span = r.hi > r.lo ? r.hi - r.lo : (r.hi != 0 ? fabs(r.hi) : 1);
    return (report_range){r.lo - below * span, r.hi + above * span, false};
}

/* Decades are shown on a log axis; else from 0, and single wild steps may leave the panel. */
static report_range loss_range(report_range smooth, report_range raw) {
    if (!(smooth.lo <= smooth.hi)) return with_margins(raw, 0.1, 0.1);
    if (smooth.lo > 0 && smooth.hi > 8 * smooth.lo) {
        return (report_range){smooth.lo / 1.6, smooth.hi * 1.3, true};
    }
    double hi = fmin(raw.hi, 1.5 * smooth.hi);
    return (report_range){smooth.lo < 0 ? smooth.lo : 0, hi > 0 ? 1.05 * hi : 1, false};
}

static gyre_status fill(report_figure *f, picture *p) {
    const report_range none = {NAN, NAN, false};
    report_range raw = none;
    p->lr = p->train = p->loss = p->values = none;
    for (int i = 0; i < p->count; i++) {
        GYRE_TRY(run_blocks(f, p, i, &raw));
        if (p->runs[i].content.tables.validation_count > 0) p->validated = true;
    }
    if (p->lr.lo > 0) p->lr.lo = 0;
    p->lr = with_margins(p->lr, 0, 0.2);
    p->train = loss_range(p->train, raw);
    p->loss = with_margins(p->loss, 0.12, 0.12);
    p->values = with_margins(p->values, 0.12, 0.3);
    const double most = 1.01 * p->metric->factor; /* of a share, and a little above */
    if (p->metric->is_share && p->values.hi > most) p->values.hi = most;
    return GYRE_OK;
}

/* ---- panels */

static void style(FILE *gp, int i) {
    fprintf(gp, " linecolor rgb '%s'", colours[i % COLOURS]);
    if (i >= COLOURS) fprintf(gp, " dashtype %d", 1 + i / COLOURS);
}

static void lay_out_legend(const picture *p, report_frame *frame) {
    size_t longest = 0;
    char text[128];
    for (int i = 0; i < p->count; i++) {
        report_caption_legend(&p->runs[i], text, sizeof text);
        if (strlen(text) > longest) longest = strlen(text);
    }
    int columns = 100 / ((int)longest + 8); /* letters in a line */
    frame->legend_columns = columns < 1 ? 1 : columns > 5 ? 5 : columns;
    const bool subtitled = frame->subtitle[0] != '\0'; /* else one row has the subtitle's room */
    frame->legend_rows = (p->count - 1) / frame->legend_columns + (subtitled ? 1 : 0);
}

static void curve(FILE *gp, const picture *p, int i, int index, const char *style_of_line,
                  bool named) {
    char text[128];
    fprintf(gp, "%s DATA index %d with %s", i == 0 ? "plot" : ", \\\n    ", index, style_of_line);
    style(gp, i);
    if (named && p->count > 1) {
        report_caption_legend(&p->runs[i], text, sizeof text);
        fputs(" title ", gp);
        report_quote(gp, text);
    } else {
        fputs(" notitle", gp);
    }
}

static void more(FILE *gp, int i, int index, const char *style_of_line) {
    fprintf(gp, ", \\\n     DATA index %d with %s", index, style_of_line);
    style(gp, i);
    fputs(" notitle", gp);
}

static const char *lines(const report_run *r) {
    if (r->content.tables.train_count > DOTS_MAX) return "lines linewidth 2";
    return "linespoints linewidth 2 pointtype 7 pointsize 0.4";
}

static void lr_panel(report_figure *f, const report_frame *frame, const picture *p, bool cycles) {
    if (cycles) report_frame_cycle_names(f, p->runs[0].content.schedule);
    if (p->count > 1) report_frame_legend(f, frame);
    report_frame_panel(f, frame, 0, "learning rate", p->lr);
    for (int i = 0; i < p->count; i++) {
        curve(f->gp, p, i, p->blocks[i].lr, lines(&p->runs[i]), true);
    }
    fputs("\nunset key\n", f->gp);
    if (cycles) report_frame_cycle_names_end(f, p->runs[0].content.schedule);
}

static void train_panel(report_figure *f, const report_frame *frame, const picture *p) {
    char heading[160], note[96], quantity[REPORT_UNIT_MAX];
    size_t half = report_series_half(p->runs[0].content.tables.train_count);
    char mean[48] = "2 % of the run";
    if (p->count == 1) {
        snprintf(mean, sizeof mean, "%zu step%s", 2 * half + 1, half == 0 ? "" : "s");
    }
    snprintf(note, sizeof note, "%sdark: mean of %s",
             strlen(p->loss_unit) > UNIT_SHORT ? "" : "light: every step, ", mean);
    snprintf(heading, sizeof heading, "%s%s",
             report_quantity("training loss", p->loss_unit, note, quantity),
             p->train.log ? ", log scale" : "");
    report_frame_panel(f, frame, 1, heading, p->train);
    for (int i = 0; i < p->count; i++) {
        fprintf(f->gp, "%s DATA index %d with lines linewidth 0.7 linecolor rgb '#%s%s' notitle",
                i == 0 ? "plot" : ", \\\n    ", p->blocks[i].raw, p->count > 1 ? "d0" : "b0",
                colours[i % COLOURS] + 1); /* the first two digits: how clear it is */
    }
    for (int i = 0; i < p->count; i++) more(f->gp, i, p->blocks[i].smooth, lines(&p->runs[i]));
    fputc('\n', f->gp);
}

static size_t most_cycles(const picture *p) {
    size_t most = 0;
    for (int i = 0; i < p->count; i++) {
        if (p->runs[i].content.tables.cycle_count > most)
            most = p->runs[i].content.tables.cycle_count;
    }
    return most;
}

/* gnuplot 5.4 dies of labels that have no defined point. */
static bool has_numbers(const picture *p) {
    const gyre_tables *t = &p->runs[0].content.tables;
    if (p->count > 1 || t->cycle_count > NUMBERS_MAX) return false;
    for (size_t i = 0; i < t->cycle_count; i++) {
        if (isfinite(t->cycles[i].metric)) return true;
    }
    return false;
}

static void evaluation_panel(report_figure *f, const report_frame *frame, const picture *p,
                             bool metric) {
    char name[REPORT_UNIT_MAX], heading[REPORT_UNIT_MAX];
    snprintf(name, sizeof name, "%s %s", report_caption_part(p->runs, p->count),
             metric ? gyre_metric_prose(p->metric).text : "loss");
    report_quantity(name, metric ? p->metric->unit : p->loss_unit,
                    most_cycles(p) > 0 ? "large dots: at minima of the rate" : "", heading);
    report_frame_panel(f, frame, metric ? 3 : 2, heading, metric ? p->values : p->loss);
    for (int i = 0; i < p->count; i++) {
        const blocks *b = &p->blocks[i];
        curve(f->gp, p, i, metric ? b->metric : b->loss,
              "linespoints linewidth 1.5 pointtype 7 pointsize 0.35", false);
        more(f->gp, i, metric ? b->minima_metric : b->minima_loss,
             "points pointtype 7 pointsize 0.9");
    }
    if (metric && has_numbers(p)) {
        const int digits = p->metric->decimals > 0 ? p->metric->decimals - 1 : 0;
        fprintf(f->gp,
                ", \\\n     DATA index %d using 1:2:(sprintf('%%.%df', $2)) with labels "
                "offset character 0, 0.9 textcolor rgb '%s' notitle",
                p->blocks[0].minima_metric, digits, colours[0]);
    }
    fputc('\n', f->gp);
}

/* ---- the figure */

static bool same_cycles(const gyre_schedule *a, const gyre_schedule *b) {
    size_t count = gyre_schedule_cycle_count(a);
    if (count != gyre_schedule_cycle_count(b)) return false;
    for (size_t i = 0; i < count; i++) {
        gyre_cycle x = gyre_schedule_cycle(a, i), y = gyre_schedule_cycle(b, i);
        if (x.first != y.first || x.last != y.last) return false;
    }
    return true;
}

static gyre_status draw(report_figure *f, picture *p) {
    char heading[640], subtitle[320], below[96];
    bool cycles = true;
    report_caption_title(p->runs, p->count, heading, sizeof heading);
    report_caption_subtitle(p->runs, p->count, subtitle, sizeof subtitle);
    report_caption_x_label(p->runs, p->count, below, sizeof below);
    report_frame frame = {.title = heading, .subtitle = subtitle, .x_label = below};
    if (p->count > 1) lay_out_legend(p, &frame);
    for (int i = 0; i < p->count; i++) {
        int64_t steps = gyre_schedule_steps(p->runs[i].content.schedule);
        if (steps > frame.steps) frame.steps = steps;
        if (!same_cycles(p->runs[0].content.schedule, p->runs[i].content.schedule)) cycles = false;
        if (p->runs[i].content.tables.validation_count > 0) p->validated = true;
    }
    frame.panels = p->validated ? 4 : 2;
    report_frame_begin(f, &frame);
    GYRE_TRY(fill(f, p));
    if (cycles) report_frame_cycles(f, p->runs[0].content.schedule);
    lr_panel(f, &frame, p, cycles);
    train_panel(f, &frame, p);
    if (p->validated) {
        evaluation_panel(f, &frame, p, false);
        evaluation_panel(f, &frame, p, true);
    }
    report_frame_end(f);
    return report_figure_finish(f);
}

gyre_status gyre_plot_runs(char *const *run_dirs, int count, const char *output) {
    report_figure f;
    picture p = {.count = count};
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    if (count < 1 || count > RUNS_MAX) {
        status =
            gyre_fail(GYRE_EUSAGE,
                      "%d runs: 1 to %d can be drawn in a figure; draw fewer, or let `gyre report "
                      "DIR` show all cells of a study",
                      count, RUNS_MAX);
        goto out;
    }
    p.runs = calloc((size_t)count, sizeof *p.runs);
    p.blocks = calloc((size_t)count, sizeof *p.blocks);
    if (p.runs == NULL || p.blocks == NULL) {
        status = gyre_no_memory("%d runs", count);
        goto out;
    }
    for (int i = 0; i < count; i++) GYRE_GOTO(report_run_open(run_dirs[i], &p.runs[i]));
    GYRE_GOTO(report_runs_name(p.runs, count));
    GYRE_GOTO(report_runs_units(p.runs, count, &p.metric, p.loss_unit));
    status = draw(&f, &p);
out:
    for (int i = 0; p.runs != NULL && i < count; i++) report_run_close(&p.runs[i]);
    free(p.runs);
    free(p.blocks);
    report_figure_close(&f);
    return status;
}
