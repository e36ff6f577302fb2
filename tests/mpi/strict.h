/* A backend that holds its caller to the contract of record(), prefetch_batch() and cache_images():
 * the CPU's table, under the name "cuda", with checks around it. It stands in for a device that
 * replays.
 *
 * A recorded body must make the same calls with the same pointers, sizes and constants each time,
 * and none that wait. What is given to reduce_begin must not change until reduce_end. Batches must
 * lie in the prefetched one, and their rows must be those of their images. Whoever breaks a rule
 * gets GYRE_EDEVICE. One queue only (threads: 1). Included after the registry, which declares
 * gyre_cpu_ops and gyre_cuda_ops. */
#ifndef GYRE_TESTS_STRICT_H
#define GYRE_TESTS_STRICT_H

#include "gyre/backend.h"
#include "strict_ops.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRICT_LOG = 1 << 22, STRICT_REDUCTIONS = 64, STRICT_DEPTH = 8 };

static struct {
    bool absent, keeps; /* what available() and cache_images() answer */
    /* of the runs since they were set to 0 */
    int records, calls, reductions, loads_outside;
    size_t reduced; /* floats of a step */
    gyre_backend_options options;
} strict;

/* What the calls inside record() were, as bytes. */
typedef struct {
    unsigned char bytes[STRICT_LOG];
    size_t used;
} strict_log;

static struct {
    bool recording, prefetched, offered, kept;
    char wrong[256]; /* the first rule that was broken in a call that cannot say so */
    strict_log first, now;
    gyre_body body;
    void *context;
    gyre_batch batch;
    uint8_t *images;
    size_t rows, row_bytes;
    int depth, count;
    struct {
        gyre_f32 x;
        size_t n;
        float *content;
    } begun[STRICT_REDUCTIONS];
} inside;

static gyre_status refuse(const char *what) {
    if (inside.wrong[0] == '\0') snprintf(inside.wrong, sizeof inside.wrong, "%s", what);
    return gyre_fail(GYRE_EDEVICE, "strict: %s", what);
}

static void note_bytes(const void *bytes, size_t size) {
    strict_log *l = &inside.now;
    if (!inside.recording || size == 0) return;
    if (l->used + size > STRICT_LOG) abort();
    memcpy(l->bytes + l->used, bytes, size);
    l->used += size;
}

static void note(const char *op, const void *constants, size_t size, const void *const *pointers,
                 size_t count) {
    strict.calls += inside.recording;
    note_bytes(op, strlen(op));
    note_bytes(constants, size);
    note_bytes(pointers, count * sizeof *pointers);
}

/* ---- what waits, or is told ahead: not inside record() */

#define OUTSIDE(op, params, ...)                                                                   \
    static gyre_status strict_##op params {                                                        \
        if (inside.recording) return refuse(#op " inside record()");                               \
        return gyre_cpu_ops.op(__VA_ARGS__);                                                       \
    }
OUTSIDE(alloc, (gyre_backend * b, size_t bytes, gyre_raw *out), b, bytes, out)
OUTSIDE(upload, (gyre_queue * q, gyre_f32 dst, const float *src, size_t n), q, dst, src, n)
OUTSIDE(download, (gyre_queue * q, float *dst, gyre_f32 src, size_t n), q, dst, src, n)
OUTSIDE(sync, (gyre_backend * b), b)
OUTSIDE(read_later, (gyre_queue * q, gyre_f32 src, int n, gyre_ticket *out), q, src, n, out)
OUTSIDE(read, (gyre_backend * b, gyre_ticket ticket, float *dst), b, ticket, dst)

static bool strict_available(struct gyre_comm *comm, char *why, size_t size) {
    (void)comm;
    if (strict.absent) snprintf(why, size, "rank 1 has none");
    return !strict.absent;
}

static void strict_list_devices(char *out, size_t size) {
    snprintf(out, size, "gpu       strict\n! it is not one\n");
}

static gyre_status strict_open(const gyre_backend_options *options, struct gyre_comm *comm,
                               gyre_backend **out) {
    gyre_backend_options mine = *options;
    mine.poison = true;
    strict.options = *options;
    free(inside.images);
    memset(&inside, 0, sizeof inside);
    GYRE_TRY(gyre_cpu_ops.open(&mine, comm, out));
    (*out)->ops = &gyre_cuda_ops;
    return GYRE_OK;
}

static gyre_status strict_cache_images(gyre_backend *b, const gyre_row_reader *images, bool *kept) {
    (void)b;
    if (inside.prefetched) return refuse("cache_images() after the first batch");
    inside.offered = true;
    inside.rows = images->rows;
    inside.row_bytes = images->row_bytes;
    inside.images = malloc(images->rows * images->row_bytes);
    if (inside.images == NULL) return gyre_no_memory("opening the GPU");
    GYRE_TRY(images->read(images->context, 0, (int64_t)images->rows, inside.images));
    *kept = inside.kept = strict.keeps;
    return GYRE_OK;
}

