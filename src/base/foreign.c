/* Formats by the bytes that their files begin with; see gyre/foreign.h. */
#include "gyre/foreign.h"

#include "gyre/file.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 16 };

static bool begins(const void *head, size_t size, const char *mark, size_t length) {
    return size >= length && memcmp(head, mark, length) == 0;
}

/* PyTorch's own files: zip files, before PyTorch 1.6 pickles. */
static bool is_torch(const uint8_t *head, size_t size) {
    return begins(head, size, "PK\003\004", 4) ||
           (size >= 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5);
}

/* The header's length, then its text. */
static bool is_safetensors(const uint8_t *head, size_t size) {
    return size >= 9 && head[8] == '{' && head[4] == 0 && head[5] == 0 && head[6] == 0 &&
           head[7] == 0;
}

/* The version comes first in files of every exporter; no text begins so. */
static bool is_onnx(const uint8_t *head, size_t size) {
    return size >= 3 && head[0] == 0x08 && head[1] >= 1 && head[1] < 32;
}

/* Datasets and checkpoints begin with a seal. */
static bool is_hdf5(const uint8_t *head, size_t size) {
    return begins(head, size, "\x89HDF\r\n\x1a\n", 8) || begins(head, size, "gyre seal 1", 11);
}

/* The end of a sentence; NULL: none that is told here. */
static const char *kind_of(const uint8_t *head, size_t size) {
    if (is_torch(head, size)) {
        return "is a file of torch.save, which only Python reads: to_gyre(model, example, "
               "\"net.onnx\") of gyre-exchange makes one for model.file of the network, "
               "safetensors.torch.save_file(model.state_dict(), \"net.safetensors\") one for "
               "model.init_from of its weights";
    }
    if (is_safetensors(head, size)) {
        return "is a safetensors file, which has weights without their network; it is for "
               "model.init_from";
    }
    if (is_onnx(head, size)) {
        return "is an ONNX file; it is for model.file, and for model.init_from, which takes its "
               "weights alone";
    }
    if (is_hdf5(head, size)) {
        return "is an HDF5 file; a dataset is for data.path, a checkpoint or other weights are for "
               "model.init_from";
    }
    return NULL;
}

/* What the name promises and the content, which begins as no file of these does, is not. */
static gyre_status check_name(const char *path) {
    static const char *const kinds[][2] = {{".onnx", "an ONNX"},
                                           {".safetensors", "a safetensors"},
                                           {".h5", "an HDF5"},
                                           {".pt", "a PyTorch"},
                                           {".pth", "a PyTorch"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t length = strlen(path), end = strlen(kinds[i][0]);
        if (length < end || strcmp(path + length - end, kinds[i][0]) != 0) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s' has the name of %s file and does not begin as one does: it is "
                         "empty, damaged or something else; write it anew",
                         path, kinds[i][1]);
    }
    return GYRE_OK;
}

gyre_status gyre_foreign_check(const char *path, bool hdf5_expected) {
    uint8_t head[HEAD] = {0};
    int fd = -1;
    if (gyre_file_open(path, &fd) != GYRE_OK) return GYRE_OK;
    const ssize_t got = pread(fd, head, sizeof head, 0);
    close(fd);
    const size_t size = got < 0 ? 0 : (size_t)got;
    const char *kind = kind_of(head, size);
    if (kind == NULL && !hdf5_expected) return check_name(path);
    if (kind == NULL || (hdf5_expected && is_hdf5(head, size))) return GYRE_OK;
    return gyre_fail(hdf5_expected ? GYRE_EIO : GYRE_EUSAGE, "'%s' %s", path, kind);
}
