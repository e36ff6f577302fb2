/* Which GPU is this rank's: the one with its number among the ranks of its host. Where the launcher
 * shows each rank a single GPU of its own (Slurm's --gpus-per-task), that one. */
#include "gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_MAJOR = 8 }; /* compute capability: bf16, and what the kernels are built for */

gyre_status gpu_fail(const gpu_backend *b, cudaError_t error, const char *call) {
    bool memory = error == cudaErrorMemoryAllocation;
    return gyre_fail(GYRE_EDEVICE, "rank %d, GPU %d (%s): %s failed in phase '%s': %s (%s)%s",
                     b->rank, b->device, b->properties != NULL ? b->properties->name : "?", call,
                     b->phase, cudaGetErrorString(error), cudaGetErrorName(error),
                     memory ? "; a smaller batch.size or evaluate.batch needs less memory" : "");
}

static gyre_status no_gpu(const char *what, cudaError_t error) {
    return gyre_fail(GYRE_EDEVICE, "%s: %s (%s)", what, cudaGetErrorString(error),
                     cudaGetErrorName(error));
}

/* The number of the GPU for rank `local` of `ranks` on this host. */
static gyre_status choose(int local, int ranks, int *out) {
    int count = 0, driver, major = 0, minor = 0;
    GYRE_TRY(gpu_driver_check(&driver));
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) return no_gpu("no GPU can be used", error);
    *out = count == 1 ? 0 : local;
    if (*out >= count) {
        return gyre_fail(GYRE_EDEVICE,
                         "more ranks than GPUs: %d ranks on this host, but %d visible GPUs, and "
                         "each wants one of its own; start fewer ranks per host, or show more GPUs "
                         "(CUDA_VISIBLE_DEVICES, Slurm's --gres)",
                         ranks, count);
    }
    error = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, *out);
    if (error == cudaSuccess) {
        error = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, *out);
    }
    if (error != cudaSuccess) return no_gpu("the GPU cannot be asked", error);
    if (major >= LEAST_MAJOR) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE,
                     "GPU %d has compute capability %d.%d, gyre needs 8.0 (A100 and newer)", *out,
                     major, minor);
}

/* ---- one verdict over all ranks */

typedef struct {
    char host[64], name[64];
    int device, major, minor;
    unsigned char uuid[16];
} card;

static gyre_status compare_kinds(const card *cards, int ranks) {
    for (int i = 1; i < ranks; i++) {
        const card *a = &cards[0], *c = &cards[i];
        if (a->major == c->major && a->minor == c->minor) continue;
        return gyre_fail(GYRE_EDEVICE,
                         "rank 0 has a GPU of compute capability %d.%d (%s on %s), rank %d one of "
                         "%d.%d (%s on %s); they would not compute the same bits: use hosts of one "
                         "kind",
                         a->major, a->minor, a->name, a->host, i, c->major, c->minor, c->name,
                         c->host);
    }
    return GYRE_OK;
}

/* The rank before `i` that has the same GPU; -1: none, or the GPUs do not say who they are. */
static int rank_with_same(const card *cards, int i) {
    static const unsigned char unknown[sizeof cards->uuid];
    if (memcmp(cards[i].uuid, unknown, sizeof unknown) == 0) return -1;
    for (int k = 0; k < i; k++) {
        if (memcmp(cards[i].uuid, cards[k].uuid, sizeof unknown) == 0) return k;
    }
    return -1;
}

/* Where each rank sees one GPU only, whether they are different ones shows but here. */
static gyre_status compare_owners(const card *cards, int ranks) {
    for (int i = 1; i < ranks; i++) {
        int k = rank_with_same(cards, i), here = 0, gpus = 0;
        if (k < 0) continue;
        for (int r = 0; r < ranks; r++) {
            if (strcmp(cards[r].host, cards[i].host) != 0) continue;
            here++;
            if (rank_with_same(cards, r) < 0) gpus++;
        }
        return gyre_fail(GYRE_EDEVICE,
                         "more ranks than GPUs: the %d ranks on %s see %d GPU%s, ranks %d and %d "
                         "the same (%s), and each wants one of its own; start fewer ranks per "
                         "host, or show more GPUs (CUDA_VISIBLE_DEVICES, Slurm's --gres)",
                         here, cards[i].host, gpus, gpus == 1 ? "" : "s", k, i, cards[i].name);
    }
    return GYRE_OK;
}

