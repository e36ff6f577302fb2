/* A libcuda.so.1 for machines without a driver, so that cuDNN offers and finishes plans whose
 * kernels it compiles at run time: it wants to load the driver library, find these functions in it
 * and have the compiled kernels taken. Nothing here runs anything; a launch fails. */
#include <stddef.h>

enum { CUDA_SUCCESS = 0, CUDA_ERROR_NOT_FOUND = 500, CUDA_ERROR_NOT_SUPPORTED = 801 };

static char something[64]; /* what every handle points at */

#define YES(name)                                                                                  \
    int name(void);                                                                                \
    int name(void) {                                                                               \
        return CUDA_SUCCESS;                                                                       \
    }
#define NO(name)                                                                                   \
    int name(void);                                                                                \
    int name(void) {                                                                               \
        return CUDA_ERROR_NOT_SUPPORTED;                                                           \
    }

int cuInit(unsigned flags);
int cuDeviceGetCount(int *count);
int cuGetExportTable(const void **table, const void *id);
int cuGetErrorString(int error, const char **text);
int cuLibraryLoadData(void **library);
int cuLibraryGetKernel(void **kernel, void *library, const char *name);

int cuInit(unsigned flags) {
    (void)flags;
    return CUDA_SUCCESS;
}
int cuDeviceGetCount(int *count) {
    *count = 1;
    return CUDA_SUCCESS;
}
int cuGetExportTable(const void **table, const void *id) {
    (void)table, (void)id;
    return CUDA_ERROR_NOT_FOUND;
}
int cuGetErrorString(int error, const char **text) {
    (void)error;
    *text = "no driver: tests/gpu/mincuda.c";
    return CUDA_SUCCESS;
}
int cuLibraryLoadData(void **library) {
    *library = something;
    return CUDA_SUCCESS;
}
int cuLibraryGetKernel(void **kernel, void *library, const char *name) {
    (void)library, (void)name;
    *kernel = something;
    return CUDA_SUCCESS;
}

YES(cuLibraryUnload)
YES(cuKernelSetAttribute)
YES(cuKernelGetAttribute)
YES(cuFuncSetAttribute)
YES(cuCtxGetCurrent)
YES(cuCtxGetLimit)
YES(cuCtxPopCurrent)
YES(cuCtxPushCurrent)
YES(cuDeviceGet)
YES(cuDriverGetVersion)
YES(cuGetErrorName)
YES(cuOccupancyMaxPotentialClusterSize)
YES(cuStreamGetCtx)
NO(cuLibraryLoadFromFile)
NO(cuLinkAddData)
NO(cuLinkComplete)
NO(cuLinkCreate)
NO(cuLinkDestroy)
NO(cuLaunchKernel)
NO(cuLaunchKernelEx)
NO(cuLaunchCooperativeKernel)
