/* Reads what Linux tells about this machine: /proc, /sys, limits of a container. */
#include "machine.h"

#include "gyre/backend.h"
#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/control_groups.h"
#include "gyre/cores.h"
#include "gyre/file.h"
#include "gyre/hdf5.h"
#include "gyre/import.h"
#include "gyre/version.h"
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

static void read_memory(cli_machine *m) {
    char line[256];
    unsigned long long kib;
    FILE *f = fopen("/proc/meminfo", "r");
    if (f == NULL) return;
    while (fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "MemTotal: %llu", &kib) == 1) m->total = (uint64_t)kib << 10;
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1) m->available = (uint64_t)kib << 10;
    }
    fclose(f);
}

/* One control group's limits; the tightest of all that this process is in holds. */
static void read_group(const char *folder, void *context) {
    cli_machine *m = context;
    char path[2 * PATH_MAX + 32], text[192];
    double quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (gyre_file_first_line(path, text, sizeof text) &&
        sscanf(text, "%lf %lf", &quota, &period) == 2) {
        if (m->quota == 0 || quota / period < m->quota) m->quota = quota / period;
    }
    snprintf(path, sizeof path, "%s/cpuset.cpus.effective", folder);
    if (m->possible[0] == '\0' && gyre_file_first_line(path, text, sizeof text)) {
        snprintf(m->possible, sizeof m->possible, "%s", text);
    }
}

static void read_groups(cli_machine *m) {
    const char *self = GYRE_CONTROL_GROUPS_SELF, *root = GYRE_CONTROL_GROUPS_ROOT;
    m->limit = gyre_control_groups_memory(self, root);
    gyre_control_groups(self, root, read_group, m);
    if (m->possible[0] == '\0') {
        gyre_file_first_line("/sys/devices/system/cpu/online", m->possible, sizeof m->possible);
    }
}

static void read_folder(cli_machine *m) {
    static const struct {
        unsigned long magic;
        const char *name;
        bool network, memory;
    } known[] = {
        {0xEF53, "ext4", false, false},        {0x58465342, "xfs", false, false},
        {0x9123683E, "btrfs", false, false},   {0x2FC12FC1, "zfs", false, false},
        {0x794C7630, "overlay", false, false}, {0x01021994, "tmpfs", false, true},
        {0x6969, "NFS", true, false},          {0x0BD00BD0, "Lustre", true, false},
        {0x47504653, "GPFS", true, false},     {0x19830326, "BeeGFS", true, false},
        {0xFF534D42, "CIFS", true, false},     {0xFE534D42, "SMB", true, false},
        {0x00C36400, "Ceph", true, false},     {0x01021997, "9p", true, false},
    };
    struct statfs s;
    struct statvfs space;
    snprintf(m->filesystem, sizeof m->filesystem, "?");
    if (statfs(".", &s) == 0) {
        unsigned long magic = (unsigned long)s.f_type & 0xFFFFFFFFul;
        snprintf(m->filesystem, sizeof m->filesystem, "type %#lx", magic);
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (known[i].magic != magic) continue;
            snprintf(m->filesystem, sizeof m->filesystem, "%s", known[i].name);
            m->network = known[i].network;
            m->memory = known[i].memory;
        }
    }
    if (statvfs(".", &space) == 0) m->disk_free = (uint64_t)space.f_bavail * space.f_frsize;
    if (statvfs("/dev/shm", &space) == 0) m->shared = (uint64_t)space.f_blocks * space.f_frsize;
}

static void read_locking(cli_machine *m) {
    struct rlimit limit;
    glob_t cards = {0};
    m->lockable = UINT64_MAX;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        m->lockable = (uint64_t)limit.rlim_cur;
    }
    m->infiniband = glob("/sys/class/infiniband/*", 0, NULL, &cards) == 0;
    globfree(&cards);
}

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

void cli_machine_read(cli_machine *m) {
    const char *threads = getenv("OMP_NUM_THREADS");
    memset(m, 0, sizeof *m);
    gyre_cores_text(m->cores, sizeof m->cores);
    m->omp_threads = threads == NULL ? 0 : atoi(threads);
    snprintf(m->versions, sizeof m->versions,
             "gyre %s, %s, oneDNN %s, HDF5 %s, zlib %s, libjpeg-turbo %s, libpng %s, cJSON %s; "
             "compiled by %s",
             GYRE_VERSION, gyre_mpi_version(), gyre_onednn_version(), gyre_hdf5_version(),
             gyre_zlib_version(), gyre_jpeg_version(), gyre_png_version(), gyre_cjson_version(),
             COMPILER);
    read_memory(m);
    read_groups(m);
    read_folder(m);
    read_locking(m);
}

bool cli_machine_program(const char *name, char *out, unsigned long bytes) {
    const char *path = getenv("PATH");
    for (; path != NULL && *path != '\0'; path += strspn(path, ":")) {
        int length = (int)strcspn(path, ":");
        int used = snprintf(out, bytes, "%.*s/%s", length, path, name);
        if (used > 0 && (size_t)used < bytes && access(out, X_OK) == 0) return true;
        path += length;
    }
    out[0] = '\0';
    return false;
}
