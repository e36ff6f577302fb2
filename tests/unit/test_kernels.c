/* The kernels that oneDNN runs for the convolutions of the zoo: none is a reference kernel, which
 * takes a hundred times as long as others do, at any size of a shard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/backend/cpu/depthwise.h"
#include "../../src/backend/cpu/dnn.h"
#include "../../src/backend/cpu/matrix.h"
#include "../../src/backend/cpu/patches.h"
#include "convolutions.h"
#include <stdio.h>
#include <string.h>

#define OK(call) assert_int_equal(call, GYRE_OK)

static const dnn_kind kinds[] = {DNN_CONV, DNN_CONV_DX, DNN_CONV_DW};
static const char *const kind_names[] = {"forward", "dx", "dw"};

/* What src/backend/cpu/conv.c gives to oneDNN as a convolution. */
static bool is_convolution(dnn_kind kind, const gyre_conv_shape *s) {
    if (cpu_is_depthwise(s) || cpu_is_matrix(s)) return false;
    return kind == DNN_CONV_DX || !cpu_is_patches(s);
}

/* Shapes that were seen: networks repeat theirs. */
enum { SEEN_MAX = 4096 };
static gyre_conv_shape seen[SEEN_MAX];
static int seen_count;

static bool is_new(const gyre_conv_shape *s) {
    for (int i = 0; i < seen_count; i++) {
        if (memcmp(&seen[i], s, GYRE_CONV_INTS * sizeof(int)) == 0) return false;
    }
    assert_true(seen_count < SEEN_MAX);
    seen[seen_count++] = *s;
    return true;
}

static int check(const dnn_device *device, const gyre_conv_shape *s, const char *network) {
    int found = 0;
    for (int k = 0; k < 3; k++) {
        if (!is_convolution(kinds[k], s)) continue;
        dnn_op op;
        OK(dnn_open(device, kinds[k], s, &op));
        if (dnn_is_reference(dnn_kernel(&op))) {
            printf("%s, %s of %d x %dx%dx%d, %d filters of %dx%d: %s\n", network, kind_names[k],
                   s->n, s->h, s->w, s->c, s->k, s->r, s->s, dnn_kernel(&op));
            found++;
        }
        dnn_close(&op);
    }
    return found;
}

static int check_network(const dnn_device *device, const char *name, int size, int channels) {
    static const int shards[] = {1, 2, 4, 32};
    char copy[40];
    gyre_model *m = NULL;
    int found = 0;
    snprintf(copy, sizeof copy, "%s", name);
    const gyre_model_settings settings = {.name = copy};
    if (gyre_model_open(&settings, size, size, channels, 10, &m) != GYRE_OK) return 0;
    for (int i = 0; i < m->node_count; i++) {
        for (int k = 0; k < 4; k++) {
            node_call c = node_call_of(m, i, NULL, shards[k]);
            if (strcmp(c.node->type->name, "conv") != 0) continue;
            gyre_conv_shape s = convolution_of(&c);
            if (is_new(&s)) found += check(device, &s, name);
        }
    }
    gyre_model_close(m);
    return found;
}

static void no_convolution_runs_by_a_reference_kernel(void **state) {
    (void)state;
    dnn_device device = {.act = dnnl_f32};
    int found = 0;
    assert_int_equal(dnnl_engine_create(&device.engine, dnnl_cpu, 0), dnnl_success);
    bool bf16 = dnn_bf16_support(device.engine) == DNN_BF16_NATIVE;
    for (int precision = 0; precision <= bf16; precision++) {
        device.act = precision == 0 ? dnnl_f32 : dnnl_bf16;
        seen_count = 0;
        for (int i = 0; gyre_model_name(i) != NULL; i++) {
            found += check_network(&device, gyre_model_name(i), 28, 1);
            found += check_network(&device, gyre_model_name(i), 32, 3);
        }
        printf("%d shapes in %s\n", seen_count, precision == 0 ? "f32" : "bf16");
        assert_true(seen_count > 100);
    }
    assert_int_equal(found, 0);
    dnnl_engine_destroy(device.engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_convolution_runs_by_a_reference_kernel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
