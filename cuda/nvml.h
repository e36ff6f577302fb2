/* What the driver's management library (NVML) tells of a GPU: its clocks, what holds them down,
 * power, errors of its memory, its fabric. The library is the driver's, so it is opened when it is
 * asked and may be missing. */
#ifndef GYRE_CUDA_NVML_H
#define GYRE_CUDA_NVML_H

#include "page.h"
#include <cuda_runtime_api.h>
#include <stdbool.h>

/* "driver 580.159.03, SM 345 of 1980 MHz, memory 2619 MHz, 71 of 700 W, 31 C, ECC on"; nothing
 * without NVML. */
void gpu_nvml_state(const struct cudaDeviceProp *p, gpu_page *out);
/* A line "! GPU k ..." for each thing that is wrong with it. */
void gpu_nvml_problems(const struct cudaDeviceProp *p, int device, gpu_page *out);

/* Listens for the driver's critical errors (Xid) of this GPU from now on, until the process ends.
 */
void gpu_nvml_listen(const struct cudaDeviceProp *p);
/* The last one that came; 0: none. */
int gpu_nvml_xid(void);

#endif
