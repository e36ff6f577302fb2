/* Control groups: who this process is grouped with, and the memory it may use; see the header. */
#include "gyre/control_groups.h"

#include "gyre/file.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* `folder` and those above it, up to its first `top` bytes. */
static void outwards(char *folder, size_t top, void (*each)(const char *, void *), void *context) {
    size_t length = strlen(folder);
    if (folder[length - 1] == '/') folder[length - 1] = '\0';
    while (strlen(folder) >= top) {
        each(folder, context);
        *strrchr(folder, '/') = '\0';
    }
}

/* Lines are "0::/path" in version 2, "9:memory:/path" in version 1 (man 7 cgroups). */
void gyre_control_groups(const char *self, const char *root, void (*each)(const char *, void *),
                         void *context) {
    char line[PATH_MAX], folder[2 * PATH_MAX];
    FILE *f = fopen(self, "re");
    if (f == NULL) return;
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const char *memory = strstr(line, ":memory:/");
        if (strncmp(line, "0::/", 4) == 0) {
            snprintf(folder, sizeof folder, "%s%s", root, line + 3);
            outwards(folder, strlen(root), each, context);
        } else if (memory != NULL) {
            snprintf(folder, sizeof folder, "%s/memory%s", root, memory + strlen(":memory:"));
            outwards(folder, strlen(root) + strlen("/memory"), each, context);
        }
    }
    fclose(f);
}

/* Version 1 writes the largest multiple of a page below 2^63 where there is none. */
#define NO_LIMIT (1ull << 62)

static void tighten(const char *folder, void *context) {
    static const char *const files[] = {"memory.max", "memory.limit_in_bytes"};
    uint64_t *limit = context;
    char path[2 * PATH_MAX + 32], text[64];
    unsigned long long bytes;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        if (!gyre_file_first_line(path, text, sizeof text)) continue;
        if (sscanf(text, "%llu", &bytes) != 1 || bytes >= NO_LIMIT) continue; /* "max" */
        if (*limit == 0 || bytes < *limit) *limit = bytes;
    }
}

uint64_t gyre_control_groups_memory(const char *self, const char *root) {
    uint64_t limit = 0;
    gyre_control_groups(self, root, tighten, &limit);
    return limit;
}

uint64_t gyre_memory_allowed(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t all = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
    uint64_t limit = gyre_control_groups_memory(GYRE_CONTROL_GROUPS_SELF, GYRE_CONTROL_GROUPS_ROOT);
    return limit > 0 && (all == 0 || limit < all) ? limit : all;
}
