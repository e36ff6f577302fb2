/* Samplers at work; see gyre/sampling.h. Batch i of the samples belongs to rank i mod ranks. A rank
 * takes its batches in rounds of as many as it has threads; in a round all batches make one step
 * after the other together, since the time that the network reads is one for all of them. The
 * network always sees whole batches, since its kernels may add in another order for fewer samples:
 * the last batch is filled up with its first sample. */
#include "gyre/sampling.h"

#include "gyre/size.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One batch of a round. */
typedef struct {
    int64_t first, count; /* samples of the job */
    float *input;      /* (batch, h, w, pixel) */
    void *targets;     /* (batch, target): where the network reads its condition */
    float *out, *null; /* (batch, values): what the network told; null: without a condition */
    float *noise;      /* (values) */
} batch_room;

struct gyre_sampling {
    gyre_weights weights; /* the caller's, but for how the input is read: as it is */
    gyre_sampling_options o;
    gyre_comm *comm;
    gyre_net *net;
    gyre_sampling_step *steps; /* (o.rule.steps) */
    size_t values;             /* of a sample */
    size_t target_values;
    size_t pixel; /* values of a pixel of the network's input */
    int slots;
    batch_room *rooms; /* (slots) */
    gyre_raw memory;   /* the input's mean and scale, then a batch's sums for each slot */
    gyre_f32 stats;
    size_t sums;
    bool guided;
};

/* ---- opening */

static gyre_status plan_steps(gyre_sampling *s) {
    gyre_denoiser d;
    gyre_status status = GYRE_OK;
    gyre_denoiser_of(s->weights.model, &d);
    double *alpha_bar = malloc((size_t)d.schedule.steps * sizeof *alpha_bar);
    s->steps = malloc((size_t)s->o.rule.steps * sizeof *s->steps);
    if (alpha_bar == NULL || s->steps == NULL) {
        status = gyre_no_memory("a sampler");
    } else {
        gyre_noise_alpha_bar(&d.schedule, alpha_bar);
        gyre_sampling_steps(&s->o.rule, &d, alpha_bar, s->steps);
    }
    free(alpha_bar);
    return status;
}

static gyre_status open_rooms(gyre_sampling *s) {
    size_t batch = (size_t)s->o.batch, floats = gyre_size_of(batch, s->values);
    size_t c = (size_t)s->o.input.c;
    s->rooms = calloc((size_t)s->slots, sizeof *s->rooms);
    if (s->rooms == NULL) return gyre_no_memory("a sampler");
    for (int i = 0; i < s->slots; i++) {
        batch_room *r = &s->rooms[i];
        r->targets = calloc(batch * s->target_values, sizeof(int32_t));
        r->out = malloc(gyre_size_of(floats, sizeof *r->out));
        r->input = calloc(floats / c, s->pixel * sizeof *r->input);
        r->null = s->guided ? malloc(gyre_size_of(floats, sizeof *r->null)) : NULL;
        r->noise = malloc(s->values * sizeof *r->noise);
        if (!r->targets || !r->out || !r->input || (s->guided && !r->null) || !r->noise) {
            return gyre_no_memory("%d samples at once", s->o.batch);
        }
    }
    return GYRE_OK;
}

/* The network's input is what the sampler gives: mean 0, scale 1. */
static gyre_status open_device(gyre_sampling *s) {
    gyre_backend *b = s->weights.backend;
    size_t c = s->pixel, values = s->values / (size_t)s->o.input.c * c, floats = values + c;
    float *input = calloc(floats, sizeof *input);
    if (input == NULL) return gyre_no_memory("a sampler");
    gyre_status status = GYRE_OK;
    for (size_t i = 0; i < c; i++) input[values + i] = 1;
    GYRE_GOTO(b->ops->alloc(b, (floats + s->sums * (size_t)s->slots) * sizeof(float), &s->memory));
    s->weights.mean = (gyre_f32)(void *)s->memory;
    s->weights.scale = gyre_f32_at(s->weights.mean, values);
    s->stats = gyre_f32_at(s->weights.mean, floats);
    GYRE_GOTO(b->ops->upload(b->main, s->weights.mean, input, floats));
    status = gyre_net_open(&s->weights, s->o.batch, 0, &s->net);
out:
    free(input);
    return status;
}

