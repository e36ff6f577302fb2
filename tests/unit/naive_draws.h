/* Nodes that draw, in double: dropout; noised samples, their times and the loss that compares with
 * the noise. What is drawn is that of step 0 with seed 1 in a batch of all samples: rig_open's.
 * Part of naive.h. */
#ifndef GYRE_TESTS_NAIVE_DRAWS_H
#define GYRE_TESTS_NAIVE_DRAWS_H

#include "../../src/model/nodes/diffuse.h"
#include "gyre/diffusion.h"
#include "gyre/dropout.h"

static void naive_dropout(const naive *t, const gyre_node *l, naive_input in, double *y) {
    const char *kind = l->type->name;
    uint64_t hash = node_name_hash(l);
    double p = node_option_value(l, "p");
    gyre_random key = gyre_random_open(1, GYRE_RANDOM_DROPOUT, 0, 0);
    gyre_dropout_shape s = {.name = {(uint32_t)hash, (uint32_t)(hash >> 32)}};
    int one = l->h * l->w * l->c;
    for (int i = 0; i < t->n * one; i++) {
        int element = strcmp(kind, "dropout") == 0 ? i % one : i % l->c;
        int place = strcmp(kind, "stochastic_depth") == 0 ? 0 : element;
        gyre_philox_block words = gyre_dropout_words(&s, key.key[0], key.key[1],
                                                     (uint32_t)(i / one), (uint32_t)(place / 4));
        y[i] = words.w[place % 4] < p * 0x1p32 ? 0 : in.x[i] / (1 - p);
    }
}

static const gyre_node *naive_diffuse_node(const gyre_model *m) {
    int index = 0;
    while (strcmp(m->nodes[index].type->name, "diffuse") != 0) index++;
    return &m->nodes[index];
}

static double naive_alpha_bar(const gyre_node *l, int time) {
    double product = 1, steps = node_option_value(l, "steps"), pi = acos(-1);
    double first = node_option_value(l, "beta_start"), last = node_option_value(l, "beta_end");
    for (int i = 0; i <= time; i++) {
        double low = cos((i / steps + 0.008) / 1.008 * pi / 2);
        double high = cos(((i + 1) / steps + 0.008) / 1.008 * pi / 2);
        double share = i / (steps - 1), root = sqrt(first) + (sqrt(last) - sqrt(first)) * share;
        double beta[] = {first + (last - first) * share, root * root,
                         fmin(1 - high * high / (low * low), 0.999)};
        product *= 1 - beta[naive_int(l, "noise")];
    }
    return product;
}

static int naive_time(const naive *t, int sample) {
    const gyre_node *l = naive_diffuse_node(t->m);
    gyre_random key = gyre_random_open(1, GYRE_RANDOM_DIFFUSION, 0, 0);
    const uint32_t draws[GYRE_DRAW_WORDS] = {
        0, 0, 0, key.key[0], key.key[1], GYRE_DRAW_SHUFFLED, (uint32_t)t->n};
    gyre_diffusion_shape s = {.from = (uint32_t)naive_int(l, "from"),
                              .range = (uint32_t)(naive_int(l, "to") - naive_int(l, "from")),
                              .stratified = naive_int(l, "draw") == 1};
    return (int)gyre_diffusion_time(&s, draws, (uint32_t)sample);
}

static double naive_noise(const naive *t, int sample, int element) {
    gyre_random key = gyre_random_open(1, GYRE_RANDOM_DIFFUSION, 0, 0);
    const uint32_t draws[GYRE_DRAW_WORDS] = {0, 0, 0, key.key[0], key.key[1]};
    double offset = node_option_value(naive_diffuse_node(t->m), "offset");
    int channel = element % naive_diffuse_node(t->m)->c;
    double noise = (double)gyre_diffusion_four(draws, (uint32_t)(element / 4), (uint32_t)sample,
                                               GYRE_DIFFUSION_NOISE)
                       .v[element % 4];
    return noise + offset * (double)gyre_diffusion_four(draws, (uint32_t)(channel / 4),
                                                        (uint32_t)sample, GYRE_DIFFUSION_OFFSET)
                                .v[channel % 4];
}

