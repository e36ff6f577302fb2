/* Lists of cores. /proc is read because it takes any number of them; a cpu_set_t ends at 1024. */
#include "gyre/cores.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gyre_cores_text(char *text, size_t bytes) {
    static const char key[] = "Cpus_allowed_list:";
    char line[4096];
    snprintf(text, bytes, "?");
    FILE *f = fopen("/proc/self/status", "r");
    if (f == NULL) return;
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, sizeof key - 1) != 0) continue;
        const char *value = line + sizeof key - 1;
        value += strspn(value, " \t");
        snprintf(text, bytes, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    fclose(f);
}

/* Takes one "a" or "a-b" from the front of a list. */
static bool next_range(const char **at, unsigned long *first, unsigned long *last) {
    char *end;
    if (**at < '0' || **at > '9') return false;
    *first = *last = strtoul(*at, &end, 10);
    if (*end == '-') *last = strtoul(end + 1, &end, 10);
    *at = *end == ',' ? end + 1 : end;
    return *last >= *first;
}

int gyre_cores_count(const char *text) {
    unsigned long first, last, count = 0;
    while (next_range(&text, &first, &last)) count += last - first + 1;
    return count > 0 && count < 1000000 ? (int)count : 1;
}

int gyre_cores_threads(int cores) {
    const char *omp = getenv("OMP_NUM_THREADS");
    long asked = omp == NULL ? 0 : strtol(omp, NULL, 10);
    return asked <= 0 ? cores : asked < INT_MAX ? (int)asked : INT_MAX;
}

void gyre_cores_mark(const char *text, unsigned char *used, size_t n) {
    unsigned long first, last;
    while (next_range(&text, &first, &last)) {
        for (unsigned long i = first; i <= last && i < n; i++) used[i] = 1;
    }
}
