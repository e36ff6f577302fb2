/* What `gyre doctor` says of GPUs, without opening one: a line each, labels ten columns wide;
 * those that begin with "! " say what is wrong. */
#include "gpu.h"
#include "nvml.h"
#include "view.h"

#include <string.h>

static void print_gpu(gpu_page *out, int i) {
    struct cudaDeviceProp p;
    char cores[256], state[256] = "";
    cudaError_t error = cudaGetDeviceProperties(&p, i);
    if (error != cudaSuccess) {
        gpu_say(out, "! GPU %d cannot be asked: %s\n", i, cudaGetErrorString(error));
        return;
    }
    int node = gpu_numa_node(&p, i);
    gpu_numa_cores(node, cores, sizeof cores);
    gpu_say(out, "gpu %-5d %.64s, %.1f GiB, compute capability %d.%d, PCI %04x:%02x:%02x", i,
            p.name, (double)p.totalGlobalMem / (1024.0 * 1024 * 1024), p.major, p.minor,
            (unsigned)p.pciDomainID, (unsigned)p.pciBusID, (unsigned)p.pciDeviceID);
    if (cores[0] != '\0') {
        gpu_say(out, ", NUMA node %d (cores %s%s)", node, cores,
                gpu_numa_distance(node) == 0 ? "" : ", where this rank may not run");
    }
    gpu_say(out, "%s\n", p.major < GPU_LEAST_MAJOR ? ", left out: gyre needs 8.0" : "");
    gpu_nvml_state(&p, &(gpu_page){state, sizeof state});
    if (state[0] != '\0') gpu_say(out, "state     %s\n", state);
    gpu_nvml_problems(&p, i, out);
}

/* Pairs that reach each other's memory need no detour over the host's. */
static void print_peers(gpu_page *out, int count) {
    int without = 0, pairs = 0, first_a = 0, first_b = 0;
    if (count < 2) return;
    for (int a = 0; a < count; a++) {
        for (int b = a + 1; b < count; b++) {
            int there = 0, back = 0;
            pairs++;
            if (cudaDeviceCanAccessPeer(&there, a, b) == cudaSuccess &&
                cudaDeviceCanAccessPeer(&back, b, a) == cudaSuccess && there && back) {
                continue;
            }
            if (without++ == 0) {
                first_a = a;
                first_b = b;
            }
        }
    }
    gpu_say(out, "peers     %d of %d pairs of GPUs reach each other's memory\n", pairs - without,
            pairs);
    if (without > 0) {
        gpu_say(out,
                "! GPUs %d and %d%s do not reach each other's memory: sums over ranks take the way "
                "over "
                "the host; `nvidia-smi topo -m` shows how they are joined\n",
                first_a, first_b, without > 1 ? " (and others)" : "");
    }
}

static void print_gpus(gpu_page *out) {
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) {
        (void)gpu_no_device("no GPU can be used", error);
        gpu_say(out, "! %s\n", gyre_error_text());
        return;
    }
    for (int i = 0; i < count; i++) print_gpu(out, i);
    char variables[512] = "";
    gpu_nccl_variables(&(gpu_page){variables, sizeof variables});
    if (variables[0] != '\0') gpu_say(out, "nccl      %s\n", variables + 2);
    print_peers(out, count);
}

void gpu_nccl_variables(gpu_page *out) {
    extern char **environ;
    for (char **v = environ; v != NULL && *v != NULL; v++) {
        if (strncmp(*v, "NCCL_", 5) == 0) gpu_say(out, ", %.120s", *v);
    }
}

void gpu_list_devices(char *out, size_t size) {
    char built[16], has[16], nccl[16], cudnn[16];
    int driver = 0;
    gpu_page p = {out, size};
    if (size == 0) return;
    out[0] = '\0';
    gyre_status status = gpu_driver_check(&driver);
    gpu_say(&p, "cuda      %s, cuDNN %s, NCCL %s; driver %s%s\n",
            gpu_cuda_version_text(CUDART_VERSION, built), gpu_cudnn_version_text(cudnn),
            gpu_nccl_version_text(nccl), driver == 0 ? "none" : "for CUDA ",
            driver == 0 ? "" : gpu_cuda_version_text(driver, has));
    if (gpu_versions_check() != GYRE_OK) gpu_say(&p, "! %s\n", gyre_error_text());
    if (driver == 0) return; /* a machine without GPUs is in order */
    if (status != GYRE_OK) {
        (void)gpu_driver_check(&driver);
        gpu_say(&p, "! %s\n", gyre_error_text());
    } else {
        print_gpus(&p);
    }
    (void)cudaGetLastError();
}
