/* Convolutions before they are run. */
#ifndef GYRE_CUDA_CONV_H
#define GYRE_CUDA_CONV_H

#include "graph.h"

/* Makes the plan that this kind of operation with this shape runs by, and its work memory. */
gyre_status gpu_conv_plan(gyre_queue *q, gpu_conv_kind kind, const gyre_conv_shape *s);

#endif
