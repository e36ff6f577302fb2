/* What `gyre doctor` says of GPUs, without opening one: a line each, labels ten columns wide;
 * those that begin with "! " say what is wrong. */
#include "gpu.h"

#include "gyre/cores.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CORES_MAX = 4096 };

typedef struct {
    char *text;
    size_t size;
} page;

__attribute__((format(printf, 2, 3))) static void say(page *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int wrote = vsnprintf(p->text, p->size, format, arguments);
    va_end(arguments);
    size_t used = wrote < 0 ? 0 : (size_t)wrote < p->size ? (size_t)wrote : p->size - 1;
    p->text += used;
    p->size -= used;
}

/* ---- where a GPU is */

static bool read_line(const char *path, char *out, int size) {
    FILE *f = fopen(path, "r");
    out[0] = '\0';
    if (f == NULL) return false;
    bool ok = fgets(out, size, f) != NULL;
    fclose(f);
    out[strcspn(out, "\n")] = '\0';
    return ok;
}

/* The cores beside a GPU, as Linux writes them; "" where it does not tell. Returns the NUMA node,
 * or -1. */
static int cores_beside(const struct cudaDeviceProp *p, char *cores, int size) {
    char path[128], text[32];
    cores[0] = '\0';
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%04x:%02x:%02x.0/numa_node",
             (unsigned)p->pciDomainID, (unsigned)p->pciBusID, (unsigned)p->pciDeviceID);
    if (!read_line(path, text, sizeof text) || atoi(text) < 0) return -1;
    int node = atoi(text);
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpulist", node);
    read_line(path, cores, size);
    return node;
}

/* May this process run on one of those cores? Yes where it is not known. */
static bool near_enough(const char *cores) {
    static const size_t n = CORES_MAX;
    unsigned char beside[CORES_MAX] = {0}, allowed[CORES_MAX] = {0};
    char mine[4096];
    gyre_cores_text(mine, sizeof mine);
    if (cores[0] == '\0' || mine[0] == '?') return true;
    gyre_cores_mark(cores, beside, n);
    gyre_cores_mark(mine, allowed, n);
    for (size_t i = 0; i < n; i++) {
        if (beside[i] && allowed[i]) return true;
    }
    return false;
}

static bool print_gpu(page *out, int i, bool *nearby) {
    struct cudaDeviceProp p;
    char cores[256];
    cudaError_t error = cudaGetDeviceProperties(&p, i);
    if (error != cudaSuccess) {
        say(out, "! GPU %d cannot be asked: %s\n", i, cudaGetErrorString(error));
        return false;
    }
    int node = cores_beside(&p, cores, sizeof cores);
    bool near = near_enough(cores);
    *nearby = *nearby || near;
    say(out, "gpu %-5d %.64s, %.1f GiB, compute capability %d.%d, PCI %04x:%02x:%02x", i, p.name,
        (double)p.totalGlobalMem / (1024.0 * 1024 * 1024), p.major, p.minor,
        (unsigned)p.pciDomainID, (unsigned)p.pciBusID, (unsigned)p.pciDeviceID);
    if (node >= 0) {
        say(out, ", NUMA node %d (cores %s%s)", node, cores,
            near ? "" : ", where this rank may not run");
    }
    say(out, "\n");
    if (p.major < 8) {
        say(out,
            "! GPU %d has compute capability %d.%d, gyre needs 8.0 (A100 and newer); leave it out "
            "with CUDA_VISIBLE_DEVICES\n",
            i, p.major, p.minor);
    }
    return true;
}

/* Pairs that reach each other's memory need no detour over the host's. */
static void print_peers(page *out, int count) {
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
    say(out, "peers     %d of %d pairs of GPUs reach each other's memory\n", pairs - without,
        pairs);
    if (without > 0) {
        say(out,
            "! GPUs %d and %d%s do not reach each other's memory: sums over ranks take the way "
            "over "
            "the host; `nvidia-smi topo -m` shows how they are joined\n",
            first_a, first_b, without > 1 ? " (and others)" : "");
    }
}

static void print_gpus(page *out) {
    int count = 0;
    bool nearby = false;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) {
        say(out, "! no GPU can be used: %s (%s)\n", cudaGetErrorString(error),
            cudaGetErrorName(error));
        return;
    }
    for (int i = 0; i < count; i++) {
        if (!print_gpu(out, i, &nearby)) nearby = true;
    }
    print_peers(out, count);
    if (count > 0 && !nearby) {
        char mine[256];
        gyre_cores_text(mine, sizeof mine);
        say(out,
            "! this rank may run on cores %s only, none of which is beside a visible GPU; bind "
            "ranks to the GPUs' NUMA nodes (mpirun --map-by numa, srun --gpu-bind=closest)\n",
            mine);
    }
}

void gpu_survey(char *out, size_t size) {
    char built[16], has[16], nccl[16], cudnn[16];
    int driver = 0;
    page p = {out, size};
    if (size == 0) return;
    out[0] = '\0';
    gyre_status status = gpu_driver_check(&driver);
    say(&p, "cuda      %s, cuDNN %s, NCCL %s; driver %s%s\n",
        gpu_cuda_version_text(CUDART_VERSION, built), gpu_plans_version(cudnn),
        gpu_collective_version(nccl), driver == 0 ? "none" : "for CUDA ",
        driver == 0 ? "" : gpu_cuda_version_text(driver, has));
    if (gpu_versions_check() != GYRE_OK) say(&p, "! %s\n", gyre_error_text());
    if (driver == 0) return; /* a machine without GPUs is in order */
    if (status != GYRE_OK) {
        (void)gpu_driver_check(&driver);
        say(&p, "! %s\n", gyre_error_text());
    } else {
        print_gpus(&p);
    }
    (void)cudaGetLastError();
}
