/* NVML, opened at run time. Its interface is given here as far as it is used (NVIDIA, "NVML API
 * Reference Guide"), since the toolkit's wheels have no header of it. What a driver does not know
 * stays unsaid. */
#include "nvml.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef void *nvml_device;
typedef void *nvml_events;
enum { NVML_SUCCESS = 0, NVML_CLOCK_SM = 1, NVML_CLOCK_MEMORY = 2, NVML_XID = 8 };
enum { NVML_UNCORRECTED = 1, NVML_SINCE_BOOT = 0, NVML_TEMPERATURE_GPU = 0 };
enum { NVML_FABRIC_NOT_STARTED = 1, NVML_FABRIC_IN_PROGRESS = 2 };

typedef struct {
    nvml_device device;
    unsigned long long type, data;
    unsigned instance, compute_instance;
} nvml_event;
typedef struct {
    unsigned char cluster[16];
    int status;
    unsigned clique;
    unsigned char state;
} nvml_fabric;

/* One line a function: its name there, and its type; a pointer of each is in `nvml`. */
#define NVML_FUNCTIONS(F)                                                                          \
    F(nvmlInit_v2, (void))                                                                         \
    F(nvmlSystemGetDriverVersion, (char *, unsigned))                                              \
    F(nvmlDeviceGetHandleByPciBusId_v2, (const char *, nvml_device *))                             \
    F(nvmlDeviceGetClockInfo, (nvml_device, int, unsigned *))                                      \
    F(nvmlDeviceGetMaxClockInfo, (nvml_device, int, unsigned *))                                   \
    F(nvmlDeviceGetCurrentClocksThrottleReasons, (nvml_device, unsigned long long *))              \
    F(nvmlDeviceGetPowerUsage, (nvml_device, unsigned *))                                          \
    F(nvmlDeviceGetEnforcedPowerLimit, (nvml_device, unsigned *))                                  \
    F(nvmlDeviceGetTemperature, (nvml_device, int, unsigned *))                                    \
    F(nvmlDeviceGetEccMode, (nvml_device, int *, int *))                                           \
    F(nvmlDeviceGetTotalEccErrors, (nvml_device, int, int, unsigned long long *))                  \
    F(nvmlDeviceGetRemappedRows, (nvml_device, unsigned *, unsigned *, unsigned *, unsigned *))    \
    F(nvmlDeviceGetGpuFabricInfo, (nvml_device, nvml_fabric *))                                    \
    F(nvmlEventSetCreate, (nvml_events *))                                                         \
    F(nvmlDeviceRegisterEvents, (nvml_device, unsigned long long, nvml_events))                    \
    F(nvmlEventSetWait_v2, (nvml_events, nvml_event *, unsigned))

#define NVML_POINTER(name, arguments) int(*name) arguments;
static struct {
    bool tried, there;
    NVML_FUNCTIONS(NVML_POINTER)
    nvml_events events;
} nvml;

/* Calls it where the library has it. */
#define ASK(name, ...) (nvml.name != NULL && nvml.name(__VA_ARGS__) == NVML_SUCCESS)

static bool there(void) {
    if (nvml.tried) return nvml.there;
    nvml.tried = true;
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return false;
#define NVML_FIND(name, arguments) *(void **)(void *)&nvml.name = dlsym(library, #name);
    NVML_FUNCTIONS(NVML_FIND)
    nvml.there = nvml.nvmlInit_v2 != NULL && nvml.nvmlInit_v2() == NVML_SUCCESS;
    return nvml.there;
}

static bool find(const struct cudaDeviceProp *p, nvml_device *out) {
    char bus[32];
    snprintf(bus, sizeof bus, "%08x:%02x:%02x.0", (unsigned)p->pciDomainID, (unsigned)p->pciBusID,
             (unsigned)p->pciDeviceID);
    return there() && ASK(nvmlDeviceGetHandleByPciBusId_v2, bus, out);
}

