/* The ensemble of a run's snapshots at the minima of its rate (Huang et al. 2017, "Snapshot
 * Ensembles", arXiv 1704.00109): the mean of the softmax of the last M of them, for each M. The
 * newest is scored first, so that each next one makes the ensemble one larger. */
#include "gyre/config.h"
#include "gyre/defaults.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/realmath.h"
#include "gyre/run.h"
#include "gyre/run_folder.h"
#include "gyre/size.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What rank 0 adds up. */
typedef struct {
    double *sums;    /* (samples, classes): of the probabilities of all members so far */
    int32_t *labels; /* (samples) */
    int64_t samples, at;
    size_t classes;
} sums;

static gyre_status open_sums(sums *s, const gyre_evaluation *e) {
    if (s->sums != NULL) return GYRE_OK;
    s->samples = e->samples;
    s->classes = e->outputs_each;
    s->sums = calloc(gyre_size_of((size_t)s->samples, s->classes), sizeof *s->sums);
    s->labels = calloc((size_t)s->samples, sizeof *s->labels);
    if (s->sums != NULL && s->labels != NULL) return GYRE_OK;
    return gyre_no_memory("the probabilities of %lld samples", (long long)s->samples);
}

/* Adds the softmax of a sample's outputs. */
static void add_softmax(const float *outputs, size_t classes, double *sum) {
    double most = (double)outputs[0], total = 0;
    for (size_t k = 1; k < classes; k++) most = fmax(most, (double)outputs[k]);
    for (size_t k = 0; k < classes; k++) total += gyre_exp((double)outputs[k] - most);
    for (size_t k = 0; k < classes; k++) sum[k] += gyre_exp((double)outputs[k] - most) / total;
}

static gyre_status take(void *context, const gyre_evaluation *e, const gyre_outputs *o) {
    sums *s = context;
    GYRE_TRY(open_sums(s, e));
    for (int64_t i = 0; i < o->count; i++, s->at++) {
        add_softmax(o->outputs + (size_t)i * s->classes, s->classes,
                    s->sums + (size_t)s->at * s->classes);
        s->labels[s->at] = o->labels[i];
    }
    return GYRE_OK;
}

/* Of the ensemble of `members`: the mean of -log of the label's probability, and hits. */
static void score(const sums *s, int members, gyre_ensemble_member *out) {
    double loss = 0;
    int64_t hits = 0;
    for (int64_t i = 0; i < s->samples; i++) {
        const double *sum = s->sums + (size_t)i * s->classes;
        size_t best = 0;
        for (size_t k = 1; k < s->classes; k++) {
            if (sum[k] > sum[best]) best = k;
        }
        const double p = sum[s->labels[i]] / members;
        loss -= p > 0 ? gyre_log(p) : p == 0 ? (double)-INFINITY : (double)NAN;
        if (!isnan(p)) hits += best == (size_t)s->labels[i];
    }
    out->ensemble_loss = loss / (double)s->samples;
    out->ensemble_accuracy = (double)hits / (double)s->samples;
}

/* ---- members */

static gyre_status check_loss(const gyre_settings *s, const char *run) {
    const char *loss = s->model.loss;
    if (loss == NULL || strcmp(loss, GYRE_DEFAULT_LOSS) == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--ensemble: the mean of softmax probabilities is of networks with the loss "
                     "%s, that of '%s' has %s",
                     GYRE_DEFAULT_LOSS, run, loss);
}

static int count_minima(const gyre_schedule *schedule, int64_t completed) {
    int count = 0;
    for (size_t i = 0; i < gyre_schedule_cycle_count(schedule); i++) {
        const int64_t end = gyre_schedule_cycle(schedule, i).last + 1;
        count += end <= completed && gyre_schedule_is_minimum(schedule, end);
    }
    return count;
}

/* The checkpoints at minima, the newest first. */
static gyre_status choose(const char *run, const gyre_schedule *schedule, gyre_ensemble *out) {
    int64_t *list = NULL;
    size_t count = 0;
    gyre_status status = gyre_checkpoint_list(run, &list, &count);
    if (status != GYRE_OK) return status;
    out->members = calloc(count + 1, sizeof *out->members);
    if (out->members == NULL) status = gyre_no_memory("%zu snapshots", count);
    for (size_t i = 0; out->members != NULL && i < count; i++) {
        if (gyre_schedule_is_minimum(schedule, list[i]))
            out->members[out->count++].completed = list[i];
    }
    out->minima = count == 0 ? 0 : count_minima(schedule, list[0]);
    free(list);
    if (status != GYRE_OK || out->count > 0) return status;
    return gyre_fail(GYRE_EIO,
                     "--ensemble: '%s' has no checkpoint at a minimum of its rate, of which it had "
                     "%d; checkpoint.minima keeps them",
                     run, out->minima);
}

static gyre_status find_members(const char *run, gyre_ensemble *out) {
    gyre_settings *s = NULL;
    gyre_schedule *schedule = NULL;
    gyre_status status = GYRE_OK;
    char *config = gyre_path_join(run, GYRE_CONFIG_FILE);
    if (config == NULL) return gyre_no_memory("the snapshots of '%s'", run);
    if (!gyre_file_exists(config)) {
        status = gyre_fail(GYRE_EUSAGE, "--ensemble: '%s' is no run's folder, which has a %s", run,
                           GYRE_CONFIG_FILE);
        goto out;
    }
    GYRE_GOTO(gyre_config_open(config, NULL, 0, &s));
    GYRE_GOTO(check_loss(s, run));
    GYRE_GOTO(gyre_schedule_open(&s->schedule, &s->length, gyre_config_momentum(&s->optimizer), 0,
                                 &schedule));
    status = choose(run, schedule, out);
out:
    if (schedule != NULL) gyre_schedule_close(schedule);
    gyre_config_close(s);
    free(config);
    return status;
}

/* ---- all */

static gyre_status add_member(const gyre_evaluated *what, int index, gyre_comm *comm, sums *s,
                              gyre_ensemble *out) {
    gyre_ensemble_member *m = &out->members[index];
    gyre_evaluation e = {0};
    const gyre_output_reader reader = {take, s};
    gyre_evaluated one = {
        .data = what->data, .part = what->part, .weights = what->weights, .views = what->views};
    char *path = gyre_checkpoint_path(what->file, m->completed);
    gyre_status status = path == NULL ? gyre_no_memory("a snapshot") : GYRE_OK;
    status = gyre_comm_agree(comm, status);
    if (status == GYRE_OK) {
        one.file = path;
        s->at = 0;
        status = gyre_evaluate(&one, &reader, comm, &e);
    }
    if (status == GYRE_OK) {
        m->score = e.score;
        out->samples = e.samples;
        out->averaged = e.averaged;
        if (gyre_comm_rank(comm) == 0) score(s, index + 1, m);
    }
    gyre_evaluation_close(&e);
    free(path);
    return status;
}

gyre_status gyre_evaluate_ensemble(const gyre_evaluated *what, gyre_comm *comm,
                                   gyre_ensemble *out) {
    sums s = {0};
    *out = (gyre_ensemble){0};
    gyre_status status = gyre_comm_agree(comm, find_members(what->file, out));
    for (int i = 0; i < out->count && status == GYRE_OK; i++) {
        status = add_member(what, i, comm, &s, out);
    }
    free(s.sums);
    free(s.labels);
    if (status != GYRE_OK) gyre_ensemble_close(out);
    return status;
}

void gyre_ensemble_close(gyre_ensemble *e) {
    free(e->members);
    *e = (gyre_ensemble){0};
}
