/* Attributes of an operator. Internal to src/onnx. */
#ifndef GYRE_ONNX_ATTRIBUTE_H
#define GYRE_ONNX_ATTRIBUTE_H

#include "gyre/status.h"
#include <onnx.pb-c.h>
#include <stdbool.h>

/* Those that gyre reads are of their types, and there once. GYRE_EIO. */
gyre_status onnx_attributes_check(const char *path, const Onnx__NodeProto *n);

const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *n, const char *name);
/* `otherwise` where it is not given. */
int64_t onnx_integer(const Onnx__NodeProto *n, const char *name, int64_t otherwise);
double onnx_real(const Onnx__NodeProto *n, const char *name, double otherwise);
/* The text is this one; false: it is another, or not given. */
bool onnx_is_text(const Onnx__NodeProto *n, const char *name, const char *value);
/* `count` whole numbers, each `otherwise` where they are not given. False: another count, or one of
 * them is not in 0 .. 2^31 - 1. */
bool onnx_integers(const Onnx__NodeProto *n, const char *name, int count, int64_t otherwise,
                   int64_t *out);
/* It has one that is a graph. */
bool onnx_has_subgraph(const Onnx__NodeProto *n);

#endif
