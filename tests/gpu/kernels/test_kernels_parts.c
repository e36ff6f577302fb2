/* Parts of stored images that the device resizes: the loader's bits. */
#include "kernels_rig.h"

#include "gyre/fitter.h"

/* All of a dataset at once: random parts, and the middle. Stored lines lie as in a dataset that the
 * device keeps, which those of a batch are a case of. */
static void check_parts(int h, int w, int c, int size) {
    enum { N = 9 };
    const gyre_data_settings s = {
        .crop_size = size, .crop_scale_min = 0.01, .crop_scale_max = 1, .crop_ratio = 3};
    const size_t line = (size_t)w * (size_t)c, row = (size_t)h * line;
    const size_t out = (size_t)size * (size_t)size * (size_t)c;
    gyre_images stored = {.count = N, .h = h, .w = w, .c = c};
    uint8_t *pixels = malloc(N * row), *want = malloc(N * out), *got = malloc(N * out);
    gyre_random random = gyre_random_open(4, GYRE_RANDOM_TEST, (uint64_t)size, row);
    gyre_crop crops[N];
    int64_t places[N];
    gyre_fitter *fitter = NULL;
    gyre_resizing *r = NULL;
    assert_true(pixels != NULL && want != NULL && got != NULL);
    for (size_t i = 0; i < N * row; i++) pixels[i] = (uint8_t)gyre_random_u32(&random);
    memset(pixels, 255, row);
    stored.images = pixels;
    OK(gyre_fitter_open(&stored, size, &fitter));
    OK(gyre_resizing_open(&stored, size, &r));
    for (int i = 0; i < N; i++) {
        crops[i] = i == 0 ? gyre_crop_middle(h, w, size) : gyre_crop_draw(&s, 1, 0, i, h, w);
        places[i] = (int64_t)((size_t)i * row + (size_t)crops[i].y * line);
        OK(gyre_fitter_read(fitter, &stored, i, &crops[i], want + (size_t)i * out));
    }
    const gpu_parts parts = {pixels, places, crops, r->sides, r->words, line};
    assert_int_equal(gpu_resize_launch(NULL, N, size, c, &parts, got), cudaSuccess);
    assert_memory_equal(got, want, N * out);
    gyre_fitter_close(fitter);
    gyre_resizing_close(r);
    free(pixels);
    free(want);
    free(got);
}

static void parts_have_the_bits_of_the_loader(void **state) {
    (void)state;
    check_parts(1, 1, 1, 1);
    check_parts(9, 13, 1, 7);
    check_parts(40, 31, 3, 8);
    check_parts(20, 25, 3, 33);
    check_parts(64, 17, 4, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_have_the_bits_of_the_loader)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
