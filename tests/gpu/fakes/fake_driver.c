/* A libcuda.so.1 for machines without a driver: just enough that cuDNN's engines that are compiled
 * at run time can finish their plans. Nothing can be launched through it. */
#include <stddef.h>

typedef int result; /* CUresult: 0 is success */

enum { NOT_FOUND = 500 };

static char object[64]; /* stands for every library and kernel */

#define OK_FUNCTION(name)                                                                          \
    result name(void);                                                                             \
    result name(void) {                                                                            \
        return 0;                                                                                  \
    }

result cuInit(unsigned flags);
result cuInit(unsigned flags) {
    (void)flags;
    return 0;
}

result cuDeviceGetCount(int *count);
result cuDeviceGetCount(int *count) {
    *count = 1;
    return 0;
}

result cuGetExportTable(const void **table, const void *id);
result cuGetExportTable(const void **table, const void *id) {
    (void)table;
    (void)id;
    return NOT_FOUND;
}

result cuGetErrorString(int error, const char **text);
result cuGetErrorString(int error, const char **text) {
    (void)error;
    *text = "an error of the fake driver";
    return 0;
}

result cuLibraryLoadData(void **library);
result cuLibraryLoadData(void **library) {
    *library = object;
    return 0;
}

result cuLibraryGetKernel(void **kernel, void *library, const char *name);
result cuLibraryGetKernel(void **kernel, void *library, const char *name) {
    (void)library;
    (void)name;
    *kernel = object;
    return 0;
}

OK_FUNCTION(cuLibraryUnload)
OK_FUNCTION(cuKernelSetAttribute)
OK_FUNCTION(cuKernelGetAttribute)
OK_FUNCTION(cuFuncSetAttribute)
OK_FUNCTION(cuCtxGetCurrent)
OK_FUNCTION(cuCtxGetLimit)
OK_FUNCTION(cuCtxPopCurrent)
OK_FUNCTION(cuCtxPushCurrent)
OK_FUNCTION(cuDeviceGet)
OK_FUNCTION(cuDriverGetVersion)
OK_FUNCTION(cuGetErrorName)
OK_FUNCTION(cuLaunchCooperativeKernel)
OK_FUNCTION(cuLaunchKernel)
OK_FUNCTION(cuLaunchKernelEx)
OK_FUNCTION(cuLibraryLoadFromFile)
OK_FUNCTION(cuLinkAddData)
OK_FUNCTION(cuLinkComplete)
OK_FUNCTION(cuLinkCreate)
OK_FUNCTION(cuLinkDestroy)
OK_FUNCTION(cuOccupancyMaxPotentialClusterSize)
OK_FUNCTION(cuStreamGetCtx)
