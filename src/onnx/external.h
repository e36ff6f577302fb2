/* Numbers of tensors in files beside the ONNX file. Internal to src/onnx. */
#ifndef GYRE_ONNX_EXTERNAL_H
#define GYRE_ONNX_EXTERNAL_H

#include "file.h"

/* All tensors of the graph that lie beside the file: each in the file's own folder, within its
 * file, and no two on the same bytes. GYRE_EIO names the tensor. */
gyre_status onnx_external_check(const onnx_file *f);
/* The `size` bytes that the tensor is made of; checked before. */
gyre_status onnx_external_read(const onnx_file *f, const Onnx__TensorProto *t, void *out,
                               size_t size);
/* XXH3-64 of the file and of all files beside it that its tensors lie in. */
gyre_status onnx_external_hash(const onnx_file *f, uint64_t *out);

#endif
