/* Random resized crops: what part is drawn, and that its pixels are those of a triangle filter, on
 * the host and by the table that devices get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataset_rig.h"
#include "gyre/fitter.h"
#include "gyre/loader.h"
#include <math.h>

static const gyre_data_settings usual = {.crop_size = 8,
                                         .crop_scale_min = 0.08,
                                         .crop_scale_max = 1,
                                         .crop_ratio = 4.0 / 3,
                                         .order = GYRE_ORDER_SHUFFLE,
                                         .mirror = true};

/* ---- which part */

static void parts_are_as_asked(void **state) {
    (void)state;
    const int h = 200, w = 300;
    double area = 0, turn = 0, y = 0, x = 0;
    int count = 0, tall = 0;
    for (int i = 0; i < 20000; i++) {
        gyre_crop c = gyre_crop_draw(&usual, 3, i % 7, i, h, w);
        assert_true(c.y >= 0 && c.x >= 0 && c.h >= 1 && c.w >= 1);
        assert_true(c.y + c.h <= h && c.x + c.w <= w);
        double share = (double)c.h * c.w / (h * w), ratio = (double)c.w / c.h;
        /* half a pixel of sides of 60 or more */
        assert_true(share >= 0.078 && share <= 1.0 && ratio >= 0.73 && ratio <= 1.36);
        area += share;
        turn += log(ratio);
        if (c.h < h) y += (double)c.y / (h - c.h), count++;
        if (c.w < w) x += (double)c.x / (w - c.w);
        tall += c.h > c.w;
    }
    /* Uniform places: a mean of 1/2 whose standard error is 0.29 / sqrt(20000) = 0.002. */
    assert_true(fabs(y / count - 0.5) < 0.01 && fabs(x / 20000 - 0.5) < 0.01);
    /* The same draws by numpy, 400,000 of them; within 5 standard errors. */
    assert_true(fabs(area / 20000 - 0.3897) < 0.007);
    assert_true(fabs(turn / 20000 - 0.0309) < 0.006 && fabs(tall / 20000.0 - 0.4136) < 0.018);
}

static void parts_are_keyed(void **state) {
    (void)state;
    int same_epoch = 0, same_sample = 0, same_seed = 0;
    for (int i = 0; i < 200; i++) {
        gyre_crop a = gyre_crop_draw(&usual, 3, 1, i, 90, 90);
        gyre_crop again = gyre_crop_draw(&usual, 3, 1, i, 90, 90);
        gyre_crop b = gyre_crop_draw(&usual, 3, 2, i, 90, 90);
        gyre_crop c = gyre_crop_draw(&usual, 3, 1, i + 1, 90, 90);
        gyre_crop d = gyre_crop_draw(&usual, 4, 1, i, 90, 90);
        assert_memory_equal(&a, &again, sizeof a);
        same_epoch += memcmp(&a, &b, sizeof a) == 0;
        same_sample += memcmp(&a, &c, sizeof a) == 0;
        same_seed += memcmp(&a, &d, sizeof a) == 0;
    }
    assert_true(same_epoch < 5 && same_sample < 5 && same_seed < 5);
}

static void crop_is(gyre_crop c, int y, int x, int h, int w) {
    if (c.y != y || c.x != x || c.h != h || c.w != w) {
        fail_msg("%d %d %d %d instead of %d %d %d %d", c.y, c.x, c.h, c.w, y, x, h, w);
    }
}

static void what_never_fits_is_the_middle(void **state) {
    (void)state;
    gyre_data_settings s = usual;
    s.crop_scale_min = 1; /* whole area, ratio 4/3 at most: never within 100 x 10 */
    crop_is(gyre_crop_draw(&s, 1, 0, 0, 100, 10), 43, 0, 13, 10);
    crop_is(gyre_crop_draw(&s, 1, 0, 0, 10, 100), 0, 43, 10, 13);
    s.crop_ratio = 1;
    crop_is(gyre_crop_draw(&s, 1, 0, 0, 50, 50), 0, 0, 50, 50);
}

static void evaluation_takes_the_middle(void **state) {
    (void)state;
    crop_is(gyre_crop_middle(256, 256, 224), 16, 16, 224, 224);
    crop_is(gyre_crop_middle(96, 128, 64), 6, 22, 84, 84);
    crop_is(gyre_crop_middle(64, 64, 64), 0, 0, 64, 64);
    crop_is(gyre_crop_middle(66, 70, 64), 1, 3, 64, 64); /* 57 would be enlarged */
    crop_is(gyre_crop_middle(32, 40, 64), 0, 4, 32, 32);
}

