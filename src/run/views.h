/* Evaluation by several views of each picture: itself, mirrored, moved by a pixel, whose outputs
 * are averaged. Internal to src/run. */
#ifndef GYRE_RUN_VIEWS_H
#define GYRE_RUN_VIEWS_H

#include "gyre/net.h"

enum { RUN_VIEWS_MAX = 6 };

/* How many there are of a kind. */
int run_views_count(gyre_views kind);

/* Room for the batches of a slot, of up to `batch` samples. */
typedef struct {
    gyre_augment *moves; /* (batch) */
    float *sum, *one;    /* (batch, outputs): of the views so far, and of one */
} run_views_room;
gyre_status run_views_open(int64_t batch, size_t outputs, run_views_room *out);
void run_views_close(run_views_room *room);

/* gyre_net_evaluate() of the mean outputs of a batch's views. */
gyre_status run_views_evaluate(gyre_views kind, const run_views_room *room, gyre_net *net,
                               gyre_queue *q, gyre_batch *batch, gyre_f32 stats);

#endif