static void naive_latent(const naive *t, const gyre_node *l, naive_input in, double *y) {
    gyre_random key = gyre_random_open(1, GYRE_RANDOM_DIFFUSION, 0, 0);
    const uint32_t draws[GYRE_DRAW_WORDS] = {0, 0, 0, key.key[0], key.key[1]};
    int one = l->h * l->w * l->c;
    for (int i = 0; i < t->n * one; i++) {
        uint32_t element = (uint32_t)(i % one);
        const double *mean = in.x + i / l->c * 2 * l->c + i % l->c;
        double normal = (double)gyre_diffusion_four(draws, element / 4, (uint32_t)(i / one),
                                                    GYRE_DIFFUSION_LATENT)
                            .v[element % 4];
        y[i] = mean[0] + mean[l->c] * normal;
    }
}

static void naive_diffuse(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int one = l->h * l->w * l->c;
    for (int i = 0; i < t->n * one; i++) {
        double product = naive_alpha_bar(l, naive_time(t, i / one));
        y[i] = sqrt(product) * in.x[i] + sqrt(1 - product) * naive_noise(t, i / one, i % one);
    }
}

static void naive_times(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int half = l->c / 2, flip = node_option_value(l, "flip") == 1;
    (void)in;
    for (int i = 0; i < t->n * l->c; i++) {
        int k = i % l->c % half, cosine = (i % l->c >= half) != flip;
        double f = pow(10000, -k / (half - node_option_value(l, "shift")));
        double angle = naive_time(t, i / l->c) * f;
        y[i] = cosine ? cos(angle) : sin(angle);
    }
}

/* Row `none` of the table where the label is dropped. */
static int naive_row(const naive *t, const gyre_node *l, int sample, int none) {
    gyre_random key = gyre_random_open(1, GYRE_RANDOM_DIFFUSION, 0, 0);
    const uint32_t draws[GYRE_DRAW_WORDS] = {0, 0, 0, key.key[0], key.key[1]};
    uint32_t word = gyre_diffusion_words(draws, 0, (uint32_t)sample, GYRE_DIFFUSION_CONDITION).w[0];
    return word < node_option_value(l, "drop") * 0x1p32 ? none : t->labels[sample];
}

static void naive_embedding(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int rows = naive_int(l, "rows");
    (void)in;
    for (int i = 0; i < t->n * l->c; i++) {
        int row = naive_row(t, l, i / l->c, rows - 1);
        y[i] = naive_param(t, l->params[0])[row * l->c + i % l->c];
    }
}

static void naive_context(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int one = l->h * l->w * l->c;
    (void)in;
    for (int i = 0; i < t->n * one; i++) {
        y[i] = (double)t->m->contexts->values[naive_row(t, l, i / one, 0) * one + i % one];
    }
}

/* Mean over the batch of the mean over the values of weight (z - target)^2. */
static double naive_denoise(const naive *t) {
    const gyre_node *l = naive_diffuse_node(t->m);
    int one = l->h * l->w * l->c, from = l->inputs[0];
    const double *x0 = from < 0 ? t->images : t->y[from];
    bool v = naive_int(l, "predict") == 1;
    double loss = 0, most = node_option_value(l, "min_snr");
    for (int i = 0; i < t->n * one; i++) {
        double product = naive_alpha_bar(l, naive_time(t, i / one)), snr = product / (1 - product);
        double noise = naive_noise(t, i / one, i % one);
        double target = v ? sqrt(product) * noise - sqrt(1 - product) * x0[i] : noise;
        double weight = most == 0 ? 1 : fmin(snr, most) / (v ? snr + 1 : snr);
        double d = t->y[gyre_model_output(t->m)][i] - target;
        loss += weight * d * d / (t->n * one);
    }
    return loss;
}

#endif
