/* The whole file: input with its normalisation, nodes, output, metadata; see gyre/onnx_write.h. */
#include "gyre/version.h"
#include "nodes.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 17 };

/* ---- input */

static bool all_are(const float *values, size_t count, float value) {
    for (size_t i = 0; i < count; i++) {
        if (values[i] != value) return false;
    }
    return true;
}

/* Is the mean one number for each channel, rather than an image? */
static bool by_channel(const gyre_model *m, const float *mean) {
    const size_t c = (size_t)m->c, count = (size_t)m->h * (size_t)m->w * c;
    for (size_t i = c; i < count; i++) {
        if (mean[i] != mean[i - c]) return false;
    }
    return true;
}

/* (x - mean) * scale; what changes nothing is left out. */
static graph_value normalise(graph *g, graph_value x) {
    const gyre_model *m = g->network->model;
    const float *mean = g->network->mean, *scale = g->network->scale;
    const bool image = !by_channel(m, mean);
    const size_t c = (size_t)m->c, pixels = image ? (size_t)m->h * (size_t)m->w : 1;
    const int64_t picture[] = {m->c, image ? m->h : 1, image ? m->w : 1}, channels[] = {m->c, 1, 1};
    float *moved = calloc(c * pixels + 1, sizeof *moved);
    if (moved == NULL) {
        g->constants.failed = true;
        return x;
    }
    for (size_t i = 0; i < pixels; i++) {
        for (size_t k = 0; k < c; k++) moved[k * pixels + i] = mean[i * c + k];
    }
    if (!all_are(moved, c * pixels, 0)) {
        x = graph_binary(g, "Sub", x, graph_floats(g, moved, picture, 3));
    }
    if (!all_are(scale, c, 1)) {
        x = graph_binary(g, "Mul", x, graph_floats(g, scale, channels, 3));
    }
    free(moved);
    return x;
}

/* ValueInfoProto: name 1, type 2; TypeProto: tensor_type 1 {elem_type 1, shape 2 {dim 1 {dim_value
 * 1, dim_param 2}}}. */
static void put_value(gyre_wire *to, int field, const char *name, const int *dims, int ndim) {
    gyre_wire shape = {0}, tensor = {0}, type = {0}, value = {0};
    for (int i = 0; i < ndim; i++) {
        gyre_wire dim = {0};
        if (i == 0)
            gyre_wire_text(&dim, 2, "N");
        else
            gyre_wire_integer(&dim, 1, (uint64_t)dims[i]);
        gyre_wire_message(&shape, 1, dim);
    }
    gyre_wire_integer(&tensor, 1, 1);
    gyre_wire_message(&tensor, 2, shape);
    gyre_wire_message(&type, 1, tensor);
    gyre_wire_text(&value, 1, name);
    gyre_wire_message(&value, 2, type);
    gyre_wire_message(to, field, value);
}

/* ---- nodes */

static const nodes_row *row_of(const char *type) {
    static const nodes_row *const tables[] = {nodes_layers, nodes_norms,     nodes_activations,
                                              nodes_pools,  nodes_attention, nodes_others};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const nodes_row *r = tables[t]; r->type != NULL; r++) {
            if (strcmp(r->type, type) == 0) return r;
        }
    }
    return NULL;
}

static gyre_status write_node(graph *g, int index, graph_value input, graph_value *values) {
    const gyre_model *m = g->network->model;
    const gyre_node_summary about = gyre_model_node(m, index);
    const nodes_row *row = row_of(about.type);
    nodes_call c = {.g = g, .index = index, .node = &m->nodes[index]};
    if (row == NULL) {
        return gyre_fail(GYRE_EIO, "node %s: type %s cannot be written as ONNX", about.name,
                         about.type);
    }
    for (int i = 0; i < c.node->input_count; i++) {
        const int from = c.node->inputs[i];
        const int *size = from < 0
                              ? (const int[]){m->h, m->w, m->c}
                              : (const int[]){m->nodes[from].h, m->nodes[from].w, m->nodes[from].c};
        c.x[i] = from < 0 ? input : values[from];
        memcpy(c.in[i], size, sizeof c.in[i]);
    }
    graph_begin_node(g, c.node->name);
    values[index] = row->write(&c);
    return GYRE_OK;
}

