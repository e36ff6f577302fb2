/* What a network that denoises says of itself: read from its nodes `diffuse`, and `embedding` or
 * `context`. */
#include "gyre/denoiser.h"

#include "gyre/realmath.h"
#include "node.h"
#include <math.h>
#include <string.h>

/* ---- schedules */

static double beta_of(const gyre_noise_schedule *s, int i) {
    double share = (double)i / (s->steps - 1);
    if (s->noise == GYRE_NOISE_LINEAR) return s->beta_start + (s->beta_end - s->beta_start) * share;
    double root = sqrt(s->beta_start) + (sqrt(s->beta_end) - sqrt(s->beta_start)) * share;
    return root * root;
}

static double squared_cosine(double share) {
    double c = gyre_cospi((share + 0.008) / 1.008 / 2);
    return c * c;
}

static void end_at_zero(int steps, double *alpha_bar) {
    double first = sqrt(alpha_bar[0]), last = sqrt(alpha_bar[steps - 1]);
    for (int i = 0; i < steps; i++) {
        double root = (sqrt(alpha_bar[i]) - last) * first / (first - last);
        alpha_bar[i] = root * root;
    }
}

void gyre_noise_alpha_bar(const gyre_noise_schedule *s, double *alpha_bar) {
    double product = 1;
    for (int i = 0; i < s->steps; i++) {
        double beta;
        if (s->noise == GYRE_NOISE_COSINE) {
            double t = (double)i, all = (double)s->steps;
            beta = fmin(1 - squared_cosine((t + 1) / all) / squared_cosine(t / all), 0.999);
        } else {
            beta = beta_of(s, i);
        }
        alpha_bar[i] = product *= 1 - beta;
    }
    if (s->zero_snr) end_at_zero(s->steps, alpha_bar);
}

/* ---- the nodes */

static const gyre_node *find(const gyre_model *m, const char *type) {
    for (int i = 0; i < m->node_count; i++) {
        if (strcmp(m->nodes[i].type->name, type) == 0) return &m->nodes[i];
    }
    return NULL;
}

static int whole(const gyre_node *n, const char *option) {
    return (int)gyre_node_option(n, option, 0);
}

bool gyre_denoiser_of(const gyre_model *m, gyre_denoiser *out) {
    const gyre_node *noised = find(m, "diffuse"), *class = find(m, "embedding"),
                    *context = find(m, NODE_CONTEXT);
    *out = (gyre_denoiser){.null_class = -1};
    if (noised == NULL || strcmp(m->loss, "denoise") != 0) return false;
    out->schedule = (gyre_noise_schedule){.steps = whole(noised, "steps"),
                                          .noise = (gyre_noise)whole(noised, "noise"),
                                          .beta_start = gyre_node_option(noised, "beta_start", 0),
                                          .beta_end = gyre_node_option(noised, "beta_end", 0),
                                          .zero_snr = whole(noised, "zero_snr") != 0};
    out->h = noised->h;
    out->w = noised->w;
    out->c = noised->c;
    out->from = whole(noised, "from");
    out->to = whole(noised, "to");
    out->predict = (gyre_predict)whole(noised, "predict");
    out->offset = (float)gyre_node_option(noised, "offset", 0);
    if (class == NULL && context == NULL) return true;
    out->contexts = context != NULL;
    out->classes = out->contexts && m->contexts != NULL ? m->contexts->count : m->classes;
    if (context != NULL)
        out->null_class = GYRE_CONTEXT_NONE;
    else if (gyre_node_option(class, "drop", 0) > 0)
        out->null_class = whole(class, "rows") - 1;
    return true;
}
