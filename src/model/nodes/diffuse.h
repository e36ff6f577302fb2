/* What the nodes of a diffusion model know of the one that adds the noise. Internal to
 * src/model/nodes. */
#ifndef GYRE_MODEL_NODES_DIFFUSE_H
#define GYRE_MODEL_NODES_DIFFUSE_H

#include "../builder.h"
#include "gyre/denoiser.h"

typedef struct {
    int steps;
    int noise; /* gyre_noise */
    float beta_start, beta_end;
    bool zero_snr;
    int predict; /* gyre_predict */
    int draw;    /* gyre_draw */
    int from, to;
    float offset, min_snr;
} diffuse_options;

/* The options of node `index`; NULL: it is no node of this type. */
const diffuse_options *diffuse_options_of(const gyre_model *m, int index);
/* The only one of the model; -1: there is none. */
int diffuse_find(const gyre_model *m);
/* GYRE_EUSAGE unless node n reads one: "for whose samples it gives contexts". */
gyre_status diffuse_check_read(const builder *b, const gyre_node *n, const char *use);
/* The noise of the call's samples. */
gyre_diffusion_shape diffuse_shape(const diffuse_options *o, const node_call *c, node_size size);

/* Of a condition that training drops with a probability: gyre_embedding_shape's. */
uint32_t diffuse_threshold(const node_call *c, float drop);

/* Its noise. */
gyre_noise_schedule diffuse_schedule(const diffuse_options *o);

#endif
