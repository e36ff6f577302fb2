/* Diffusion: what is drawn for a sample (its time, its noise, its condition), that its distribution
 * is the stated one, and the operations that use it against plain formulas in double. */
#include "gyre/diffusion.h"

#include "ops.h"

enum { STEPS = 1000 };

static const uint32_t TRAINING[GYRE_DRAW_WORDS] = {
    1, 2, 40, 0x12345678, 0x9abcdef0, GYRE_DRAW_SHUFFLED, 60};
static const uint32_t PASS[GYRE_DRAW_WORDS] = {1, 2, 7, 0x12345678, 0x9abcdef0, 2, 4};
static const uint32_t FIXED[GYRE_DRAW_WORDS] = {1, 2, 0, 0x12345678, 0x9abcdef0, 321, 0};

/* ---- elementary functions */

/* Errors in units of the last place; the header states them. */
static void logarithm_is_accurate(void **state) {
    double worst = 0;
    (void)state;
    for (uint32_t bits = 0x00800000u; bits <= 0x3f800000u; bits += 997) {
        float x = gyre_f32_of_bits(bits);
        double want = log((double)x), unit = ldexp(1, ilogb(want == 0 ? 1 : want) - 23);
        worst = fmax(worst, fabs((double)gyre_log_f32(x) - want) / unit);
    }
    printf("log %.2f ulp\n", worst);
    assert_true(worst <= 2);
    assert_true(gyre_log_f32(1.0f) == 0.0f);
}

static void turns_are_accurate(void **state) {
    double worst = 0;
    (void)state;
    for (uint64_t w = 0; w <= UINT32_MAX; w += 9973) {
        gyre_turn_f32 got = gyre_turn((uint32_t)w);
        double angle = 2 * acos(-1) * ldexp((double)w, -32);
        worst = fmax(worst, fabs((double)got.cosine - cos(angle)));
        worst = fmax(worst, fabs((double)got.sine - sin(angle)));
    }
    assert_true(worst <= 0x1p-23);
}

/* ---- draws */

static double normal_of(uint32_t sample, size_t i, uint32_t what) {
    gyre_philox_block w = gyre_diffusion_words(TRAINING, (uint32_t)(i / 4), sample, what);
    const uint32_t *pair = &w.w[i % 4 / 2 * 2];
    float u = ((float)pair[0] + 0.5f) * 0x1p-32f; /* where it is rounded, r is another one */
    double r = sqrt(-2 * log((double)u));
    double angle = 2 * acos(-1) * (double)pair[1] * 0x1p-32;
    return i % 2 == 0 ? r * cos(angle) : r * sin(angle);
}

/* Moments of N(0, 1), within six deviations of each: of x^k they are sqrt((E x^2k - (E x^k)^2) /
 * n). As many beyond 4 as there should be. */
static void noise_is_normal(void **state) {
    enum { N = 1 << 20 };
    double sums[5] = {0};
    int far = 0;
    (void)state;
    for (uint32_t i = 0; i < N; i += 4) {
        gyre_diffusion_normals four =
            gyre_diffusion_four(TRAINING, i / 4 % 1000, i / 4000, GYRE_DIFFUSION_NOISE);
        for (int j = 0; j < 4; j++) {
            double x = (double)four.v[j], power = 1;
            for (int k = 1; k <= 4; k++) sums[k] += power *= x;
            far += fabs(x) > 4;
        }
    }
    static const double want[] = {0, 0, 1, 0, 3}, variance[] = {0, 1, 2, 15, 96};
    for (int k = 1; k <= 4; k++) {
        assert_true(fabs(sums[k] / N - want[k]) <= 6 * sqrt(variance[k] / N));
    }
    double share = 6.334e-5 * N;
    assert_true(fabs(far - share) <= 6 * sqrt(share));
}

static void shuffles_are_permutations(void **state) {
    static const uint32_t sizes[] = {1, 2, 3, 4, 5, 16, 17, 60, 64, 65, 128, 1000, 4097, 65537};
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint32_t n = sizes[s];
        char *seen = calloc(n, 1);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t at = gyre_diffusion_shuffle(TRAINING, i, n);
            assert_true(at < n && !seen[at]);
            seen[at] = 1;
        }
        free(seen);
    }
}

