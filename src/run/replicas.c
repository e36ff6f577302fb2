/* The state of the replicas, told apart by digests that the device makes (gyre/digest.h): so that a
 * comparison between ranks moves no state to the host. The host's own digests of the snapshot show
 * that what is saved is what was compared. */
#include "replicas.h"

#include "gyre/digest.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *what;
    gyre_f32 device;
    const float *host; /* where the snapshot has it */
    size_t count;
} part;

/* Parameters, statistics, input's mean and scale; the optimizer's states; parameters and statistics
 * of each average and of the slow weights. */
enum { PARTS_MAX = 4 + GYRE_STATES_MAX + 2 * (GYRE_AVERAGE_COUNT + 1), DIGEST_FLOATS = 2 };
_Static_assert(DIGEST_FLOATS * sizeof(float) == sizeof(uint64_t), "a digest is two words");

typedef struct {
    part list[PARTS_MAX];
    int count;
} part_list;

static void add(part_list *l, const char *what, gyre_f32 device, const float *host, size_t count) {
    if (count > 0) l->list[l->count++] = (part){what, device, host, count};
}

/* Parameters, and statistics behind them. */
static void add_network(part_list *l, const gyre_model *m, const char *what, gyre_f32 parameters,
                        gyre_f32 buffers, const float *host) {
    add(l, what, parameters, host, m->parameters);
    add(l, what, buffers, host + m->parameters, m->buffers);
}

static void add_averages(part_list *l, const gyre_trainer *t) {
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        if (t->averages[kind] == NULL) continue;
        const gyre_weights *w = gyre_average_weights(t->averages[kind]);
        add_network(l, t->resolved->model, "averages of the weights", w->parameters, w->buffers,
                    gyre_trainer_average(t, kind));
    }
}

static part_list parts_of(const gyre_trainer *t) {
    const gyre_model *m = t->resolved->model;
    const gyre_weights *w = t->weights;
    const gyre_snapshot *s = &t->snapshot;
    part_list l = {.count = 0};
    add(&l, "parameters", w->parameters, s->parameters, m->parameters);
    add(&l, "running statistics", w->buffers, s->buffers, m->buffers);
    for (int i = 0; i < s->state_count; i++) {
        gyre_f32 vector = NULL;
        gyre_optimizer_state(t->optimizer, i, &vector);
        add(&l, "optimizer state", vector, s->states[i], m->parameters);
    }
    add_averages(&l, t);
    if (t->lookahead != NULL) {
        gyre_f32 parameters, buffers;
        gyre_lookahead_slow(t->lookahead, &parameters, &buffers);
        add_network(&l, m, "slow weights", parameters, buffers, s->slow);
    }
    add(&l, "means of the input", w->mean, s->mean, (size_t)m->h * (size_t)m->w * (size_t)m->c);
    add(&l, "scales of the input", w->scale, s->scale, (size_t)m->c);
    return l;
}

gyre_status run_replicas_open(gyre_trainer *t) {
    gyre_raw memory = NULL;
    GYRE_TRY(t->backend->ops->alloc(t->backend, PARTS_MAX * sizeof(uint64_t), &memory));
    t->digests = (gyre_f32)(void *)memory;
    return GYRE_OK;
}

/* Of each part, by the device. */
static gyre_status read_digests(gyre_trainer *t, const part_list *l, uint64_t out[PARTS_MAX]) {
    const gyre_backend_ops *ops = t->backend->ops;
    gyre_queue *q = t->backend->main;
    float words[DIGEST_FLOATS * PARTS_MAX];
    for (int i = 0; i < l->count; i++) {
        gyre_f32 to = gyre_f32_at(t->digests, (size_t)(DIGEST_FLOATS * i));
        GYRE_TRY(ops->digest(q, l->list[i].count, l->list[i].device, to));
    }
    GYRE_TRY(ops->download(q, words, t->digests, (size_t)(DIGEST_FLOATS * l->count)));
    memcpy(out, words, (size_t)l->count * sizeof *out);
    return GYRE_OK;
}

static uint64_t digest_of(const float *x, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += gyre_digest_share(i, gyre_bits_of_f32(x[i]));
    return sum;
}

gyre_status gyre_trainer_check_saved(gyre_trainer *t) {
    const part_list l = parts_of(t);
    uint64_t digests[PARTS_MAX];
    GYRE_TRY(read_digests(t, &l, digests));
    for (int i = 0; i < l.count; i++) {
        if (digest_of(l.list[i].host, l.list[i].count) == digests[i]) continue;
        return gyre_fail(GYRE_EDEVICE,
                         "%s after %lld steps came from the device with other bits than they have "
                         "there: a memory or hardware error; nothing was saved, and the same "
                         "command resumes from the last checkpoint",
                         l.list[i].what, (long long)t->completed);
    }
    return GYRE_OK;
}

gyre_status gyre_trainer_verify(gyre_trainer *t) {
    if (t->ranks == 1) return GYRE_OK;
    const part_list l = parts_of(t);
    uint64_t digests[PARTS_MAX];
    gyre_watchdog_phase(t->watchdog, "comparing the ranks", t->completed);
    GYRE_TRY(gyre_trainer_fatal(t, read_digests(t, &l, digests)));
    for (int i = 0; i < l.count; i++) {
        char what[80];
        snprintf(what, sizeof what, "%s after %lld steps", l.list[i].what, (long long)t->completed);
        GYRE_TRY(gyre_comm_same(t->comm, digests[i], what,
                                "a memory or hardware error, or other libraries there; nothing was "
                                "saved since the ranks were last the same, and the same command "
                                "resumes from there"));
    }
    return GYRE_OK;
}
