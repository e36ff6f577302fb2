/* A trained network as an ONNX file: opset 17, which every onnxruntime since 2022 reads.
 *
 * The input is float32 (N, C, H, W) of the samples as the dataset has them, a picture's pixels from
 * 0 to 255; normalisation is part of the graph. The output, `logits`, is (N, classes), or (N,
 * classes, H, W) where each pixel has a target. N is free. Parameters have the names and layouts of
 * PyTorch's state_dict (gyre/state_dict.h), but that every convolution has four axes. What only
 * training does is left out. */
#ifndef GYRE_ONNX_WRITE_H
#define GYRE_ONNX_WRITE_H

#include "gyre/model.h"
#include "gyre/status.h"
#include "gyre/text.h"
#include <stddef.h>

typedef struct {
    const gyre_model *model;
    const float *parameters, *buffers; /* in the model's flat layout */
    const float *mean, *scale; /* (h, w, c) and (c): a sample enters as (x - mean) * scale */
} gyre_onnx_network;

/* The bytes of the file, with `notes` as its metadata; free() them. GYRE_EIO: more than the 2 GiB
 * where ONNX files end. */
gyre_status gyre_onnx_image(const gyre_onnx_network *network, const gyre_note *notes,
                            size_t note_count, char **file, size_t *size);

#endif
