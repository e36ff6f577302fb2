/* Memory that is released, replaced or grown while work with it is still under way, on any power of
 * two of ranks. Only a device has such work. The fakes end the program where it finds its memory
 * gone, as it does when nothing but cudaFree would have waited (FAKE_FREE=at-once). */
#include "check.h"
#include "gyre/backend.h"
#include "gyre/comm.h"

#include <stdio.h>
#include <string.h>

static gyre_comm *comm;

#define CHECK(condition) CHECK_ON(comm, condition)
#define OK(call) CHECK((call) == GYRE_OK)

static gyre_backend *open_backend(void) {
    gyre_backend_options options = {
        .threads = 1, .reduce = GYRE_REDUCE_EXACT, .poison = true, .graph = true};
    gyre_backend *b = NULL;
    OK(gyre_backend_open(GYRE_BACKEND_AUTO, &options, comm, &b));
    return b;
}

/* n floats begin, begin + 1... */
enum { MOST = 5000 };
static void upload_row(gyre_backend *b, gyre_f32 x, size_t n, float begin) {
    static float row[MOST];
    for (size_t i = 0; i < n; i++) row[i] = begin + (float)i;
    OK(b->ops->upload(b->main, x, row, n));
}
/* Are they `factor` times as much plus `more` now? */
static void check_row(gyre_backend *b, gyre_f32 x, size_t n, float begin, float factor,
                      float more) {
    static float row[MOST];
    OK(b->ops->download(b->main, row, x, n));
    for (size_t i = 0; i < n; i++) CHECK(row[i] == factor * (begin + (float)i) + more);
}

static gyre_f32 floats_new(gyre_backend *b, size_t n) {
    gyre_raw memory = NULL;
    OK(b->ops->alloc(b, n * sizeof(float), &memory));
    return (gyre_f32)(void *)memory;
}
static void floats_free(gyre_backend *b, gyre_f32 x) {
    b->ops->release(b, (gyre_raw)(void *)x);
}

/* ---- recorded steps */

enum { LENGTH = 100 };

typedef struct {
    gyre_backend *b;
    gyre_f32 x, y;
} doubling;

static gyre_status double_x(void *context) {
    doubling *d = context;
    return d->b->ops->add(d->b->main, LENGTH, d->x, d->x, d->y);
}

static void check_doubling(doubling *d, float first) {
    for (int call = 0; call < 3; call++) { /* it runs, is recorded, and is replayed */
        upload_row(d->b, d->x, LENGTH, first + (float)call);
        OK(d->b->ops->record(d->b, double_x, d));
        check_row(d->b, d->y, LENGTH, first + (float)call, 2, 0);
    }
}

/* As when a trainer is closed, and the next one lies where it was. */
static void a_recorded_step_goes_with_its_memory(void) {
    gyre_backend *b = open_backend();
    doubling d = {b, floats_new(b, LENGTH), floats_new(b, LENGTH)};
    check_doubling(&d, 1);
    gyre_f32 before = d.y;
    d.y = floats_new(b, LENGTH); /* while the other is there: at another address */
    floats_free(b, before);
    check_doubling(&d, 7);
    floats_free(b, d.x);
    floats_free(b, d.y);
    b->ops->close(b);
}

/* One body for two contexts, in turns: each is run, recorded and replayed by itself. */
static void a_recorded_step_is_one_of_its_context(void) {
    gyre_backend *b = open_backend();
    doubling d[2];
    for (int k = 0; k < 2; k++) d[k] = (doubling){b, floats_new(b, LENGTH), floats_new(b, LENGTH)};
    for (int call = 0; call < 6; call++) {
        doubling *now = &d[call % 2];
        upload_row(b, now->x, LENGTH, (float)call);
        OK(b->ops->record(b, double_x, now));
        check_row(b, now->y, LENGTH, (float)call, 2, 0);
    }
    for (int k = 0; k < 2; k++) {
        floats_free(b, d[k].x);
        floats_free(b, d[k].y);
    }
    b->ops->close(b);
}

/* ---- kept images */

enum { IMAGES = 6, SIDE = 4, PIXELS = SIDE * SIDE * 3, BATCH = 2 };

