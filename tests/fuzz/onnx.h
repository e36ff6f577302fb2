/* What holds for every ONNX file that is taken: its weights are those of the network that its
 * layers make, and can be read. */
#ifndef FUZZ_ONNX_H
#define FUZZ_ONNX_H

#include "network.h"

#include "gyre/onnx.h"

enum { FUZZ_WEIGHTS_MAX = 1 << 22 }; /* numbers that are read */

static inline const gyre_param *find_parameter(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->param_count; i++) {
        if (strcmp(m->params[i].name, name) == 0) return &m->params[i];
    }
    return NULL;
}

static inline void check_weight(const gyre_onnx *o, const gyre_onnx_weight *w,
                                const gyre_model *m) {
    const gyre_param *p = find_parameter(m, w->name);
    if (!w->statistic && (p == NULL || p->count != w->count || p->ndim != w->ndim)) {
        fprintf(stderr, "%s: %zu numbers, %zu in the network\n", w->name, w->count,
                p == NULL ? 0 : p->count);
        abort();
    }
    if (w->count > FUZZ_WEIGHTS_MAX) return;
    float *numbers = malloc(w->count * sizeof *numbers);
    if (numbers != NULL && gyre_onnx_read(o, w, numbers) != GYRE_OK) abort();
    free(numbers);
}

static inline void check_onnx(const gyre_onnx *o) {
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

/* Opens a file, and checks the network of one that is taken. */
static inline gyre_status read_onnx(const char *path) {
    gyre_onnx *o = NULL;
    GYRE_TRY(gyre_onnx_open(path, &o));
    check_onnx(o);
    gyre_onnx_close(o);
    return GYRE_OK;
}

#endif
