/* What the run will be: a few lines for a person, one for log.jsonl. */
#include "summary.h"

#include "batches.h"
#include "gyre/config.h"
#include "gyre/hdf5.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "gyre/version.h"
#include "shards_check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *validation_words(const gyre_settings *s) {
    switch (s->data.validation) {
    case GYRE_VALIDATION_TEST: return "test";
    case GYRE_VALIDATION_PART:
    case GYRE_VALIDATION_SPLIT: return "validation";
    case GYRE_VALIDATION_NONE: break;
    }
    return "no validation";
}

/* What other shards change besides the speed. */
static const char *change_of_shards(const gyre_trainer *t) {
    const char *layer = NULL;
    return run_shards_norm_values(t->resolved->model, 1, &layer) > 0 ? "batch-norm statistics"
                                                                     : "the last bits of results";
}

/* What a GPU pays for settings that are the right ones on a CPU. The figures are estimates, and of
 * docs/gpu.md. */
static void print_costs(const gyre_trainer *t) {
    const gyre_settings *s = &t->resolved->settings;
    if (strcmp(t->backend->ops->name, "cuda") != 0) return;
    if (s->precision == GYRE_PRECISION_F32 && !s->tf32) {
        gyre_say("f32 without TF32: no convolution uses a GPU's tensor cores; `tf32: true` or "
                 "`precision: \"bf16\"` is faster, by estimate 2.3 times and more for ResNet-50 "
                 "(docs/gpu.md)");
    }
    if (s->shards > t->ranks) {
        gyre_say("%d shards on %d GPU%s, %d at a time: `batch.shards: %d` has fewer and larger "
                 "kernels, which is faster (docs/gpu.md), and changes %s",
                 s->shards, t->ranks, t->ranks == 1 ? "" : "s", gyre_net_branches(t->net), t->ranks,
                 change_of_shards(t));
    }
}

/* mpirun binds each of few ranks to one core, and the others do nothing. In Slurm the job's share
 * is all there is. */
static void warn_binding(const run_state *r) {
    const gyre_trainer *t = &r->trainer;
    int used = gyre_comm_local_size(t->comm) * gyre_comm_cores(t->comm);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL || getenv("SLURM_JOB_ID") != NULL) return;
    if (strcmp(t->backend->ops->name, "cpu") != 0) return; /* a GPU's rank needs one core */
    if (used >= cores || t->ranks * t->backend->lanes >= r->resolved.settings.shards) return;
    gyre_warn("%s: the rank%s bound to %d of %ld cores, the others stay idle: start with `mpirun "
              "--bind-to none`, which lets every rank use all, or with more ranks",
              gyre_comm_host(t->comm), gyre_comm_local_size(t->comm) == 1 ? " is" : "s are", used,
              cores);
}

/* "swa from step 30 on, every 10 steps": what it is an average of. */
static void describe_average(const run_state *r, gyre_average_kind kind, char *out, size_t size) {
    const gyre_average_settings *a = &r->resolved.settings.average;
    const size_t members = r->resolved.members[kind].count;
    switch (kind) {
    case GYRE_AVERAGE_EMA:
        gyre_text_add(out, size, "ema, decay %g%s", a->decay, a->warmup ? " after a warm-up" : "");
        break;
    case GYRE_AVERAGE_SWA:
        gyre_text_add(out, size, "swa after step %.0f and then every %.0f, %zu weights",
                      a->start.value, a->every.value, members);
        break;
    case GYRE_AVERAGE_MINIMA:
        gyre_text_add(out, size, "minima of the rate from number %d on, %zu weights",
                      a->first_minimum, members);
        break;
    case GYRE_AVERAGE_FREE:
        gyre_text_add(out, size, "schedule-free, all weights after step %lld",
                      (long long)r->resolved.settings.optimizer.warmup);
        break;
    default: break;
    }
}

static void print_averages(const run_state *r) {
    const gyre_average_settings *a = &r->resolved.settings.average;
    const gyre_model *m = r->resolved.model;
    for (int k = 0; k < GYRE_AVERAGE_COUNT; k++) {
        char text[160] = "";
        if (r->trainer.averages[k] == NULL) continue;
        describe_average(r, (gyre_average_kind)k, text, sizeof text);
        gyre_say("average of the weights: %s; %s; %.4g MiB more on each rank", text,
                 (int)a->kind == k ? "evaluation takes it" : "scored besides",
                 (double)((m->parameters + m->buffers) * sizeof(float)) / (1 << 20));
    }
}

/* What changes in the course of the run beside the rate. */
static void print_ends(const run_state *r) {
    const gyre_model *m = r->resolved.model;
    const gyre_lookahead_settings *l = &r->resolved.settings.optimizer.lookahead;
    for (int i = 0; i < m->param_count; i++) {
        if (m->params[i].until == 0) continue;
        gyre_say("%s learns in the first %lld steps alone", m->params[i].name,
                 (long long)m->params[i].until);
    }
    if (l->every == 0) return;
    gyre_say("Lookahead every %d steps, decay %s%g, up to step %.0f", l->every,
             l->power > 0 ? "rising to " : "", l->decay, l->until.value);
}

