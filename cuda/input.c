/* Batches on their way to the device: gathered in pinned memory, one copy each on the copy stream,
 * unpacked by a kernel. Two buffers take turns, so that a batch is copied while the one before is
 * still computed with.
 *
 *   host memory of a buffer    may be written again when its last copy is through    (`sent`)
 *   device memory of a buffer  may be written again when all that reads it is queued
 *                              on compute and through                                (`used`)
 *   compute                    reads a buffer behind its copy                        (`sent`)
 *
 * Parts of stored images are resized on the copy stream, behind their copy, so that a buffer has
 * images as the network sees them wherever they came from.
 *
 * A buffer begins with a gpu_input_slot that points into itself. Operations of a recorded step read
 * the one slot at `current`, to which the prefetched batch's is copied on compute. */
#include "input_layout.h"
#include "operation.h"
#include <stdlib.h>
#include <string.h>

/* On the copy stream, behind the copy. */
static gyre_status resize(gpu_input *input, const gpu_input_buffer *p, const gpu_layout *l,
                          const gyre_image_shape *s, const gyre_batch *batch) {
    const gpu_parts parts = gpu_layout_parts(input, p, l, s);
    GPU_TRY(input->b, gpu_resize_launch(input->b->copy, (size_t)batch->count + l->before, s->h,
                                        s->c, &parts, (uint8_t *)(p->device + l->resized)));
    return GYRE_OK;
}

/* The host has waited for the last copy already. */
static gyre_status grow(gpu_backend *b, gpu_input_buffer *p, size_t bytes, size_t device_bytes) {
    if (bytes <= p->size && device_bytes <= p->device_size) return GYRE_OK;
    if (p->was_used) GYRE_TRY(gpu_wait(b, p->used, "the batch before a larger one"));
    void *host = p->host, *device = p->device;
    p->host = p->device = NULL;
    p->size = p->device_size = 0;
    p->was_used = false;
    if (host != NULL) GPU_TRY(b, cudaFreeHost(host));
    if (device != NULL) GPU_TRY(b, cudaFree(device));
    GPU_TRY(b, cudaMallocHost((void **)&p->host, bytes));
    GPU_TRY(b, cudaMalloc((void **)&p->device, device_bytes));
    p->size = bytes;
    p->device_size = device_bytes;
    return GYRE_OK;
}

/* Puts the batch on its way; the stream may read it from *out. */
static gyre_status send(gpu_input *input, cudaStream_t stream, const gyre_image_shape *s,
                        const gyre_batch *batch, gpu_input_buffer **out) {
    gpu_backend *b = input->b;
    gpu_input_buffer *p = &input->buffers[input->next];
    if (p == input->prefetched) p = &input->buffers[(input->next + 1) % GPU_INPUT_BUFFERS];
    const gpu_layout l = gpu_layout_of(input, s, batch);
    GYRE_TRY(gpu_layout_check(input, &l, s, batch));
    if (p->was_sent) GYRE_TRY(gpu_wait(b, p->sent, "the copy of an earlier batch"));
    GYRE_TRY(grow(b, p, l.end, l.device_end));
    const size_t bytes = gpu_layout_pack(input, p, &l, s, batch);
    if (p->was_used) GPU_TRY(b, cudaStreamWaitEvent(b->copy, p->used, 0));
    GPU_TRY(b, cudaMemcpyAsync(p->device, p->host, bytes, cudaMemcpyHostToDevice, b->copy));
    if (batch->crops != NULL) GYRE_TRY(resize(input, p, &l, s, batch));
    GPU_TRY(b, cudaEventRecord(p->sent, b->copy));
    p->was_sent = true;
    GPU_TRY(b, cudaStreamWaitEvent(stream, p->sent, 0));
    input->next = (int)(p + 1 - input->buffers) % GPU_INPUT_BUFFERS;
    *out = p;
    return GYRE_OK;
}

static gyre_status mark_used(gpu_backend *b, cudaStream_t stream, gpu_input_buffer *p) {
    GPU_TRY(b, cudaEventRecord(p->used, stream));
    p->was_used = true;
    return GYRE_OK;
}

gyre_status gpu_input_passed(gpu_input *input) {
    if (input->prefetched == NULL) return GYRE_OK;
    gpu_input_buffer *p = &input->buffers[input->prefetched - input->buffers];
    input->prefetched = NULL;
    return mark_used(input->b, input->b->compute, p);
}

gyre_status gpu_prefetch_batch(gyre_backend *base, const gyre_image_shape *s,
                               const gyre_batch *batch) {
    gpu_backend *b = gpu_of(base);
    gpu_input *input = b->input;
    gpu_input_buffer *p = NULL;
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
    gpu_input_buffer *p;
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
    GYRE_TRY(gpu_drain(b, "sending the images")); /* the copy stream reads them, too */
    *kept = true;
    return GYRE_OK;
}

static void release_resizing(gpu_input *input) {
    cudaFree(input->resizing.sides);
    cudaFree(input->resizing.words);
    input->resizing = (gyre_resizing){0};
}

/* The copy stream reads the tables; nothing that is queued reads those that go. */
static gyre_status send_resizing(gpu_input *input, const gyre_resizing *from) {
    gpu_backend *b = input->b;
    gyre_resizing *r = &input->resizing;
    const size_t sides = (size_t)from->side_count * sizeof *from->sides;
    const size_t words = from->word_count * sizeof *from->words;
    GYRE_TRY(gpu_drain(b, "the work with parts of other images"));
    release_resizing(input);
    *r = (gyre_resizing){.h = from->h, .w = from->w, .size = from->size};
    GPU_TRY(b, cudaMalloc((void **)&r->sides, sides));
    GPU_TRY(b, cudaMalloc((void **)&r->words, words));
    GYRE_TRY(gpu_staging_send(b, b->copy, r->sides, from->sides, sides));
    return gpu_staging_send(b, b->copy, r->words, from->words, words);
}

gyre_status gpu_resize_crops(gyre_backend *base, const gyre_resizing *resizing, bool *taken) {
    gpu_backend *b = gpu_of(base);
    const gyre_resizing *r = &b->input->resizing;
    *taken = true;
    if (resizing == NULL) return GYRE_OK;
    bool same = r->size == resizing->size && r->h == resizing->h && r->w == resizing->w;
    return same ? GYRE_OK : send_resizing(b->input, resizing);
}

static gyre_status open_parts(gpu_input *input) {
    gpu_backend *b = input->b;
    for (int i = 0; i < GPU_INPUT_BUFFERS; i++) {
        gpu_input_buffer *p = &input->buffers[i];
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
    for (int i = 0; i < GPU_INPUT_BUFFERS; i++) {
        gpu_input_buffer *p = &input->buffers[i];
        if (p->sent != NULL) cudaEventDestroy(p->sent);
        if (p->used != NULL) cudaEventDestroy(p->used);
        if (p->host != NULL) cudaFreeHost(p->host);
        cudaFree(p->device);
    }
    cudaFree(input->current);
    cudaFree(input->kept);
    release_resizing(input);
    free(input);
}
