/* Whatever the order of blocks, warps and lanes, the bits are the same: nothing depends on timing.
 * Inputs are large enough for many blocks. */
#include "kernels_rig.h"

enum { ORDERS = 6 };

/* An operation: what it reads stays, what it writes is compared. */
typedef void (*operation)(gyre_backend *b, const buffer *in, const buffer *out);

static const gyre_batch_norm_shape norm = {6, 12, 11, 24, 1e-5f, true, true, false};
static const gyre_batch_norm_shape frozen = {6, 12, 11, 24, 1e-5f, true, true, true};
static const gyre_layer_norm_shape layer_norm = {6, 12, 11, 24, 1e-5f};
static const gyre_group_norm_shape group_norm = {6, 12, 11, 24, 8, 1e-5f, false};
static const gyre_group_norm_shape group_silu = {6, 12, 11, 24, 8, 1e-5f, true};
static const gyre_attention_shape attention = {6, 132, 132, 3, 24, 0.3f, true};
static const gyre_pool_shape pools[] = {{6, 12, 11, 24, 3, 3, 2, 2, 1, 1, true, true, false},
                                        {6, 12, 11, 24, 3, 3, 2, 2, 1, 1, false, true, false}};
static const gyre_lrn_shape lrn = {6, 12, 11, 24, 3, 0.5f, 0.7f, true};
static const gyre_shortcut_shape shortcut = {6, 12, 11, 24, 48, 1};
static const gyre_loss_shape loss = {99, 33, 0.1f, 0.01f, 1, false};
static const gyre_update_shape adam = {GYRE_RULE_ADAM, false, false, true, 1, 0.1f, 0.99f, 1e-6f};
enum { N = 6 * 12 * 11 * 24, INPUTS = 3, OUTPUTS = 4, FEW = 64 };

/* inputs: three of N activations, one of N floats and one of labels; outputs: two of N
 * activations, one of N floats, one of 2 * FEW floats */
