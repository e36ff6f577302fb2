/* Times and coefficients of samplers, and what is drawn; see gyre/sampling.h. */
#include "gyre/sampling.h"

#include "gyre/diffusion.h"
#include "gyre/random.h"
#include <math.h>
#include <string.h>

/* Halves are rounded to even numbers, as NumPy rounds them. */
int gyre_sampling_time(const gyre_sampling_rule *rule, int all, int step) {
    int n = rule->steps, left = n - 1 - step;
    switch (rule->spacing) {
    case GYRE_SPACING_LEADING: return left * (all / n);
    case GYRE_SPACING_TRAILING: return (int)rint(all - step * ((double)all / n)) - 1;
    case GYRE_SPACING_LINSPACE: break;
    }
    return n > 1 ? (int)rint(left * ((double)(all - 1) / (n - 1))) : 0;
}

/* x_0 from the noise, or from v = a noise - s x_0. */
static void find_x0(gyre_sampling_step *out, gyre_predict predict, double now) {
    double a = sqrt(now), s = sqrt(1 - now);
    bool v = predict == GYRE_PREDICT_V;
    out->x0_x = v ? a : 1 / a;
    out->x0_out = v ? -s : -s / a;
}

static void ddim(gyre_sampling_step *out, double eta, gyre_predict predict, double now,
                 double next) {
    bool v = predict == GYRE_PREDICT_V;
    double noise = eta * sqrt((1 - next) / (1 - now) * (1 - now / next));
    double direction = sqrt(fmax(0, 1 - next - noise * noise)); /* times the noise that was told */
    out->next_x0 = sqrt(next);
    out->next_x = v ? direction * sqrt(1 - now) : 0;
    out->next_out = v ? direction * sqrt(now) : direction;
    out->next_noise = noise;
}

static void ddpm(gyre_sampling_step *out, double now, double next) {
    double alpha = now / next, beta = 1 - alpha;
    out->next_x0 = sqrt(next) * beta / (1 - now);
    out->next_x = sqrt(alpha) * (1 - next) / (1 - now);
    out->next_noise = sqrt((1 - next) / (1 - now) * beta);
}

void gyre_sampling_steps(const gyre_sampling_rule *rule, const gyre_denoiser *d,
                         const double *alpha_bar, gyre_sampling_step *out) {
    int all = d->schedule.steps;
    for (int i = 0; i < rule->steps; i++) {
        bool last = i == rule->steps - 1;
        out[i] = (gyre_sampling_step){.time = gyre_sampling_time(rule, all, i)};
        double now = alpha_bar[out[i].time];
        double next = last ? 1 : alpha_bar[gyre_sampling_time(rule, all, i + 1)];
        find_x0(&out[i], d->predict, now);
        if (rule->method == GYRE_SAMPLING_DDIM)
            ddim(&out[i], rule->eta, d->predict, now, next);
        else
            ddpm(&out[i], now, next);
    }
}

void gyre_sampling_noise(uint64_t seed, int64_t step, size_t count, float *out) {
    const gyre_random key = gyre_random_open(seed, GYRE_RANDOM_SAMPLING, (uint64_t)step, 0);
    const uint32_t draws[GYRE_DRAW_WORDS] = {[GYRE_DRAW_NOISE_KEY] = key.key[0],
                                             [GYRE_DRAW_NOISE_KEY + 1] = key.key[1]};
    for (size_t i = 0; i < count; i += 4) {
        gyre_diffusion_normals four =
            gyre_diffusion_four(draws, (uint32_t)(i / 4), 0, GYRE_DIFFUSION_NOISE);
        memcpy(out + i, four.v, (count - i < 4 ? count - i : 4) * sizeof *out);
    }
}
