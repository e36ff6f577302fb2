/* A run: the training loop, evaluation, resume; and what other commands need of a run folder.
 *
 * Folder: config.json (resolved), metrics.h5, checkpoints/, log.jsonl, lock, plots/. */
#ifndef GYRE_RUN_H
#define GYRE_RUN_H

#include "gyre/bounds.h"
#include "gyre/checkpoint.h"
#include "gyre/comm.h"
#include "gyre/evaluator.h"
#include "gyre/events.h"
#include "gyre/latents.h"
#include "gyre/likeness.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stdint.h>

/* A run that another one goes on from: its folder, and the updates of the checkpoint there. */
typedef struct {
    const char *folder; /* NULL: none */
    int64_t completed;
} gyre_branch;

typedef struct {
    const char *out;    /* run folder; wins over output.dir */
    gyre_branch branch; /* a new run begins there: its settings have that run's past */
    int64_t stop_after; /* checkpoint after this many completed updates and return; 0: to the end */
    bool extended;      /* the last stage may be new to the run: it continues with it */
    bool allow_inexact; /* resume although the last bits may differ */
    bool quiet;         /* no progress line */
    bool profile;       /* measure where the time goes; a table at the end, and in profile.txt */
    /* A cell of a study: evaluations at minima are rows of /cycles alone, so that all arms have
     * /validation rows of the same steps, and the test part is left to the study. */
    bool cell;
    uint64_t data_hash, init_hash; /* what the files of both must be, or another error; 0: any */
    /* Called on rank 0 after each update, with the metric of the last evaluation (NaN: none yet in
     * this launch). NULL: not called. */
    void (*watch)(void *context, int64_t completed, int64_t steps, double metric);
    void *context;
    /* Called on rank 0 once the run's folder is there and its log is open: what the caller has to
     * put into them. NULL: nothing. */
    gyre_status (*opened)(void *opened_context, const char *folder, gyre_events *events);
    void *opened_context;
} gyre_train_options;

/* Trains `settings` into a run folder, resuming when it already holds this run. Collective. */
gyre_status gyre_train(const gyre_settings *settings, const gyre_train_options *options,
                       gyre_comm *comm);

/* SIGINT, SIGTERM, SIGHUP (unless ignored, as under nohup), SIGUSR1, SIGUSR2 and SIGXCPU raise a
 * flag: a run checkpoints and ends with GYRE_EPREEMPTED. A second SIGINT ends the process at once
 * with GYRE_EINTERRUPTED. gyre_train and gyre_find_run catch them for their own time; a caller that
 * catches them around several runs keeps the flag from one to the next. */
void gyre_stop_catch(void);
/* Called by the first that caught: restores the default actions, except of SIGUSR1, SIGUSR2 and
 * SIGXCPU, which are ignored from now on. After a run that was stopped all stay caught, since the
 * signal may yet come to this rank. */
void gyre_stop_release(bool stopped);
/* For the whole process: the reader of its messages may go away; lines are then dropped. */
void gyre_stop_ignore_pipe(void);
bool gyre_stop_wanted(void);

/* What is scored: a checkpoint (or a run folder's newest, where there is none its best.h5) on one
 * part ("test", "validation", "train") of a dataset file; `data` NULL: the run's own. Where the run
 * cut its training samples, by a split or a subset, "train" and "validation" are as it cut them.
 * With `config`, any file of weights as model.init_from takes them, all of which must be there, in
 * the config's network and on its dataset. */
typedef struct {
    const char *file, *config, *data, *part;
    gyre_weights_choice weights;
    const gyre_views *views; /* of each picture; NULL: those of the config */
    bool bounds;             /* of a network that denoises, also those of gyre/bounds.h */
    int samples; /* so many of it are made and compared with pictures, 2 to GYRE_GENERATED_MOST; 0:
                    none are */
    bool tells;  /* rank 0 says when it begins with these */
    const char *features; /* also by the features of this classifier's checkpoint; NULL: not */
} gyre_evaluated;

/* Samples of a network that denoises, made as its config's section `sample` says, from the seeds 0,
 * 1, ..., beside pictures of the scored part and the training samples. */
enum { GYRE_GENERATED_MOST = 100000 };
typedef struct {
    int made, held; /* samples, and pictures from all over the part */
    int64_t train;
    bool pictures; /* of 1 or 3 channels, in bytes */
    gyre_copying copying;
    char features[96]; /* "resnet20 0123456789abcdef": network and hash; "": without them */
    gyre_kernel_distance kernel;
    gyre_latents samples, nearest; /* and the training sample nearest to each, as the dataset has it
                                    */
} gyre_generated;

/* Its loss and metric. Close it. */
typedef struct {
    char *checkpoint;  /* its path */
    int64_t completed; /* its updates; -1: it is a file of weights */
    bool has_average;  /* of its weights */
    bool averaged;     /* the score is of that */
    int64_t best;      /* of best.h5 beside it, when a folder was given; -1: none, or it is this */
    bool of_run;       /* the samples are as the run cut them, not a whole part of the file */
    int64_t samples;
    gyre_score score;
    int classes;
    int64_t *class_samples;  /* (classes) */
    int64_t *class_hits;     /* (classes): the samples whose largest output is their class */
    char (*class_names)[64]; /* (classes) */
    bool named;              /* they are names, not numbers */
    size_t outputs_each;     /* outputs of a sample */
    gyre_not_finite bad;     /* sample; looked for where the loss is not finite */
    bool labelled;           /* each sample has one label; else no classes are counted */
    bool bounded;            /* `bounds` is there */
    gyre_bounds bounds;
    gyre_generated generated; /* made 0: none */
} gyre_evaluation;
/* Reads what the network gives for each sample: on rank 0, batch after batch in the order of the
 * part, when all of `e` but checkpoint, score, class_samples, class_hits and bad is there. */
typedef struct {
    gyre_status (*take)(void *context, const gyre_evaluation *e, const gyre_outputs *o);
    void *context;
} gyre_output_reader;
/* `reader` may be NULL. Collective. */
gyre_status gyre_evaluate(const gyre_evaluated *what, const gyre_output_reader *reader,
                          gyre_comm *comm, gyre_evaluation *out);
void gyre_evaluation_close(gyre_evaluation *e);

/* A snapshot of a run at a minimum of its rate, and the ensemble of it and all later ones. */
typedef struct {
    int64_t completed;
    gyre_score score;                        /* its own */
    double ensemble_loss, ensemble_accuracy; /* rank 0's */
} gyre_ensemble_member;
typedef struct {
    gyre_ensemble_member *members; /* (count), the newest first */
    int count, minima;             /* minima: those up to the newest checkpoint */
    int64_t samples;
    bool averaged; /* the members are averages of weights */
} gyre_ensemble;
/* Scores the checkpoints at minima of the run in the folder `what->file`, and the means of their
 * softmax probabilities, on a part of a dataset; of `what`, data, part and weights count besides.
 * GYRE_EUSAGE: the loss is no cross-entropy; GYRE_EIO: it has none. Collective; close `out`. */
gyre_status gyre_evaluate_ensemble(const gyre_evaluated *what, gyre_comm *comm, gyre_ensemble *out);
void gyre_ensemble_close(gyre_ensemble *e);

/* Can the checkpoint, or run folder, give features of pictures (h, w, c)? GYRE_EIO, GYRE_EUSAGE. */
gyre_status gyre_features_check(const char *path, int h, int w, int c);

#endif
