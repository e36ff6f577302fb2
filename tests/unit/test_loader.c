/* The loader hands out what sampler and dataset say, whatever its depth, the number of its readers,
 * its start, the rank's share, and the moment at which it is closed; and it fails at the first
 * sample that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/data/loader_test.h"
#include "dataset_rig.h"
#include "gyre/augment.h"

enum { SAMPLES = 50, H = 3, W = 5, C = 3, PIXELS = H * W * C, SEED = 21 };

static gyre_images images;
static uint32_t rows[SAMPLES]; /* a view with an index: every other image, backwards */

static gyre_view plain_view(void) {
    return (gyre_view){.images = &images, .count = SAMPLES};
}

static gyre_view split_view(void) {
    return (gyre_view){.images = &images, .rows = rows, .count = SAMPLES / 2};
}

static gyre_epochs epochs_of(const gyre_view *v, int64_t batch, gyre_last_batch last) {
    gyre_epochs e;
    assert_int_equal(gyre_epochs_make(v->count, batch, last, &e), GYRE_OK);
    return e;
}

/* Samples first.. of the step, taken straight from the dataset; a batch without images has its rows
 * all the same. */
static void check_batch(const gyre_batch *b, const gyre_view *v, const gyre_data_settings *settings,
                        gyre_epochs e, int64_t step, int64_t first, int64_t count) {
    gyre_sampler *s = NULL;
    assert_int_equal(gyre_sampler_open(e, settings->order, SEED, &s), GYRE_OK);
    assert_true(b->step == step && b->count == count);
    for (int64_t i = 0; i < count; i++) {
        int64_t index = gyre_sampler_index(s, step, first + i);
        int64_t row = v->rows == NULL ? index : (int64_t)v->rows[index];
        assert_int_equal(b->rows[i], row);
        if (b->images != NULL) {
            assert_memory_equal(b->images + i * PIXELS, v->images->images + row * PIXELS, PIXELS);
        }
        assert_int_equal(((const int32_t *)b->targets)[i], v->images->labels[row]);
        if (settings->erasing.probability > 0) {
            gyre_erase erase =
                gyre_erase_draw(&settings->erasing, SEED, step / e.steps_per_epoch, row, H, W);
            assert_memory_equal(&b->erase[i], &erase, sizeof erase);
        } else {
            assert_null(b->erase);
        }
        if (settings->mirror || settings->crop > 0) {
            gyre_augment a = gyre_augment_draw(settings, SEED, step / e.steps_per_epoch, row);
            assert_memory_equal(&b->augment[i], &a, sizeof a);
        } else {
            assert_null(b->augment);
        }
    }
    gyre_sampler_close(s);
}

