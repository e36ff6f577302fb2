/* The sizes that operators would give which gyre does not have. Internal to src/onnx. */
#ifndef GYRE_ONNX_GUESS_H
#define GYRE_ONNX_GUESS_H

#include "layer.h"

/* A refused operator, its inputs, and the sizes of what they are. */
typedef struct {
    const Onnx__GraphProto *graph;
    const Onnx__NodeProto *node;
    onnx_value *const *in; /* NULL among them: left out */
    int in_count;
    const onnx_layers *layers;
    const int64_t *images;
} onnx_guess;

/* The size and view of the value `output`, where the file tells its shape, or the operator keeps
 * that of its input: so what comes behind it is looked at as well, and all that gyre cannot take is
 * listed at once. `size` has the batch, N. False: not known. */
bool onnx_guess_output(const onnx_guess *g, const char *output, int64_t size[ONNX_AXES],
                       onnx_view *view);

#endif