static gyre_status strict_resize_crops(gyre_backend *b, const gyre_resizing *r, bool *taken) {
    if (inside.prefetched) return refuse("resize_crops() after the first batch");
    return gyre_cpu_ops.resize_crops(b, r, taken);
}

static gyre_status strict_prefetch_batch(gyre_backend *b, const gyre_image_shape *s,
                                         const gyre_batch *batch) {
    (void)b;
    size_t bytes = (size_t)s->h * (size_t)s->w * (size_t)s->c * gyre_element_size(batch->element);
    if (inside.recording) return refuse("prefetch_batch() inside record()");
    if (!inside.offered || batch->rows == NULL) return refuse("a batch without rows");
    if (s->n != batch->count || bytes != inside.row_bytes) return refuse("another image shape");
    if ((batch->images == NULL) != inside.kept)
        return refuse("images, or none, against cache_images()");
    for (int64_t i = 0; i < batch->count; i++) {
        if (batch->rows[i] < 0 || (size_t)batch->rows[i] >= inside.rows) return refuse("a row");
        const uint8_t *row = inside.images + (size_t)batch->rows[i] * bytes;
        if (batch->images != NULL && memcmp(batch->images + (size_t)i * bytes, row, bytes) != 0) {
            return refuse("an image is not that of its row");
        }
    }
    inside.batch = *batch;
    inside.prefetched = true;
    return GYRE_OK;
}

/* ---- batches */

/* The images of kept rows, gathered; free() them. */
static uint8_t *gather(const gyre_batch *batch) {
    size_t bytes = inside.row_bytes;
    uint8_t *images = malloc((size_t)batch->count * bytes);
    if (images == NULL) abort();
    for (int64_t i = 0; i < batch->count; i++) {
        memcpy(images + (size_t)i * bytes, inside.images + (size_t)batch->rows[i] * bytes, bytes);
    }
    return images;
}

static bool is_part(const void *part, const void *whole, int64_t first, size_t size) {
    if (whole == NULL) return part == NULL;
    return (const char *)part == (const char *)whole + (size_t)first * size;
}

static gyre_status strict_batch_load(gyre_queue *q, const gyre_image_shape *s,
                                     const gyre_batch *batch, gyre_f32 mean, gyre_f32 scale,
                                     gyre_act x, gyre_i32 targets) {
    const void *const p[] = {q, mean, scale, x, targets};
    const gyre_batch *all = &inside.batch;
    gyre_batch part = *batch;
    if (!inside.recording) {
        strict.loads_outside++;
        return gyre_cpu_ops.batch_load(q, s, batch, mean, scale, x, targets);
    }
    int64_t first = batch->first;
    bool lies_in = first >= 0 && first + batch->count <= all->count && s->n == batch->count &&
                   is_part(batch->targets, all->targets, first,
                           (size_t)all->target_values * sizeof(int32_t)) &&
                   is_part(batch->images, all->images, first, inside.row_bytes) &&
                   is_part(batch->rows, all->rows, first, sizeof *all->rows) &&
                   is_part(batch->augment, all->augment, first, sizeof *all->augment) &&
                   is_part(batch->erase, all->erase, first, sizeof *all->erase);
    if (!inside.prefetched || !lies_in) return refuse("a batch that was not prefetched");
    note("batch_load", s, sizeof *s, p, sizeof p / sizeof p[0]);
    note_bytes(&first, sizeof first);
    uint8_t *images = inside.kept ? gather(batch) : NULL;
    if (images != NULL) part.images = images;
    gyre_status status = gyre_cpu_ops.batch_load(q, s, &part, mean, scale, x, targets);
    free(images);
    return status;
}

/* ---- record and ranges */

static void strict_range_push(gyre_backend *b, const char *name) {
    (void)b;
    const void *const p[] = {name};
    note("range_push", NULL, 0, p, 1);
    if (inside.depth == STRICT_DEPTH) refuse("ranges that do not end");
    if (inside.wrong[0] == '\0') inside.depth++;
}

static void strict_range_pop(gyre_backend *b) {
    (void)b;
    note("range_pop", NULL, 0, NULL, 0);
    if (inside.depth == 0) refuse("a range that ends and did not begin");
    if (inside.wrong[0] == '\0') inside.depth--;
}

static gyre_status compare_logs(void) {
    const strict_log *a = &inside.first, *b = &inside.now;
    if (a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0) return GYRE_OK;
    size_t at = 0, most = a->used < b->used ? a->used : b->used;
    while (at < most && a->bytes[at] == b->bytes[at]) at++;
    char what[128];
    snprintf(what, sizeof what, "another body: %zu and %zu bytes of calls, alike up to %zu",
             a->used, b->used, at);
    return refuse(what);
}

static gyre_status strict_prepare(gyre_backend *b, gyre_body body, void *context) {
    (void)b, (void)body, (void)context;
    return inside.recording ? refuse("prepare() inside record()") : GYRE_OK;
}

