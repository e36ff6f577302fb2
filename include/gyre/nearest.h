/* The training sample that is nearest to one that was made, to see whether it was copied. */
#ifndef GYRE_NEAREST_H
#define GYRE_NEAREST_H

#include "gyre/comm.h"
#include "gyre/dataset.h"
#include "gyre/sampling.h"

typedef struct {
    int64_t index;   /* in the view */
    double distance; /* Euclidean, in the network's numbers */
} gyre_neighbour;

/* For each of x(count, h, w, c), out(count), on all ranks; of equal distances the first. The view's
 * samples have the input's size. Errors of one rank are told to all. Collective. */
gyre_status gyre_nearest(const gyre_view *view, const gyre_sampling_input *in, const float *x,
                         int count, gyre_comm *comm, gyre_neighbour *out);

/* Samples of the view, x(count, h, w, c), in the network's numbers. GYRE_EIO. */
gyre_status gyre_nearest_read(const gyre_view *view, const gyre_sampling_input *in,
                              const gyre_neighbour *which, int count, float *x);

#endif