static gyre_status compare_cards(const card *cards, int ranks) {
    GYRE_TRY(compare_kinds(cards, ranks));
    return compare_owners(cards, ranks);
}

/* Collective. */
static gyre_status agree_on_cards(gyre_comm *comm, const card *mine) {
    int ranks = gyre_comm_size(comm);
    card *all = calloc((size_t)ranks, sizeof *all);
    gyre_status status = all != NULL ? GYRE_OK : gyre_fail(GYRE_EDEVICE, "no memory");
    GYRE_GOTO(gyre_comm_agree(comm, status));
    GYRE_GOTO(gyre_comm_gather_text(comm, (const char *)mine, sizeof *mine, (char *)all));
    if (gyre_comm_rank(comm) == 0) status = compare_cards(all, ranks);
    status = gyre_comm_agree(comm, status);
out:
    free(all);
    return status;
}

static gyre_status read_card(int device, const char *host, struct cudaDeviceProp *p, card *out) {
    cudaError_t error = cudaGetDeviceProperties(p, device);
    if (error != cudaSuccess) return no_gpu("the GPU cannot be asked", error);
    *out = (card){.device = device, .major = p->major, .minor = p->minor};
    snprintf(out->host, sizeof out->host, "%s", host);
    snprintf(out->name, sizeof out->name, "%.60s", p->name);
    memcpy(out->uuid, &p->uuid, sizeof out->uuid);
    return GYRE_OK;
}

/* Chooses, and looks at the others' choices. Collective. */
static gyre_status find_device(gyre_comm *comm, struct cudaDeviceProp *p, int *device) {
    card mine;
    int local = comm == NULL ? 0 : gyre_comm_local_rank(comm);
    int ranks = comm == NULL ? 1 : gyre_comm_local_size(comm);
    gyre_status status = choose(local, ranks, device);
    if (status == GYRE_OK) {
        status = read_card(*device, comm == NULL ? "" : gyre_comm_host(comm), p, &mine);
    }
    if (comm == NULL) return status;
    GYRE_TRY(gyre_comm_agree(comm, status));
    return agree_on_cards(comm, &mine);
}

bool gpu_present(gyre_comm *comm, char *why, size_t size) {
    struct cudaDeviceProp properties;
    int device;
    bool there = find_device(comm, &properties, &device) == GYRE_OK;
    snprintf(why, size, "%s", there ? "" : gyre_error_text());
    if (!there) (void)cudaGetLastError(); /* the CPU will do */
    return there;
}

gyre_status gpu_device_open(gpu_backend *b) {
    b->properties = calloc(1, sizeof *b->properties);
    gyre_status status = b->properties != NULL
                             ? gpu_versions_check()
                             : gyre_fail(GYRE_EDEVICE, "no memory to open the GPU");
    if (b->comm != NULL) status = gyre_comm_agree(b->comm, status);
    GYRE_TRY(status);
    GYRE_TRY(find_device(b->comm, b->properties, &b->device));
    cudaError_t error = cudaSetDevice(b->device); /* one in exclusive use is refused here */
    if (error != cudaSuccess) status = gpu_fail(b, error, "cudaSetDevice");
    return b->comm == NULL ? status : gyre_comm_agree(b->comm, status);
}

void gpu_device_describe(gpu_backend *b) {
    char runtime_text[16], driver_text[16], nccl[16], cudnn[16];
    int runtime = 0, driver = 0;
    cudaRuntimeGetVersion(&runtime);
    cudaDriverGetVersion(&driver);
    snprintf(b->description, sizeof b->description,
             "%.64s, compute capability %d.%d, %d multiprocessors, driver for CUDA %s, CUDA %s, "
             "cuDNN %s, NCCL %s%s",
             b->properties->name, b->properties->major, b->properties->minor,
             b->properties->multiProcessorCount, gpu_cuda_version_text(driver, driver_text),
             gpu_cuda_version_text(runtime, runtime_text), gpu_plans_version(cudnn),
             gpu_collective_version(nccl), b->options.tf32 ? ", TF32" : "");
}