static gyre_status strict_record(gyre_backend *b, gyre_body body, void *context) {
    (void)b;
    int depth = inside.depth;
    if (inside.recording) return refuse("record() inside record()");
    if (inside.body == NULL) {
        inside.body = body;
        inside.context = context;
    }
    if (inside.body != body || inside.context != context) return refuse("another body or context");
    inside.now.used = 0;
    inside.recording = true;
    gyre_status status = body(context);
    inside.recording = false;
    GYRE_TRY(status);
    if (inside.wrong[0] != '\0') return gyre_fail(GYRE_EDEVICE, "strict: %s", inside.wrong);
    if (inside.depth != depth) return refuse("ranges of the body do not end in it");
    if (inside.first.used == 0) inside.first = inside.now;
    strict.records++;
    return compare_logs();
}

/* ---- reductions */

static gyre_status strict_reduce_begin(gyre_backend *b, gyre_f32 x, size_t n) {
    const void *const p[] = {x};
    note("reduce_begin", &n, sizeof n, p, 1);
    if (inside.count == STRICT_REDUCTIONS) return refuse("too many reductions");
    if (n == 0 || (uintptr_t)x % 64 != 0) return refuse("a reduction that is empty or unaligned");
    for (int i = 0; i < inside.count; i++) {
        uintptr_t begin = (uintptr_t)inside.begun[i].x, mine = (uintptr_t)x;
        bool apart =
            mine + n * sizeof(float) <= begin || begin + inside.begun[i].n * sizeof(float) <= mine;
        if (!apart) return refuse("two reductions of the same numbers");
    }
    float *content = malloc(n * sizeof *content);
    if (content == NULL) abort();
    inside.begun[inside.count].x = x;
    inside.begun[inside.count].n = n;
    inside.begun[inside.count++].content = content;
    GYRE_TRY(gyre_cpu_ops.download(b->main, content, x, n));
    return gyre_cpu_ops.reduce_begin(b, x, n);
}

static gyre_status strict_reduce_end(gyre_backend *b) {
    bool same = true;
    note("reduce_end", NULL, 0, NULL, 0);
    strict.reductions = inside.count;
    strict.reduced = 0;
    for (int i = 0; i < inside.count; i++) {
        size_t n = inside.begun[i].n;
        same = same && memcmp((void *)inside.begun[i].x, inside.begun[i].content, n * 4) == 0;
        strict.reduced += n;
        free(inside.begun[i].content);
    }
    inside.count = 0;
    return same ? gyre_cpu_ops.reduce_end(b) : refuse("a bucket changed after its reduction began");
}

/* ---- slots that need no watching go straight to the CPU's */

static void strict_close(gyre_backend *b) {
    gyre_cpu_ops.close(b);
}
static const char *strict_describe(const gyre_backend *b) {
    return gyre_cpu_ops.describe(b);
}
static void strict_release(gyre_backend *b, gyre_raw p) {
    if (inside.recording) refuse("release inside record()");
    gyre_cpu_ops.release(b, p);
}
static gyre_status strict_parallel(gyre_backend *b, int n, gyre_task task, void *context) {
    return gyre_cpu_ops.parallel(b, n, task, context);
}
static gyre_status strict_open_branches(gyre_backend *b, int wanted, size_t bytes, int *count) {
    return gyre_cpu_ops.open_branches(b, wanted, bytes, count);
}
static gyre_queue *strict_branch(gyre_backend *b, int index) {
    return gyre_cpu_ops.branch(b, index);
}
static gyre_status strict_mark(gyre_queue *q, int number) {
    return gyre_cpu_ops.mark(q, number);
}
static gyre_status strict_follow(gyre_queue *after, int number) {
    return gyre_cpu_ops.follow(after, number);
}
#define SLOT(op) .op = strict_##op
#define ROW(op, ...) , SLOT(op)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init" /* of these two */
const gyre_backend_ops gyre_cuda_ops = {
    .name = "cuda",
    SLOT(available),
    SLOT(list_devices),
    SLOT(open),
    SLOT(close),
    SLOT(describe),
    SLOT(alloc),
    SLOT(release),
    SLOT(upload),
    SLOT(download),
    SLOT(sync),
    SLOT(read_later),
    SLOT(read),
    SLOT(parallel),
    SLOT(open_branches),
    SLOT(branch),
    SLOT(mark),
    SLOT(follow),
    SLOT(cache_images),
    SLOT(resize_crops),
    SLOT(prefetch_batch),
    SLOT(prepare),
    SLOT(record),
    SLOT(range_push),
    SLOT(range_pop),
    SLOT(batch_load),
    SLOT(reduce_begin),
    SLOT(reduce_end) GYRE_OPS(ROW, ROW) GYRE_OP_SIZES(ROW),
    .update_statistics = spoil_statistics,
    .update = note_update,
};
#pragma GCC diagnostic pop

#endif
