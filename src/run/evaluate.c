/* Loss and metric of a checkpoint, or of weights from elsewhere, on a part of a dataset. */
#include "device.h"
#include "evaluation.h"
#include "gyre/config.h"
#include "gyre/defaults.h"
#include "gyre/gather.h"
#include "gyre/run.h"
#include "gyre/size.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static gyre_status open_net(evaluation *e, gyre_comm *comm) {
    GYRE_TRY(run_device_load(e->model, &e->snapshot, e->backend, &e->weights));
    GYRE_TRY(gyre_views_check(e->model, e->passes.views));
    int batch = e->settings == NULL ? GYRE_DEFAULT_EVALUATE_BATCH : e->settings->evaluate.batch;
    return gyre_evaluator_open(e->weights, batch, e->passes, comm, gyre_comm_watchdog(comm),
                               &e->evaluator);
}

void gyre_evaluation_close(gyre_evaluation *e) {
    free(e->checkpoint);
    free(e->class_samples);
    free(e->class_hits);
    free(e->class_names);
    free(e->generated.samples.values);
    free(e->generated.nearest.values);
    *e = (gyre_evaluation){0};
}

/* The dataset may have fewer classes than the network. */
static void name_class(const evaluation *e, int k, char *out, size_t size) {
    if (k < e->names.count) {
        snprintf(out, size, "%s", e->names.names[k]);
    } else if (k < gyre_dataset_classes(e->data)) {
        snprintf(out, size, "%s", gyre_dataset_class_name(e->data, k));
    } else {
        snprintf(out, size, "%d", k);
    }
}

/* What is known before the samples are scored. */
static gyre_status describe(const evaluation *e, gyre_evaluation *out) {
    int n = e->model->classes;
    out->completed = e->snapshot.completed;
    out->has_average = e->snapshot.average[0] != '\0';
    out->averaged = e->snapshot.averaged;
    out->best = e->best;
    out->of_run = e->samples.train.images != NULL;
    out->samples = e->view.count;
    out->classes = n;
    out->outputs_each = gyre_model_outputs(e->model);
    out->labelled = gyre_model_tells_label(e->model);
    out->named = e->names.count > 0 || gyre_dataset_class_names(e->data).count > 0;
    out->class_samples = calloc((size_t)n, sizeof *out->class_samples);
    out->class_hits = calloc((size_t)n, sizeof *out->class_hits);
    out->class_names = calloc((size_t)n, sizeof *out->class_names);
    if (!out->class_samples || !out->class_hits || !out->class_names) {
        return gyre_no_memory("%d classes", n);
    }
    for (int k = 0; k < n; k++) name_class(e, k, out->class_names[k], sizeof out->class_names[k]);
    return GYRE_OK;
}

static void fill_in(evaluation *e, const gyre_score *score, gyre_evaluation *out) {
    out->checkpoint = e->checkpoint;
    e->checkpoint = NULL;
    out->score = *score;
    for (int k = 0; k < out->classes; k++) {
        out->class_samples[k] = (int64_t)e->classes[k];
        out->class_hits[k] = (int64_t)e->classes[out->classes + k];
    }
}

typedef struct {
    const gyre_output_reader *reader;
    const gyre_evaluation *evaluation;
} reading;

static gyre_status take(void *context, const gyre_outputs *o) {
    const reading *r = context;
    return r->reader->take(r->reader->context, r->evaluation, o);
}

gyre_status gyre_evaluate(const gyre_evaluated *what, const gyre_output_reader *reader,
                          gyre_comm *comm, gyre_evaluation *out) {
    evaluation e = {.best = -1};
    gyre_score score;
    *out = (gyre_evaluation){0};
    gyre_status status = what->config == NULL ? evaluation_read_checkpoint(&e, what)
                                              : evaluation_read_weights(&e, what);
    if (what->views != NULL) e.passes.views = *what->views;
    if (status == GYRE_OK && what->bounds) status = evaluation_check_bounds(&e);
    if (status == GYRE_OK) status = evaluation_check_samples(&e, what);
    status = gyre_comm_agree(comm, status);
    if (status != GYRE_OK) goto out;
    GYRE_GOTO(run_device_open(e.settings, comm, &e.backend));
    GYRE_GOTO(gyre_comm_agree(comm, open_net(&e, comm)));
    GYRE_GOTO(gyre_comm_agree(comm, describe(&e, out)));
    reading r = {reader, out};
    const gyre_score_details details = {e.classes, reader == NULL ? NULL : take, &r};
    GYRE_GOTO(gyre_evaluator_run(e.evaluator, &e.view, &details, &score));
    fill_in(&e, &score, out);
    out->bounded = what->bounds;
    if (what->bounds) GYRE_GOTO(evaluation_bounds(&e, comm, &out->bounds));
    if (what->samples > 0) GYRE_GOTO(evaluation_samples(&e, what, comm, &out->generated));
    if (!isfinite(score.loss)) status = gyre_view_not_finite(&e.view, &out->bad);
    status = gyre_comm_agree(comm, status);
out:
    gyre_evaluator_close(e.evaluator);
    if (e.weights != NULL) gyre_weights_close(e.weights);
    if (e.backend != NULL) e.backend->ops->close(e.backend);
    gyre_snapshot_close(&e.snapshot);
    if (e.model != NULL) gyre_model_close(e.model);
    gyre_samples_close(&e.samples);
    if (e.data != NULL) gyre_dataset_close(e.data);
    if (e.settings != NULL) gyre_config_close(e.settings);
    free(e.names.names);
    free(e.classes);
    free(e.checkpoint);
    if (status != GYRE_OK) gyre_evaluation_close(out);
    return status;
}
