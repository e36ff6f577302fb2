/* What a rank sees of the host's GPUs, as launchers and CUDA_VISIBLE_DEVICES make it.
 *
 *   CUDA_VISIBLE_DEVICES   as CUDA reads it: numbers, "GPU-..." or "MIG-..." and the beginning of a
 *                          UUID, in the order that counts; what follows a wrong one is not seen
 *   FAKE_VIEWS=0,1;2,3     the same for rank 0, rank 1...; the last one counts on
 *   FAKE_MIG=n             every GPU is cut into n slices, of which a process sees one
 *
 * and of the host's processors, in the files where Linux tells of them:
 *
 *   FAKE_NUMA=0,1          NUMA node of the first GPU, second... (0)
 *   FAKE_NODES=0-3;4-7     the cores of node 0, node 1...; without it there are no such files
 *   FAKE_CORES=0-3;4-7     the cores that rank 0, rank 1... may run on; the last one counts on,
 *                          until it binds itself to others: with FAKE_TELL=1 a line tells of it */
#include "fake_cuda_queue.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sched.h>

namespace fake {

std::string entry(const char *list, int k, char separator, bool counts_on) {
    std::string text = list;
    size_t at = 0;
    for (int i = 0; i < k; i++) {
        size_t next = text.find(separator, at);
        if (next == std::string::npos) {
            if (!counts_on) return "";
            break;
        }
        at = next + 1;
    }
    return text.substr(at, text.find(separator, at) - at);
}

int gpus_there() {
    return (int)setting("FAKE_GPUS", 8);
}

void uuid_of(const Seen &g, unsigned char uuid[16]) {
    memset(uuid, g.gpu + 1, 16);
    if (g.slice >= 0) uuid[0] = (unsigned char)(0x80 | (g.slice + 1));
}

static std::string hex_of(const Seen &g) {
    unsigned char uuid[16];
    char text[40] = "";
    uuid_of(g, uuid);
    for (int i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        snprintf(text + strlen(text), 4, "%s%02x", dash ? "-" : "", uuid[i]);
    }
    return text;
}

/* The GPU or slice that a word of the list means; gpu -1: none. */
static Seen meant(const std::string &word) {
    int slices = (int)setting("FAKE_MIG", 0);
    bool uuid = word.compare(0, 4, "GPU-") == 0 || word.compare(0, 4, "MIG-") == 0;
    for (int gpu = 0; gpu < gpus_there(); gpu++) {
        for (int slice = slices > 0 ? 0 : -1; slice < slices; slice++) {
            Seen g = {gpu, slice};
            if (!uuid && word == std::to_string(gpu)) return g;
            bool kind = word.compare(0, 3, slice >= 0 ? "MIG" : "GPU") == 0;
            if (uuid && kind && hex_of(g).compare(0, word.size() - 4, word, 4) == 0) return g;
            if (slices == 0) break;
        }
    }
    return {-1, -1};
}

static std::vector<Seen> look() {
    const char *views = getenv("FAKE_VIEWS"), *visible = getenv("CUDA_VISIBLE_DEVICES");
    std::string list;
    if (views != nullptr)
        list = entry(views, rank(), ';', true);
    else if (visible != nullptr)
        list = visible;
    else
        for (int i = 0; i < gpus_there(); i++) list += std::to_string(i) + ",";
    std::vector<Seen> seen;
    for (int k = 0;; k++) {
        std::string word = entry(list.c_str(), k, ',', false);
        Seen g = meant(word);
        if (word.empty() || g.gpu < 0) break;
        seen.push_back(g);
        if (g.slice >= 0) break; /* CUDA shows one slice only */
    }
    return seen;
}

static bool looked; /* before, it is not the program but MPI_Init that binds the process */

const std::vector<Seen> &view() {
    static const auto *seen = new std::vector<Seen>(look());
    looked = true;
    return *seen;
}

int numa_node(int gpu) {
    const char *list = getenv("FAKE_NUMA");
    return list == nullptr ? 0 : atoi(entry(list, gpu, ',', true).c_str());
}

static FILE *text_file(const std::string &text) {
    FILE *f = tmpfile();
    if (f == nullptr) stop("no temporary file");
    fputs((text + "\n").c_str(), f);
    rewind(f);
    return f;
}

/* Nodes are 21 apart. */
static FILE *node_file(int node, const char *name) {
    const char *nodes = getenv("FAKE_NODES");
    std::string cores = nodes == nullptr ? "" : entry(nodes, node, ';', false);
    if (cores.empty()) return nullptr;
    if (strcmp(name, "cpulist") == 0) return text_file(cores);
    std::string distances;
    for (int k = 0; !entry(nodes, k, ';', false).empty(); k++) {
        distances += k == node ? "10 " : "21 ";
    }
    return text_file(distances);
}

/* What the process has bound itself to; "" before. */
static std::string &bound() {
    static auto *cores = new std::string;
    return *cores;
}

} // namespace fake

using namespace fake;

extern "C" int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set) {
    using function = int (*)(pid_t, size_t, const cpu_set_t *);
    static auto *const real = (function)dlsym(RTLD_NEXT, "sched_setaffinity");
    if (getenv("FAKE_CORES") == nullptr || !looked) return real(pid, size, set);
    std::string cores;
    for (size_t i = 0; i < 8 * size; i++) {
        if (CPU_ISSET_S(i, size, set)) cores += (cores.empty() ? "" : ",") + std::to_string(i);
    }
    bound() = cores;
    if (setting("FAKE_TELL", 0) != 0) note("binds itself to cores %s", cores.c_str());
    return 0;
}

extern "C" FILE *fopen(const char *path, const char *mode) {
    using function = FILE *(*)(const char *, const char *);
    static auto *const real = (function)dlsym(RTLD_NEXT, "fopen");
    const char *cores = getenv("FAKE_CORES");
    char name[16];
    int node;
    if (sscanf(path, "/sys/devices/system/node/node%d/%15s", &node, name) == 2 &&
        (strcmp(name, "cpulist") == 0 || strcmp(name, "distance") == 0)) {
        return node_file(node, name);
    }
    if (cores != nullptr && strcmp(path, "/proc/self/status") == 0) {
        return text_file("Cpus_allowed_list:\t" +
                         (bound().empty() ? entry(cores, rank(), ';', true) : bound()));
    }
    return real(path, mode);
}
