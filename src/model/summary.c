/* What a node is and costs, for tables and drawings. */
#include "node.h"

double node_weight_flop(const node_call *c) {
    const gyre_param *weight = &c->model->params[c->node->params[0]];
    return 2 * (double)weight->count * c->out.h * c->out.w;
}

gyre_node_summary gyre_model_node(const gyre_model *m, int index) {
    const gyre_node *n = &m->nodes[index];
    gyre_node_summary s = {.name = n->name, .type = n->type->name, .h = n->h, .w = n->w, .c = n->c};
    const node_call c = node_call_of(m, index, NULL, 1);
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] < 0 || !node_owns(n, &m->params[n->params[i]])) continue;
        s.parameters += m->params[n->params[i]].count;
    }
    if (n->type->flop != NULL) s.flop = n->type->flop(&c);
    s.bytes = node_elements(c.out) * sizeof(float);
    return s;
}
