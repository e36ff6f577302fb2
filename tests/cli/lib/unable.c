/* A file system that cannot do everything: preloaded, the calls that UNABLE names (of
 * "folder-fsync", "fsync", "link", "renameat2", "flock") end with the error number UNABLE_ERRNO. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int unable(const char *call) {
    const char *names = getenv("UNABLE"), *reason = getenv("UNABLE_ERRNO");
    size_t length = strlen(call);
    for (; names != NULL && *names != '\0'; names += strspn(names, " ")) {
        size_t here = strcspn(names, " ");
        if (here == length && strncmp(names, call, length) == 0) {
            errno = atoi(reason);
            return 1;
        }
        names += here;
    }
    return 0;
}

int fsync(int fd) {
    struct stat st;
    int folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    if (unable(folder ? "folder-fsync" : "fsync")) return -1;
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int link(const char *from, const char *to) {
    if (unable("link")) return -1;
    return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link"))(from, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    if (unable("renameat2")) return -1;
    return ((int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2"))(
        a, from, b, to, flags);
}

int flock(int fd, int what) {
    if (unable("flock")) return -1;
    return ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(fd, what);
}