static const gyre_data_settings kinds[] = {
    {.order = GYRE_ORDER_SHUFFLE},
    {.order = GYRE_ORDER_SEQUENTIAL},
    {.order = GYRE_ORDER_SHUFFLE, .mirror = true},
    {.order = GYRE_ORDER_SHUFFLE, .crop = 2, .last_batch = GYRE_LAST_WRAP},
    {.order = GYRE_ORDER_SHUFFLE, .erasing = {0.7, 0.1, 0.5, 3, GYRE_ERASING_NOISE}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void batches_do_not_depend_on_depth(void **state) {
    (void)state;
    const gyre_view views[] = {plain_view(), split_view()};
    for (int kind = 0; kind < KINDS * 2; kind++) {
        const gyre_data_settings *k = &kinds[kind / 2];
        const gyre_view *v = &views[kind % 2];
        gyre_epochs e = epochs_of(v, 8, k->last_batch);
        for (int depth = 3; depth <= 9; depth += 2) {
            gyre_loader *l = NULL;
            gyre_batch b;
            bool rows_only = depth > 5;
            gyre_status opened =
                data_loader_open_ring(v, k, e, SEED, 0, 8, 0, 20, rows_only, depth, &l);
            assert_int_equal(opened, GYRE_OK);
            for (int64_t step = 0; step < 20; step++) {
                assert_int_equal(gyre_loader_next(l, &b), GYRE_OK);
                assert_int_equal(b.images == NULL, rows_only);
                check_batch(&b, v, k, e, step, 0, 8);
            }
            failed_with(gyre_loader_next(l, &b), GYRE_EUSAGE, "steps 0 to 19");
            gyre_loader_close(l);
        }
    }
}

/* The batch before stays whole until the next call but one, however fast the thread is. */
static void the_batch_before_stays_valid(void **state) {
    (void)state;
    const gyre_view v = plain_view();
    const gyre_epochs e = epochs_of(&v, 10, GYRE_LAST_DROP);
    for (int depth = 3; depth <= 5; depth++) {
        gyre_loader *l = NULL;
        gyre_batch b, before;
        assert_int_equal(
            data_loader_open_ring(&v, &kinds[2], e, SEED, 0, 10, 0, 30, false, depth, &l), GYRE_OK);
        assert_int_equal(gyre_loader_next(l, &before), GYRE_OK);
        for (int64_t step = 1; step < 30; step++) {
            assert_int_equal(gyre_loader_next(l, &b), GYRE_OK);
            usleep(200); /* lets the thread run as far ahead as it may */
            check_batch(&before, &v, &kinds[2], e, step - 1, 0, 10);
            before = b;
        }
        gyre_loader_close(l);
    }
}

/* More readers than pieces, too. */
static void batches_do_not_depend_on_readers(void **state) {
    (void)state;
    const gyre_view v = split_view();
    for (int kind = 0; kind < KINDS; kind++) {
        gyre_epochs e = epochs_of(&v, 21, kinds[kind].last_batch);
        for (int readers = 1; readers <= 9; readers += 2) {
            gyre_data_settings k = kinds[kind];
            gyre_loader *l = NULL;
            gyre_batch b;
            k.readers = readers;
            assert_int_equal(gyre_loader_open(&v, &k, e, SEED, 0, 21, 0, 40, false, &l), GYRE_OK);
            for (int64_t step = 0; step < 40; step++) {
                assert_int_equal(gyre_loader_next(l, &b), GYRE_OK);
                check_batch(&b, &v, &k, e, step, 0, 21);
            }
            gyre_loader_close(l);
        }
    }
}

static void a_start_within_an_epoch_goes_on(void **state) {
    (void)state;
    const gyre_view v = split_view();
    const gyre_epochs e = epochs_of(&v, 4, GYRE_LAST_DROP); /* 6 steps an epoch */
    for (int64_t start = 0; start < 14; start++) {
        gyre_loader *l = NULL;
        gyre_batch b;
        assert_int_equal(gyre_loader_open(&v, &kinds[2], e, SEED, 0, 4, start, 14, false, &l),
                         GYRE_OK);
        for (int64_t step = start; step < 14; step++) {
            assert_int_equal(gyre_loader_next(l, &b), GYRE_OK);
            check_batch(&b, &v, &kinds[2], e, step, 0, 4);
        }
        gyre_loader_close(l);
    }
}

static void the_shares_of_two_ranks_are_the_whole(void **state) {
    (void)state;
    const gyre_view v = plain_view();
    const gyre_epochs e = epochs_of(&v, 8, GYRE_LAST_WRAP);
    gyre_loader *l[3] = {0};
    gyre_batch b[3];
    for (int i = 0; i < 3; i++) {
        int64_t first = i == 1 ? 4 : 0, count = i == 2 ? 8 : 4;
        assert_int_equal(
            gyre_loader_open(&v, &kinds[3], e, SEED, first, count, 0, 15, false, &l[i]), GYRE_OK);
    }
    for (int64_t step = 0; step < 15; step++) {
        for (int i = 0; i < 3; i++) assert_int_equal(gyre_loader_next(l[i], &b[i]), GYRE_OK);
        for (int i = 0; i < 2; i++) {
            assert_memory_equal(b[i].images, b[2].images + i * 4 * PIXELS, 4 * PIXELS);
            assert_memory_equal(b[i].targets, (const int32_t *)b[2].targets + i * 4,
                                4 * sizeof(int32_t));
            assert_memory_equal(b[i].augment, b[2].augment + i * 4, 4 * sizeof *b[i].augment);
        }
    }
    for (int i = 0; i < 3; i++) gyre_loader_close(l[i]);
}

/* Crop and mirror come before the colours: where a picture's own bytes change, the loader moves
 * them, and leaves nothing to the backend. */
static void colours_change_after_moves(void **state) {
    (void)state;
    const gyre_view v = plain_view();
    const gyre_epochs e = epochs_of(&v, 10, GYRE_LAST_DROP);
    const gyre_data_settings s = {.mirror = true, .crop = 2, .jitter = {.brightness = 0.5}};
    gyre_loader *l = NULL;
    gyre_batch b;
    assert_int_equal(gyre_loader_open(&v, &s, e, SEED, 0, 10, 0, 10, false, &l), GYRE_OK);
    for (int64_t step = 0; step < 10; step++) {
        assert_int_equal(gyre_loader_next(l, &b), GYRE_OK);
        assert_null(b.augment);
        for (int i = 0; i < 10 * PIXELS; i++) {
            int64_t row = b.rows[i / PIXELS];
            int y = i / C / W % H, x = i / C % W;
            gyre_augment a = gyre_augment_draw(&s, SEED, step / 5, row);
            gyre_jitter j = gyre_jitter_draw(&s.jitter, SEED, step / 5, row);
            y += a.dy;
            x = (a.mirror ? W - 1 - x : x) + a.dx;
            bool inside = y >= 0 && y < H && x >= 0 && x < W;
            int was = inside ? images.images[((row * H + y) * W + x) * C + i % C] : 0;
            float now = (float)j.brightness * (float)was;
            assert_int_equal(b.images[i], now > 255 ? 255 : (int)now);
        }
    }
    gyre_loader_close(l);
}

/* The sample before the first is in front: of a rank's the last one of the rank before, and of the
 * batch's first one its last. */
static void the_sample_before_is_there(void **state) {
    (void)state;
    const gyre_view v = split_view();
    const gyre_epochs e = epochs_of(&v, 8, GYRE_LAST_DROP);
    const gyre_data_settings s = {
        .mirror = true, .crop = 1, .mixup = 0.2, .erasing = {0.7, 0.1, 0.5, 3, GYRE_ERASING_NOISE}};
    gyre_loader *l[3] = {0};
    gyre_batch b[3];
    for (int i = 0; i < 3; i++) {
        int64_t first = i == 1 ? 4 : 0, count = i == 2 ? 8 : 4;
        assert_int_equal(gyre_loader_open(&v, &s, e, SEED, first, count, 0, 15, false, &l[i]),
                         GYRE_OK);
    }
    for (int64_t step = 0; step < 15; step++) {
        const gyre_mix mix = gyre_mix_draw(&s, SEED, step, H, W);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(gyre_loader_next(l[i], &b[i]), GYRE_OK);
            assert_memory_equal(&b[i].mix, &mix, sizeof mix);
            check_batch(&b[i], &v, &s, e, step, i == 1 ? 4 : 0, i == 2 ? 8 : 4);
        }
        const gyre_batch *all = &b[2];
        for (int i = 0; i < 3; i++) {
            int at = i == 1 ? 3 : 7;
            assert_int_equal(b[i].rows[-1], all->rows[at]);
            assert_int_equal(((const int32_t *)b[i].targets)[-1],
                             ((const int32_t *)all->targets)[at]);
            assert_memory_equal(b[i].images - PIXELS, all->images + at * PIXELS, PIXELS);
            assert_memory_equal(b[i].augment - 1, all->augment + at, sizeof *all->augment);
            assert_memory_equal(b[i].erase - 1, all->erase + at, sizeof *all->erase);
        }
    }
    for (int i = 0; i < 3; i++) gyre_loader_close(l[i]);
}

static void it_may_be_closed_at_any_time(void **state) {
    (void)state;
    const gyre_view v = plain_view();
    const gyre_epochs e = epochs_of(&v, 10, GYRE_LAST_DROP);
    for (int round = 0; round < 100; round++) {
        gyre_data_settings k = kinds[0];
        gyre_loader *l = NULL;
        gyre_batch b;
        k.readers = round % 3 * 2;
        assert_int_equal(
            gyre_loader_open(&v, &k, e, SEED, 0, 10, 0, round % 5 == 0 ? 3 : 1 << 30, false, &l),
            GYRE_OK);
        for (int i = 0; i < round % 4; i++) assert_int_equal(gyre_loader_next(l, &b), GYRE_OK);
        gyre_loader_close(l);
    }
    gyre_loader *l = NULL; /* no step at all: a run that is already at its end */
    gyre_batch b;
    assert_int_equal(gyre_loader_open(&v, &kinds[0], e, SEED, 0, 10, 7, 7, false, &l), GYRE_OK);
    failed_with(gyre_loader_next(l, &b), GYRE_EUSAGE, "steps 7");
    gyre_loader_close(l);
}

/* ---- samples that cannot be read */

enum { BIG = 40, STORED = 90, BATCH = 24, MESSAGE = 250 };

/* A dataset whose file loses its second half once it is open. */
static gyre_dataset *open_damaged(void) {
    const char *path = in_scratch("damaged.h5");
    gyre_dataset *d = NULL;
    gyre_dataset_content content = {.train = make_images(STORED, BIG, BIG, C, 4, 2), .classes = 4};
    assert_int_equal(gyre_dataset_write(path, &content, true), GYRE_OK);
    assert_int_equal(gyre_dataset_open(path, &d), GYRE_OK);
    assert_int_equal(truncate(path, STORED * BIG * BIG * C / 2), 0);
    free_images(&content.train);
    return d;
}

/* Steps until one fails, with its message. */
static int64_t steps_before_failure(const gyre_view *v, int readers, char *message) {
    const gyre_data_settings s = {
        .order = GYRE_ORDER_SHUFFLE, .readers = readers, .jitter = {.brightness = 0.5, .hue = 0.2}};
    const gyre_epochs e = epochs_of(v, BATCH, GYRE_LAST_DROP);
    gyre_loader *l = NULL;
    gyre_batch b;
    int64_t steps = 0;
    assert_int_equal(gyre_loader_open(v, &s, e, SEED, 0, BATCH, 0, 90, false, &l), GYRE_OK);
    while (gyre_loader_next(l, &b) == GYRE_OK) steps++;
    snprintf(message, MESSAGE, "%.*s", MESSAGE - 1, gyre_error_text());
    failed_with(gyre_loader_next(l, &b), GYRE_EIO, message); /* and again */
    gyre_loader_close(l);
    return steps;
}

/* Of the view's samples in the order of steps, the first whose row is not there. */
static int64_t first_missing(const gyre_view *v, int64_t *step) {
    const gyre_epochs e = epochs_of(v, BATCH, GYRE_LAST_DROP);
    static uint8_t image[BIG * BIG * C];
    gyre_sampler *s = NULL;
    assert_int_equal(gyre_sampler_open(e, GYRE_ORDER_SHUFFLE, SEED, &s), GYRE_OK);
    for (int64_t i = 0;; i++) {
        int64_t index = gyre_sampler_index(s, i / BATCH, i % BATCH);
        int64_t row = v->rows == NULL ? index : (int64_t)v->rows[index];
        if (gyre_images_read(v->images, row, 1, image) == GYRE_OK) continue;
        gyre_sampler_close(s);
        *step = i / BATCH;
        return row;
    }
}

/* Of a view with few missing rows, so that steps are good before one fails. */
static void the_first_sample_that_cannot_be_read_is_named(void **state) {
    (void)state;
    static uint32_t chosen[48];
    gyre_dataset *d = open_damaged();
    gyre_view v = {.images = gyre_dataset_train(d), .rows = chosen, .count = 48};
    for (uint32_t shift = 0; shift < 3; shift++) {
        char want[64], message[MESSAGE];
        int64_t step;
        for (uint32_t i = 0; i < 48; i++) chosen[i] = i < 41 + shift ? i % 40 : 60 + i % 20;
        snprintf(want, sizeof want, "row %lld: |damaged.h5", (long long)first_missing(&v, &step));
        for (int round = 0; round < 40; round++) {
            assert_int_equal(steps_before_failure(&v, 1 + round % 8, message), step);
            failed_with(gyre_fail(GYRE_EIO, "%s", message), GYRE_EIO, want);
        }
    }
    gyre_dataset_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_do_not_depend_on_depth),
        cmocka_unit_test(batches_do_not_depend_on_readers),
        cmocka_unit_test(the_first_sample_that_cannot_be_read_is_named),
        cmocka_unit_test(the_batch_before_stays_valid),
        cmocka_unit_test(a_start_within_an_epoch_goes_on),
        cmocka_unit_test(the_shares_of_two_ranks_are_the_whole),
        cmocka_unit_test(colours_change_after_moves),
        cmocka_unit_test(the_sample_before_is_there),
        cmocka_unit_test(it_may_be_closed_at_any_time),
    };
    images = make_images(SAMPLES, H, W, C, 4, 1);
    for (uint32_t i = 0; i < SAMPLES / 2; i++) rows[i] = SAMPLES - 1 - 2 * i;
    if (mkdtemp(scratch) == NULL) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_scratch();
    free_images(&images);
    return failed;
}
