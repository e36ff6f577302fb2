/* An evaluation under way: of a checkpoint (evaluate_checkpoint.c), or of weights from elsewhere in
 * the network of a config (evaluate_weights.c). Internal to src/run. */
#ifndef GYRE_RUN_EVALUATION_H
#define GYRE_RUN_EVALUATION_H

#include "gyre/checkpoint.h"
#include "gyre/evaluator.h"
#include "gyre/run.h"
#include "gyre/settings.h"

typedef struct {
    char *checkpoint;           /* or the file of weights */
    int64_t best;               /* updates of the best.h5 beside it, -1: there is none */
    bool of_config;             /* no run: weights from elsewhere in the network of a config */
    gyre_settings *settings;    /* of the run or the config, NULL: the checkpoint is alone */
    const char *lacks_settings; /* then why */
    gyre_dataset *data;
    bool own;             /* it is the dataset of the run or the config */
    gyre_samples samples; /* as the run cut them, when that is what is scored */
    gyre_view view;       /* that is scored */
    gyre_passes passes;   /* through it, as in the run's own evaluations of this part */
    gyre_model *model;
    gyre_snapshot snapshot;
    gyre_class_names names; /* that the network learned; count 0: unknown */
    gyre_backend *backend;
    gyre_weights *weights;
    gyre_evaluator *evaluator;
    double *classes;
} evaluation;

/* The samples that the run trained on, or held out by a split, when this is its dataset (known by
 * its hash); else a part of the file. */
gyre_status evaluation_find_view(evaluation *e, const char *data, const char *part,
                                 uint64_t trained_on);
/* The network for the view's images, with the name, layers and loss of `settings` (their classes as
 * well). Its classes are not fewer than the dataset's, nor other ones. */
gyre_status evaluation_open_model(evaluation *e, const gyre_model_settings *settings,
                                  uint64_t trained_on, const char *data);
/* What the score is to be read against can be computed: the network denoises, and what it was
 * trained on is known. GYRE_EUSAGE. */
gyre_status evaluation_check_bounds(const evaluation *e);
/* Computes it. Collective. */
gyre_status evaluation_bounds(evaluation *e, gyre_comm *comm, gyre_bounds *out);
/* The samples that the run trained on, into e->samples; evaluation_check_bounds or
 * evaluation_check_samples went before. */
gyre_status evaluation_find_training(evaluation *e);
/* Samples can be made and compared as `what` asks. GYRE_EUSAGE, GYRE_EIO. */
gyre_status evaluation_check_samples(const evaluation *e, const gyre_evaluated *what);
/* Makes and compares them. Collective. */
gyre_status evaluation_samples(evaluation *e, const gyre_evaluated *what, gyre_comm *comm,
                               gyre_generated *out);
/* Room for the scores of the model's classes. */
gyre_status evaluation_open_classes(evaluation *e);

/* Reads everything of a checkpoint, or a run folder; no device and no other rank yet. */
gyre_status evaluation_read_checkpoint(evaluation *e, const gyre_evaluated *what);
/* The same for weights, with config and dataset. */
gyre_status evaluation_read_weights(evaluation *e, const gyre_evaluated *what);

#endif
