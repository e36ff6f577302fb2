/* Pools. Where rounding up gives one window more in ONNX than in gyre, which leaves out those that
 * begin behind the picture, padding at the end tells how many there are: its size is known. */
#include "nodes.h"

#include "gyre/shapes.h"
#include <stdlib.h>

typedef struct {
    int size, stride, pad, picture, out;
} direction;

static bool rounds_alike(const direction *d) {
    return d->out == (d->picture + 2 * d->pad - d->size + d->stride - 1) / d->stride + 1;
}

/* What has to be added behind the picture so that there are as many windows. */
static int end_pad(const direction *d) {
    const int needed = (d->out - 1) * d->stride + d->size - d->picture - d->pad;
    return needed > 0 ? needed : 0;
}

/* The padding as an operator of its own, so that no reader has to know whether a window that
 * reaches beyond the padding counts what lies there: gyre and PyTorch do not count it. */
static graph_value pad_picture(nodes_call *c, direction d[2]) {
    const int64_t pads[] = {0, 0, d[0].pad, d[1].pad, 0, 0, d[0].pad, d[1].pad};
    for (int i = 0; i < 2; i++) {
        d[i].picture += 2 * d[i].pad;
        d[i].pad = 0;
    }
    return graph_binary(c->g, "Pad", graph_picture(c->g, c->x[0]), graph_integers(c->g, pads, 8));
}

static graph_value window_pool(nodes_call *c, bool max) {
    int64_t window[2], strides[2], pads[4];
    const bool ceil = nodes_option(c, "ceil", 0) != 0;
    bool counted = !max && nodes_option(c, "count_pad", 0) != 0;
    direction d[2];
    for (int i = 0; i < 2; i++) {
        const int stride = nodes_option(c, "stride", i);
        d[i] = (direction){.size = nodes_option(c, "size", i),
                           .pad = nodes_option(c, "pad", i),
                           .picture = c->in[0][i],
                           .out = i == 0 ? c->node->h : c->node->w};
        d[i].stride = stride != 0 ? stride : d[i].size;
    }
    const bool apart = counted && ceil;
    const graph_value x = apart ? pad_picture(c, d) : graph_picture(c->g, c->x[0]);
    counted = counted && !apart;
    const bool alike = rounds_alike(&d[0]) && rounds_alike(&d[1]);
    for (int i = 0; i < 2; i++) {
        window[i] = d[i].size;
        strides[i] = d[i].stride;
        pads[i] = d[i].pad;
        pads[2 + i] = ceil && !alike ? end_pad(&d[i]) : d[i].pad;
    }
    const graph_attribute attributes[] = {
        GRAPH_LIST("kernel_shape", window, 2),
        GRAPH_LIST("strides", strides, 2),
        GRAPH_LIST("pads", pads, 4),
        GRAPH_INT("ceil_mode", ceil && alike),
        {.name = max || !counted ? NULL : "count_include_pad", .kind = GRAPH_INTEGER, .number = 1},
        {.name = NULL}};
    return graph_unary(c->g, max ? "MaxPool" : "AveragePool", x, attributes);
}

static graph_value pool(nodes_call *c, bool max) {
    const bool all = nodes_option(c, "global", 0) != 0;
    if (!all) return window_pool(c, max);
    return graph_unary(c->g, max ? "GlobalMaxPool" : "GlobalAveragePool",
                       graph_picture(c->g, c->x[0]), NULL);
}

static graph_value max_pool(nodes_call *c) {
    return pool(c, true);
}
static graph_value average_pool(nodes_call *c) {
    return pool(c, false);
}

/* The bins of one direction as a matrix of their shares, (bins, size) or (size, bins). */
static graph_value shares(nodes_call *c, int size, int bins, bool bins_first) {
    float *matrix = calloc((size_t)size * (size_t)bins + 1, sizeof *matrix);
    const int64_t dims[] = {bins_first ? bins : size, bins_first ? size : bins};
    if (matrix == NULL) {
        c->g->constants.failed = true;
        return c->x[0];
    }
    for (int b = 0; b < bins; b++) {
        const int begin = gyre_bin_begin(b, size, bins), end = gyre_bin_end(b, size, bins);
        for (int i = begin; i < end; i++) {
            matrix[bins_first ? b * size + i : i * bins + b] = 1.0f / (float)(end - begin);
        }
    }
    const graph_value v = graph_floats(c->g, matrix, dims, 2);
    free(matrix);
    return v;
}

/* Bins of one size are a pool; others are two products with matrices. */
static graph_value adaptive_average_pool(nodes_call *c) {
    const int h = c->in[0][0], w = c->in[0][1], *bins = (const int[]){c->node->h, c->node->w};
    const graph_value x = graph_picture(c->g, c->x[0]);
    if (bins[0] == 1 && bins[1] == 1) return graph_unary(c->g, "GlobalAveragePool", x, NULL);
    if (h % bins[0] == 0 && w % bins[1] == 0) {
        const int64_t window[] = {h / bins[0], w / bins[1]};
        const graph_attribute attributes[] = {GRAPH_LIST("kernel_shape", window, 2),
                                              GRAPH_LIST("strides", window, 2),
                                              {.name = NULL}};
        return graph_unary(c->g, "AveragePool", x, attributes);
    }
    const graph_value columns = graph_binary(c->g, "MatMul", x, shares(c, w, bins[1], false));
    return graph_binary(c->g, "MatMul", shares(c, h, bins[0], true), columns);
}

const nodes_row nodes_pools[] = {{"max_pool", max_pool},
                                 {"average_pool", average_pool},
                                 {"adaptive_average_pool", adaptive_average_pool},
                                 {0}};