static void print_plan(const run_state *r, const char *places) {
    const gyre_trainer *t = &r->trainer;
    const gyre_settings *s = &r->resolved.settings;
    const gyre_model *m = r->resolved.model;
    size_t cycles = gyre_schedule_cycle_count(r->schedule);
    char targets[64];
    if (gyre_target_has_classes(&m->target))
        snprintf(targets, sizeof targets, "%d classes", m->classes);
    else
        snprintf(targets, sizeof targets, "targets of %d x %d x %d", m->target.h, m->target.w,
                 m->target.c);
    gyre_say("model %s, %zu parameters; %lld training and %lld %s samples of %d x %d x %d, %s",
             m->name, m->count, (long long)r->resolved.epochs.samples,
             (long long)r->resolved.samples.validation.count, validation_words(s), m->h, m->w, m->c,
             targets);
    gyre_say("%lld steps of %d samples (%lld per epoch), %zu cycle%s; %d rank%s x %d thread%s, %d "
             "shard%s",
             (long long)r->steps, s->batch_size, (long long)r->resolved.epochs.steps_per_epoch,
             cycles, cycles == 1 ? "" : "s", t->ranks, t->ranks == 1 ? "" : "s", t->backend->lanes,
             t->backend->lanes == 1 ? "" : "s", s->shards, s->shards == 1 ? "" : "s");
    print_averages(r);
    print_ends(r);
    gyre_say("%s", places);
    if (t->backend->no_gpu[0] != '\0') gyre_say("on the CPU: %s", t->backend->no_gpu);
    warn_binding(r);
    print_costs(t);
    if (t->completed > 0) {
        gyre_say("going on after step %lld of %s", (long long)t->completed, r->files.folder.path);
    }
}

static void warn_schedule(void *context, const char *text) {
    run_state *r = context;
    gyre_warn("%s", text);
    gyre_json *line = gyre_event_begin(r->files.events, "warning");
    gyre_json_add_text(line, "text", text);
    if (gyre_event_end(r->files.events, line) != GYRE_OK) gyre_warn("%s", gyre_error_text());
}

/* An average without members is the last weights. */
static void warn_averages(run_state *r) {
    if (r->trainer.averages[GYRE_AVERAGE_MINIMA] == NULL) return;
    if (r->resolved.members[GYRE_AVERAGE_MINIMA].count > 0) return;
    warn_schedule(r, "average minima: the rate has no minimum in this run that it takes, so that "
                     "the average is the last weights; \"swa\" needs none");
}

static void warn_unlike(run_state *r) {
    char text[GYRE_MACHINE_SIZE + 64];
    if (!r->trainer.unlike) return;
    snprintf(text, sizeof text, "%s; a run elsewhere may differ in the last bits",
             r->trainer.machine);
    warn_schedule(r, text);
}

/* Whole shards go to workers, so more workers than shards have nothing to do. */
static void warn_idle(run_state *r) {
    const gyre_trainer *t = &r->trainer;
    const gyre_settings *s = &r->resolved.settings;
    int workers = t->ranks * t->backend->lanes;
    int here = gyre_comm_local_size(t->comm) * t->backend->lanes;
    /* more workers than cores: no advice on speed is needed then */
    if (workers <= s->shards || here > sysconf(_SC_NPROCESSORS_ONLN)) return;
    char text[256];
    int would = run_shards_for(s->reduce, s->batch_size, workers);
    snprintf(text, sizeof text,
             "%d of %d worker threads are idle: fewer shards than threads (batch.shards is %d)",
             workers - s->shards, workers, s->shards);
    if (would > 0) {
        gyre_text_add(text, sizeof text, "; %d would use them, and change %s", would,
                      change_of_shards(t));
    }
    warn_schedule(r, text);
}

/* Frozen scales and shifts do not hold what the running statistics are. */
static void warn_frozen(run_state *r) {
    const gyre_model *m = r->resolved.model;
    char text[384];
    for (int i = 0; i < m->statistic_count; i++) {
        const gyre_node *n = &m->nodes[m->statistics[i].node];
        if (m->statistics[i].frozen || n->params[0] < 0) continue;
        if (!m->params[n->params[0]].frozen) continue;
        snprintf(text, sizeof text,
                 "model.freeze holds the parameters of %s, but its running statistics still follow "
                 "the data; the node's option \"frozen\" holds them, model.batch_norm \"frozen\" "
                 "those of "
                 "all layers",
                 n->name);
        warn_schedule(r, text);
        return;
    }
}

