/* The ranks' GPUs beside each other. */
#ifndef GYRE_CUDA_PEERS_H
#define GYRE_CUDA_PEERS_H

#include "view.h"

/* A rank's GPU and what else it sees. Plain bytes, so that ranks can send it. */
typedef struct {
    char host[64], name[64];
    char cores[GPU_CORES_TEXT], beside[GPU_CORES_TEXT]; /* of the rank; of its GPU's NUMA node */
    int major, minor;                                   /* compute capability */
    int granted; /* how many GPUs of the host Slurm gave the job; 0: not known */
    gpu_seen gpu;
    gpu_view view;
} gpu_card;

/* GYRE_EDEVICE where these GPUs cannot run together. Else `out` gets a line for each thing that is
 * not as it should be. */
gyre_status gpu_cards_check(const gpu_card *cards, int ranks, gpu_page *out);

#endif
