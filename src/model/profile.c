/* Seconds by node: each lane adds to its own row, so that nothing is shared. */
#include "lane.h"

#include "gyre/clock.h"
#include <stdlib.h>

static size_t rows(const gyre_net *net) {
    return (size_t)net->weights->model->node_count + 1;
}

static double *cell(const gyre_net *net, size_t lane, int node, gyre_pass pass) {
    size_t row = (size_t)(node - GYRE_NODE_INPUT);
    return &net->seconds[(lane * rows(net) + row) * GYRE_PASS_COUNT + (size_t)pass];
}

gyre_status gyre_net_profile(gyre_net *net) {
    free(net->seconds);
    net->seconds = calloc((size_t)net->lane_count * rows(net) * GYRE_PASS_COUNT, sizeof(double));
    return net->seconds != NULL ? GYRE_OK : gyre_no_memory("a profile");
}

double pass_begin(const net_pass *p, const char *name) {
    gyre_backend *b = p->net->weights->backend;
    b->ops->range_push(b, name);
    return p->net->seconds == NULL ? 0 : gyre_clock();
}

void pass_end(const net_pass *p, int node, gyre_pass pass, double begun) {
    gyre_backend *b = p->net->weights->backend;
    b->ops->range_pop(b);
    if (p->net->seconds == NULL) return;
    int lane = p->queue->lane < 0 ? 0 : p->queue->lane;
    *cell(p->net, (size_t)lane, node, pass) += gyre_clock() - begun;
}

double gyre_net_seconds(const gyre_net *net, int node, gyre_pass pass) {
    double sum = 0;
    for (int i = 0; net->seconds != NULL && i < net->lane_count; i++) {
        sum += *cell(net, (size_t)i, node, pass);
    }
    return sum;
}

const gyre_model *gyre_net_model(const gyre_net *net) {
    return net->weights->model;
}

int gyre_net_lanes(const gyre_net *net) {
    return net->lane_count;
}

int gyre_net_branches(const gyre_net *net) {
    return net->branches;
}