/* Batch norm over two values keeps only the sign of their difference. */
static void warn_norms(run_state *r) {
    const gyre_settings *s = &r->resolved.settings;
    char text[256];
    const char *layer = NULL;
    if (run_shards_norm_values(r->resolved.model, s->batch_size / s->shards, &layer) != 2) return;
    snprintf(text, sizeof text,
             "batch norm %s takes its statistics from two values a shard, which makes training "
             "unsteady; fewer batch.shards (%d), a larger batch.size or larger images help",
             layer, s->shards);
    warn_schedule(r, text);
}

static void warn_split(run_state *r) {
    enum { FEW = 10 };
    int64_t count = r->resolved.samples.validation.count;
    char text[256];
    const gyre_metric *metric = r->resolved.model->metric;
    const gyre_images *train = gyre_dataset_train(r->resolved.data);
    if (r->resolved.settings.data.validation != GYRE_VALIDATION_SPLIT || count >= FEW) return;
    if (!metric->is_share) return;
    snprintf(text, sizeof text,
             "data.validation: split %g sets %lld of %lld training %s aside, so that each is "
             "%.3g %s of the %s; a larger split tells more",
             r->resolved.settings.data.split, (long long)count, (long long)train->count,
             gyre_element_noun(train->element, 2), metric->factor / (double)count, metric->unit,
             gyre_metric_prose(metric).text);
    warn_schedule(r, text);
}

static gyre_status log_start(run_state *r) {
    const gyre_trainer *t = &r->trainer;
    char hash[24];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)r->resolved.config_hash);
    gyre_json *line = gyre_event_begin(r->files.events, t->completed > 0 ? "resume" : "start");
    gyre_json_add_integer(line, "step", t->completed);
    gyre_json_add_integer(line, "steps", r->steps);
    gyre_json_add_text(line, "model", r->resolved.model->name);
    gyre_json_add_integer(line, "parameters", (int64_t)r->resolved.model->count);
    gyre_json_add_integer(line, "training_samples", r->resolved.epochs.samples);
    gyre_json_add_integer(line, "ranks", t->ranks);
    gyre_json_add_integer(line, "threads", t->backend->lanes);
    gyre_json_add_integer(line, "readers", run_batches_readers(t));
    gyre_json_add_integer(line, "shards", r->resolved.settings.shards);
    if (gyre_trainer_evaluated(t) != t->weights) {
        gyre_json_add_text(line, "average", gyre_average_name(r->resolved.settings.average.kind));
    }
    gyre_json_add_text(line, "host", gyre_comm_host(t->comm));
    gyre_json_add_text(line, "machine", t->machine);
    if (t->backend->state[0] != '\0') {
        gyre_json_add_text(line, "device_state", t->backend->state);
    }
    gyre_json_add_text(line, "mpi", gyre_mpi_version());
    gyre_json_add_text(line, "hdf5", gyre_hdf5_version());
    gyre_json_add_text(line, "config_hash", hash);
    gyre_json_add_text(line, "data", r->resolved.settings.data.path);
    return gyre_event_end(r->files.events, line);
}

/* What the run began with, should anybody ask later. */
static gyre_status log_weights(run_state *r) {
    const gyre_trainer *t = &r->trainer;
    if (t->completed > 0 || t->snapshot.imported[0] == '\0') return GYRE_OK;
    gyre_json *line = gyre_event_begin(r->files.events, "init_from");
    gyre_json_add_text(line, "path", r->resolved.settings.model.init_from);
    gyre_json_add_text(line, "taken", t->snapshot.imported);
    return gyre_event_end(r->files.events, line);
}

/* Nodes that are no subtrees of the exact reduction. */
static void warn_nodes(const run_state *r) {
    int least, most;
    if (r->resolved.settings.reduce != GYRE_REDUCE_EXACT) return;
    if (!gyre_comm_uneven(r->trainer.comm, &least, &most)) return;
    gyre_warn("the nodes have %d to %d ranks: an exact reduction adds up inside blocks of %d of "
              "them, and sends more than once between nodes what it would send once; start the "
              "same power of two of ranks on every node",
              least, most, gyre_comm_block(r->trainer.comm));
}

gyre_status run_summary(run_state *r) {
    gyre_trainer *t = &r->trainer;
    gyre_status status = GYRE_OK;
    char places[512];
    GYRE_TRY(gyre_comm_describe(t->comm, places, sizeof places));
    if (t->rank == 0) {
        if (!r->options.quiet) print_plan(r, places);
        status = log_start(r);
        if (status == GYRE_OK) status = log_weights(r);
        gyre_schedule_warnings(r->schedule, (int64_t)r->resolved.settings.evaluate.every.value,
                               warn_schedule, r);
        gyre_config_warnings(&r->resolved.settings, warn_schedule, r);
        warn_averages(r);
        warn_unlike(r);
        warn_frozen(r);
        warn_norms(r);
        warn_idle(r);
        warn_split(r);
        warn_nodes(r);
    }
    return gyre_comm_agree(t->comm, status);
}
