/* NUMA nodes: which one a GPU hangs on, and how far it is from this rank's cores. */
#ifndef GYRE_CUDA_NUMA_H
#define GYRE_CUDA_NUMA_H

#include <cuda_runtime_api.h>
#include <stdbool.h>

/* The node of a visible device; -1: not known. */
int gpu_numa_node(const struct cudaDeviceProp *p, int device);
/* The cores of a node, as Linux writes them; "" where it does not tell. */
void gpu_numa_cores(int node, char *cores, int size);
/* How far this process's cores are from a node: 0 when it may run there, or this is not known; else
 * Linux's distance (10 would be the same node, two processors have about 20), at most 255. */
int gpu_numa_distance(int node);

enum { GPU_CORES_MAX = 4096 };
/* Marks cores[GPU_CORES_MAX]: those that this process may use and that lie on the node. How many;
 * 0 where it may use no others anyway, or none, or where this is not known. */
int gpu_numa_near(int node, unsigned char *cores);
/* This thread, and those that it starts, run on these cores alone; false where Linux refuses. */
bool gpu_numa_bind(const unsigned char *cores);

#endif