/* Where place 0 of 5 comes, over many keys: all five within six deviations. */
static void shuffles_are_fair(void **state) {
    enum { KEYS = 20000, N = 5 };
    int counts[N] = {0};
    uint32_t words[GYRE_DRAW_WORDS] = {0};
    (void)state;
    for (uint32_t key = 0; key < KEYS; key++) {
        words[GYRE_DRAW_NOISE_KEY] = key;
        counts[gyre_diffusion_shuffle(words, 0, N)]++;
    }
    for (int i = 0; i < N; i++) assert_true(abs(counts[i] - KEYS / N) <= 6 * 57);
}

static gyre_diffusion_shape shape(int n, size_t pixels, size_t c) {
    return (gyre_diffusion_shape){
        .n = n, .pixels = pixels, .c = c, .from = 0, .range = STEPS, .first = 3};
}

static void uniform_times_fill_their_range(void **state) {
    enum { N = 40000, PARTS = 8 };
    int counts[PARTS] = {0};
    gyre_diffusion_shape s = shape(1, 1, 1);
    (void)state;
    s.from = 100;
    s.range = 800;
    for (uint32_t i = 0; i < N; i++) {
        uint32_t t = gyre_diffusion_time(&s, TRAINING, i);
        assert_true(t >= 100 && t < 900);
        counts[(t - 100) * PARTS / 800]++;
    }
    for (int k = 0; k < PARTS; k++) assert_true(abs(counts[k] - N / PARTS) <= 6 * 66);
}

/* Of 60 samples each has a sixtieth of the range of its own; in evaluation all have the pass's
 * quarter; in sampling all have the time that is given. */
static void strata_hold_one_sample_each(void **state) {
    gyre_diffusion_shape s = shape(1, 1, 1);
    char seen[60] = {0};
    (void)state;
    s.stratified = true;
    for (uint32_t i = 0; i < 60; i++) {
        uint32_t t = gyre_diffusion_time(&s, TRAINING, i);
        uint32_t low = gyre_diffusion_shuffle(TRAINING, i, 60);
        assert_true(!seen[low]);
        assert_true(t >= low * STEPS / 60 && t <= (low + 1) * STEPS / 60);
        seen[low] = 1;
        assert_true(gyre_diffusion_time(&s, PASS, i) / (STEPS / 4) == 2);
        assert_true(gyre_diffusion_time(&s, FIXED, i) == 321);
    }
}

/* ---- operations */

static double *schedule(size_t columns) {
    double *table = zeros(STEPS * columns);
    for (size_t t = 0; t < STEPS; t++) {
        for (size_t k = 0; k < columns; k++)
            table[t * columns + k] = (double)(float)(0.05 + sin((double)(t * (k + 1)) * 0.01) / 3);
    }
    return table;
}

static double noise_at(const gyre_diffusion_shape *s, const uint32_t *draws, size_t i) {
    size_t one = s->pixels * s->c;
    uint32_t sample = draws[GYRE_DRAW_FIRST] + s->first + (uint32_t)(i / one);
    double x = normal_of(sample, i % one, GYRE_DIFFUSION_NOISE);
    return x + (double)s->offset * normal_of(sample, i % s->c, GYRE_DIFFUSION_OFFSET);
}

static uint32_t time_at(const gyre_diffusion_shape *s, const uint32_t *draws, size_t sample) {
    return gyre_diffusion_time(s, draws, draws[GYRE_DRAW_FIRST] + s->first + (uint32_t)sample);
}

/* A normal has an error of about 2^-22: that of the angle, times at most 6.7, and two ulp of the
 * radius. */
enum { NOISE_ULPS = 40 };

