/* Kernel launches of nvcc-built code: its host stubs register each kernel by name and launch it by
 * the stub's address; the kernels that run are those that g++ made of the same source (emulator.h).
 * Arguments are copied at the launch, as a GPU's are. */
#include "emulator.h"
#include "fake_cuda_queue.h"

#include <cstring>
#include <map>
#include <memory>
#include <vector>

namespace fake {

namespace {
struct Configuration {
    dim3 grid, block;
    size_t shared;
    cudaStream_t stream;
};
std::map<const void *, std::string> &kernels() {
    static auto *all = new std::map<const void *, std::string>;
    return *all;
}
std::vector<Configuration> configurations;
} // namespace

static bool fits(dim3 grid, dim3 block, size_t shared) {
    return grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= 2147483647u && grid.y <= 65535 &&
           grid.z <= 65535 && block.x > 0 && block.y > 0 && block.z > 0 && block.z <= 64 &&
           (uint64_t)block.x * block.y * block.z <= 1024 && shared <= 49152;
}

/* The arguments, one after another, each at a multiple of 16 bytes. */
static std::vector<char> copy_arguments(const std::string &name, void **arguments,
                                        std::vector<size_t> *places) {
    const size_t *sizes = nullptr;
    int count = emulator_arguments(name.c_str(), &sizes);
    if (count < 0) stop("kernel %s has no host version: KERNEL() missing in its .cu", name.c_str());
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
        places->push_back(bytes);
        bytes += (sizes[i] + 15) / 16 * 16;
    }
    std::vector<char> copy(bytes);
    for (int i = 0; i < count; i++) memcpy(&copy[(*places)[(size_t)i]], arguments[i], sizes[i]);
    return copy;
}

static void run_kernel(const std::string &name, dim3 grid, dim3 block, size_t shared,
                       const std::vector<char> &copy, const std::vector<size_t> &places) {
    std::vector<void *> pointers;
    for (size_t at : places) pointers.push_back(const_cast<char *>(&copy[at]));
    cudaError_t error = emulator_launch(name.c_str(), grid, block, shared, pointers.data());
    if (error != cudaSuccess) stop("kernel %s: emulator says %d", name.c_str(), (int)error);
}

static cudaError_t launch(const void *stub, dim3 grid, dim3 block, void **arguments, size_t shared,
                          cudaStream_t stream) {
    static const bool once = [] {
        emulator_sanitize_threads(false);
        emulator_seed((uint64_t)setting("FAKE_KERNEL_SEED", 0));
        return true;
    }();
    (void)once;
    if (cudaError_t e = entered("cudaLaunchKernel", cudaErrorLaunchFailure)) return e;
    auto it = kernels().find(stub);
    if (it == kernels().end()) return remember(cudaErrorInvalidDeviceFunction);
    const std::string &name = it->second;
    if (!fits(grid, block, shared)) return remember(cudaErrorInvalidConfiguration);
    std::vector<size_t> places;
    std::vector<char> copy = copy_arguments(name, arguments, &places);
    Task task = plain(name, [=] { run_kernel(name, grid, block, shared, copy, places); });
    if (counting()) {
        unsigned blocks = grid.x * grid.y * grid.z, threads = block.x * block.y * block.z;
        task.cost = std::make_shared<Cost>(
            Cost{"kernel", 0, 0, 0, std::to_string(blocks) + " x " + std::to_string(threads)});
    }
    return issue(stream, std::move(task));
}

} // namespace fake

using namespace fake;

extern "C" {

void **__cudaRegisterFatBinary(void *) {
    static void *handle;
    return &handle;
}
void __cudaRegisterFatBinaryEnd(void **) {}
void __cudaUnregisterFatBinary(void **) {}
char __cudaInitModule(void **) {
    return 1;
}

void __cudaRegisterFunction(void **, const char *stub, char *, const char *name, int, uint3 *,
                            uint3 *, dim3 *, dim3 *, int *) {
    kernels()[stub] = name;
}

void __cudaRegisterVar(void **, char *, char *, const char *name, int, size_t, int, int) {
    stop("device variable %s: only kernels are known here", name);
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, CUstream_st *stream) {
    configurations.push_back({grid, block, shared, stream});
    return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream) {
    if (configurations.empty()) return cudaErrorMissingConfiguration;
    Configuration c = configurations.back();
    configurations.pop_back();
    *grid = c.grid;
    *block = c.block;
    *shared = c.shared;
    memcpy(stream, &c.stream, sizeof c.stream);
    return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t *out, const void *stub) {
    *out = (cudaKernel_t) const_cast<void *>(stub);
    return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void **arguments,
                               size_t shared, cudaStream_t stream) {
    return launch((const void *)kernel, grid, block, arguments, shared, stream);
}

cudaError_t cudaLaunchKernel(const void *stub, dim3 grid, dim3 block, void **arguments,
                             size_t shared, cudaStream_t stream) {
    return launch(stub, grid, block, arguments, shared, stream);
}

cudaError_t cudaFuncSetAttribute(const void *, cudaFuncAttribute, int) {
    FAKE_ENTER(cudaErrorInvalidValue);
    return cudaSuccess;
}
}
