/* Networks from ONNX files, as PyTorch's exporters write them: docs/onnx.md.
 *
 * A file becomes the text of a network, as model.layers has it, and weights under the names and in
 * the shapes of its parameters; nothing else of gyre knows ONNX. */
#ifndef GYRE_ONNX_H
#define GYRE_ONNX_H

#include "gyre/settings.h"
#include "gyre/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct gyre_onnx_source gyre_onnx_source;

/* One parameter or running statistic: "layer1.0.conv1.weight", (k, r, s, c / groups). */
typedef struct {
    const char *name;
    int ndim, dims[4];
    size_t count;
    bool statistic;
    bool chw; /* of a linear layer: where it reads a picture as one row, the row is (c, h, w) */
    const gyre_onnx_source *source;
} gyre_onnx_weight;

typedef struct {
    const char *layers;   /* JSON: {"nodes": [...]} */
    int h, w, c, outputs; /* of the file's images and of its network */
    const char *softmax;  /* its last operator, left out: "Softmax", "LogSoftmax"; NULL: none */
    bool constants;       /* it has numbers for each channel that come with its weights */
    bool normalized;      /* the file normalises its input, by these numbers */
    bool raw;             /* it says that its weights are for values as they are */
    gyre_normalization normalization;
    bool pixels; /* they were of pixels from 0 to 255 */
    /* Too large for a config: what is subtracted, (h, w, c), and the deviations (c), in the file's
     * own unit; NULL: the normalisation has them. */
    const float *mean_image;
    const double *deviations;
    const char *notes[16]; /* what a person should know: sentences; NULL at the end */
    /* A pool whose windows fill the example's picture: its node, and whether PyTorch's would have
     * others for another size, or only may; NULL: there is none. */
    const char *fitted;
    bool adaptive;
    int weight_count;
    const gyre_onnx_weight *weights;
    struct gyre_onnx_import *import; /* the rest */
} gyre_onnx;

/* Whether the file begins as ONNX files do, and as no other file that gyre reads. */
bool gyre_onnx_recognise(const char *path);
/* GYRE_EIO: the file, or one beside it that has its weights, cannot be read or is damaged, or has
 * operators that gyre has no nodes for; all of them are named. Close it. */
gyre_status gyre_onnx_open(const char *path, gyre_onnx **out);
void gyre_onnx_close(gyre_onnx *o); /* NULL is fine */
/* The numbers of a weight, in the order of its dims: (count) floats. */
gyre_status gyre_onnx_read(const gyre_onnx *o, const gyre_onnx_weight *w, float *out);
/* XXH3-64 of the file and of those beside it that its weights lie in; never 0. */
gyre_status gyre_onnx_hash(const char *path, uint64_t *out);

#endif