/* ---- its pixels */

/* The sum of triangle weights in doubles, both ways at once. */
static double filtered(const gyre_images *p, const gyre_crop *c, int size, int oy, int ox, int k) {
    double sy = (double)c->h / size, sx = (double)c->w / size, sum = 0, total = 0;
    double cy = (oy + 0.5) * sy, cx = (ox + 0.5) * sx, ry = fmax(sy, 1), rx = fmax(sx, 1);
    for (int y = 0; y < c->h; y++) {
        for (int x = 0; x < c->w; x++) {
            double weight =
                fmax(0, 1 - fabs(y + 0.5 - cy) / ry) * fmax(0, 1 - fabs(x + 0.5 - cx) / rx);
            sum += weight * p->images[((c->y + y) * p->w + c->x + x) * p->c + k];
            total += weight;
        }
    }
    return sum / total;
}

/* One fitter for parts of all sizes, each within a grey level and a little of the doubles'. */
static void pixels_are_those_of_a_triangle_filter(void **state) {
    (void)state;
    const gyre_crop parts[] = {{0, 0, 23, 31}, {3, 5, 7, 7},   {2, 9, 1, 1},
                               {1, 0, 20, 3},  {0, 0, 23, 31}, {5, 6, 9, 14}};
    for (int c = 1; c <= 4; c++) {
        gyre_images p = make_images(1, 23, 31, c, 1, (uint64_t)c);
        for (int size = 1; size <= 13; size += 3) {
            gyre_fitter *f = NULL;
            uint8_t out[13 * 13 * 4];
            assert_int_equal(gyre_fitter_open(&p, size, &f), GYRE_OK);
            for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
                assert_int_equal(gyre_fitter_read(f, &p, 0, &parts[i], out), GYRE_OK);
                for (int at = 0; at < size * size * c; at++) {
                    double want =
                        filtered(&p, &parts[i], size, at / c / size, at / c % size, at % c);
                    assert_true(fabs(out[at] - want) < 0.51);
                }
            }
            gyre_fitter_close(f);
        }
        free_images(&p);
    }
}

static void a_part_of_its_size_is_itself(void **state) {
    (void)state;
    gyre_images p = make_images(3, 9, 12, 3, 1, 5);
    gyre_fitter *f = NULL;
    uint8_t out[9 * 12 * 3];
    const gyre_crop part = {2, 3, 6, 6};
    assert_int_equal(gyre_fitter_open(&p, 6, &f), GYRE_OK);
    assert_int_equal(gyre_fitter_read(f, &p, 2, &part, out), GYRE_OK);
    for (int y = 0; y < 6; y++) {
        assert_memory_equal(out + y * 18, p.images + ((2 * 9 + 2 + y) * 12 + 3) * 3, 18);
    }
    gyre_fitter_close(f);
    assert_int_equal(gyre_fitter_open(&p, 0, &f), GYRE_OK);
    assert_int_equal(gyre_fitter_read(f, &p, 1, NULL, out), GYRE_OK);
    assert_memory_equal(out, p.images + sizeof out, sizeof out);
    gyre_fitter_close(f);
    free_images(&p);
}

/* ---- the loader's */

static void the_loader_crops_and_resizes(void **state) {
    (void)state;
    enum { SIZE = 8, BATCH = 4, PIXELS = SIZE * SIZE * 3 };
    gyre_images p = make_images(20, 15, 12, 3, 4, 1);
    const gyre_view view = {.images = &p, .count = 20, .size = SIZE};
    gyre_fitter *f = NULL;
    gyre_loader *l = NULL;
    gyre_epochs e;
    gyre_batch b;
    uint8_t want[PIXELS];
    assert_int_equal(gyre_epochs_make(20, BATCH, GYRE_LAST_DROP, &e), GYRE_OK);
    assert_int_equal(gyre_fitter_open(&p, SIZE, &f), GYRE_OK);
    assert_int_equal(gyre_loader_open(&view, &usual, e, 9, 0, BATCH, 0, 12, false, &l), GYRE_OK);
    for (int t = 0; t < 12; t++) {
        assert_int_equal(gyre_loader_next(l, &b), GYRE_OK);
        for (int i = 0; i < BATCH; i++) {
            gyre_crop c = gyre_crop_draw(&usual, 9, t / 5, b.rows[i], 15, 12);
            assert_int_equal(gyre_fitter_read(f, &p, b.rows[i], &c, want), GYRE_OK);
            assert_memory_equal(b.images + i * PIXELS, want, PIXELS);
        }
        assert_non_null(b.augment); /* the mirror stays the backend's */
    }
    gyre_loader_close(l);
    gyre_fitter_close(f);
    free_images(&p);
}

