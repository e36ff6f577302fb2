/* Pools. Sizes of pictures are known, so that padding at the end tells what rounding up means. */
#include "nodes.h"

#include "gyre/shapes.h"
#include <stdlib.h>

/* What has to be added behind `size` pixels so that there are `out` windows. */
static int64_t end_pad(int size, int out, int window, int stride, int pad) {
    const int64_t needed = (int64_t)(out - 1) * stride + window - size - pad;
    return needed > 0 ? needed : 0;
}

static graph_value windows(nodes_call *c, bool max) {
    int64_t window[2], strides[2], pads[4];
    const int out[] = {c->node->h, c->node->w};
    for (int i = 0; i < 2; i++) {
        const int size = nodes_option(c, "size", i), stride = nodes_option(c, "stride", i);
        window[i] = size;
        strides[i] = stride != 0 ? stride : size;
        pads[i] = nodes_option(c, "pad", i);
        pads[2 + i] =
            end_pad(c->in[0][i], out[i], size, (int)strides[i], nodes_option(c, "pad", i));
    }
    const graph_attribute attributes[] = {GRAPH_LIST("kernel_shape", window, 2),
                                          GRAPH_LIST("strides", strides, 2),
                                          GRAPH_LIST("pads", pads, 4),
                                          {.name = NULL}}; /* pixels outside do not count */
    return graph_unary(c->g, max ? "MaxPool" : "AveragePool", graph_picture(c->g, c->x[0]),
                       attributes);
}

static graph_value pool(nodes_call *c, bool max) {
    const bool all = nodes_option(c, "global", 0) != 0;
    if (!all) return windows(c, max);
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
