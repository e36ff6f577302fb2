/* Nets as a whole: they learn, lanes do not change a bit, shards are added as the fixed tree, and
 * what is frozen stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"
#include <math.h>

/* Adam, since one rate then serves nets of very different scales. */
static void overfits(const char *name, int size, int channels, double lr, int steps) {
    rig r = rig_open((rig_options){.name = name,
                                   .size = size,
                                   .channels = channels,
                                   .classes = 10,
                                   .n = 8,
                                   .shards = 2,
                                   .lanes = 2});
    gyre_optimizer_settings settings = {
        .name = GYRE_OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    gyre_optimizer *optimizer;
    OK(gyre_optimizer_open(&settings, r.weights, 2, &optimizer));
    double first = rig_step(&r, optimizer, 0, lr, 0.9), loss = first;
    int t = 1;
    for (; t < steps && !(loss < 0.01); t++) loss = rig_step(&r, optimizer, t, lr, 0.9);
    printf("%-14s loss %.4f -> %.5f in %d steps\n", name, first, loss, t);
    assert_true(first > 1.5); /* near ln 10 at least, before it has seen the batch */
    assert_true(loss < 0.01);
    gyre_optimizer_close(optimizer);
    rig_close(&r);
}

static void every_model_overfits_a_batch(void **state) {
    (void)state;
    overfits("mlp", 8, 1, 0.01, 200);
    overfits("lenet", 16, 1, 0.002, 200);
    overfits("cifar10_quick", 16, 3, 0.003, 400);
    overfits("small_cnn", 12, 1, 0.01, 200);
    overfits("resnet20", 8, 3, 0.01, 200);
    overfits("resnet32", 8, 3, 0.01, 200);
    overfits("resnet44", 8, 3, 0.01, 200);
    overfits("resnet56", 8, 3, 0.01, 200);
    overfits("resnet110", 8, 3, 0.01, 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_overfits_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
