/* Batches on their way to the device: gathered in pinned memory, one copy each on the copy stream,
 * unpacked by a kernel. Two buffers take turns, so that a batch is copied while the one before is
 * still computed with.
 *
 *   host memory of a buffer    may be written again when its last copy is through    (`sent`)
 *   device memory of a buffer  may be written again when all that reads it is queued
 *                              on compute and through                                (`used`)
 *   compute                    reads a buffer behind its copy                        (`sent`)
 *
 * A buffer begins with a gpu_input_slot that points into itself. Operations of a recorded step read
 * the one slot at `current`, to which the prefetched batch's is copied on compute. */
#include "gpu.h"
#include "kernels.h"
#include "operation.h"

#include "gyre/size.h"
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 2 };

typedef struct {
    char *host;   /* pinned */
    char *device; /* as large */
    size_t size;
    cudaEvent_t sent, used;
    bool was_sent, was_used; /* those events were recorded */
} buffer;

struct gpu_input {
    gpu_backend *b;
    buffer buffers[BUFFERS];
    int next;
    gpu_input_slot *current; /* device */
    uint8_t *kept;           /* device: the training images, or NULL */
    size_t kept_rows, kept_row_bytes;
    const buffer *prefetched; /* NULL: none */
    int64_t count;            /* of the prefetched batch */
};

/* Where things lie in a buffer, in bytes. */
typedef struct {
    size_t rows, targets, augment, erase, images, end;
    size_t image_bytes;  /* of all images; 0 where the device keeps them */
    size_t target_bytes; /* of all targets */
    size_t before;       /* samples before the first: 1 where the batch is mixed */
    bool from_kept;
} layout;

static size_t align(size_t bytes) {
    return gyre_size_align(bytes, GYRE_ALIGNMENT);
}

static size_t row_bytes(const gyre_image_shape *s, const gyre_batch *batch) {
    return (size_t)s->h * (size_t)s->w * (size_t)s->c * gyre_element_size(batch->element);
}

static layout lay_out(const gpu_input *input, const gyre_image_shape *s, const gyre_batch *batch) {
    const size_t before = batch->mix.on ? 1 : 0, n = (size_t)batch->count + before;
    layout l = {.from_kept = batch->images == NULL, .before = before};
    l.image_bytes = l.from_kept ? 0 : n * row_bytes(s, batch);
    l.target_bytes = n * (size_t)batch->target_values * sizeof(int32_t);
    l.rows = align(sizeof *input->current);
    l.targets = l.rows + (l.from_kept ? align(n * sizeof *batch->rows) : 0);
    l.augment = l.targets + align(l.target_bytes);
    l.erase = l.augment + (batch->augment == NULL ? 0 : align(n * sizeof *batch->augment));
    l.images = l.erase + (batch->erase == NULL ? 0 : align(n * sizeof *batch->erase));
    l.end = l.images + align(l.image_bytes);
    return l;
}

/* A wrong row would be read past the end on the device, where nothing says so. */
static gyre_status check_rows(const gpu_input *input, const gyre_image_shape *s,
                              const gyre_batch *batch) {
    if (input->kept == NULL || batch->rows == NULL ||
        input->kept_row_bytes != row_bytes(s, batch)) {
        return gyre_fail(GYRE_EDEVICE, "a batch came without images, of which the GPU keeps none "
                                       "of its shape");
    }
    for (int64_t i = batch->mix.on ? -1 : 0; i < batch->count; i++) {
        if (batch->rows[i] < 0 || (size_t)batch->rows[i] >= input->kept_rows) {
            return gyre_fail(GYRE_EDEVICE, "sample %lld is row %lld of %zu kept images",
                             (long long)i, (long long)batch->rows[i], input->kept_rows);
        }
    }
    return GYRE_OK;
}

