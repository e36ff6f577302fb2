/* The results of a study: its cells, and what follows from them for arms and comparisons.
 *
 * What arms are compared by is the metric at the last step, in the unit of people (in % where
 * it is a share), and so are differences. Only seeds enter a comparison with which both arms are
 * done. Everything but `seconds` is a pure function of
 * what the cells computed. */
#ifndef GYRE_RESULTS_H
#define GYRE_RESULTS_H

#include "gyre/metrics.h"
#include "gyre/schedule.h"
#include "gyre/settings.h"
#include "gyre/statistics.h"
#include "gyre/status.h"
#include "gyre/study.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a cell's log.jsonl tells beside its tables. Of runs of older programs some is not
 * known, which is 0, false or NULL here. */
typedef struct {
    double chance;     /* share of the most frequent class among the scored samples */
    bool guesses;      /* its last score is no better than that */
    char *machine;     /* what may change bits (the processor, the libraries); NULL: not known */
    bool moved;        /* it was computed on more than one of these, or on unlike ones at once */
    int64_t test_step; /* completed updates at the last score on the test part */
    double test_loss, test_metric;
} gyre_cell_log;

typedef struct {
    gyre_cell_result result;
    gyre_tables tables; /* empty when there are none */
    gyre_cell_log log;
    double to_target; /* completed updates; infinite: missed; NaN: cannot be said */
} gyre_results_cell;

/* One value at each of some steps, over seeds. */
typedef struct {
    double step;
    int seeds;
    double mean, least, greatest;
} gyre_band_point;
typedef struct {
    gyre_band_point *points;
    size_t count;
} gyre_band;

typedef struct {
    gyre_summary final, best, test;   /* of done cells, in the metric's unit */
    gyre_summary behind_leader;       /* by how much it is worse than the group's leader, paired */
    int states[GYRE_CELL_FAILED + 1]; /* how many cells are in each */
    int done;                         /* done with finite loss and metric */
    int diverged;                     /* ended without: gyre_cell_diverged */
    int open;                         /* the rest: missing, interrupted or failed */
    bool ranked;                      /* among the arms of its group that can be chosen */
    int tried, reached;               /* of tried (done or diverged) cells: those at the target */
    double to_target;                 /* median of them, misses infinite; NaN: none */
    double seconds;                   /* mean of done cells */
    gyre_settings *settings;          /* of one cell; NULL: none was begun */
    gyre_schedule *schedule;          /* likewise */
    gyre_band train, loss, metric;    /* metric in its unit; at steps that all cells share */
    gyre_band minima_loss, minima_metric; /* at the ends of cycles */
} gyre_results_arm;

typedef enum {
    GYRE_FINDING_NOTHING, /* fewer than two seeds have both */
    GYRE_FINDING_TOO_FEW, /* no difference could have been shown with so many seeds */
    GYRE_FINDING_NONE,    /* none was shown */
    GYRE_FINDING_BETTER,  /* than the control */
    GYRE_FINDING_WORSE
} gyre_finding;

typedef struct {
    int arm, control;
    bool planned;
    gyre_summary final, best; /* differences arm - control */
    gyre_interval bootstrap;  /* of the mean of `final`; NaN below 20 seeds */
    double p, least;          /* sign flips, and the least possible */
    double corrected;         /* by Holm; the planned comparison's is its p */
    double corrected_least;
    gyre_finding finding;
} gyre_comparison;

/* Which arm of a group would be chosen (docs/reports.md, "Choice"). */
typedef struct {
    int leader;   /* -1: none */
    int ranked;   /* how many arms it was chosen among: those marked `ranked` */
    int seeds;    /* with which all of these are done */
    double mean;  /* the leader's over these, in the metric's unit; NaN: none */
    int diverged; /* cells of each of these that diverged */
} gyre_ranking;

typedef struct {
    gyre_study *study;
    const gyre_metric *metric; /* of all cells */
    bool single;               /* a run, shown as a study of one cell */
    gyre_results_cell *cells;  /* [arm * seed_count + seed] */
    gyre_results_arm *arms;
    gyre_comparison *comparisons;
    int comparison_count, corrected_count; /* all; without the planned one */
    int *main_control;      /* of each group: whom targets and figures refer to; -1: none */
    double *target;         /* of each group, in the metric's unit; NaN: none */
    gyre_ranking *rankings; /* of each group */
    bool target_given;
} gyre_results;

/* Reads a study's folder or, when it holds a single run, that. `target` in the metric's
 * unit, NaN: the control's final mean. GYRE_EIO when the folder holds neither, or cells whose
 * metrics are not the same; GYRE_EUSAGE when the metric cannot have the target. Close it in any
 * case. */
gyre_status gyre_results_open(const char *folder, double target, gyre_results *out);
void gyre_results_close(gyre_results *e);

const gyre_results_cell *gyre_results_at(const gyre_results *e, int arm, int seed);
/* Does the cell count in summaries and comparisons? Done, and its numbers are finite. */
bool gyre_cell_counts(const gyre_results_cell *c);
/* Do all counted cells of the arm score no better than the most frequent class?
 * Its share goes to *chance. */
bool gyre_arm_guesses(const gyre_results *e, int arm, double *chance);
/* Did it end, but not with finite numbers? */
bool gyre_cell_diverged(const gyre_results_cell *c);
/* The differences first - second of the seeds that both arms have done; returns how many.
 * `values` has room for every seed. */
int gyre_results_differences(const gyre_results *e, int first, int second, bool best,
                             double *values);
/* Steps at which all counted cells of the group were evaluated, rising; free() them. */
gyre_status gyre_results_grid(const gyre_results *e, int group, int64_t **steps, size_t *count);
/* The comparison of two arms; NULL when it is not one of those made. */
const gyre_comparison *gyre_results_comparison(const gyre_results *e, int arm, int control);

#endif
