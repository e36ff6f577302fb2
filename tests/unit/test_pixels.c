/* What augmentation does to bytes, against torchvision (tests/data/augment). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/data/jitter.h"
#include "../../src/data/randaugment.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1024 };
enum { COLOR = 7, SHARPNESS = 9 }; /* operations */

static uint8_t original[MOST], bytes[MOST], spare[MOST], want[MOST];
static data_pixels p = {.bytes = bytes, .spare = spare};

static void read_hex(const char *hex, uint8_t *out) {
    for (size_t i = 0; i < data_pixels_count(&p); i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

/* torch's f v + (1 - f) o of equal v and o, as at the border of a picture that is sharpened, may be
 * a little below v, and is rounded down: then it is 1 less. */
static void compare(const char *line, int most) {
    for (size_t i = 0; i < data_pixels_count(&p); i++) {
        if (!(abs((int)bytes[i] - (int)want[i]) <= most))
            fail_msg("%.20s: byte %zu is %d, torchvision's is %d", line, i, bytes[i], want[i]);
    }
}

static void jitter(const char *order, const char *factors) {
    gyre_jitter j;
    for (int k = 0; k < GYRE_JITTERS; k++) j.order[k] = (uint8_t)(order[k] - '0');
    assert_int_equal(sscanf(factors, "%lf,%lf,%lf,%lf", &j.brightness, &j.contrast, &j.saturation,
                            &j.hue),
                     4);
    data_jitter_apply(&j, &p);
}

static void bytes_are_those_of_torchvision(void **state) {
    (void)state;
    static char line[4 * MOST], kind[16], a[16], b[32], hex[2 * MOST + 1];
    FILE *f = fopen("tests/data/augment/torchvision.txt", "r");
    assert_non_null(f);
    int lines = 0, c = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        assert_int_equal(sscanf(line, "%15s %15s %31s %d %2048s", kind, a, b, &c, hex), 5);
        if (strcmp(kind, "picture") == 0) {
            p.h = atoi(a), p.w = atoi(b), p.c = c;
            read_hex(hex, original);
            continue;
        }
        memcpy(bytes, original, sizeof bytes);
        read_hex(hex, want);
        bool operation = strcmp(kind, "operation") == 0;
        if (operation)
            data_randaugment_operation(atoi(a), atoi(b), c, &p);
        else
            jitter(a, b);
        compare(line, operation && (atoi(a) == COLOR || atoi(a) == SHARPNESS));
        lines++;
    }
    fclose(f);
    assert_int_equal(lines, 146);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_torchvision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
