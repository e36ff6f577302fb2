/* What the nodes of a diffusion model know of the one that adds the noise. Internal to
 * src/model/nodes. */
#ifndef GYRE_MODEL_NODES_DIFFUSE_H
#define GYRE_MODEL_NODES_DIFFUSE_H

#include "../builder.h"

typedef enum { DIFFUSE_LINEAR, DIFFUSE_SCALED_LINEAR, DIFFUSE_COSINE } diffuse_noise;
typedef enum { DIFFUSE_EPSILON, DIFFUSE_V } diffuse_predict;
typedef enum { DIFFUSE_UNIFORM, DIFFUSE_STRATIFIED } diffuse_draw;

typedef struct {
    int steps;
    int noise; /* diffuse_noise */
    float beta_start, beta_end;
    bool zero_snr;
    int predict; /* diffuse_predict */
    int draw;    /* diffuse_draw */
    int from, to;
    float offset, min_snr;
} diffuse_options;

/* The options of node `index`; NULL: it is no node of this type. */
const diffuse_options *diffuse_options_of(const gyre_model *m, int index);
/* The only one of the model; -1: there is none. */
int diffuse_find(const gyre_model *m);
/* The noise of the call's samples. */
gyre_diffusion_shape diffuse_shape(const diffuse_options *o, const node_call *c, node_size size);

/* The product of 1 - beta up to each step, alpha_bar(steps) (Ho, Jain & Abbeel 2020, arXiv
 * 2006.11239, section 2). */
void diffuse_schedule(const diffuse_options *o, double *alpha_bar);

#endif