static void pack(const gpu_input *input, const buffer *p, const layout *l,
                 const gyre_image_shape *s, const gyre_batch *batch) {
    const size_t before = l->before, n = (size_t)batch->count + before;
    const size_t row = l->from_kept ? 0 : row_bytes(s, batch),
                 values = (size_t)batch->target_values;
    gpu_input_slot slot = {
        .images =
            l->from_kept ? input->kept : (const uint8_t *)(p->device + l->images) + before * row,
        .rows = l->from_kept ? (const int64_t *)(void *)(p->device + l->rows) + before : NULL,
        .targets = (const int32_t *)(void *)(p->device + l->targets) + before * values,
        .augment = batch->augment == NULL
                       ? NULL
                       : (const gyre_augment *)(void *)(p->device + l->augment) + before,
        .erase = batch->erase == NULL ? NULL
                                      : (const gyre_erase *)(void *)(p->device + l->erase) + before,
        .mix = batch->mix};
    memcpy(p->host, &slot, sizeof slot);
    memcpy(p->host + l->targets, (const int32_t *)batch->targets - before * values,
           l->target_bytes);
    if (l->from_kept) memcpy(p->host + l->rows, batch->rows - before, n * sizeof *batch->rows);
    if (batch->augment != NULL) {
        memcpy(p->host + l->augment, batch->augment - before, n * sizeof *batch->augment);
    }
    if (batch->erase != NULL) {
        memcpy(p->host + l->erase, batch->erase - before, n * sizeof *batch->erase);
    }
    if (!l->from_kept) memcpy(p->host + l->images, batch->images - before * row, l->image_bytes);
}

/* The host has waited for the last copy already. */
static gyre_status grow(gpu_backend *b, buffer *p, size_t bytes) {
    if (bytes <= p->size) return GYRE_OK;
    if (p->was_used) GYRE_TRY(gpu_wait(b, p->used, "the batch before a larger one"));
    void *host = p->host, *device = p->device;
    p->host = p->device = NULL;
    p->size = 0;
    p->was_used = false;
    if (host != NULL) GPU_TRY(b, cudaFreeHost(host));
    if (device != NULL) GPU_TRY(b, cudaFree(device));
    GPU_TRY(b, cudaMallocHost((void **)&p->host, bytes));
    GPU_TRY(b, cudaMalloc((void **)&p->device, bytes));
    p->size = bytes;
    return GYRE_OK;
}

/* Puts the batch on its way; the stream may read it from *out. */
static gyre_status send(gpu_input *input, cudaStream_t stream, const gyre_image_shape *s,
                        const gyre_batch *batch, buffer **out) {
    gpu_backend *b = input->b;
    buffer *p = &input->buffers[input->next];
    if (p == input->prefetched) p = &input->buffers[(input->next + 1) % BUFFERS];
    layout l = lay_out(input, s, batch);
    if (l.from_kept) GYRE_TRY(check_rows(input, s, batch));
    if (p->was_sent) GYRE_TRY(gpu_wait(b, p->sent, "the copy of an earlier batch"));
    GYRE_TRY(grow(b, p, l.end));
    pack(input, p, &l, s, batch);
    if (p->was_used) GPU_TRY(b, cudaStreamWaitEvent(b->copy, p->used, 0));
    GPU_TRY(b, cudaMemcpyAsync(p->device, p->host, l.end, cudaMemcpyHostToDevice, b->copy));
    GPU_TRY(b, cudaEventRecord(p->sent, b->copy));
    p->was_sent = true;
    GPU_TRY(b, cudaStreamWaitEvent(stream, p->sent, 0));
    input->next = (int)(p + 1 - input->buffers) % BUFFERS;
    *out = p;
    return GYRE_OK;
}

static gyre_status mark_used(gpu_backend *b, cudaStream_t stream, buffer *p) {
    GPU_TRY(b, cudaEventRecord(p->used, stream));
    p->was_used = true;
    return GYRE_OK;
}

gyre_status gpu_input_passed(gpu_input *input) {
    if (input->prefetched == NULL) return GYRE_OK;
    buffer *p = &input->buffers[input->prefetched - input->buffers];
    input->prefetched = NULL;
    return mark_used(input->b, input->b->compute, p);
}

gyre_status gpu_prefetch_batch(gyre_backend *base, const gyre_image_shape *s,
                               const gyre_batch *batch) {
    gpu_backend *b = gpu_of(base);
    gpu_input *input = b->input;
    buffer *p = NULL;
    GYRE_TRY(gpu_input_passed(input)); /* one from which nothing was loaded */
    GYRE_TRY(send(input, b->compute, s, batch, &p));
    input->prefetched = p;
    input->count = batch->count;
    GPU_TRY(b, cudaMemcpyAsync(input->current, p->device, sizeof *input->current,
                               cudaMemcpyDeviceToDevice, b->compute));
    return GYRE_OK;
}

/* Is it a part of the prefetched batch? */
static bool is_part(const gpu_input *input, const gyre_batch *batch) {
    return input->prefetched != NULL && batch->first >= 0 && batch->first <= input->count &&
           batch->count <= input->count - batch->first;
}

