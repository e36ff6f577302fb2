/* The resizer's bits are those that it has always had, whatever it computes them with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/data/resize.h"
#include "gyre/random.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

typedef struct {
    data_resize_shape shape;
    uint64_t hash; /* of what becomes of white, black and noise */
} golden;

/* Of sums of 64-bit integers, pixel by pixel. */
static const golden cases[] = {
    {{1, 1, 1, 1, 1, 1, 1}, 0xbe364e348042376f},
    {{1, 1, 7, 5, 1, 1, 3}, 0x324447cda9688702},
    {{2, 3, 9, 9, 2, 3, 3}, 0xa10ea1c3f61cbe28},
    {{5, 7, 5, 7, 5, 7, 3}, 0x0b94425cb9d35e1a},
    {{23, 31, 13, 11, 23, 31, 1}, 0x0f6d8aa3cfe1af88},
    {{23, 31, 13, 11, 23, 31, 2}, 0x2818b6fe1c0571b6},
    {{23, 31, 13, 11, 23, 31, 4}, 0x6975488e6d275e73},
    {{23, 31, 64, 48, 23, 31, 3}, 0x0bd5f1239f710908},
    {{200, 150, 224, 224, 200, 150, 3}, 0x5f9483ade49c4d4e},
    {{157, 161, 224, 224, 157, 161, 3}, 0xf145e2d8d5c220f4},
    {{256, 256, 224, 224, 256, 256, 3}, 0x1a7c5c22dd514d0a},
    {{256, 256, 224, 224, 224, 224, 3}, 0x13e625f4d11df247},
    {{300, 400, 32, 32, 300, 300, 3}, 0x6d9569055a4f1ad4},
    {{61, 47, 8, 3, 61, 40.5, 5}, 0x0f9fe46696db5144},
    {{90, 1, 7, 4, 90, 1, 3}, 0xb84d45bbce3e3f24},
    {{1, 90, 4, 7, 1, 90, 3}, 0x0cc8c5fc318b5db4},
    {{500, 333, 96, 64, 499.5, 333, 3}, 0xeb1e90b98571a599},
    {{40, 40, 39, 41, 40, 40, 70}, 0xcfc4b445bea4f49f},
};
enum { CASES = sizeof cases / sizeof *cases, KINDS = 4 };

static uint8_t *pixels_of(const data_resize_shape *s, int kind) {
    size_t count = (size_t)s->h * (size_t)s->w * (size_t)s->c;
    uint8_t *pixels = malloc(count); /* exact, so that a sanitizer sees who reads on */
    gyre_random r = gyre_random_open(8, GYRE_RANDOM_TEST, (uint64_t)kind, 0);
    assert_non_null(pixels);
    for (size_t i = 0; i < count; i++) {
        pixels[i] = kind == 0 ? 255 : kind == 1 ? 0 : (uint8_t)gyre_random_u32(&r);
    }
    return pixels;
}

static size_t out_bytes(const data_resize_shape *s) {
    return (size_t)s->out_h * (size_t)s->out_w * (size_t)s->c;
}

/* free() it. */
static uint8_t *resized(data_resize *r, const data_resize_shape *s, const uint8_t *pixels) {
    uint8_t *out = malloc(out_bytes(s));
    assert_non_null(out);
    data_resize_begin(r, s, out);
    for (int y = 0; y < s->h; y++) data_resize_row(r, pixels + (size_t)(y * s->w * s->c));
    return out;
}

static void bits_are_those_of_integers(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const data_resize_shape *s = &cases[i].shape;
        XXH3_state_t *hash = XXH3_createState();
        XXH3_64bits_reset(hash);
        for (int kind = 0; kind < KINDS; kind++) {
            uint8_t *pixels = pixels_of(s, kind);
            data_resize *r = NULL;
            assert_int_equal(data_resize_open(s, &r), GYRE_OK);
            uint8_t *out = resized(r, s, pixels);
            XXH3_64bits_update(hash, out, out_bytes(s));
            if (kind < 2) {
                for (size_t k = 0; k < out_bytes(s); k++) {
                    assert_int_equal(out[k], kind == 0 ? 255 : 0);
                }
            }
            data_resize_close(r);
            free(pixels);
            free(out);
        }
        uint64_t found = XXH3_64bits_digest(hash);
        XXH3_freeState(hash);
        if (found != cases[i].hash) fail_msg("case %d: 0x%016llx", i, (unsigned long long)found);
    }
}

/* One resizer for pictures of all sizes up to the first one's, in any order. */
static void a_resizer_may_be_used_again(void **state) {
    (void)state;
    const data_resize_shape most = {90, 80, 24, 20, 90, 80, 3};
    data_resize *again = NULL;
    assert_int_equal(data_resize_open(&most, &again), GYRE_OK);
    gyre_random random = gyre_random_open(9, GYRE_RANDOM_TEST, 0, 0);
    for (int i = 0; i < 300; i++) {
        data_resize_shape s = most;
        data_resize *fresh = NULL;
        s.h = 1 + (int)gyre_random_below(&random, 90);
        s.w = 1 + (int)gyre_random_below(&random, 80);
        s.span_h = s.h;
        s.span_w = s.w;
        uint8_t *pixels = pixels_of(&s, 2 + i);
        assert_int_equal(data_resize_open(&s, &fresh), GYRE_OK);
        uint8_t *want = resized(fresh, &s, pixels), *found = resized(again, &s, pixels);
        assert_memory_equal(found, want, out_bytes(&s));
        data_resize_close(fresh);
        free(pixels);
        free(want);
        free(found);
    }
    data_resize_close(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_those_of_integers),
        cmocka_unit_test(a_resizer_may_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
