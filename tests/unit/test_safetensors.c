/* safetensors in memory and on disk: what was written comes back by name and number, and every
 * other first byte of a header is refused or read within its bounds. */
#include "gyre/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gyre/file.h"
#include "gyre/model.h"
#include "gyre/state_dict.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gyre-safetensors-XXXXXX";
static char path[64];

static const float ramp[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

static char *image(size_t *size) {
    static const int dims[2][2] = {{2, 3}, {4, 0}};
    const gyre_safetensors_array arrays[] = {{"z.weight", dims[0], 2, ramp},
                                             {"a \"quoted\" name", dims[1], 1, ramp + 6}};
    const gyre_note notes[] = {{"format", "pt"}};
    char *file = NULL;
    assert_int_equal(gyre_safetensors_image(arrays, 2, notes, 1, &file, size), GYRE_OK);
    return file;
}

static void what_was_written_comes_back(void **state) {
    size_t size = 0, count = 0;
    float found[6];
    char *file = image(&size);
    gyre_safetensors *s = NULL;
    (void)state;
    assert_int_equal(gyre_file_write_atomic(path, file, size), GYRE_OK);
    assert_true(gyre_safetensors_is(path));
    assert_int_equal(gyre_safetensors_open(path, &s), GYRE_OK);
    const gyre_h5_entry *e = gyre_safetensors_list(s, &count);
    assert_int_equal(count, 2);
    assert_string_equal(e[0].name, "a \"quoted\" name");
    assert_int_equal(e[0].ndim, 1);
    assert_int_equal(e[0].dims[0], 4);
    assert_string_equal(e[1].name, "z.weight");
    assert_int_equal(gyre_safetensors_read(s, &e[1], found, 6), GYRE_OK);
    assert_memory_equal(found, ramp, sizeof found);
    assert_int_equal(gyre_safetensors_read(s, &e[0], found, 4), GYRE_OK);
    assert_memory_equal(found, ramp + 6, 4 * sizeof *found);
    assert_int_equal(gyre_safetensors_read(s, &e[0], found, 6), GYRE_EIO);
    gyre_safetensors_close(s);
    free(file);
}

/* Every byte of the header, changed in three ways; every length. */
static void damage_is_refused_or_within_bounds(void **state) {
    size_t size = 0, refused = 0, tried = 0;
    char *file = image(&size);
    (void)state;
    for (size_t at = 0; at < size; at++) {
        for (int way = 0; way < 4; way++) {
            char kept = file[at];
            const size_t length = way == 3 ? at : size;
            gyre_safetensors *s = NULL;
            file[at] = (char)(way == 0 ? kept ^ 1 : way == 1 ? kept ^ 0x80 : way == 2 ? '9' : kept);
            assert_int_equal(gyre_file_write_atomic(path, file, length), GYRE_OK);
            gyre_status status = gyre_safetensors_open(path, &s);
            assert_true(status == GYRE_OK || status == GYRE_EIO);
            assert_true(status == GYRE_OK || way != 3 || s == NULL);
            if (way == 3) assert_int_equal(status, GYRE_EIO);
            tried++;
            refused += status != GYRE_OK;
            gyre_safetensors_close(s);
            file[at] = kept;
        }
    }
    assert_true(refused > tried / 2);
    free(file);
}

/* Loops over what each layout means, against the indices of PyTorch's. */
static void orders_are_each_others_reverse(void **state) {
    gyre_model *m = NULL;
    gyre_model_settings settings = {.name = (char *)"lenet"};
    (void)state;
    assert_int_equal(gyre_model_open(&settings, 28, 28, 3, 10, &m), GYRE_OK);
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        const gyre_state_array a = gyre_state_of_param(m, i);
        float *own = malloc(p->count * sizeof *own), *torch = malloc(p->count * sizeof *torch);
        float *back = malloc(p->count * sizeof *back);
        for (size_t k = 0; k < p->count; k++) own[k] = (float)(k % 8191);
        gyre_state_to_torch(&a, own, torch);
        gyre_state_from_torch(&a, torch, back);
        assert_memory_equal(own, back, p->count * sizeof *own);
        assert_string_equal(a.name, p->name);
        if (strcmp(p->name, "conv1.weight") == 0) { /* (20, 5, 5, 3) */
            assert_int_equal(a.dims[1], 3);
            assert_true(torch[((7 * 3 + 2) * 5 + 4) * 5 + 1] == own[((7 * 5 + 4) * 5 + 1) * 3 + 2]);
        }
        if (strcmp(p->name, "ip1.weight") == 0) { /* reads 4 x 4 x 50 */
            assert_int_equal(a.ndim, 2);
            assert_true(torch[9 * 800 + (33 * 4 + 3) * 4 + 2] ==
                        own[9 * 800 + (3 * 4 + 2) * 50 + 33]);
        }
        free(own);
        free(torch);
        free(back);
    }
    gyre_model_close(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(damage_is_refused_or_within_bounds),
        cmocka_unit_test(orders_are_each_others_reverse),
    };
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/a.safetensors", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