static void run_maps(gyre_backend *b, const buffer *in, const buffer *out) {
    OK(b->ops->relu(b->main, N, A(in[0]), A(out[0])));
    OK(b->ops->relu_dx(b->main, N, A(in[0]), A(in[1]), A(out[1])));
    OK(b->ops->add(b->main, N, F(in[3]), F(in[3]), F(out[2])));
}
static void run_activation(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_activation_shape s = {N, GYRE_ACTIVATION_GELU, 0};
    OK(b->ops->activation(b->main, &s, A(in[0]), A(out[0])));
    OK(b->ops->activation_dx(b->main, &s, A(in[0]), A(in[1]), A(out[1])));
}
static void run_broadcast(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_broadcast_shape s = {6, 12, 11, 24, GYRE_BROADCAST_PIXELS, true};
    gyre_scale_shape factors = {6, 12, 11, 24};
    OK(b->ops->broadcast(b->main, &s, A(in[0]), A(in[1]), A(out[0])));
    OK(b->ops->broadcast_db(b->main, &s, A(in[0]), A(in[1]), A(out[1])));
    s.over = GYRE_BROADCAST_CHANNELS;
    OK(b->ops->broadcast_db(b->main, &s, A(in[0]), A(in[1]), (gyre_act)(void *)F(out[2])));
    OK(b->ops->scale_dw(b->main, &factors, A(in[0]), A(in[1]), F(out[3])));
}
static void run_transpose(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_transpose_shape s = {6, 12 * 11, 24};
    OK(b->ops->transpose(b->main, &s, A(in[0]), A(out[0])));
}
static void run_norm(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_f32 gamma = F(in[3]), beta = gyre_f32_at(gamma, 24), saved = F(out[2]);
    OK(b->ops->batch_norm_train(b->main, &norm, A(in[0]), A(in[1]), gamma, beta, saved, F(out[3]),
                                A(out[0])));
}
static void run_norm_dx(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_f32 gamma = F(in[3]), saved = gyre_f32_at(gamma, 24), dgamma = F(out[3]);
    OK(b->ops->batch_norm_dx(b->main, &norm, A(in[0]), A(in[1]), A(in[2]), gamma, saved, A(out[0]),
                             A(out[1]), dgamma, gyre_f32_at(dgamma, 24)));
}
static void run_frozen_norm(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_f32 gamma = F(in[3]), beta = gyre_f32_at(gamma, 24), saved = F(out[2]);
    gyre_f32 dgamma = F(out[3]);
    OK(b->ops->fill(b->main, 48, 0.5f, dgamma)); /* the running statistics, for a while */
    OK(b->ops->batch_norm_eval(b->main, &frozen, A(in[0]), A(in[1]), gamma, beta, dgamma, saved,
                               A(out[0])));
    OK(b->ops->batch_norm_dx(b->main, &frozen, A(in[0]), A(out[0]), A(in[2]), gamma, saved,
                             A(out[0]), A(out[1]), dgamma, gyre_f32_at(dgamma, 24)));
}
static void run_layer_norm(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_f32 gamma = F(in[3]), beta = gyre_f32_at(gamma, 24);
    OK(b->ops->layer_norm(b->main, &layer_norm, A(in[0]), gamma, beta, F(out[2]), A(out[0])));
}
static void run_layer_norm_dx(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_f32 gamma = F(in[3]), saved = gyre_f32_at(gamma, 24), dgamma = F(out[3]);
    OK(b->ops->layer_norm_dx(b->main, &layer_norm, A(in[0]), A(in[1]), gamma, saved, A(out[0]),
                             dgamma, gyre_f32_at(dgamma, 24)));
}
static void run_group_norm(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_f32 gamma = F(in[3]), beta = gyre_f32_at(gamma, 24);
    OK(b->ops->group_norm(b->main, &group_norm, A(in[0]), gamma, beta, F(out[2]), A(out[0])));
}
static void run_group_norm_dx(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_f32 gamma = F(in[3]), saved = gyre_f32_at(gamma, 24), dgamma = F(out[3]);
    OK(b->ops->group_norm_dx(b->main, &group_norm, A(in[0]), A(in[1]), gamma, NULL, saved,
                             A(out[0]), dgamma, gyre_f32_at(dgamma, 24)));
}
static void run_group_silu(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_f32 gamma = F(in[3]), beta = gyre_f32_at(gamma, 24), dgamma = F(out[3]);
    OK(b->ops->group_norm(b->main, &group_silu, A(in[0]), gamma, beta, F(out[2]), A(out[0])));
    OK(b->ops->group_norm_dx(b->main, &group_silu, A(in[0]), A(in[1]), gamma, beta, F(out[2]),
                             A(out[1]), dgamma, gyre_f32_at(dgamma, 24)));
}
static void run_attention(gyre_backend *b, const buffer *in, const buffer *out) {
    OK(b->ops->attention(b->main, &attention, A(in[0]), A(in[1]), A(in[2]), F(out[2]), A(out[0])));
}
static void run_attention_dx(gyre_backend *b, const buffer *in, const buffer *out) {
    OK(b->ops->attention_dx(b->main, &attention, A(in[0]), A(in[1]), A(in[2]), F(in[3]), A(in[1]),
                            A(in[2]), A(out[0]), A(out[1]), (gyre_act)(void *)F(out[2])));
}
static void run_geglu(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_geglu_shape s = {6, 12, 11, 12};
    OK(b->ops->geglu(b->main, &s, A(in[0]), A(out[0])));
    OK(b->ops->geglu_dx(b->main, &s, A(in[0]), A(in[1]), A(out[1])));
}
static void run_positions(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_positions_shape s = {6, 12, 11, 24};
    OK(b->ops->positions(b->main, &s, A(in[0]), F(in[3]), A(out[0])));
    OK(b->ops->positions_dw(b->main, &s, A(in[1]), F(out[2])));
}
static void run_columns(gyre_backend *b, const buffer *in, const buffer *out) {
    void *work = malloc(gpu_columns_work(24));
    assert_int_equal(gpu_column_sum_launch(NULL, b->act_size == 2, N / 24, 24, A(in[0]), work,
                                           (float *)F(out[3])),
                     cudaSuccess);
    free(work);
}
static void run_pool(gyre_backend *b, const gyre_pool_shape *s, const buffer *in,
                     const buffer *out) {
    OK(b->ops->pool(b->main, s, A(in[0]), R(out[2]), A(out[0])));
    OK(b->ops->pool_dx(b->main, s, A(in[1]), R(out[2]), A(out[1])));
}
static void run_max_pool(gyre_backend *b, const buffer *in, const buffer *out) {
    run_pool(b, &pools[0], in, out);
}
static void run_average_pool(gyre_backend *b, const buffer *in, const buffer *out) {
    run_pool(b, &pools[1], in, out);
}
static void run_lrn(gyre_backend *b, const buffer *in, const buffer *out) {
    OK(b->ops->lrn(b->main, &lrn, A(in[0]), A(out[0])));
    OK(b->ops->lrn_dx(b->main, &lrn, A(in[0]), A(in[1]), A(out[1])));
}
static void run_channel_lrn(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_channel_lrn_shape s = {6, 12, 11, 24, 5, 0.5f, 0.7f, 1};
    OK(b->ops->channel_lrn(b->main, &s, A(in[0]), A(out[0])));
    OK(b->ops->channel_lrn_dx(b->main, &s, A(in[0]), A(in[1]), A(out[1])));
}
static void run_shortcut(gyre_backend *b, const buffer *in, const buffer *out) {
    gyre_shortcut_shape half = shortcut;
    half.n = 3;
    OK(b->ops->shortcut(b->main, &half, A(in[0]), A(out[0])));
    OK(b->ops->shortcut_dx(b->main, &half, A(in[1]), A(out[1])));
}
static void run_loss(gyre_backend *b, const buffer *in, const buffer *out) {
    OK(b->ops->softmax_loss(b->main, &loss, A(in[0]), I(in[4]), F(in[3]), A(out[0]), F(out[3])));
}
static void run_squared_error(gyre_backend *b, const buffer *in, const buffer *out) {
    OK(b->ops->squared_error_loss(b->main, &loss, A(in[0]), I(in[4]), A(out[0]), F(out[3])));
}
static void run_value_loss(gyre_backend *b, const buffer *in, const buffer *out) {
    const gyre_value_loss_shape s = {GYRE_VALUE_LOSS_BINARY, loss.n, loss.classes, 0.125f};
    OK(b->ops->value_loss(b->main, &s, A(in[0]), F(in[3]), A(out[0]), F(out[3])));
}
static void run_check_step(gyre_backend *b, const buffer *in, const buffer *out) {
    OK(b->ops->fill(b->main, FEW, 1, F(out[3])));
    OK(b->ops->check_step(b->main, N, F(in[3]), F(in[3]), 0.5f, F(out[3])));
}
static void run_update(gyre_backend *b, const buffer *in, const buffer *out) {
    enum { PART = N / 4 };
    OK(b->ops->fill(b->main, N, 0.5f, F(out[2])));
    OK(b->ops->fill(b->main, FEW, 0.25f, F(out[3])));
    OK(b->ops->update(b->main, &adam, PART, F(in[3]), F(out[2]), gyre_f32_at(F(out[2]), PART),
                      gyre_f32_at(F(out[2]), 2 * PART), F(out[3])));
    OK(b->ops->update_average(b->main, PART, F(in[3]), F(out[3]),
                              gyre_f32_at(F(out[2]), 3 * PART)));
}

