/* A study: a base config x arms x paired seeds at equal budget; its cells, and what became of them.
 *
 * A cell is one arm with one seed: a run folder like any other. Cells of one seed share initial
 * weights, sample order and augmentation, so what differs between them is the arm's alone.
 *
 * Folder: study.json (resolved: every arm written out; a study file that says otherwise is
 * refused), cells/ARM/seed-SEED/ (the cell's run folder) and in it result.json, written when the
 * cell has ended. */
#ifndef GYRE_STUDY_H
#define GYRE_STUDY_H

#include "gyre/comm.h"
#include "gyre/metric.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define GYRE_STUDY_FILE "study.json" /* in the study folder */

typedef struct {
    char *name;         /* "10-cycles": also the name of its folder */
    char *sentence;     /* how it differs from the base: "schedule.cycles 10" */
    bool control;       /* one that every study has unless switched off */
    int group;          /* arms are compared within a group only (one dataset size); from 0 */
    uint64_t data_hash; /* of the dataset (gyre_dataset_hash) */
    uint64_t init_hash; /* of model.init_from's file; 0: none, or it was not there yet */
    bool has_test;      /* the dataset has a test part; known with settings only */
    const gyre_metric *metric; /* of its loss; known with settings only */
    char *warnings; /* of its schedule, a line each; NULL in a study read from its folder */
    gyre_settings
        *settings; /* resolved except for the seed; NULL in a study read from its folder */
} gyre_study_arm;

typedef struct {
    char *name, *folder;
    gyre_study_arm *arms;
    int arm_count;
    char **groups; /* names of the groups, "2000 images"; one group named "" when there is one */
    int group_count;
    uint64_t *seeds;
    int seed_count;
    int64_t budget_steps;      /* updates of every cell, in all groups */
    int64_t evaluate_steps;    /* updates between evaluations, the same for all arms */
    double validation_split;   /* of the training part; 0: the dataset's own /validation */
    int64_t validation_images; /* of the dataset with the fewest; known with settings */
    char *gaps;                /* gyre_dataset_gaps of the first that has some, else NULL */
    /* The one comparison that was planned, as indices of arms; -1: none. */
    int planned_arm, planned_control;
    int samples; /* that each cell makes at its end and compares with the part test; 0: none */
    char *features; /* the classifier that compares them too; NULL: none; of a study file alone */
} gyre_study;

/* MISSING: not begun. INTERRUPTED: a run folder without a result. FAILED: ended by an error, whose
 * text is in `message`; such a cell is tried again when the study is started again. */
typedef enum {
    GYRE_CELL_MISSING,
    GYRE_CELL_INTERRUPTED,
    GYRE_CELL_DONE,
    GYRE_CELL_DIVERGED,
    GYRE_CELL_FAILED
} gyre_cell_state;

typedef struct {
    gyre_cell_state state;
    int64_t steps;                 /* completed updates */
    const gyre_metric *of;         /* what its metric is; NULL: not known */
    double loss, metric;           /* validation split, at the last step; NaN when not done */
    double best_metric;            /* over all evaluations: exploratory */
    double averages[GYRE_AVERAGE_COUNT]; /* metric at the last step by kind of average, and of the
                                            last weights; NaN of those that the run did not keep */
    double test_loss, test_metric; /* test part, once, at the end; NaN when there is none */
    int samples;                   /* made at the end; 0: none, and the next lines are NaN and "" */
    double copying, copying_p;     /* gyre_copying: nearer, p */
    double kernel_distance, kernel_error; /* NaN without features */
    char features[96];                    /* gyre_generated */
    double seconds;                       /* of training, over all sittings */
    uint64_t hash;                 /* of the parameters at the end */
    char message[GYRE_ERROR_MAX];  /* why it failed or diverged, else "" */
} gyre_cell_result;

static inline void gyre_cell_has_no_averages(gyre_cell_result *r) {
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) r->averages[kind] = (double)NAN;
}

/* Reads a study file and resolves its arms against the base config. Errors: GYRE_EUSAGE naming
 * file and key path. Close the result. */
gyre_status gyre_study_open(const char *path, gyre_study **out);
/* Reads back what a study folder was made for, from its study.json. GYRE_EIO when it holds none,
 * GYRE_EDEVICE without memory. */
gyre_status gyre_study_read(const char *folder, gyre_study **out);
void gyre_study_close(gyre_study *s);
/* Warns of what makes a study that was opened from its file weak, though it can be run. */
void gyre_study_warn(const gyre_study *s);

/* Cells are counted seed by seed, so that pairs are complete early: 0..count-1. */
typedef struct {
    int arm, seed; /* indices */
} gyre_study_cell;
int gyre_study_cell_count(const gyre_study *s);
gyre_study_cell gyre_study_cell_at(const gyre_study *s, int index);

/* The cell's run folder; a fresh string (free() it), NULL if out of memory. */
char *gyre_study_cell_folder(const gyre_study *s, int arm, int seed);
/* What became of a cell. Errors: GYRE_EIO when its result.json is there but cannot be read. */
gyre_status gyre_study_result(const gyre_study *s, int arm, int seed, gyre_cell_result *out);

typedef struct {
    const char *out;    /* study folder */
    int64_t cell;       /* run this one alone; -1: all that are not finished */
    int64_t parallel;   /* cells side by side, each on an equal part of the ranks; at least 1 */
    bool allow_inexact; /* resume cells although the last bits may differ */
    bool quiet;
} gyre_study_options;

/* Runs a study that was opened from its file. Finished cells are skipped, interrupted ones are
 * resumed, failed ones are tried again; a cell that another process works on is left to it.
 * Diverged cells are results. GYRE_EUSAGE when the folder holds another study (with the
 * differences) or there is no such cell; GYRE_EPREEMPTED after a signal, with a checkpoint; when
 * cells failed, the status of one of them, after all others were run. Collective. */
gyre_status gyre_study_run(gyre_study *s, const gyre_study_options *options, gyre_comm *comm);

#endif