static void check_diffuse(gyre_backend *b, gyre_diffusion_shape s, const uint32_t *words) {
    size_t one = s.pixels * s.c, n = (size_t)s.n * one;
    double *x = randoms(1, n), *y = zeros(n), *scale = zeros(n), *table = schedule(2);
    round_acts(x, n);
    for (size_t i = 0; i < n; i++) {
        const double *row = table + 2 * time_at(&s, words, i / one);
        bool noised = words[GYRE_DRAW_STRATA] > 0;
        y[i] = noised ? row[0] * x[i] + row[1] * noise_at(&s, words, i) : x[i];
        scale[i] = noised ? fabs(row[0] * x[i]) + fabs(row[1]) * (1 + (double)s.offset) : 0;
    }
    buffer draws = buffer_from(b, words, GYRE_DRAW_WORDS, sizeof *words);
    buffer dev_x = acts_of(b, x, n), dev_y = acts_new(b, n), t = buffer_of(b, table, 2 * STEPS);
    OK(b->ops->diffuse(b->main, &s, I(draws), F(t), A(dev_x), A(dev_y)));
    check_close("y", dev_y, y, scale, NOISE_ULPS * HALF_ULP);
    OK(b->ops->diffuse(b->main, &s, I(draws), F(t), A(dev_x), A(dev_x))); /* over x */
    check_close("y", dev_x, y, scale, NOISE_ULPS * HALF_ULP);
    buffer all[] = {draws, dev_x, dev_y, t};
    for (size_t i = 0; i < 4; i++) buffer_free(all[i]);
    double *arrays[] = {x, y, scale, table};
    for (size_t i = 0; i < 4; i++) free(arrays[i]);
}