/* ---- a device's */

/* What a device makes of lines, as gyre/batch.h says. */
static uint8_t resized(const gyre_resizing *r, const uint8_t *lines, const gyre_crop *part, int c,
                       int y, int x, int k) {
    const gyre_resizing_side down = r->sides[part->h], across = r->sides[part->w];
    const uint32_t *rows = r->words + down.at, *columns = r->words + across.at;
    const size_t size = (size_t)r->size;
    uint64_t sum = 1u << 31;
    for (uint32_t i = 0; i < down.taps; i++) {
        for (uint32_t j = 0; j < across.taps; j++) {
            const uint64_t weight = (uint64_t)rows[size + (size_t)y * down.taps + i] *
                                    columns[size + (size_t)x * across.taps + j];
            const size_t column = (size_t)part->x + columns[x] + j;
            sum += weight * lines[((rows[y] + i) * (size_t)r->w + column) * (size_t)c + (size_t)k];
        }
    }
    return (uint8_t)(sum >> 32);
}

/* By the lines that the loader hands out, of batches with a sample before the first, too. */
static void a_device_can_resize_to_the_same_bits(void **state) {
    (void)state;
    enum { H = 29, W = 37, SIZE = 11, BATCH = 5, PIXELS = SIZE * SIZE * 3, ROW = H * W * 3 };
    gyre_images p = make_images(20, H, W, 3, 4, 1);
    const gyre_view view = {.images = &p, .count = 20, .size = SIZE};
    gyre_data_settings s = usual;
    gyre_resizing *r = NULL;
    gyre_loader *host = NULL, *device = NULL, *kept = NULL;
    gyre_epochs e;
    gyre_batch a, b, rows;
    s.mixup = 0.2;
    s.readers = 3;
    assert_int_equal(gyre_resizing_open(&p, SIZE, &r), GYRE_OK);
    assert_true(r->h == H && r->w == W && r->side_count == W + 1 && r->size == SIZE);
    assert_int_equal(gyre_epochs_make(20, BATCH, GYRE_LAST_DROP, &e), GYRE_OK);
    gyre_loader **all[] = {&host, &device, &kept};
    const gyre_load loads[] = {GYRE_LOAD_IMAGES, GYRE_LOAD_LINES, GYRE_LOAD_ROWS};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(gyre_loader_open(&view, &s, e, 9, 0, BATCH, 0, 40, loads[i], all[i]),
                         GYRE_OK);
    }
    for (int t = 0; t < 40; t++) {
        assert_int_equal(gyre_loader_next(host, &a), GYRE_OK);
        assert_int_equal(gyre_loader_next(device, &b), GYRE_OK);
        assert_int_equal(gyre_loader_next(kept, &rows), GYRE_OK);
        assert_true(a.crops == NULL && rows.images == NULL);
        for (int i = -1; i < BATCH; i++) {
            const gyre_crop *part = &b.crops[i];
            assert_memory_equal(&rows.crops[i], part, sizeof *part);
            for (int at = 0; at < PIXELS; at++) {
                assert_int_equal(
                    resized(r, b.images + i * ROW, part, 3, at / 3 / SIZE, at / 3 % SIZE, at % 3),
                    a.images[i * PIXELS + at]);
            }
        }
    }
    for (int i = 0; i < 3; i++) gyre_loader_close(*all[i]);
    gyre_resizing_close(r);
    free_images(&p);
}

static void a_table_has_a_limit(void **state) {
    (void)state;
    const gyre_images large = {.h = 30000, .w = 20000, .c = 3};
    gyre_resizing *r = NULL;
    assert_int_equal(gyre_resizing_open(&large, 224, &r), GYRE_OK);
    assert_null(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_as_asked),
        cmocka_unit_test(parts_are_keyed),
        cmocka_unit_test(what_never_fits_is_the_middle),
        cmocka_unit_test(evaluation_takes_the_middle),
        cmocka_unit_test(pixels_are_those_of_a_triangle_filter),
        cmocka_unit_test(a_part_of_its_size_is_itself),
        cmocka_unit_test(the_loader_crops_and_resizes),
        cmocka_unit_test(a_device_can_resize_to_the_same_bits),
        cmocka_unit_test(a_table_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