/* `batch` says what lies in the slot. */
static gyre_status unpack(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                          const gpu_input_slot *slot, int64_t first, gyre_f32 mean, gyre_f32 scale,
                          gyre_act x, gyre_i32 targets) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_input_launch(gpu_stream(q), gpu_bf16(q), s, batch, slot, first, gpu_floats(mean),
                                gpu_floats(scale), x));
    GPU_TRY(b, gpu_targets_launch(gpu_stream(q), (size_t)s->n, (size_t)batch->target_values, slot,
                                  first, gpu_integers(targets)));
    return GYRE_OK;
}

gyre_status gpu_batch_load(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                           gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 targets) {
    gpu_backend *b = gpu_of_queue(q);
    gpu_input *input = b->input;
    gyre_image_shape part = *s;
    part.n = (int)batch->count;
    if (b->in_step && is_part(input, batch)) {
        return unpack(q, &part, batch, input->current, batch->first, mean, scale, x, targets);
    }
    if (b->recording) {
        return gyre_fail(GYRE_EDEVICE, "a recorded step loads a batch that was not prefetched");
    }
    buffer *p;
    GYRE_TRY(send(input, gpu_stream(q), s, batch, &p));
    GYRE_TRY(unpack(q, &part, batch, (const gpu_input_slot *)(void *)p->device, 0, mean, scale, x,
                    targets));
    return mark_used(b, gpu_stream(q), p);
}

/* All rows to input->kept, by way of a piece of host memory. */
static gyre_status send_rows(gpu_input *input, const gyre_row_reader *images) {
    enum { PIECE = 4 << 20 };
    gyre_status status = GYRE_OK;
    size_t most = images->row_bytes < PIECE ? PIECE / images->row_bytes : 1;
    uint8_t *piece = malloc(most * images->row_bytes);
    if (piece == NULL) return gyre_no_memory("sending images to the GPU");
    for (size_t first = 0; first < images->rows; first += most) {
        size_t count = images->rows - first < most ? images->rows - first : most;
        GYRE_GOTO(images->read(images->context, (int64_t)first, (int64_t)count, piece));
        GYRE_GOTO(gpu_staging_send(input->b, input->b->compute,
                                   input->kept + first * images->row_bytes, piece,
                                   count * images->row_bytes));
    }
out:
    free(piece);
    return status;
}

gyre_status gpu_cache_images(gyre_backend *base, const gyre_row_reader *images, bool *kept) {
    gpu_backend *b = gpu_of(base);
    gpu_input *input = b->input;
    size_t available = 0, total = 0, bytes = images->rows * images->row_bytes;
    *kept = false;
    if (input->kept != NULL) {
        GYRE_TRY(gpu_drain(b, "the work with the images kept before"));
        void *old = input->kept;
        input->kept = NULL;
        GPU_TRY(b, cudaFree(old));
    }
    GPU_TRY(b, cudaMemGetInfo(&available, &total));
    if (bytes == 0 || bytes > available / 2) return GYRE_OK;
    GPU_TRY(b, cudaMalloc((void **)&input->kept, bytes));
    input->kept_rows = images->rows;
    input->kept_row_bytes = images->row_bytes;
    GYRE_TRY(send_rows(input, images));
    *kept = true;
    return GYRE_OK;
}

static gyre_status open_parts(gpu_input *input) {
    gpu_backend *b = input->b;
    for (int i = 0; i < BUFFERS; i++) {
        buffer *p = &input->buffers[i];
        GPU_TRY(b, cudaEventCreateWithFlags(&p->sent, cudaEventDisableTiming));
        GPU_TRY(b, cudaEventCreateWithFlags(&p->used, cudaEventDisableTiming));
    }
    GPU_TRY(b, cudaMalloc((void **)&input->current, sizeof *input->current));
    return GYRE_OK;
}

gyre_status gpu_input_open(gpu_backend *b, gpu_input **out) {
    gpu_input *input = calloc(1, sizeof *input);
    if (input == NULL) return gyre_no_memory("the GPU's input");
    input->b = b;
    gyre_status status = open_parts(input);
    if (status == GYRE_OK) {
        *out = input;
    } else {
        gpu_input_close(input);
    }
    return status;
}

void gpu_input_close(gpu_input *input) {
    if (input == NULL) return;
    for (int i = 0; i < BUFFERS; i++) {
        buffer *p = &input->buffers[i];
        if (p->sent != NULL) cudaEventDestroy(p->sent);
        if (p->used != NULL) cudaEventDestroy(p->used);
        if (p->host != NULL) cudaFreeHost(p->host);
        cudaFree(p->device);
    }
    cudaFree(input->current);
    cudaFree(input->kept);
    free(input);
}
