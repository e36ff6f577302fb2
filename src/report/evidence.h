/* What a study's cells say, gathered once for page, figures and tables. Internal to src/report.
 *
 * The primary metric is the accuracy at the last step, in %; differences are in points. Only seeds
 * enter a comparison with which both arms are done. Everything but `seconds` is a pure function of
 * what the cells computed. */
#ifndef GYRE_EVIDENCE_H
#define GYRE_EVIDENCE_H

#include "cell_log.h"
#include "gyre/metrics.h"
#include "gyre/schedule.h"
#include "gyre/settings.h"
#include "gyre/statistics.h"
#include "gyre/status.h"
#include "gyre/study.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    gyre_cell_result result;
    gyre_tables tables; /* empty when there are none */
    gyre_cell_log log;
    double to_target; /* completed updates; infinite: missed; NaN: cannot be said */
} gyre_evidence_cell;

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
    gyre_summary final, best, test;   /* of done cells, in % */
    gyre_summary below_leader;        /* paired differences: the group's leader minus this arm */
    int states[GYRE_CELL_FAILED + 1]; /* how many cells are in each */
    int done;                         /* done with finite loss and accuracy */
    int diverged;                     /* ended without: gyre_cell_diverged */
    int open;                         /* the rest: missing, interrupted or failed */
    bool ranked;                      /* among the arms of its group that can be chosen */
    int tried, reached;               /* of tried (done or diverged) cells: those at the target */
    double to_target;                 /* median of them, misses infinite; NaN: none */
    double seconds;                   /* mean of done cells */
    gyre_settings *settings;          /* of one cell; NULL: none was begun */
    gyre_schedule *schedule;          /* likewise */
    gyre_band train, loss, accuracy;  /* accuracy in %; at steps that all cells share */
    gyre_band minima_loss, minima_accuracy; /* at the ends of cycles */
} gyre_evidence_arm;

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
    double mean;  /* the leader's over these, in %; NaN: none */
    int diverged; /* cells of each of these that diverged */
} gyre_ranking;

typedef struct {
    gyre_study *study;
    bool single;               /* a run, shown as a study of one cell */
    gyre_evidence_cell *cells; /* [arm * seed_count + seed] */
    gyre_evidence_arm *arms;
    gyre_comparison *comparisons;
    int comparison_count, corrected_count; /* all; without the planned one */
    int *main_control;      /* of each group: whom targets and figures refer to; -1: none */
    double *target;         /* of each group, in %; NaN: none */
    gyre_ranking *rankings; /* of each group */
    bool target_given;
} gyre_evidence;

/* Reads a study's folder or, when it holds a single run, that. `target` in %, NaN: the control's
 * final accuracy. GYRE_EIO when the folder holds neither. Close it in any case. */
gyre_status gyre_evidence_open(const char *folder, double target, gyre_evidence *out);
void gyre_evidence_close(gyre_evidence *e);

/* Fills in what follows from cells and study alone: summaries, targets, comparisons. */
gyre_status gyre_evidence_weigh(gyre_evidence *e, double target);
/* The parts of it for a group's choice and for all comparisons; `values` has room for every seed.
 */
void gyre_evidence_rank(gyre_evidence *e, int group, double *values);
gyre_status gyre_evidence_compare(gyre_evidence *e, double *values);
/* Fills in the bands of all arms from the cells' tables. */
gyre_status gyre_evidence_draw_bands(gyre_evidence *e);

const gyre_evidence_cell *gyre_evidence_at(const gyre_evidence *e, int arm, int seed);
/* Does the cell count in summaries and comparisons? Done, and its numbers are finite. */
bool gyre_cell_counts(const gyre_evidence_cell *c);
/* Do all counted cells of the arm score no better than the most frequent class (src/run/chance.c)?
 * Its share, in %, goes to *chance. */
bool gyre_arm_guesses(const gyre_evidence *e, int arm, double *chance);
/* Did it end, but not with finite numbers? */
bool gyre_cell_diverged(const gyre_evidence_cell *c);
/* The differences first - second of the seeds that both arms have done; returns how many.
 * `values` has room for every seed. */
int gyre_evidence_differences(const gyre_evidence *e, int first, int second, bool best,
                              double *values);
/* Steps at which all counted cells of the group were evaluated, rising; free() them. */
gyre_status gyre_evidence_grid(const gyre_evidence *e, int group, int64_t **steps, size_t *count);
/* The comparison of two arms; NULL when it is not one of those made. */
const gyre_comparison *gyre_evidence_comparison(const gyre_evidence *e, int arm, int control);

#endif
