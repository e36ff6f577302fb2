/* The sinusoids of a sample's time: sin(t f) and cos(t f) of half as many frequencies as channels,
 * f = 10000^(-i / (half - shift)) (Vaswani et al. 2017, arXiv 1706.03762, 3.5; diffusers'
 * Timesteps, whose flip_sin_to_cos is `flip` and downscale_freq_shift `shift`). */
#include "diffuse.h"

#include "gyre/realmath.h"
#include <limits.h>

typedef struct {
    int channels;
    bool flip;
    float shift;
} time_options;

static const node_option options[] = {
    {"channels", OPTION_COUNT, offsetof(time_options, channels), 2, INT_MAX, NAN, NULL, NULL},
    {"flip", OPTION_BOOL, offsetof(time_options, flip), 0, 1, 0, NULL, NULL},
    {"shift", OPTION_REAL, offsetof(time_options, shift), 0, 1, 0, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const time_options *o = n->options;
    (void)in;
    GYRE_TRY(diffuse_check_read(b, n, "whose times it gives"));
    if (o->channels % 2 != 0 || !((double)o->shift < o->channels / 2)) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected an even number of \"channels\", more than twice "
                         "\"shift\" %g, found %d",
                         n->name, (double)o->shift, o->channels);
    }
    n->h = n->w = 1;
    n->c = o->channels;
    return GYRE_OK;
}

static size_t constants_size(const gyre_model *m, const gyre_node *n) {
    const time_options *o = n->options;
    return gyre_size_of((size_t)diffuse_options_of(m, n->inputs[0])->steps, (size_t)o->channels);
}

static gyre_status constants(const gyre_model *m, const gyre_node *n, float *out) {
    const double pi = 0x1.921fb54442d18p+1;
    const time_options *o = n->options;
    int half = o->channels / 2, steps = diffuse_options_of(m, n->inputs[0])->steps;
    for (int i = 0; i < half; i++) {
        double f = gyre_exp(-gyre_log(10000) * i / (half - (double)o->shift));
        for (int t = 0; t < steps; t++) {
            float *row = out + (size_t)t * (size_t)o->channels;
            double turn = t * f / pi;
            row[i + (o->flip ? half : 0)] = (float)gyre_sinpi(turn);
            row[i + (o->flip ? 0 : half)] = (float)gyre_cospi(turn);
        }
    }
    return GYRE_OK;
}

static gyre_status forward(const node_call *c) {
    const diffuse_options *o = diffuse_options_of(c->model, c->node->inputs[0]);
    gyre_diffusion_shape s = diffuse_shape(o, c, c->out);
    return c->ops->time_rows(c->queue, &s, c->draws, c->constants, c->y);
}

const gyre_node_type node_time = {
    .name = "time",
    .summary = "Sines and cosines of the time that a node of type diffuse has drawn for a sample.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(time_options),
    .options = options,
    .draws = true,
    .draws_in_evaluation = true,
    .define = define,
    .constants_size = constants_size,
    .constants = constants,
    .forward = forward};
