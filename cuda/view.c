/* The GPUs that this process sees. Older ones than gyre can use are left out: a card for the screen
 * beside those for computing is no reason to end. */
#include "view.h"
#include "gpu.h"

#include <string.h>

gyre_status gpu_no_device(const char *what, cudaError_t error) {
    bool fabric = error == cudaErrorSystemNotReady;
    return gyre_fail(GYRE_EDEVICE, "%s: %s (%s)%s", what, cudaGetErrorString(error),
                     cudaGetErrorName(error),
                     fabric ? "; GPUs joined by NVSwitch need the Fabric Manager: `systemctl start "
                              "nvidia-fabricmanager`, of the driver's version"
                            : "");
}

static void look_at(const struct cudaDeviceProp *p, int device, gpu_seen *out) {
    *out = (gpu_seen){.domain = p->pciDomainID,
                      .bus = p->pciBusID,
                      .slot = p->pciDeviceID,
                      .device = device,
                      .slice = strstr(p->name, " MIG ") != NULL};
    memcpy(out->uuid, &p->uuid, sizeof out->uuid);
    out->node = gpu_numa_node(p, device);
    out->distance = gpu_numa_distance(out->node);
}

gyre_status gpu_view_read(int rank, gpu_view *out) {
    struct cudaDeviceProp p, old = {0};
    int count = 0, driver, oldest = -1;
    memset(out, 0, sizeof *out);
    out->rank = rank;
    GYRE_TRY(gpu_driver_check(&driver));
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) return gpu_no_device("no GPU can be used", error);
    for (int i = 0; i < count && out->count < GPU_SEEN_MAX; i++) {
        error = cudaGetDeviceProperties(&p, i);
        if (error != cudaSuccess) return gpu_no_device("the GPU cannot be asked", error);
        if (p.major >= GPU_LEAST_MAJOR) {
            look_at(&p, i, &out->list[out->count++]);
        } else if (oldest < 0) {
            oldest = i;
            old = p;
        }
    }
    if (out->count > 0) return GYRE_OK;
    if (oldest < 0) return gpu_no_device("no GPU can be used", cudaErrorNoDevice);
    return gyre_fail(GYRE_EDEVICE,
                     "GPU %d has compute capability %d.%d, gyre needs 8.0 (A100 and newer)", oldest,
                     old.major, old.minor);
}

bool gpu_same(const gpu_seen *a, const gpu_seen *b) {
    return memcmp(a->uuid, b->uuid, sizeof a->uuid) == 0 && a->domain == b->domain &&
           a->bus == b->bus && a->slot == b->slot;
}

int gpu_view_find(const gpu_view *v, const gpu_seen *which) {
    for (int i = 0; i < v->count; i++) {
        if (gpu_same(&v->list[i], which)) return i;
    }
    return -1;
}

const char *gpu_name_text(const gpu_seen *g, char text[GPU_NAME_TEXT]) {
    static const unsigned char unknown[sizeof g->uuid];
    if (memcmp(g->uuid, unknown, sizeof unknown) == 0) {
        snprintf(text, GPU_NAME_TEXT, "%04x:%02x:%02x", (unsigned)g->domain & 0xffff,
                 (unsigned)g->bus & 0xff, (unsigned)g->slot & 0xff);
    } else {
        snprintf(text, GPU_NAME_TEXT, "%s-%02x%02x%02x%02x", g->slice ? "MIG" : "GPU", g->uuid[0],
                 g->uuid[1], g->uuid[2], g->uuid[3]);
    }
    return text;
}
