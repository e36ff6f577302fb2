/* Noise on images, as a diffusion model is trained to tell it (Ho, Jain & Abbeel 2020, arXiv
 * 2006.11239): x_t = a x_0 + s noise with a^2 = alpha_bar(t) and a^2 + s^2 = 1. Each sample has its
 * own time t and noise, drawn by seed, step and place in the global batch, and in evaluation by the
 * sample and the pass: so evaluations are equal but for the parameters. The nodes that ask for the
 * time, and the loss, read this one to know what it drew.
 *
 * Noise schedules as diffusers' DDPMScheduler has them: beta linear in t, or its square root
 * (scaled_linear, of Stable Diffusion), or alpha_bar a squared cosine (Nichol & Dhariwal 2021,
 * arXiv 2102.09672, 3.2). zero_snr: alpha_bar of the last step is 0 (Lin et al. 2023, arXiv
 * 2305.08891, algorithm 1). offset: one more normal for each channel of a sample (Guttenberg 2023,
 * "Diffusion with offset noise"). min_snr: weights of the loss (Hang et al. 2023, arXiv
 * 2303.09556). */
#include "diffuse.h"

#include <limits.h>
#include <stdlib.h>

static const char *const noises[] = {"linear", "scaled_linear", "cosine", NULL};
static const char *const predictions[] = {"epsilon", "v", NULL};
static const char *const ways[] = {"uniform", "stratified", NULL};

#define OF(member) offsetof(diffuse_options, member)
enum { STEPS_MOST = 10000 };
static const node_option options[] = {
    {"steps", OPTION_COUNT, OF(steps), 2, STEPS_MOST, 1000, NULL, NULL},
    {"noise", OPTION_CHOICE, OF(noise), 0, 0, GYRE_NOISE_LINEAR, noises, NULL},
    {"beta_start", OPTION_REAL, OF(beta_start), 0, 0.999, 0, NULL,
     "1e-4; of scaled_linear 0.00085"},
    {"beta_end", OPTION_REAL, OF(beta_end), 0, 0.999, 0, NULL, "0.02; of scaled_linear 0.012"},
    {"zero_snr", OPTION_BOOL, OF(zero_snr), 0, 1, 0, NULL, NULL},
    {"predict", OPTION_CHOICE, OF(predict), 0, 0, GYRE_PREDICT_EPSILON, predictions, NULL},
    {"draw", OPTION_CHOICE, OF(draw), 0, 0, GYRE_DRAW_UNIFORM, ways, NULL},
    {"from", OPTION_COUNT, OF(from), 0, STEPS_MOST, 0, NULL, NULL},
    {"to", OPTION_COUNT, OF(to), 0, STEPS_MOST, 0, NULL, "steps"},
    {"offset", OPTION_REAL, OF(offset), 0, 1, 0, NULL, NULL},
    {"min_snr", OPTION_REAL, OF(min_snr), 0, 1000, 0, NULL, "all times weigh alike"},
    {0},
};

const diffuse_options *diffuse_options_of(const gyre_model *m, int index) {
    if (index < 0 || m->nodes[index].type != node_type_named("diffuse")) return NULL;
    return m->nodes[index].options;
}

gyre_status diffuse_check_read(const builder *b, const gyre_node *n, const char *use) {
    if (diffuse_options_of(b->model, n->inputs[0]) != NULL) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "node %s: expected that it reads a node of type diffuse, %s",
                     n->name, use);
}

