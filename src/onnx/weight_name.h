/* What the name of a tensor tells: exporters keep the names of parameters and buffers, lose some,
 * and give names of their own to what they make. Internal to src/onnx. */
#ifndef GYRE_ONNX_WEIGHT_NAME_H
#define GYRE_ONNX_WEIGHT_NAME_H

#include "file.h"

typedef enum {
    ONNX_NAME_TOLD,     /* that of a parameter or buffer in the network that was exported */
    ONNX_NAME_LOST,     /* the exporter's, of a weight that it made: "onnx::Conv_193" */
    ONNX_NAME_COMPUTED, /* "conv1/weight", in gyre's files: a weight that is no parameter there */
    ONNX_NAME_LITERAL   /* of numbers in the graph, which are no weights */
} onnx_name_kind;

/* Of a tensor with this name, in such a file. */
onnx_name_kind onnx_name_kind_of(const onnx_file *f, const char *name);
/* The name in PyTorch's network of a parameter in gyre's file, which stands beside its own where
 * that has a slash, or could not be the same; NULL: its own tells. */
const char *onnx_name_beside(const onnx_file *f, const Onnx__TensorProto *t);
/* A name that PyTorch's exporters give to values. */
bool onnx_name_is_lost(const char *name);

#endif
