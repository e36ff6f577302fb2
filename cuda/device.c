/* Opening this rank's GPU, which all ranks look at together before. */
#include "gpu.h"
#include "nvml.h"
#include "peers.h"
#include "view.h"

#include "gyre/cores.h"
#include "gyre/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rank 0 looks at all ranks' GPUs; what is to be warned of is known on rank 0 alone. Collective. */
static gyre_status compare(gyre_comm *comm, const gpu_card *mine, gpu_page *advice) {
    int ranks = gyre_comm_size(comm);
    gpu_card *all = NULL;
    gyre_status status = GYRE_OK;
    if (gyre_comm_rank(comm) == 0) {
        all = calloc((size_t)ranks, sizeof *all);
        if (all == NULL) status = gyre_no_memory("%d ranks", ranks);
    }
    GYRE_GOTO(gyre_comm_agree(comm, status));
    GYRE_GOTO(gyre_comm_gather_text(comm, (const char *)mine, sizeof *mine, (char *)all));
    if (all != NULL) status = gpu_cards_check(all, ranks, advice);
    status = gyre_comm_agree(comm, status);
out:
    free(all);
    return status;
}

static gyre_status read_card(gyre_comm *comm, struct cudaDeviceProp *p, gpu_card *out) {
    int place;
    memset(out, 0, sizeof *out);
    GYRE_TRY(gpu_place(comm, &out->view, &place));
    out->gpu = out->view.list[place];
    cudaError_t error = cudaGetDeviceProperties(p, out->gpu.device);
    if (error != cudaSuccess) return gpu_no_device("the GPU cannot be asked", error);
    const char *granted = getenv("SLURM_GPUS_ON_NODE");
    out->granted = granted != NULL ? atoi(granted) : 0;
    out->major = p->major;
    out->minor = p->minor;
    snprintf(out->host, sizeof out->host, "%s", comm == NULL ? "" : gyre_comm_host(comm));
    snprintf(out->name, sizeof out->name, "%.60s", p->name);
    gyre_cores_text(out->cores, sizeof out->cores);
    gpu_numa_cores(out->gpu.node, out->beside, sizeof out->beside);
    return GYRE_OK;
}

/* This rank's GPU, seen beside the others'. Collective. */
static gyre_status find_device(gyre_comm *comm, struct cudaDeviceProp *p, int *device,
                               gpu_page *advice) {
    gpu_card *mine = calloc(1, sizeof *mine);
    gyre_status status = mine != NULL ? GYRE_OK : gyre_no_memory("opening the GPU");
    if (comm != NULL) status = gyre_comm_agree(comm, status);
    GYRE_GOTO(status);
    status = read_card(comm, p, mine);
    if (comm != NULL) status = gyre_comm_agree(comm, status);
    GYRE_GOTO(status);
    *device = mine->gpu.device;
    if (comm != NULL) status = compare(comm, mine, advice);
out:
    free(mine);
    return status;
}

bool gpu_available(gyre_comm *comm, char *why, size_t size) {
    struct cudaDeviceProp properties;
    int device;
    bool there = find_device(comm, &properties, &device, &(gpu_page){0}) == GYRE_OK;
    snprintf(why, size, "%s", there ? "" : gyre_error_text());
    if (!there) (void)cudaGetLastError(); /* the CPU will do */
    return there;
}

/* Before NCCL starts, and once in a process: a study opens the same GPUs for each cell. */
static void warn(const char *lines) {
    static bool warned;
    if (warned) return;
    for (const char *line = lines; *line != '\0'; line += strspn(line, "\n")) {
        gyre_warn("%.*s", (int)strcspn(line, "\n"), line);
        line += strcspn(line, "\n");
        warned = true;
    }
}

gyre_status gpu_device_open(gpu_backend *b) {
    gpu_page advice = {b->base.advice, sizeof b->base.advice};
    b->properties = calloc(1, sizeof *b->properties);
    gyre_status status =
        b->properties != NULL ? gpu_versions_check() : gyre_no_memory("opening the GPU");
    if (b->comm != NULL) status = gyre_comm_agree(b->comm, status);
    GYRE_TRY(status);
    GYRE_TRY(find_device(b->comm, b->properties, &b->device, &advice));
    warn(b->base.advice);
    gpu_place_bind(b->comm);
    cudaError_t error = cudaSetDevice(b->device); /* one in exclusive use is refused here */
    if (error != cudaSuccess) status = gpu_fail(b, error, "cudaSetDevice");
    gpu_page state = {b->base.state, sizeof b->base.state};
    gpu_nvml_state(b->properties, &state);
    gpu_nccl_variables(&state);
    gpu_nvml_listen(b->properties);
    return b->comm == NULL ? status : gyre_comm_agree(b->comm, status);
}

void gpu_device_describe(gpu_backend *b, uint64_t engines) {
    char runtime_text[16], driver_text[16], nccl[16], cudnn[16], chosen[40] = "";
    int runtime = 0, driver = 0;
    cudaRuntimeGetVersion(&runtime);
    cudaDriverGetVersion(&driver);
    if (engines != 0) {
        snprintf(chosen, sizeof chosen, " (engines %016llx)", (unsigned long long)engines);
    }
    snprintf(b->description, sizeof b->description,
             "%.64s, compute capability %d.%d, %d multiprocessors, driver for CUDA %s, CUDA %s, "
             "cuDNN %s%s, NCCL %s%s",
             b->properties->name, b->properties->major, b->properties->minor,
             b->properties->multiProcessorCount, gpu_cuda_version_text(driver, driver_text),
             gpu_cuda_version_text(runtime, runtime_text), gpu_cudnn_version_text(cudnn), chosen,
             gpu_nccl_version_text(nccl), b->options.tf32 ? ", TF32" : "");
}
