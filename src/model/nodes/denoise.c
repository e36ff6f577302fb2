/* The loss of a network that tells the noise of noised images, or v = a noise - s x_0 (Salimans &
 * Ho 2022, arXiv 2202.00512), as the node of type diffuse says; weighted by min(SNR, g) / SNR, of v
 * by min(SNR, g) / (SNR + 1), where that has min_snr g (Hang et al. 2023, arXiv 2303.09556; as
 * diffusers' training scripts write it). */
#include "diffuse.h"

#include <stdlib.h>

/* Without the weights, so that runs with other weights can be compared. */
static const gyre_metric metric = {
    .name = "denoising_error",
    .plural = "denoising errors",
    .unit = "",
    .column_unit = "",
    .difference_unit = "",
    .factor = 1,
    .decimals = 5,
    .form = GYRE_METRIC_MEAN,
    .sum = 1,
    .is_paired = true,
};

/* What it compares with follows from the images. */
static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const gyre_model *m = b->model;
    const int noised = diffuse_find(m);
    if (noised < 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "model.loss: denoise needs a node of type diffuse, which adds the noise, "
                         "and the network has none");
    }
    const node_size x = node_output(m, m->nodes[noised].inputs[0]);
    if (in->h != x.h || in->w != x.w || in->c != x.c) {
        return gyre_fail(GYRE_EUSAGE,
                         "model.loss: denoise needs outputs of the size of the images, %d x %d x "
                         "%d; node %s before it gives %d x %d x %d",
                         x.h, x.w, x.c, builder_input_name(b, n), in->h, in->w, in->c);
    }
    n->inputs[1] = m->nodes[noised].inputs[0];
    n->input_count = 2;
    return GYRE_OK;
}

static size_t constants_size(const gyre_model *m, const gyre_node *n) {
    (void)n;
    return (size_t)diffuse_options_of(m, diffuse_find(m))->steps * GYRE_DENOISE_ROW;
}

static double weight_of(const diffuse_options *o, double alpha_bar) {
    double snr = alpha_bar / (1 - alpha_bar), most = (double)o->min_snr;
    if (most == 0) return 1;
    return fmin(snr, most) / (o->predict == GYRE_PREDICT_V ? snr + 1 : snr);
}

static gyre_status constants(const gyre_model *m, const gyre_node *n, float *out) {
    const diffuse_options *o = diffuse_options_of(m, diffuse_find(m));
    double *alpha_bar = malloc((size_t)o->steps * sizeof *alpha_bar);
    bool v = o->predict == GYRE_PREDICT_V;
    if (alpha_bar == NULL) return gyre_no_memory("node %s", n->name);
    const gyre_noise_schedule schedule = diffuse_schedule(o);
    gyre_noise_alpha_bar(&schedule, alpha_bar);
    for (int t = 0; t < o->steps; t++) {
        float *row = out + (size_t)t * GYRE_DENOISE_ROW;
        row[GYRE_DENOISE_NOISE] = v ? (float)sqrt(alpha_bar[t]) : 1;
        row[GYRE_DENOISE_SAMPLE] = v ? -(float)sqrt(1 - alpha_bar[t]) : 0;
        row[GYRE_DENOISE_WEIGHT] = (float)weight_of(o, alpha_bar[t]);
    }
    free(alpha_bar);
    return GYRE_OK;
}

static gyre_status forward(const node_call *c) {
    const diffuse_options *o = diffuse_options_of(c->model, diffuse_find(c->model));
    gyre_denoise_loss_shape s = {diffuse_shape(o, c, c->in[0]), (uint32_t)o->steps, c->scale};
    return c->ops->denoise_loss(c->queue, &s, c->draws, c->constants, c->x[0], c->x[1], c->dx[0],
                                c->stats, c->bands);
}

const gyre_node_type node_denoise = {
    .name = "denoise",
    .summary = "mean of (z - noise)^2, of a network with a node of type diffuse",
    .inputs_min = 1,
    .inputs_max = 2,
    .keeps_x = true,
    .is_loss = true,
    .draws = true,
    .draws_in_evaluation = true,
    .bands = GYRE_DENOISE_BANDS,
    .metric = &metric,
    .loss_unit = "",
    .define = define,
    .constants_size = constants_size,
    .constants = constants,
    .forward = forward};
