/* ONNX files, changed where the coverage of their reader grows (clang's libFuzzer): `make
 * fuzz-guided READER=onnx`. What is refused has a message. */
#include "onnx.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = memfd_create("onnx", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (read_onnx(path) != GYRE_OK && gyre_error_text()[0] == '\0') abort();
    close(fd);
    return 0;
}
