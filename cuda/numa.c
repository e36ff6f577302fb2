/* On which NUMA node a GPU hangs, how far from it this process may run, and staying beside it. */
#include "numa.h"

#include "gyre/cores.h"
#include "gyre/file.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 256, FARTHEST = 255 };

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

/* Counts the cores that this process may use: those on the node, which it marks, and the others.
 * False: not known. */
static bool look(int node, unsigned char *near, int *here, int *elsewhere) {
    unsigned char beside[GPU_CORES_MAX] = {0}, allowed[GPU_CORES_MAX] = {0};
    char cores[4096], mine[4096];
    *here = *elsewhere = 0;
    gpu_numa_cores(node, cores, sizeof cores);
    gyre_cores_text(mine, sizeof mine);
    if (cores[0] == '\0' || mine[0] == '?') return false;
    gyre_cores_mark(cores, beside, GPU_CORES_MAX);
    gyre_cores_mark(mine, allowed, GPU_CORES_MAX);
    for (int i = 0; i < GPU_CORES_MAX; i++) {
        near[i] = beside[i] && allowed[i];
        *here += near[i];
        *elsewhere += allowed[i] && !beside[i];
    }
    return true;
}

/* -1: not known. */
static int may_run_on(int node) {
    unsigned char near[GPU_CORES_MAX];
    int here, elsewhere;
    return look(node, near, &here, &elsewhere) ? here > 0 : -1;
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

int gpu_numa_near(int node, unsigned char *cores) {
    int here, elsewhere;
    return look(node, cores, &here, &elsewhere) && elsewhere > 0 ? here : 0;
}

bool gpu_numa_bind(const unsigned char *cores) {
    cpu_set_t *set = CPU_ALLOC(GPU_CORES_MAX);
    const size_t size = CPU_ALLOC_SIZE(GPU_CORES_MAX);
    if (set == NULL) return false;
    CPU_ZERO_S(size, set);
    for (int i = 0; i < GPU_CORES_MAX; i++) {
        if (cores[i]) CPU_SET_S((size_t)i, size, set);
    }
    bool bound = sched_setaffinity(0, size, set) == 0;
    CPU_FREE(set);
    return bound;
}
