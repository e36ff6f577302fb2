/* A sample of a latent, as a VAE's encoder tells it: a mean and a deviation for each value
 * (Kingma & Welling 2014, arXiv 1312.6114; diffusers' DiagonalGaussianDistribution). It is drawn
 * anew at each step, by seed, step and place in the global batch, and in evaluation by the sample
 * and the pass. */
#include "diffuse.h"

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    if (n->inputs[0] != BUILDER_IMAGES) {
        return gyre_fail(GYRE_EUSAGE, "node %s: expected that it reads \"" BUILDER_INPUT "\"",
                         n->name);
    }
    if (in->c % 2 != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected samples of an even number of channels, means and "
                         "deviations, found %d",
                         n->name, in->c);
    }
    GYRE_TRY(builder_same_size(b, n, in));
    n->c = in->c / 2;
    return GYRE_OK;
}

static gyre_status forward(const node_call *c) {
    const gyre_diffusion_shape s = {.n = c->n,
                                    .first = (uint32_t)c->first,
                                    .pixels = (size_t)c->out.h * (size_t)c->out.w,
                                    .c = (size_t)c->out.c};
    return c->ops->latent(c->queue, &s, c->draws, c->x[0], c->y);
}

const gyre_node_type node_latent = {
    .name = NODE_LATENT,
    .summary = "Draws samples of which means and deviations are given: mean + deviation normal, by "
               "half as many channels as it reads.",
    .inputs_min = 1,
    .inputs_max = 1,
    .draws = true,
    .draws_in_evaluation = true,
    .define = define,
    .forward = forward};