/* NodeProto: the output has a name of its own. */
static void put_output(graph *g, graph_value last, gyre_wire *out) {
    const gyre_model *m = g->network->model;
    const gyre_node *node = &m->nodes[gyre_model_output(m)];
    const int dims[] = {0, node->c, node->h, node->w};
    const bool flat = node->h * node->w == 1;
    gyre_wire w = {0};
    graph_begin_node(g, "logits");
    if (flat) last = graph_flat(g, last);
    gyre_wire_text(&w, 1, last.name);
    gyre_wire_text(&w, 2, "logits");
    gyre_wire_text(&w, 3, "logits");
    gyre_wire_text(&w, 4, "Identity");
    gyre_wire_message(&g->nodes, 1, w);
    put_value(out, 12, "logits", dims, flat ? 2 : 4);
}

/* GraphProto: node 1, name 2, initializer 5, input 11, output 12. */
static gyre_status write_graph(graph *g, gyre_wire *out) {
    const gyre_model *m = g->network->model;
    const int dims[] = {0, m->c, m->h, m->w};
    graph_value input = {.name = "input"};
    gyre_wire output = {0};
    gyre_status status = GYRE_OK;
    graph_value *values = calloc((size_t)m->node_count + 1, sizeof *values);
    g->written = calloc((size_t)m->param_count + 1, sizeof *g->written);
    if (values == NULL || g->written == NULL) GYRE_GOTO(gyre_no_memory("the nodes of a network"));
    graph_begin_node(g, "images"); /* which no node may be called */
    graph_value x = normalise(g, input);
    for (int i = 0; i + 1 < m->node_count; i++)
        GYRE_GOTO(write_node(g, i, x, values)); /* no loss */
    put_output(g, values[gyre_model_output(m)], &output);
    gyre_wire_append(out, g->nodes);
    gyre_wire_text(out, 2, m->name);
    gyre_wire_append(out, g->constants);
    put_value(out, 11, input.name, dims, 4);
    gyre_wire_append(out, output);
out:
    free(values);
    free(g->written);
    if (status != GYRE_OK) {
        free(g->nodes.bytes);
        free(g->constants.bytes);
    }
    return status;
}

/* ---- the file */

/* ModelProto: ir_version 1, producer_name 2, producer_version 3, graph 7, opset_import 8 {domain 1,
 * version 2}, metadata_props 14 {key 1, value 2}. */
static void write_model(gyre_wire body, const gyre_note *notes, size_t count, gyre_wire *out) {
    gyre_wire opset = {0};
    gyre_wire_integer(out, 1, IR_VERSION);
    gyre_wire_text(out, 2, "gyre");
    gyre_wire_text(out, 3, GYRE_VERSION);
    gyre_wire_integer(&opset, 2, OPSET);
    gyre_wire_message(out, 8, opset);
    for (size_t i = 0; i < count; i++) {
        gyre_wire note = {0};
        gyre_wire_text(&note, 1, notes[i].key);
        gyre_wire_text(&note, 2, notes[i].value);
        gyre_wire_message(out, 14, note);
    }
    gyre_wire_message(out, 7, body);
}

gyre_status gyre_onnx_image(const gyre_onnx_network *network, const gyre_note *notes,
                            size_t note_count, char **file, size_t *size) {
    graph g = {.network = network};
    gyre_wire all = {0}, out = {0};
    gyre_status status = GYRE_OK;
    GYRE_GOTO(write_graph(&g, &all));
    write_model(all, notes, note_count, &out);
    if (out.failed) GYRE_GOTO(gyre_no_memory("the network as ONNX"));
    if (out.size > INT_MAX) {
        GYRE_GOTO(gyre_fail(GYRE_EIO,
                            "the network has %zu bytes as ONNX, whose files end at %d; `gyre "
                            "export safetensors` writes larger ones",
                            out.size, INT_MAX));
    }
    *file = (char *)out.bytes;
    *size = out.size;
    out = (gyre_wire){0};
out:
    free(out.bytes);
    return status;
}