gyre_status gyre_sampling_open(const gyre_weights *w, const gyre_sampling_options *options,
                               gyre_comm *comm, gyre_sampling **out) {
    const gyre_sampling_input *in = &options->input;
    gyre_status status = GYRE_OK;
    gyre_sampling *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL) return gyre_no_memory("a sampler");
    s->weights = *w;
    s->o = *options;
    s->comm = comm;
    s->values = (size_t)in->h * (size_t)in->w * (size_t)in->c;
    s->pixel = (size_t)w->model->c;
    s->target_values = gyre_target_values(&w->model->target);
    s->slots = w->backend->lanes;
    s->sums = GYRE_LOSS_SUMS + 2 * (size_t)w->model->bands;
    s->guided = options->guidance != 1;
    GYRE_GOTO(plan_steps(s));
    GYRE_GOTO(open_rooms(s));
    GYRE_GOTO(open_device(s));
    *out = s;
    s = NULL;
out:
    gyre_sampling_close(s);
    return status;
}

void gyre_sampling_close(gyre_sampling *s) {
    if (s == NULL) return;
    gyre_net_close(s->net);
    if (s->memory != NULL) s->weights.backend->ops->release(s->weights.backend, s->memory);
    for (int i = 0; s->rooms != NULL && i < s->slots; i++) {
        free(s->rooms[i].input);
        free(s->rooms[i].targets);
        free(s->rooms[i].out);
        free(s->rooms[i].null);
        free(s->rooms[i].noise);
    }
    free(s->rooms);
    free(s->steps);
    free(s);
}

/* ---- a step of a batch */

/* A round under way, at one step. */
typedef struct {
    gyre_sampling *s;
    const gyre_sampling_job *job;
    int step;
    float *x;
} sampling_round;

/* The batch as the network reads it, `x` being its samples: where it draws latents, they are means
 * without deviations. */
static const float *input_of(const gyre_sampling *s, const batch_room *room, const float *x) {
    const size_t c = (size_t)s->o.input.c, pixels = s->values / c;
    if (s->pixel == c && room->count == s->o.batch) return x;
    for (int64_t k = 0; k < s->o.batch; k++) {
        const float *from = k < room->count ? x + (size_t)k * s->values : x;
        float *to = room->input + (size_t)k * pixels * s->pixel;
        for (size_t i = 0; i < pixels; i++) {
            memcpy(to + i * s->pixel, from + i * c, c * sizeof *from);
        }
    }
    return room->input;
}

/* What the network tells of a batch under a condition. */
static gyre_status tell(const sampling_round *r, gyre_queue *q, int slot, int condition,
                        float *out) {
    const gyre_sampling *s = r->s;
    const batch_room *room = &s->rooms[slot];
    int32_t *labels = room->targets;
    const float *x = input_of(s, room, r->x + (size_t)room->first * s->values);
    for (int64_t i = 0; s->target_values == 1 && i < s->o.batch; i++)
        labels[i] = condition < 0 ? 0 : condition;
    const gyre_batch batch = {.step = -1,
                              .first = room->first,
                              .count = s->o.batch,
                              .element = GYRE_ELEMENT_F32,
                              .images = (const uint8_t *)x,
                              .targets = room->targets,
                              .target_values = (int64_t)s->target_values};
    GYRE_TRY(gyre_net_evaluate(s->net, q, &batch, gyre_f32_at(s->stats, s->sums * (size_t)slot)));
    return gyre_net_logits(s->net, q, out);
}

static void guide(const gyre_sampling *s, const batch_room *room) {
    size_t count = (size_t)room->count * s->values;
    double w = s->o.guidance;
    for (size_t i = 0; i < count; i++) {
        double without = (double)room->null[i];
        room->out[i] = (float)(without + w * ((double)room->out[i] - without));
    }
}

static void advance(const sampling_round *r, const batch_room *room) {
    const gyre_sampling *s = r->s;
    const gyre_sampling_step *step = &s->steps[r->step];
    double low = -INFINITY, high = INFINITY;
    for (int64_t k = 0; k < room->count; k++) {
        float *x = r->x + (size_t)(room->first + k) * s->values;
        const float *out = room->out + (size_t)k * s->values;
        bool noisy = step->next_noise != 0;
        if (noisy) {
            gyre_sampling_noise(r->job->seeds[room->first + k], r->step + 1, s->values,
                                room->noise);
        }
        for (size_t i = 0; i < s->values; i++) {
            if (s->o.clamp) gyre_sampling_limits(&s->o.input, i, &low, &high);
            x[i] = gyre_sampling_next(step, x[i], out[i], noisy ? room->noise[i] : 0, low, high);
        }
    }
}

