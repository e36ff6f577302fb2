/* Loss and metric of the current parameters on a view of a dataset. Every sample counts exactly
 * once, of a network whose evaluation draws once in each pass, and the result has the same bits on
 * any number of ranks and workers: each batch leaves its own two numbers, which are added in the
 * order of the batches. */
#ifndef GYRE_EVALUATOR_H
#define GYRE_EVALUATOR_H

#include "gyre/comm.h"
#include "gyre/dataset.h"
#include "gyre/net.h"

typedef struct gyre_evaluator gyre_evaluator;

/* The passes that settings ask for during a run, or `at_end` on the part test, which was not
 * evaluated until then. `s` NULL: the defaults. */
gyre_passes gyre_evaluate_passes(const gyre_evaluate_settings *s, bool at_end);

/* GYRE_EUSAGE: views are for classifiers, and for pictures that can be moved by a pixel. */
gyre_status gyre_views_check(const gyre_model *m, gyre_views views);

/* For batches of `batch` images; a network whose evaluation draws is given each image in each of
 * `passes`, with another draw. `watchdog` may be NULL. */
gyre_status gyre_evaluator_open(gyre_weights *weights, int batch, gyre_passes passes,
                                gyre_comm *comm, gyre_watchdog *watchdog, gyre_evaluator **out);
/* Other passes from now on, by the same views. */
void gyre_evaluator_set_passes(gyre_evaluator *e, gyre_passes passes);
void gyre_evaluator_close(gyre_evaluator *e);

/* The largest of a sample's outputs, the first of equal ones; -1: one of them is no number. */
int gyre_largest_output(const float *outputs, size_t n);

typedef struct {
    double loss;           /* mean */
    double metric;         /* the value of `of`; NaN where the loss is */
    const gyre_metric *of; /* the model's */
    int passes;            /* how often each sample was evaluated */
    int views;             /* by how many views each time */
    int band_count;        /* of the samples' times, of equal width; 0: the loss has none */
    double bands[GYRE_LOSS_BANDS_MAX]; /* the metric in each; NaN where no sample was in it */
} gyre_score;

/* Loss and metric as text: "loss 0.4321, root mean squared error 0.6573". Returns `out`. */
const char *gyre_score_text(const gyre_score *s, char *out, size_t size);

/* What the network gives for a batch. */
typedef struct {
    int64_t count;
    const int64_t *rows;   /* (count): of the samples, in the dataset's part */
    const int32_t *labels; /* (count); NULL: targets are no labels */
    const float *outputs;  /* (count, gyre_model_outputs) */
} gyre_outputs;

/* What is told of the samples besides. */
typedef struct {
    double *classes; /* (2, model->classes), the same on all ranks: the samples of each class, and
                        how many of them have their largest output at it; 0 where targets are no
                        labels */
    /* NULL, on all ranks or on none. Called by rank 0 with one batch after the other, in the view's
     * order; what it returns is what all ranks return. */
    gyre_status (*take)(void *context, const gyre_outputs *o);
    void *context;
} gyre_score_details;

/* `details` may be NULL. Failures of one rank in its own batches abort the job. Collective. */
gyre_status gyre_evaluator_run(gyre_evaluator *e, const gyre_view *view,
                               const gyre_score_details *details, gyre_score *out);

#endif