static const struct {
    const char *name;
    operation run;
} operations[] = {{"maps", run_maps},
                  {"activation", run_activation},
                  {"broadcast", run_broadcast},
                  {"transpose", run_transpose},
                  {"batch_norm_train", run_norm},
                  {"batch_norm_dx", run_norm_dx},
                  {"frozen batch_norm", run_frozen_norm},
                  {"layer_norm", run_layer_norm},
                  {"layer_norm_dx", run_layer_norm_dx},
                  {"group_norm", run_group_norm},
                  {"group_norm_dx", run_group_norm_dx},
                  {"group_norm with SiLU", run_group_silu},
                  {"attention", run_attention},
                  {"attention_dx", run_attention_dx},
                  {"geglu", run_geglu},
                  {"positions", run_positions},
                  {"column_sum", run_columns},
                  {"maximum pooling", run_max_pool},
                  {"average pooling", run_average_pool},
                  {"lrn", run_lrn},
                  {"channel_lrn", run_channel_lrn},
                  {"shortcut", run_shortcut},
                  {"softmax_loss", run_loss},
                  {"squared_error_loss", run_squared_error},
                  {"value_loss", run_value_loss},
                  {"check_step", run_check_step},
                  {"update", run_update}};

static void open_inputs(gyre_backend *b, buffer *in) {
    int32_t labels[99];
    for (int i = 0; i < 99; i++) labels[i] = i % 33;
    for (uint64_t i = 0; i < 4; i++) {
        size_t size = i < INPUTS ? b->act_size : sizeof(float);
        void *content = elements(i, N, size, false);
        in[i] = buffer_from(b, content, N, size);
        free(content);
    }
    in[4] = buffer_labels(b, labels, 99);
}

/* The bytes of all outputs, freed by the caller. */
static char *outputs_of(gyre_backend *b, operation run, const buffer *in, size_t *bytes) {
    buffer out[OUTPUTS] = {acts_new(b, N), acts_new(b, N), buffer_new(b, N),
                           buffer_new(b, 2 * FEW)};
    run(b, in, out);
    *bytes = 2 * N * b->act_size + (N + 2 * FEW) * sizeof(float);
    char *all = malloc(*bytes), *to = all;
    for (int i = 0; i < OUTPUTS; i++) {
        void *raw = buffer_raw(out[i]);
        memcpy(to, raw, out[i].n * out[i].size);
        to += out[i].n * out[i].size;
        free(raw);
        buffer_free(out[i]);
    }
    return all;
}

static void order_does_not_matter(void **state) {
    gyre_backend *b = *state;
    buffer in[INPUTS + 2];
    open_inputs(b, in);
    for (size_t k = 0; k < sizeof operations / sizeof operations[0]; k++) {
        char *first = NULL;
        for (uint64_t seed = 0; seed < ORDERS; seed++) {
            size_t bytes;
            emulator_seed(seed);
            char *now = outputs_of(b, operations[k].run, in, &bytes);
            if (first == NULL) {
                first = now;
                continue;
            }
            if (memcmp(first, now, bytes) != 0)
                fail_msg("%s: other bits in order %u", operations[k].name, (unsigned)seed);
            free(now);
        }
        free(first);
    }
    emulator_seed(0);
    for (int i = 0; i < INPUTS + 2; i++) buffer_free(in[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_does_not_matter)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