static gyre_status step_batch(void *context, gyre_queue *q, int slot) {
    const sampling_round *r = context;
    const gyre_sampling *s = r->s;
    const batch_room *room = &s->rooms[slot];
    GYRE_TRY(tell(r, q, slot, s->o.condition, room->out));
    if (s->guided) {
        GYRE_TRY(tell(r, q, slot, s->o.null_class, room->null));
        guide(s, room);
    }
    advance(r, room);
    return GYRE_OK;
}

/* ---- rounds */

static int64_t batch_count(const gyre_sampling *s, const gyre_sampling_job *job, int64_t batch) {
    int64_t left = job->count - batch * s->o.batch;
    return left < s->o.batch ? left : s->o.batch;
}

/* This rank's batches first, first + ranks, ... of a round; `done` steps of `all` were made before.
 */
static gyre_status sample_round(sampling_round *r, int64_t first, int slots, int64_t done,
                                int64_t all) {
    gyre_sampling *s = r->s;
    const gyre_sampling_job *job = r->job;
    const gyre_backend *b = s->weights.backend;
    int ranks = gyre_comm_size(s->comm);
    for (int i = 0; i < slots; i++) {
        int64_t batch = first + (int64_t)i * ranks;
        s->rooms[i].first = batch * s->o.batch;
        s->rooms[i].count = batch_count(s, job, batch);
    }
    for (r->step = 0; r->step < s->o.rule.steps; r->step++) {
        gyre_watchdog_beat(gyre_comm_watchdog(s->comm));
        if (slots > 0) {
            GYRE_TRY(gyre_net_fix_time(s->net, s->steps[r->step].time));
            GYRE_TRY(b->ops->parallel(s->weights.backend, slots, step_batch, r));
        }
        if (job->progress != NULL && gyre_comm_rank(s->comm) == 0) {
            job->progress(job->context, done + r->step + 1, all);
        }
    }
    return GYRE_OK;
}

static gyre_status abort_alone(const gyre_sampling *s, gyre_status status) {
    if (status != GYRE_OK && gyre_comm_size(s->comm) > 1) gyre_comm_abort(s->comm, status);
    return status;
}

/* All ranks get batches begin..end-1, each from the rank that made it. */
static gyre_status share(const gyre_sampling *s, const gyre_sampling_job *job, int64_t begin,
                         int64_t end, float *x) {
    for (int64_t batch = begin; batch < end; batch++) {
        size_t bytes = (size_t)batch_count(s, job, batch) * s->values * sizeof *x;
        int owner = (int)(batch % gyre_comm_size(s->comm));
        GYRE_TRY(gyre_comm_broadcast(s->comm, x + (size_t)(batch * s->o.batch) * s->values, bytes,
                                     owner));
    }
    return GYRE_OK;
}

gyre_status gyre_sampling_run(gyre_sampling *s, const gyre_sampling_job *job, float *x) {
    int64_t ranks = gyre_comm_size(s->comm), rank = gyre_comm_rank(s->comm);
    int64_t batches = (job->count + s->o.batch - 1) / s->o.batch, round = ranks * s->slots;
    int64_t all = (batches + round - 1) / round * s->o.rule.steps, done = 0;
    sampling_round r = {.s = s, .job = job, .x = x};
    gyre_watchdog_phase(gyre_comm_watchdog(s->comm), "sampling", -1);
    for (int k = 0; k < job->count; k++) {
        float *start = x + (size_t)k * s->values;
        if (job->start == NULL)
            gyre_sampling_noise(job->seeds[k], 0, s->values, start);
        else
            memcpy(start, job->start + (size_t)k * s->values, s->values * sizeof *start);
    }
    for (int64_t begin = 0; begin < batches; begin += round, done += s->o.rule.steps) {
        int64_t end = begin + round < batches ? begin + round : batches, first = begin + rank;
        int slots = first < end ? (int)((end - first + ranks - 1) / ranks) : 0;
        GYRE_TRY(abort_alone(s, sample_round(&r, first, slots, done, all)));
        GYRE_TRY(share(s, job, begin, end, x));
    }
    return GYRE_OK;
}
