/* A libnvidia-ml.so.1 for GPUs that are not there: an H100 at rest, with the faults that FAKE_NVML
 * lists.
 *
 *   FAKE_NVML=throttle:64,ecc:2,pending:1,failed:1,fabric:1,xid:79   none by default; "missing":
 * nvmlInit fails
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNKNOWN = 3, NO_EVENT = 10 }; /* NVML_ERROR_NOT_SUPPORTED, NVML_ERROR_TIMEOUT */

static unsigned long fault(const char *name) {
    const char *text = getenv("FAKE_NVML");
    const char *at = text == NULL ? NULL : strstr(text, name);
    return at == NULL ? 0 : strtoul(at + strlen(name) + 1, NULL, 0);
}

#define EXPORT __attribute__((visibility("default")))
#define FUNCTION(name, ...)                                                                        \
    EXPORT int name(__VA_ARGS__);                                                                  \
    EXPORT int name(__VA_ARGS__)

FUNCTION(nvmlInit_v2, void) {
    const char *text = getenv("FAKE_NVML");
    return text != NULL && strcmp(text, "missing") == 0 ? UNKNOWN : 0;
}
FUNCTION(nvmlSystemGetDriverVersion, char *out, unsigned size) {
    snprintf(out, size, "580.99.01");
    return 0;
}
FUNCTION(nvmlDeviceGetHandleByPciBusId_v2, const char *bus, void **out) {
    static char devices[256];
    unsigned domain, number, slot;
    if (sscanf(bus, "%8x:%2x:%2x.0", &domain, &number, &slot) != 3 || number > 255) return UNKNOWN;
    *out = &devices[number];
    return 0;
}
FUNCTION(nvmlDeviceGetClockInfo, void *device, int kind, unsigned *out) {
    (void)device;
    *out = kind == 2 ? 2619 : 345;
    return 0;
}
FUNCTION(nvmlDeviceGetMaxClockInfo, void *device, int kind, unsigned *out) {
    (void)device;
    *out = kind == 2 ? 2619 : 1980;
    return 0;
}
FUNCTION(nvmlDeviceGetCurrentClocksThrottleReasons, void *device, unsigned long long *out) {
    (void)device;
    *out = 1 | fault("throttle"); /* 1: it is idle */
    return 0;
}
FUNCTION(nvmlDeviceGetPowerUsage, void *device, unsigned *out) {
    (void)device;
    *out = 71234;
    return 0;
}
FUNCTION(nvmlDeviceGetEnforcedPowerLimit, void *device, unsigned *out) {
    (void)device;
    *out = 700000;
    return 0;
}
FUNCTION(nvmlDeviceGetTemperature, void *device, int kind, unsigned *out) {
    (void)device;
    (void)kind;
    *out = 31;
    return 0;
}
FUNCTION(nvmlDeviceGetEccMode, void *device, int *now, int *later) {
    (void)device;
    *now = *later = 1;
    return 0;
}
FUNCTION(nvmlDeviceGetTotalEccErrors, void *device, int kind, int counter,
         unsigned long long *out) {
    (void)device;
    *out = kind == 1 && counter == 0 ? fault("ecc") : 0;
    return 0;
}
FUNCTION(nvmlDeviceGetRemappedRows, void *device, unsigned *corrected, unsigned *uncorrected,
         unsigned *pending, unsigned *failed) {
    (void)device;
    *corrected = *uncorrected = 0;
    *pending = (unsigned)fault("pending");
    *failed = (unsigned)fault("failed");
    return 0;
}
FUNCTION(nvmlDeviceGetGpuFabricInfo, void *device, void *out) {
    (void)device;
    if (fault("fabric") == 0) return UNKNOWN;
    ((unsigned char *)out)[24] = (unsigned char)fault("fabric");
    return 0;
}
FUNCTION(nvmlEventSetCreate, void **out) {
    static char set;
    *out = &set;
    return 0;
}
FUNCTION(nvmlDeviceRegisterEvents, void *device, unsigned long long types, void *set) {
    (void)device;
    (void)set;
    return types == 8 ? 0 : UNKNOWN;
}
/* The order of the real structure: device, type, data. */
FUNCTION(nvmlEventSetWait_v2, void *set, void **event, unsigned wait) {
    static int told;
    unsigned long long xid = fault("xid");
    (void)set;
    (void)wait;
    if (xid == 0 || told++ > 0) return NO_EVENT;
    memcpy(event + 2, &xid, sizeof xid);
    return 0;
}