static uint8_t pixel_of(int set, int64_t row, int64_t place) {
    return (uint8_t)(100 * set + 10 * row + place % 7);
}
static gyre_status read_images(const void *context, int64_t first, int64_t count, uint8_t *out) {
    for (int64_t i = 0; i < count * PIXELS; i++) {
        out[i] = pixel_of(*(const int *)context, first + i / PIXELS, i % PIXELS);
    }
    return GYRE_OK;
}

static const int64_t ROWS[BATCH] = {4, 1};

static void check_pixels(gyre_backend *b, gyre_f32 x, int set) {
    static float pixels[BATCH * PIXELS];
    OK(b->ops->download(b->main, pixels, x, BATCH * PIXELS));
    for (int i = 0; i < BATCH * PIXELS; i++) {
        CHECK(pixels[i] == (float)pixel_of(set, ROWS[i / PIXELS], i % PIXELS));
    }
}

/* As when one range test follows another: batches of the first are still queued. */
static void kept_images_stay_until_they_are_read(void) {
    gyre_backend *b = open_backend();
    const gyre_image_shape shape = {BATCH, SIDE, SIDE, 3};
    const int32_t labels[BATCH] = {0, 1};
    const gyre_batch batch = {.count = BATCH, .targets = labels, .target_values = 1, .rows = ROWS};
    const int sets[2] = {0, 1};
    gyre_f32 mean = floats_new(b, PIXELS), scale = floats_new(b, 3), x[2];
    gyre_f32 indices = floats_new(b, BATCH);
    bool kept = false;
    OK(b->ops->fill(b->main, PIXELS, 0, mean));
    OK(b->ops->fill(b->main, 3, 1, scale));
    for (int k = 0; k < 2; k++) x[k] = floats_new(b, BATCH * PIXELS);
    for (int k = 0; k < 2; k++) {
        const gyre_row_reader reader = {read_images, &sets[k], IMAGES, PIXELS};
        OK(b->ops->cache_images(b, &reader, &kept));
        if (!kept) break; /* the CPU's answer */
        OK(b->ops->batch_load(b->main, &shape, &batch, mean, scale, (gyre_act)(void *)x[k],
                              (gyre_i32)(void *)indices));
    }
    for (int k = 0; kept && k < 2; k++) check_pixels(b, x[k], k);
    gyre_f32 all[] = {mean, scale, indices, x[0], x[1]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) floats_free(b, all[i]);
    b->ops->close(b);
}

/* ---- sums over ranks: of whole numbers, exact in any order */

/* Each bucket needs more work memory than the one that is summed before it. */
static void work_memory_stays_while_a_sum_uses_it(void) {
    static const size_t begin[] = {0, 10, 111, 1112, MOST};
    gyre_backend *b = open_backend();
    float ranks = (float)gyre_comm_size(comm);
    gyre_f32 x = floats_new(b, MOST);
    upload_row(b, x, MOST, (float)gyre_comm_rank(comm));
    for (int i = 0; i < 4; i++) {
        OK(b->ops->reduce_begin(b, gyre_f32_at(x, begin[i]), begin[i + 1] - begin[i]));
    }
    OK(b->ops->reduce_end(b));
    check_row(b, x, MOST, 0, ranks, ranks * (ranks - 1) / 2);
    floats_free(b, x);
    b->ops->close(b);
}

/* As when ranks give up between the beginning of a sum and its end. */
static void memory_stays_while_it_is_summed(void) {
    gyre_backend *b = open_backend();
    gyre_f32 x = floats_new(b, LENGTH);
    upload_row(b, x, LENGTH, 1);
    OK(b->ops->reduce_begin(b, x, LENGTH));
    floats_free(b, x);
    b->ops->close(b);
}

int main(int argc, char **argv) {
    if (gyre_comm_open(&argc, &argv, &comm) != GYRE_OK) return 1;
    a_recorded_step_goes_with_its_memory();
    a_recorded_step_is_one_of_its_context();
    kept_images_stay_until_they_are_read();
    work_memory_stays_while_a_sum_uses_it();
    memory_stays_while_it_is_summed();
    gyre_comm_close(comm);
    return 0;
}
