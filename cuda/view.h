/* What a rank sees of its host's GPUs, and which of them each rank is given. */
#ifndef GYRE_CUDA_VIEW_H
#define GYRE_CUDA_VIEW_H

#include "gyre/comm.h"
#include "gyre/status.h"
#include "numa.h"
#include "page.h"
#include <cuda_runtime_api.h>
#include <stdbool.h>

enum { GPU_LEAST_MAJOR = 8 }; /* compute capability: bf16, and what the kernels are built for */
enum { GPU_SEEN_MAX = 64, GPU_NAME_TEXT = 24, GPU_CORES_TEXT = 192 };

/* One visible GPU. Plain bytes, so that ranks can send it. */
typedef struct {
    unsigned char uuid[16]; /* zeros: it does not say */
    int domain, bus, slot;  /* on PCI */
    int device;             /* its number among this rank's visible ones */
    int node;               /* the NUMA node that it hangs on; -1: not known */
    int distance;           /* numa.c, of this rank's cores */
    bool slice;             /* of a GPU in MIG mode */
} gpu_seen;

/* The GPUs that gyre can use, in the order in which CUDA numbers them. */
typedef struct {
    int rank, count;
    gpu_seen list[GPU_SEEN_MAX];
} gpu_view;

/* view.c */
gyre_status gpu_view_read(int rank, gpu_view *out);
gyre_status gpu_no_device(const char *what, cudaError_t error); /* GYRE_EDEVICE */
bool gpu_same(const gpu_seen *a, const gpu_seen *b);
/* Its place in the view, or -1. */
int gpu_view_find(const gpu_view *v, const gpu_seen *which);
/* "GPU-1a2b3c4d", as nvidia-smi -L and CUDA_VISIBLE_DEVICES begin it. */
const char *gpu_name_text(const gpu_seen *g, char text[GPU_NAME_TEXT]);

/* placement.c: this rank's view and its GPU's place in it. Collective over all ranks of the host at
 * the first call; after that it is known, as parts of a communicator need it, which cannot ask the
 * other parts. Without a communicator: the first GPU. */
gyre_status gpu_place(gyre_comm *comm, gpu_view *view, int *place);
/* After that, before threads and pinned memory are made: this rank leaves the cores that are far
 * from its GPU, where it may use others, and at least two of them are its own. */
void gpu_place_bind(gyre_comm *comm);

#endif
