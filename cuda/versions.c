/* Versions: of the driver, and of the libraries that run against the headers this program was built
 * with. A library of the same major version and the same or a later minor one serves; its patch is
 * of no account (cuDNN says so of itself, CUDA's runtime has none, NCCL adds functions in minor
 * versions). */
#include "gpu.h"

#include <cudnn_graph.h>
#include <cudnn_version.h>
#include <nccl.h>
#include <stdio.h>

const char *gpu_cuda_version_text(int version, char text[16]) {
    snprintf(text, 16, "%d.%d", version / 1000, version % 1000 / 10);
    return text;
}

static const char *library_version_text(int version, char text[16]) {
    snprintf(text, 16, "%d.%d.%d", version / 10000, version / 100 % 100, version % 100);
    return text;
}

const char *gpu_cudnn_version_text(char text[16]) {
    return library_version_text((int)cudnnGetVersion(), text);
}

const char *gpu_nccl_version_text(char text[16]) {
    int version = 0;
    if (ncclGetVersion(&version) != ncclSuccess) version = 0;
    return library_version_text(version, text);
}

static gyre_status compare(const char *name, int header, int library) {
    char built[16], runs[16];
    if (library / 10000 == header / 10000 && library / 100 >= header / 100) return GYRE_OK;
    library_version_text(header, built);
    return gyre_fail(GYRE_EDEVICE,
                     "%s: this program was built for %s, but the library that runs is %s; have "
                     "LD_LIBRARY_PATH name the folder of %s or newer, or build with `make CUDA=1` "
                     "against what is there",
                     name, built, library_version_text(library, runs), built);
}

gyre_status gpu_versions_check(void) {
    int runtime = 0, nccl = 0;
    char built[16], runs[16];
    cudaError_t error = cudaRuntimeGetVersion(&runtime);
    if (error != cudaSuccess) {
        return gyre_fail(GYRE_EDEVICE, "CUDA does not tell its version: %s",
                         cudaGetErrorString(error));
    }
    if (runtime / 1000 != CUDART_VERSION / 1000 || runtime / 10 < CUDART_VERSION / 10) {
        return gyre_fail(GYRE_EDEVICE,
                         "CUDA: this program was built for %s, but the runtime library is of %s; "
                         "build with `make CUDA=1` against what is there",
                         gpu_cuda_version_text(CUDART_VERSION, built),
                         gpu_cuda_version_text(runtime, runs));
    }
    if (ncclGetVersion(&nccl) != ncclSuccess) {
        return gyre_fail(GYRE_EDEVICE, "NCCL does not tell its version");
    }
    GYRE_TRY(compare("NCCL", NCCL_VERSION_CODE, nccl));
    return compare("cuDNN", CUDNN_VERSION, (int)cudnnGetVersion());
}

gyre_status gpu_driver_check(int *version) {
    char has[16];
    *version = 0;
    cudaError_t error = cudaDriverGetVersion(version);
    if (error != cudaSuccess) {
        return gyre_fail(GYRE_EDEVICE, "the driver does not tell its version: %s",
                         cudaGetErrorString(error));
    }
    if (*version == 0) {
        return gyre_fail(GYRE_EDEVICE, "no NVIDIA driver is loaded (libcuda.so.1 is not there)");
    }
    if (*version / 1000 >= CUDART_VERSION / 1000) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE,
                     "the NVIDIA driver is for CUDA %s at most, this program needs %d.0: install a "
                     "newer driver, or build with an older toolkit (CUDA_HOME=... make CUDA=1)",
                     gpu_cuda_version_text(*version, has), CUDART_VERSION / 1000);
}
