/* What one update needs, put together: net, optimizer, loader.
 *
 * gyre_trainer_step is the one step function; the training loop and the LR finder differ only in
 * the rate they give it. */
#ifndef GYRE_TRAINER_H
#define GYRE_TRAINER_H

#include "gyre/average.h"
#include "gyre/checkpoint.h"
#include "gyre/comm.h"
#include "gyre/evaluator.h"
#include "gyre/loader.h"
#include "gyre/lookahead.h"
#include "gyre/net.h"
#include "gyre/optimizer.h"
#include "gyre/resolve.h"

/* A step's results, known one step later. */
typedef struct {
    int64_t step; /* update index; -1: nothing to report yet */
    double time;  /* gyre_clock() when the update ended */
    gyre_rate rate;
    double loss, norm;
    bool finite; /* false: this update and all later ones were not applied */
} gyre_step_result;

/* What a rank asks for, agreed at the end of a step: the greatest one wins. */
typedef enum { GYRE_WISH_NONE, GYRE_WISH_CHECKPOINT, GYRE_WISH_STOP, GYRE_WISH_FAIL } gyre_wish;

typedef struct {
    const gyre_resolved *resolved; /* what is trained; the caller's */
    gyre_comm *comm;
    int rank, ranks;
    gyre_watchdog *watchdog;

    gyre_backend *backend;
    gyre_weights *weights;
    gyre_net *net;
    gyre_shards *shards;
    gyre_optimizer *optimizer;
    gyre_average *averages[GYRE_AVERAGE_COUNT]; /* by their kind; NULL: not kept */
    gyre_lookahead *lookahead;                  /* NULL: none */
    gyre_loader *loader;
    gyre_f32 digests;                /* of the state's parts (src/run/replicas.c) */
    char machine[GYRE_MACHINE_SIZE]; /* what may change bits, of all ranks */
    bool unlike;                     /* and it is not the same on all of them */

    gyre_snapshot snapshot;            /* host image of the state; filled by load and save */
    char *config;                      /* the resolved settings as text, which checkpoints hold */
    gyre_load load;                    /* what the device needs of the training images */
    struct gyre_trainer_phase *phases; /* of the optimizer, each a body of its own for record() */
    uint64_t seed;                     /* of batches and of random nodes: gyre_trainer_start's */
    int64_t completed;                 /* updates done */
    struct {
        gyre_batch batch; /* of the update under way */
        bool pending;     /* the last update's results are still on their way */
        gyre_ticket ticket;
        gyre_rate rate;
        double time;
    } last;

    struct gyre_profile *profile; /* the caller's; NULL: none */
} gyre_trainer;

/* Opens the device, and everything on it, with initial parameters; those of model.init_from only
 * when `fresh`, since a resume has its own. `profile` is NULL, or gets where the time goes. Close
 * `t` in any case. Collective. */
gyre_status gyre_trainer_open(gyre_trainer *t, const gyre_resolved *resolved, gyre_comm *comm,
                              struct gyre_profile *profile, bool fresh);
/* Starts reading batches for updates completed..last-1, with the sample order and augmentation of
 * `seed`. Collective. */
gyre_status gyre_trainer_start(gyre_trainer *t, uint64_t seed, int64_t last);
void gyre_trainer_stop(gyre_trainer *t); /* reading batches; it may start again */
void gyre_trainer_close(gyre_trainer *t);

/* Update t->completed with `rate`. *previous gets the results of the update before, *agreed the
 * greatest wish of all ranks. Failures that other ranks cannot know of abort the job. Collective.
 */
gyre_status gyre_trainer_step(gyre_trainer *t, gyre_rate rate, gyre_wish mine,
                              gyre_step_result *previous, gyre_wish *agreed);
/* Waits for the last update's results; step -1 when there are none left. */
gyre_status gyre_trainer_drain(gyre_trainer *t, gyre_step_result *last);

/* The weights that evaluation takes: their average.kind where that is one, else the last ones. */
gyre_weights *gyre_trainer_evaluated(const gyre_trainer *t);
/* gyre_evaluator_run() with an average that is kept, or the last weights (GYRE_AVERAGE_NONE). `e`
 * was opened for t->weights. Collective. */
gyre_status gyre_trainer_evaluate(gyre_trainer *t, gyre_evaluator *e, gyre_average_kind kind,
                                  const gyre_view *view, gyre_score *out);

/* Device to snapshot, and back; the second one on all ranks from rank 0's snapshot (Collective). */
gyre_status gyre_trainer_save(gyre_trainer *t);
gyre_status gyre_trainer_load(gyre_trainer *t);
/* Where the snapshot has an average: parameters, and running statistics behind them. */
float *gyre_trainer_average(const gyre_trainer *t, int kind);
/* GYRE_EDEVICE when the snapshot is not, bit for bit, what the device holds. */
gyre_status gyre_trainer_check_saved(gyre_trainer *t);

/* GYRE_EPEER, naming the odd rank, when anything that a result hangs on differs between ranks by a
 * bit: parameters, running statistics, optimizer state, averages, slow weights, the mean and scale
 * of the input. Collective. */
gyre_status gyre_trainer_verify(gyre_trainer *t);
/* In place of the next step, by a rank that has seen a reason to make none: aborts the job when it
 * alone has. Collective. */
gyre_status gyre_trainer_leave(gyre_trainer *t);

/* A failure that peers, who may wait in a collective, cannot know of: aborts the job when there are
 * peers, else returns `status`. */
gyre_status gyre_trainer_fatal(gyre_trainer *t, gyre_status status);

#endif
