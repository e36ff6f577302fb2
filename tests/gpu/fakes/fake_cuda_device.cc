/* Devices and versions.
 *
 *   FAKE_GPUS=n                 how many there are (8); 0: none. Which of them a rank sees: view.cc
 *   FAKE_NAMES=A,B              name of the first, second... the last one counts on
 *   FAKE_TELL=1                 a line "takes GPU k" when the program makes one current
 *   FAKE_CAPABILITY=9.0[,8.0]   compute capability of the first, second... the last one counts on
 *   FAKE_DRIVER=13000           driver version; 0: there is no driver */
#include "fake_cuda_queue.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fake {

static thread_local int device; /* as in CUDA, every thread begins with device 0 */

void use_device(int number) {
    device = number;
}

int current_device() {
    return device;
}

static int devices() {
    return (int)view().size();
}

/* Of the k-th GPU of the host, by a list whose last entry counts on. */
static std::string of_gpu(const char *variable, const char *otherwise, int gpu) {
    const char *text = getenv(variable);
    return entry(text != nullptr ? text : otherwise, gpu, ',', true);
}

static void capability(int gpu, int *major, int *minor) {
    std::string text = of_gpu("FAKE_CAPABILITY", "9.0", gpu);
    if (sscanf(text.c_str(), "%d.%d", major, minor) != 2)
        stop("FAKE_CAPABILITY: expected 9.0[,8.0...]");
}

static void fill(cudaDeviceProp *p, int of) {
    const Seen &g = view()[(size_t)of];
    memset(p, 0, sizeof *p);
    /* equal ones, as in a real host */
    snprintf(p->name, sizeof p->name, "%s%s", of_gpu("FAKE_NAMES", "Fake GPU", g.gpu).c_str(),
             g.slice >= 0 ? " MIG 3g.40gb" : "");
    capability(g.gpu, &p->major, &p->minor);
    uuid_of(g, (unsigned char *)p->uuid.bytes);
    p->totalGlobalMem = (size_t)setting("FAKE_MEMORY", 4l << 30);
    p->sharedMemPerBlock = 49152;
    p->sharedMemPerBlockOptin = 232448;
    p->sharedMemPerMultiprocessor = 233472;
    p->regsPerBlock = p->regsPerMultiprocessor = 65536;
    p->warpSize = 32;
    p->maxThreadsPerBlock = 1024;
    p->maxThreadsPerMultiProcessor = 2048;
    p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
    p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 2147483647;
    p->maxGridSize[1] = p->maxGridSize[2] = 65535;
    p->totalConstMem = 65536;
    p->multiProcessorCount = 132;
    p->pciBusID = g.gpu + 1;
    p->l2CacheSize = 52428800;
    p->memoryBusWidth = 5120;
    p->concurrentKernels = p->unifiedAddressing = p->asyncEngineCount = 1;
    p->canMapHostMemory = p->memoryPoolsSupported = 1;
}

static cudaError_t missing(int of) {
    return of < 0 || of >= devices() ? cudaErrorInvalidDevice : cudaSuccess;
}

} // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaDriverGetVersion(int *version) {
    FAKE_ENTER(cudaErrorUnknown);
    *version = (int)setting("FAKE_DRIVER", 13000);
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
    FAKE_ENTER(cudaErrorUnknown);
    *version = (int)setting("FAKE_RUNTIME", CUDART_VERSION);
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) {
    FAKE_ENTER(cudaErrorNoDevice);
    if (setting("FAKE_DRIVER", 13000) < CUDART_VERSION / 1000 * 1000) {
        return remember(cudaErrorInsufficientDriver);
    }
    if (devices() == 0) return remember(cudaErrorNoDevice);
    *count = devices();
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int of) {
    FAKE_ENTER(cudaErrorDevicesUnavailable);
    if (cudaError_t e = missing(of)) return remember(e);
    device = of;
    if (setting("FAKE_TELL", 0) != 0) note("takes GPU %d", view()[(size_t)of].gpu);
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *of) {
    FAKE_ENTER(cudaErrorUnknown);
    *of = device;
    return cudaSuccess;
}

cudaError_t cudaInitDevice(int of, unsigned, unsigned) {
    FAKE_ENTER(cudaErrorDevicesUnavailable);
    return remember(missing(of));
}

cudaError_t cudaDeviceReset(void) {
    FAKE_ENTER(cudaErrorUnknown);
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *out, int of) {
    FAKE_ENTER(cudaErrorInvalidDevice);
    if (cudaError_t e = missing(of)) return remember(e);
    fill(out, of);
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int of) {
    FAKE_ENTER(cudaErrorInvalidDevice);
    if (cudaError_t e = missing(of)) return remember(e);
    cudaDeviceProp p;
    fill(&p, of);
    switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = p.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = p.minor; break;
    case cudaDevAttrMultiProcessorCount: *value = p.multiProcessorCount; break;
    case cudaDevAttrMaxThreadsPerBlock: *value = p.maxThreadsPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = (int)p.sharedMemPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = (int)p.sharedMemPerBlockOptin; break;
    case cudaDevAttrWarpSize: *value = p.warpSize; break;
    case cudaDevAttrClockRate: *value = 1980000; break;
    case cudaDevAttrMemoryClockRate: *value = 2619000; break;
    case cudaDevAttrGlobalMemoryBusWidth: *value = p.memoryBusWidth; break;
    case cudaDevAttrL2CacheSize: *value = p.l2CacheSize; break;
    case cudaDevAttrPciBusId: *value = p.pciBusID; break;
    case cudaDevAttrPciDeviceId:
    case cudaDevAttrPciDomainId: *value = 0; break;
    case cudaDevAttrComputeMode: *value = cudaComputeModeDefault; break;
    case cudaDevAttrMemoryPoolsSupported:
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrHostRegisterSupported: *value = 1; break;
    case cudaDevAttrHostNumaId: *value = numa_node(view()[(size_t)of].gpu); break;
    default: stop("cudaDeviceGetAttribute: attribute %d is not known here", (int)attribute);
    }
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *text, int size, int of) {
    FAKE_ENTER(cudaErrorInvalidDevice);
    if (cudaError_t e = missing(of)) return remember(e);
    snprintf(text, (size_t)size, "0000:%02X:00.0", view()[(size_t)of].gpu + 1);
    return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int *can, int of, int peer) {
    FAKE_ENTER(cudaErrorInvalidDevice);
    if (cudaError_t e = missing(of)) return remember(e);
    if (cudaError_t e = missing(peer)) return remember(e);
    *can = of != peer && setting("FAKE_PEERS", 1) != 0;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetP2PAttribute(int *value, cudaDeviceP2PAttr attribute, int of, int peer) {
    FAKE_ENTER(cudaErrorInvalidDevice);
    *value = attribute == cudaDevP2PAttrPerformanceRank ? 0 : of != peer;
    return cudaSuccess;
}
}
