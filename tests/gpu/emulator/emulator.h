/* Runs CUDA kernels on the CPU: the same .cu files, compiled with g++ -x c++ (cuda/port.h includes
 * emulator_device.h there).
 *
 * The threads of a block are fibers on the calling thread. Barriers, shuffles and votes are
 * resolved by a scheduler; lanes, warps and blocks run in orders permuted by a seed; shared memory
 * starts as NaN, every block anew. What hardware would leave undefined is reported with kernel,
 * block, thread, file and line, and ends the program: a barrier that some threads of the block do
 * not reach, lanes that disagree on a shuffle or its mask, a shuffle from a lane outside the mask.
 * The address sanitizer knows the fibers and the bounds of shared arrays; under the thread
 * sanitizer every CUDA thread is a thread of its own, so that a missing barrier, or two blocks that
 * touch the same element, is a data race.
 *
 * For a fake CUDA runtime: link the kernels' objects and emulator*.o, and call emulator_launch with
 * what cudaLaunchKernel got. Names may be mangled, as __cudaRegisterFunction hands them over, or
 * demangled, with or without the parameter list. A kernel runs to its end before emulator_launch
 * returns, so work that is to run later needs a copy of its arguments: emulator_arguments gives
 * their sizes. The kernels' objects refer to cudaGetLastError and nothing else of the runtime, and
 * to what cuda/operation.c defines. They also hold the operations (gpu_relu...): a preloaded
 * library that contains them must be linked so that it does not export them (a version script).
 *
 * Calls from several operating system threads must not overlap. */
#ifndef GYRE_TESTS_EMULATOR_H
#define GYRE_TESTS_EMULATOR_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cudaErrorInvalidDeviceFunction: no such kernel; cudaErrorInvalidConfiguration: an empty or too
 * large grid, block or shared memory. args[i] points to the i-th argument. */
cudaError_t emulator_launch(const char *name, dim3 grid, dim3 block, size_t shared_bytes,
                            void **args);

/* The number of a kernel's parameters, or -1 when it isn't known; *sizes (bytes, may be NULL) lives
 * as long as the program. */
int emulator_arguments(const char *name, const size_t **sizes);

/* Calls f with the name of every kernel that is known. */
void emulator_each(void (*f)(void *context, const char *name), void *context);

/* The order of blocks, warps and lanes from here on: 0 is ascending (as at the start), 1
 * descending, any other a permutation of its own. */
void emulator_seed(uint64_t seed);

/* Runs only the blocks first..last (in the order x, y, z) of later grids: single blocks of grids
 * that would take too long. (0, UINT64_MAX) runs all. */
void emulator_blocks(uint64_t first, uint64_t last);

/* false: under the thread sanitizer a kernel is one thread, that of its caller; for programs that
 * look for races between streams, each a fiber of the caller's. */
void emulator_sanitize_threads(bool each);

/* How many kernels have run. */
uint64_t emulator_launches(void);

#ifdef __cplusplus
}
#endif

#endif
