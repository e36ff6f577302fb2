/* ONNX files, changed where the coverage of their reader grows (clang's libFuzzer): `make
 * fuzz-guided READER=onnx`. What is refused has a message; of what is taken, the weights are those
 * of the network that the file's layers make. */
#include "network.h"

#include "gyre/onnx.h"
#include <sys/mman.h>
#include <unistd.h>

enum { WEIGHTS_MAX = 1 << 22 }; /* numbers that are read */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const gyre_param *find(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->param_count; i++) {
        if (strcmp(m->params[i].name, name) == 0) return &m->params[i];
    }
    return NULL;
}

static void check_weight(const gyre_onnx *o, const gyre_onnx_weight *w, const gyre_model *m) {
    const gyre_param *p = find(m, w->name);
    if (!w->statistic && (p == NULL || p->count != w->count || p->ndim != w->ndim)) abort();
    if (w->count > WEIGHTS_MAX) return;
    float *numbers = malloc(w->count * sizeof *numbers);
    if (numbers != NULL && gyre_onnx_read(o, w, numbers) != GYRE_OK) abort();
    free(numbers);
}

static void check_network(const gyre_onnx *o) {
    gyre_model *m = NULL;
    char *text = strdup(o->layers);
    const gyre_model_settings settings = {.layers = text};
    if (gyre_model_open(&settings, o->h, o->w, o->c, o->outputs, &m) == GYRE_OK) {
        check_printed(m);
        for (int i = 0; i < o->weight_count; i++) check_weight(o, &o->weights[i], m);
        gyre_model_close(m);
    } else if (gyre_error_text()[0] == '\0') {
        abort();
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    gyre_onnx *o = NULL;
    int fd = memfd_create("onnx", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (gyre_onnx_open(path, &o) == GYRE_OK) {
        check_network(o);
        gyre_onnx_close(o);
    } else if (gyre_error_text()[0] == '\0') {
        abort();
    }
    close(fd);
    return 0;
}
