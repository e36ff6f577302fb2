/* On which NUMA node a GPU hangs, and how far from it this process may run. */
#include "numa.h"

#include "gyre/cores.h"
#include "gyre/file.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CORES_MAX = 4096, NODES_MAX = 256, FARTHEST = 255 };

/* CUDA's word first: containers may hide the folder. */
int gpu_numa_node(const struct cudaDeviceProp *p, int device) {
    char path[128], text[32];
    int node = -1;
    if (cudaDeviceGetAttribute(&node, cudaDevAttrHostNumaId, device) != cudaSuccess) {
        (void)cudaGetLastError();
        node = -1;
    }
    if (node >= 0) return node;
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%04x:%02x:%02x.0/numa_node",
             (unsigned)p->pciDomainID, (unsigned)p->pciBusID, (unsigned)p->pciDeviceID);
    return gyre_file_first_line(path, text, sizeof text) ? atoi(text) : -1;
}

void gpu_numa_cores(int node, char *cores, int size) {
    char path[128];
    cores[0] = '\0';
    if (node < 0) return;
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpulist", node);
    gyre_file_first_line(path, cores, size);
}

/* -1: not known. */
static int may_run_on(int node) {
    unsigned char beside[CORES_MAX] = {0}, allowed[CORES_MAX] = {0};
    char cores[4096], mine[4096];
    gpu_numa_cores(node, cores, sizeof cores);
    gyre_cores_text(mine, sizeof mine);
    if (cores[0] == '\0' || mine[0] == '?') return -1;
    gyre_cores_mark(cores, beside, CORES_MAX);
    gyre_cores_mark(mine, allowed, CORES_MAX);
    for (int i = 0; i < CORES_MAX; i++) {
        if (beside[i] && allowed[i]) return 1;
    }
    return 0;
}

int gpu_numa_distance(int node) {
    char path[128], line[4096];
    int nearest = FARTHEST;
    if (node < 0 || may_run_on(node) != 0) return 0;
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/distance", node);
    gyre_file_first_line(path, line, sizeof line);
    char *at = line, *end;
    for (int other = 0; other < NODES_MAX; other++, at = end) {
        long distance = strtol(at, &end, 10);
        if (end == at) break;
        if (distance > 0 && distance < nearest && may_run_on(other) == 1) nearest = (int)distance;
    }
    return nearest;
}
