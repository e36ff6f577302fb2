/* Only for the thread sanitizer: stacks say nothing about the order of streams. The tasks of all
 * streams run on the host's stack, and kernels on stacks that the emulator takes by mmap and gives
 * to any stream; so two streams write the same addresses there, which is no race of the program.
 * Linked with --wrap=mmap. */
#ifdef FAKE_TSAN
#include "fake.h"

#include <pthread.h>
#include <sys/mman.h>

extern "C" void AnnotateBenignRaceSized(const char *file, int line, const void *memory, size_t size,
                                        const char *why);
extern "C" void *__real_mmap(void *at, size_t bytes, int mode, int flags, int fd, off_t offset);

extern "C" void *__wrap_mmap(void *at, size_t bytes, int mode, int flags, int fd, off_t offset) {
    void *p = __real_mmap(at, bytes, mode, flags, fd, offset);
    if (p != MAP_FAILED && mode == (PROT_READ | PROT_WRITE)) {
        AnnotateBenignRaceSized(__FILE__, __LINE__, p, bytes, "a kernel's stack");
    }
    return p; /* the arena of device memory is mapped closed, and watched */
}

__attribute__((constructor)) static void host_stack() {
    pthread_attr_t attributes;
    void *bottom = nullptr;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    pthread_attr_getstack(&attributes, &bottom, &size);
    pthread_attr_destroy(&attributes);
    AnnotateBenignRaceSized(__FILE__, __LINE__, bottom, size, "the host's stack");
}
#endif