static const size_t sizes[][2] = {{1, 1}, {35, 3}, {64, 16}, {256, 1}, {54, 12}, {6, 520}, {7, 5}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void samples_are_noised(void **state) {
    for (size_t i = 0; i < SIZES; i++) {
        gyre_diffusion_shape s = shape(5, sizes[i][0], sizes[i][1]);
        check_diffuse(*state, s, TRAINING);
        check_diffuse(*state, s, PASS);
        check_diffuse(*state, s, FIXED);
        s.stratified = true;
        s.offset = 0.125f;
        check_diffuse(*state, s, TRAINING);
    }
}

static void check_latent(gyre_backend *b, gyre_diffusion_shape s, const uint32_t *words) {
    size_t one = s.pixels * s.c, n = (size_t)s.n * one;
    double *x = randoms(1, 2 * n), *y = zeros(n), *scale = zeros(n);
    round_acts(x, 2 * n);
    for (size_t i = 0; i < n; i++) {
        size_t mean = i / s.c * 2 * s.c + i % s.c;
        uint32_t sample = words[GYRE_DRAW_FIRST] + s.first + (uint32_t)(i / one);
        bool drawn = words[GYRE_DRAW_STRATA] > 0;
        double normal = drawn ? normal_of(sample, i % one, GYRE_DIFFUSION_LATENT) : 0;
        y[i] = x[mean] + x[mean + s.c] * normal;
        scale[i] = drawn ? fabs(x[mean]) + fabs(x[mean + s.c]) : 0;
    }
    buffer draws = buffer_from(b, words, GYRE_DRAW_WORDS, sizeof *words);
    buffer dev_x = acts_of(b, x, 2 * n), dev_y = acts_new(b, n);
    OK(b->ops->latent(b->main, &s, I(draws), A(dev_x), A(dev_y)));
    check_close("y", dev_y, y, scale, NOISE_ULPS * HALF_ULP);
    buffer all[] = {draws, dev_x, dev_y};
    for (size_t i = 0; i < 3; i++) buffer_free(all[i]);
    free(x), free(y), free(scale);
}

static void latents_are_drawn(void **state) {
    for (size_t i = 0; i < SIZES; i++) {
        gyre_diffusion_shape s = shape(5, sizes[i][0], sizes[i][1]);
        check_latent(*state, s, TRAINING);
        check_latent(*state, s, FIXED);
    }
}

static void rows_are_those_of_the_times(void **state) {
    gyre_backend *b = *state;
    for (size_t c = 1; c <= 33; c += 8) {
        gyre_diffusion_shape s = shape(6, 1, c);
        double *table = schedule(c), *y = zeros(6 * c);
        for (size_t i = 0; i < 6 * c; i++) {
            y[i] = table[time_at(&s, TRAINING, i / c) * c + i % c];
        }
        buffer draws = buffer_from(b, TRAINING, GYRE_DRAW_WORDS, sizeof *TRAINING);
        buffer t = buffer_of(b, table, STEPS * c), dev_y = acts_new(b, 6 * c);
        OK(b->ops->time_rows(b->main, &s, I(draws), F(t), A(dev_y)));
        check_close("y", dev_y, y, NULL, 0);
        buffer all[] = {draws, t, dev_y};
        for (size_t i = 0; i < 3; i++) buffer_free(all[i]);
        free(table), free(y);
    }
}

static size_t row_at(const gyre_embedding_shape *s, const int32_t *labels, size_t i) {
    uint32_t sample = TRAINING[GYRE_DRAW_FIRST] + s->first + (uint32_t)i;
    gyre_philox_block w = gyre_diffusion_words(TRAINING, 0, sample, GYRE_DIFFUSION_CONDITION);
    return w.w[0] < s->threshold ? (size_t)s->none : (size_t)labels[i];
}

static void check_embedding(gyre_backend *b, int c, int none, uint32_t threshold) {
    enum { N = 24, ROWS = 7 };
    gyre_embedding_shape s = {N, 5, ROWS, c, none, threshold};
    size_t columns = (size_t)c, rows = ROWS * columns, n = N * columns;
    double *w = randoms(1, rows), *y = zeros(n), *dy = randoms(2, n), *dw = zeros(rows);
    double *scale = zeros(rows);
    int32_t labels[N];
    int dropped = 0;
    round_acts(dy, n);
    for (size_t i = 0; i < N; i++) {
        labels[i] = (int32_t)(i * i % (ROWS - 1)) + (none == 0);
        size_t row = row_at(&s, labels, i);
        dropped += row == (size_t)none;
        for (size_t k = 0; k < columns; k++) {
            y[i * columns + k] = w[row * columns + k];
            dw[row * columns + k] += dy[i * columns + k];
            scale[row * columns + k] += fabs(dy[i * columns + k]);
        }
    }
    assert_true(threshold == 0 ? dropped == 0 : dropped > 0 && dropped < N);
    buffer draws = buffer_from(b, TRAINING, GYRE_DRAW_WORDS, sizeof *TRAINING);
    buffer dev_w = buffer_of(b, w, rows), dev_dy = acts_of(b, dy, n);
    buffer dev_labels = buffer_labels(b, labels, N);
    buffer dev_y = acts_new(b, n), dev_dw = buffer_new(b, rows);
    OK(b->ops->embedding(b->main, &s, I(draws), I(dev_labels), F(dev_w), A(dev_y)));
    check_close("y", dev_y, y, NULL, 0);
    OK(b->ops->embedding_dw(b->main, &s, I(draws), I(dev_labels), A(dev_dy), F(dev_dw)));
    check_close("dw", dev_dw, dw, scale, sum_bound(N));
    buffer all[] = {draws, dev_w, dev_dy, dev_labels, dev_y, dev_dw};
    for (size_t i = 0; i < 6; i++) buffer_free(all[i]);
    double *arrays[] = {w, y, dy, dw, scale};
    for (size_t i = 0; i < 5; i++) free(arrays[i]);
}

static void embeddings_match(void **state) {
    for (int c = 1; c <= 33; c += 8) {
        check_embedding(*state, c, 6, 0);
        check_embedding(*state, c, 6, 1u << 30);
        check_embedding(*state, c, 0, 1u << 30);
    }
}

/* ---- the loss */

typedef struct {
    gyre_denoise_loss_shape s;
    const uint32_t *draws;
    double *x, *x0, *dx, *table, *noise;
    double plain, bands[2 * GYRE_DENOISE_BANDS];
} problem;

static double reference(void *context) {
    problem *p = context;
    size_t one = p->s.noise.pixels * p->s.noise.c;
    double loss = 0;
    p->plain = 0;
    memset(p->bands, 0, sizeof p->bands);
    for (size_t i = 0; i < (size_t)p->s.noise.n; i++) {
        uint32_t time = time_at(&p->s.noise, p->draws, i);
        const double *row = p->table + time * GYRE_DENOISE_ROW;
        double sum = 0, weight = row[GYRE_DENOISE_WEIGHT];
        for (size_t j = i * one; j < (i + 1) * one; j++) {
            double target =
                row[GYRE_DENOISE_NOISE] * p->noise[j] + row[GYRE_DENOISE_SAMPLE] * p->x0[j];
            double d = p->x[j] - target;
            sum += d * d / (double)one;
            p->dx[j] = 2 * weight * (double)p->s.scale * d / (double)one;
        }
        loss += weight * sum;
        p->plain += sum;
        p->bands[time / (STEPS / GYRE_DENOISE_BANDS)] += sum;
        p->bands[GYRE_DENOISE_BANDS + time / (STEPS / GYRE_DENOISE_BANDS)] += 1;
    }
    return loss * (double)p->s.scale;
}

static void check_loss(gyre_backend *b, gyre_diffusion_shape noise, const uint32_t *words) {
    size_t one = noise.pixels * noise.c, n = (size_t)noise.n * one;
    problem p = {.s = {noise, STEPS, 1.0f / 24}, .draws = words, .x = randoms(1, n)};
    p.x0 = randoms(2, n), p.dx = zeros(n), p.noise = zeros(n);
    p.table = schedule(GYRE_DENOISE_ROW);
    round_acts(p.x, n), round_acts(p.x0, n);
    for (size_t i = 0; i < n; i++) p.noise[i] = noise_at(&noise, words, i);
    double value = reference(&p), *gradient = zeros(n), *scale = zeros(n);
    double want[2] = {value, p.plain}, bands[2 * GYRE_DENOISE_BANDS];
    memcpy(gradient, p.dx, n * sizeof *gradient);
    memcpy(bands, p.bands, sizeof bands);
    check_gradient("denoise_loss", reference, &p, p.x, n, gradient);
    for (size_t i = 0; i < n; i++) {
        scale[i] = (2 + fabs(p.x[i]) + fabs(p.x0[i])) / 24 / (double)one;
    }
    buffer draws = buffer_from(b, words, GYRE_DRAW_WORDS, sizeof *words);
    buffer x = acts_of(b, p.x, n), x0 = acts_of(b, p.x0, n), dx = acts_new(b, n);
    buffer t = buffer_of(b, p.table, (size_t)STEPS * GYRE_DENOISE_ROW);
    buffer stats = buffer_new(b, 2), dev_bands = buffer_new(b, 2 * (size_t)GYRE_DENOISE_BANDS);
    const gyre_backend_ops *ops = b->ops;
    OK(ops->denoise_loss(b->main, &p.s, I(draws), F(t), A(x), A(x0), A(dx), F(stats), NULL));
    /* of a single value that happens to be near its target the error is that of the noise */
    const double of_sums[2] = {fabs(want[0]) + 1e-3, fabs(want[1]) + 1e-3};
    check_close("stats", stats, want, of_sums, NOISE_ULPS * HALF_ULP);
    check_close("dx", dx, gradient, scale, NOISE_ULPS * HALF_ULP);
    OK(ops->denoise_loss(b->main, &p.s, I(draws), F(t), A(x), A(x0), NULL, F(stats), F(dev_bands)));
    check_close("stats without dx", stats, want, of_sums, NOISE_ULPS * HALF_ULP);
    double of_bands[2 * GYRE_DENOISE_BANDS];
    for (int k = 0; k < 2 * GYRE_DENOISE_BANDS; k++) of_bands[k] = bands[k] + 1e-3;
    check_close("bands", dev_bands, bands, of_bands, NOISE_ULPS * HALF_ULP);
    buffer all[] = {draws, x, x0, dx, t, stats, dev_bands};
    for (size_t i = 0; i < 7; i++) buffer_free(all[i]);
    double *arrays[] = {p.x, p.x0, p.dx, p.noise, p.table, gradient, scale};
    for (size_t i = 0; i < 7; i++) free(arrays[i]);
}

static void losses_match(void **state) {
    for (size_t i = 0; i < SIZES; i++) {
        gyre_diffusion_shape s = shape(5, sizes[i][0], sizes[i][1]);
        check_loss(*state, s, TRAINING);
        check_loss(*state, s, PASS);
        s.offset = 0.125f;
        check_loss(*state, s, TRAINING);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logarithm_is_accurate),
        cmocka_unit_test(turns_are_accurate),
        cmocka_unit_test(noise_is_normal),
        cmocka_unit_test(shuffles_are_permutations),
        cmocka_unit_test(shuffles_are_fair),
        cmocka_unit_test(uniform_times_fill_their_range),
        cmocka_unit_test(strata_hold_one_sample_each),
        cmocka_unit_test(samples_are_noised),
        cmocka_unit_test(latents_are_drawn),
        cmocka_unit_test(rows_are_those_of_the_times),
        cmocka_unit_test(embeddings_match),
        cmocka_unit_test(losses_match),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