int diffuse_find(const gyre_model *m) {
    for (int i = 0; i < m->node_count; i++) {
        if (diffuse_options_of(m, i) != NULL) return i;
    }
    return -1;
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    diffuse_options *o = n->options;
    if (o->to == 0) o->to = o->steps;
    if (o->beta_start == 0) o->beta_start = o->noise == GYRE_NOISE_SCALED_LINEAR ? 0.00085f : 1e-4f;
    if (o->beta_end == 0) o->beta_end = o->noise == GYRE_NOISE_SCALED_LINEAR ? 0.012f : 0.02f;
    if (o->from >= o->to || o->to > o->steps) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected 0 <= \"from\" < \"to\" <= \"steps\" %d, found %d and "
                         "%d",
                         n->name, o->steps, o->from, o->to);
    }
    if (o->beta_start > o->beta_end) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"beta_start\": expected at most \"beta_end\" %g, found %g",
                         n->name, (double)o->beta_end, (double)o->beta_start);
    }
    if (o->zero_snr && o->predict == GYRE_PREDICT_EPSILON) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"zero_snr\" needs \"predict\": \"v\": at the last step the "
                         "input is the noise itself",
                         n->name);
    }
    const int input = n->inputs[0];
    if (input != BUILDER_IMAGES && strcmp(b->model->nodes[input].type->name, NODE_LATENT) != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected that it reads \"" BUILDER_INPUT
                         "\" or a node of type " NODE_LATENT,
                         n->name);
    }
    for (int i = 0; i < b->model->node_count; i++) {
        if (&b->model->nodes[i] == n || diffuse_options_of(b->model, i) == NULL) continue;
        return gyre_fail(GYRE_EUSAGE, "node %s: expected one node of type diffuse, and %s is one",
                         n->name, b->model->nodes[i].name);
    }
    return builder_same_size(b, n, in);
}

gyre_noise_schedule diffuse_schedule(const diffuse_options *o) {
    return (gyre_noise_schedule){.steps = o->steps,
                                 .noise = (gyre_noise)o->noise,
                                 .beta_start = (double)o->beta_start,
                                 .beta_end = (double)o->beta_end,
                                 .zero_snr = o->zero_snr};
}

/* ---- at work */

gyre_diffusion_shape diffuse_shape(const diffuse_options *o, const node_call *c, node_size size) {
    return (gyre_diffusion_shape){.n = c->n,
                                  .first = (uint32_t)c->first,
                                  .pixels = (size_t)size.h * (size_t)size.w,
                                  .c = (size_t)size.c,
                                  .from = (uint32_t)o->from,
                                  .range = (uint32_t)(o->to - o->from),
                                  .stratified = o->draw == GYRE_DRAW_STRATIFIED,
                                  .offset = o->offset};
}

uint32_t diffuse_threshold(const node_call *c, float drop) {
    double most = c->train ? (double)drop * 0x1p32 : 0;
    return most >= 0x1p32 ? UINT32_MAX : (uint32_t)most;
}

static size_t constants_size(const gyre_model *m, const gyre_node *n) {
    const diffuse_options *o = n->options;
    (void)m;
    return 2 * (size_t)o->steps;
}

/* (a, s) of each step. */
static gyre_status constants(const gyre_model *m, const gyre_node *n, float *out) {
    const diffuse_options *o = n->options;
    double *alpha_bar = malloc((size_t)o->steps * sizeof *alpha_bar);
    (void)m;
    if (alpha_bar == NULL) return gyre_no_memory("node %s", n->name);
    const gyre_noise_schedule schedule = diffuse_schedule(o);
    gyre_noise_alpha_bar(&schedule, alpha_bar);
    for (int t = 0; t < o->steps; t++) {
        out[2 * t] = (float)sqrt(alpha_bar[t]);
        out[2 * t + 1] = (float)sqrt(1 - alpha_bar[t]);
    }
    free(alpha_bar);
    return GYRE_OK;
}

static gyre_status forward(const node_call *c) {
    gyre_diffusion_shape s = diffuse_shape(c->node->options, c, c->out);
    return c->ops->diffuse(c->queue, &s, c->draws, c->constants, c->x[0], c->y);
}

const gyre_node_type node_diffuse = {
    .name = "diffuse",
    .summary = "Adds the noise that the loss denoise asks a network to tell: a x + s noise, by the "
               "time that is drawn for each sample.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(diffuse_options),
    .options = options,
    .draws = true,
    .draws_in_evaluation = true,
    .define = define,
    .constants_size = constants_size,
    .constants = constants,
    .forward = forward};
