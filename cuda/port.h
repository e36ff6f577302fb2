/* Included by every kernel file; the only difference between nvcc and a build for the CPU, with
 * which tests run the same source on fibers (tests/gpu/emulator/emulator.h). */
#ifndef GYRE_CUDA_PORT_H
#define GYRE_CUDA_PORT_H

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#ifdef __CUDACC__
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                                     \
    kernel<<<(grid), (block), (shared_bytes), (stream)>>>(__VA_ARGS__)
/* Shared memory: a variable, or an array SHARED(float, x, [32]); at the top of a kernel, where
 * every thread passes. */
#define SHARED(type, name, ...) __shared__ type name __VA_ARGS__
/* Makes a kernel known to the tests by its name; once per instance, after its definition. */
#define KERNEL(...) static_assert(true, "")
#else
#include "emulator_device.h"
#endif

#endif
