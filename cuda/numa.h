/* NUMA nodes: which one a GPU hangs on, and how far it is from this rank's cores. */
#ifndef GYRE_CUDA_NUMA_H
#define GYRE_CUDA_NUMA_H

#include <cuda_runtime_api.h>

/* The node of a visible device; -1: not known. */
int gpu_numa_node(const struct cudaDeviceProp *p, int device);
/* The cores of a node, as Linux writes them; "" where it does not tell. */
void gpu_numa_cores(int node, char *cores, int size);
/* How far this process's cores are from a node: 0 when it may run there, or this is not known; else
 * Linux's distance (10 would be the same node, two processors have about 20), at most 255. */
int gpu_numa_distance(int node);

#endif
