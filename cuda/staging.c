/* Pinned host memory between the caller's and the device's: a ring of chunks for copies in either
 * direction, and a few slots for results that the host reads later.
 *
 * A chunk may be written again when the event behind its last copy has passed. */
#include "gpu.h"
#include "operation.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNKS = 4,
    TICKETS = 4, /* open at once, as gyre/backend.h grants */
    TICKET_FLOATS = 16,
};
static const size_t CHUNK_BYTES = (size_t)1 << 20;

typedef struct {
    cudaEvent_t copied;
    bool used; /* `copied` was recorded */
} chunk;

typedef struct {
    cudaEvent_t copied;
    int n;
    bool open;
} ticket;

struct gpu_staging {
    char *ring;     /* (CHUNKS, CHUNK_BYTES) pinned */
    float *results; /* (TICKETS, TICKET_FLOATS) pinned */
    chunk chunks[CHUNKS];
    ticket tickets[TICKETS];
    int next; /* chunk */
};

static gyre_status open_events(gpu_backend *b, gpu_staging *s) {
    for (int i = 0; i < CHUNKS; i++) {
        GPU_TRY(b, cudaEventCreateWithFlags(&s->chunks[i].copied, cudaEventDisableTiming));
    }
    for (int i = 0; i < TICKETS; i++) {
        GPU_TRY(b, cudaEventCreateWithFlags(&s->tickets[i].copied, cudaEventDisableTiming));
    }
    return GYRE_OK;
}

static gyre_status open_memory(gpu_backend *b, gpu_staging *s) {
    GPU_TRY(b, cudaMallocHost((void **)&s->ring, CHUNKS * CHUNK_BYTES));
    GPU_TRY(b, cudaMallocHost((void **)&s->results, TICKETS * TICKET_FLOATS * sizeof(float)));
    return GYRE_OK;
}

gyre_status gpu_staging_open(gpu_backend *b, gpu_staging **out) {
    gpu_staging *s = calloc(1, sizeof *s);
    if (s == NULL) return gyre_no_memory("the GPU's staging buffers");
    gyre_status status = open_events(b, s);
    if (status == GYRE_OK) status = open_memory(b, s);
    if (status == GYRE_OK) {
        *out = s;
    } else {
        gpu_staging_close(s);
    }
    return status;
}

void gpu_staging_close(gpu_staging *s) {
    if (s == NULL) return;
    for (int i = 0; i < CHUNKS; i++) {
        if (s->chunks[i].copied != NULL) cudaEventDestroy(s->chunks[i].copied);
    }
    for (int i = 0; i < TICKETS; i++) {
        if (s->tickets[i].copied != NULL) cudaEventDestroy(s->tickets[i].copied);
    }
    if (s->ring != NULL) cudaFreeHost(s->ring);
    if (s->results != NULL) cudaFreeHost(s->results);
    free(s);
}

/* The next chunk, once its last copy is through. */
static gyre_status take(gpu_backend *b, chunk **out, char **memory) {
    gpu_staging *s = b->staging;
    chunk *c = &s->chunks[s->next];
    if (c->used) GYRE_TRY(gpu_wait(b, c->copied, "a copy from pinned memory"));
    c->used = false;
    *out = c;
    *memory = s->ring + (size_t)s->next * CHUNK_BYTES;
    s->next = (s->next + 1) % CHUNKS;
    return GYRE_OK;
}

static gyre_status mark_used(gpu_backend *b, chunk *c, cudaStream_t stream) {
    GPU_TRY(b, cudaEventRecord(c->copied, stream));
    c->used = true;
    return GYRE_OK;
}

gyre_status gpu_staging_send(gpu_backend *b, cudaStream_t stream, void *dst, const void *src,
                             size_t bytes) {
    for (size_t at = 0; at < bytes; at += CHUNK_BYTES) {
        size_t part = bytes - at < CHUNK_BYTES ? bytes - at : CHUNK_BYTES;
        chunk *c;
        char *memory;
        GYRE_TRY(take(b, &c, &memory));
        memcpy(memory, (const char *)src + at, part);
        GPU_TRY(b, cudaMemcpyAsync((char *)dst + at, memory, part, cudaMemcpyHostToDevice, stream));
        GYRE_TRY(mark_used(b, c, stream));
    }
    return GYRE_OK;
}

gyre_status gpu_staging_fetch(gpu_backend *b, cudaStream_t stream, void *dst, const void *src,
                              size_t bytes) {
    for (size_t at = 0; at < bytes; at += CHUNK_BYTES) {
        size_t part = bytes - at < CHUNK_BYTES ? bytes - at : CHUNK_BYTES;
        chunk *c;
        char *memory;
        GYRE_TRY(take(b, &c, &memory));
        GPU_TRY(b, cudaMemcpyAsync(memory, (const char *)src + at, part, cudaMemcpyDeviceToHost,
                                   stream));
        GYRE_TRY(mark_used(b, c, stream));
        GYRE_TRY(gpu_wait(b, c->copied, "the work before a download"));
        memcpy((char *)dst + at, memory, part);
    }
    return GYRE_OK;
}

gyre_status gpu_read_later(gyre_queue *q, gyre_f32 src, int n, gyre_ticket *out) {
    gpu_backend *b = gpu_of_queue(q);
    gpu_staging *s = b->staging;
    int i = 0;
    if (n < 0 || n > TICKET_FLOATS) {
        return gyre_fail(GYRE_EDEVICE, "a ticket holds %d floats, asked for %d", TICKET_FLOATS, n);
    }
    while (i < TICKETS && s->tickets[i].open) i++;
    if (i == TICKETS) return gyre_fail(GYRE_EDEVICE, "more than %d reads under way", TICKETS);
    ticket *t = &s->tickets[i];
    GPU_TRY(b, cudaMemcpyAsync(s->results + i * TICKET_FLOATS, src, (size_t)n * sizeof(float),
                               cudaMemcpyDeviceToHost, gpu_stream(q)));
    GPU_TRY(b, cudaEventRecord(t->copied, gpu_stream(q)));
    t->n = n;
    t->open = true;
    *out = (gyre_ticket){i};
    return GYRE_OK;
}

gyre_status gpu_read(gyre_backend *base, gyre_ticket which, float *dst) {
    gpu_backend *b = gpu_of(base);
    gpu_staging *s = b->staging;
    if (which.slot < 0 || which.slot >= TICKETS || !s->tickets[which.slot].open) {
        return gyre_fail(GYRE_EDEVICE, "a result was read twice");
    }
    ticket *t = &s->tickets[which.slot];
    GYRE_TRY(gpu_wait(b, t->copied, "the step whose results are read"));
    memcpy(dst, s->results + which.slot * TICKET_FLOATS, (size_t)t->n * sizeof(float));
    t->open = false;
    return GYRE_OK;
}
