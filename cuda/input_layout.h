/* The inside of the input: its buffers, and how a batch lies in one of them. */
#ifndef GYRE_CUDA_INPUT_LAYOUT_H
#define GYRE_CUDA_INPUT_LAYOUT_H

#include "gpu.h"
#include "kernels.h"

enum { GPU_INPUT_BUFFERS = 2 };

typedef struct {
    char *host;   /* pinned */
    char *device; /* larger where parts are resized: their images are behind what is copied */
    size_t size, device_size;
    cudaEvent_t sent, used;
    bool was_sent, was_used; /* those events were recorded */
} gpu_input_buffer;

struct gpu_input {
    gpu_backend *b;
    gpu_input_buffer buffers[GPU_INPUT_BUFFERS];
    int next;
    gpu_input_slot *current; /* device */
    uint8_t *kept;           /* device: the training images, or NULL */
    size_t kept_rows, kept_row_bytes;
    gyre_resizing resizing;             /* its tables on the device; size 0: none */
    const gpu_input_buffer *prefetched; /* NULL: none */
    int64_t count;                      /* of the prefetched batch */
};

/* Where things lie in a buffer, in bytes. */
typedef struct {
    size_t rows, targets, augment, erase, crops, places, images, end;
    size_t resized, device_end; /* on the device alone */
    size_t image_bytes;         /* of all images; 0 where the device keeps them */
    size_t stored_bytes;        /* of one as it is stored */
    size_t target_bytes;        /* of all targets */
    size_t before;              /* samples before the first: 1 where the batch is mixed */
    bool from_kept;
} gpu_layout;

gpu_layout gpu_layout_of(const gpu_input *input, const gyre_image_shape *s,
                         const gyre_batch *batch);
/* GYRE_EDEVICE: rows or parts are none of those that the device knows. */
gyre_status gpu_layout_check(const gpu_input *input, const gpu_layout *l, const gyre_image_shape *s,
                             const gyre_batch *batch);
/* Fills the host's memory of a buffer; returns the bytes that are to be copied. */
size_t gpu_layout_pack(const gpu_input *input, const gpu_input_buffer *p, const gpu_layout *l,
                       const gyre_image_shape *s, const gyre_batch *batch);
/* The parts of a batch whose buffer is on the device. */
gpu_parts gpu_layout_parts(const gpu_input *input, const gpu_input_buffer *p, const gpu_layout *l,
                           const gyre_image_shape *s);

#endif