void gpu_nvml_state(const struct cudaDeviceProp *p, gpu_page *out) {
    nvml_device d;
    char driver[80] = "?";
    unsigned now, most;
    int ecc, later;
    if (!find(p, &d)) return;
    (void)ASK(nvmlSystemGetDriverVersion, driver, sizeof driver);
    gpu_say(out, "driver %.79s", driver);
    if (ASK(nvmlDeviceGetClockInfo, d, NVML_CLOCK_SM, &now) &&
        ASK(nvmlDeviceGetMaxClockInfo, d, NVML_CLOCK_SM, &most))
        gpu_say(out, ", SM %u of %u MHz", now, most);
    if (ASK(nvmlDeviceGetClockInfo, d, NVML_CLOCK_MEMORY, &now))
        gpu_say(out, ", memory %u MHz", now);
    if (ASK(nvmlDeviceGetPowerUsage, d, &now) && ASK(nvmlDeviceGetEnforcedPowerLimit, d, &most))
        gpu_say(out, ", %u of %u W", now / 1000, most / 1000);
    if (ASK(nvmlDeviceGetTemperature, d, NVML_TEMPERATURE_GPU, &now)) gpu_say(out, ", %u C", now);
    if (ASK(nvmlDeviceGetEccMode, d, &ecc, &later)) gpu_say(out, ", ECC %s", ecc ? "on" : "off");
}

/* Bits of nvmlDeviceGetCurrentClocksThrottleReasons that no user asked for. */
static const struct {
    unsigned long long bit;
    const char *meaning;
} slowed[] = {
    {0x08, "the hardware has slowed it down (heat or power)"},
    {0x20, "it is too hot, so the driver has lowered its clocks"},
    {0x40, "it is too hot, so the hardware has lowered its clocks"},
    {0x80, "the power supply asks it to slow down"},
};

static void clocks(nvml_device d, int device, gpu_page *out) {
    unsigned long long reasons;
    if (!ASK(nvmlDeviceGetCurrentClocksThrottleReasons, d, &reasons)) return;
    for (size_t i = 0; i < sizeof slowed / sizeof slowed[0]; i++) {
        if ((reasons & slowed[i].bit) == 0) continue;
        gpu_say(out, "! GPU %d runs slowly: %s; `nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER`\n",
                device, slowed[i].meaning);
    }
}

static void memory(nvml_device d, int device, gpu_page *out) {
    unsigned long long errors;
    unsigned corrected, uncorrected, pending, failed;
    if (ASK(nvmlDeviceGetTotalEccErrors, d, NVML_UNCORRECTED, NVML_SINCE_BOOT, &errors) &&
        errors > 0)
        gpu_say(out,
                "! GPU %d has had %llu errors of memory that were not corrected: reset it "
                "(`nvidia-smi -r`) or have it exchanged\n",
                device, errors);
    if (!ASK(nvmlDeviceGetRemappedRows, d, &corrected, &uncorrected, &pending, &failed)) return;
    if (pending)
        gpu_say(out, "! GPU %d has rows of memory to replace, which a reset does\n", device);
    if (failed)
        gpu_say(out, "! GPU %d cannot replace bad rows of memory any more: have it exchanged\n",
                device);
}

void gpu_nvml_problems(const struct cudaDeviceProp *p, int device, gpu_page *out) {
    nvml_device d;
    nvml_fabric fabric = {.state = 0};
    if (!find(p, &d)) return;
    clocks(d, device, out);
    memory(d, device, out);
    if (!ASK(nvmlDeviceGetGpuFabricInfo, d, &fabric)) return;
    if (fabric.state == NVML_FABRIC_NOT_STARTED || fabric.state == NVML_FABRIC_IN_PROGRESS)
        gpu_say(out,
                "! GPU %d has not joined its NVSwitch fabric: `systemctl status "
                "nvidia-fabricmanager` says why\n",
                device);
}

void gpu_nvml_listen(const struct cudaDeviceProp *p) {
    nvml_device d;
    if (nvml.events != NULL || !find(p, &d)) return;
    if (!ASK(nvmlEventSetCreate, &nvml.events)) return;
    if (!ASK(nvmlDeviceRegisterEvents, d, NVML_XID, nvml.events)) nvml.events = NULL;
}

int gpu_nvml_xid(void) {
    nvml_event e;
    int last = 0;
    if (nvml.events == NULL) return 0;
    while (ASK(nvmlEventSetWait_v2, nvml.events, &e, 0)) last = (int)e.data;
    return last;
}
