/* Activations: operators of opset 17, or the formulas that PyTorch's exporters write. */
#include "nodes.h"

#define SIMPLE(name, operator, attributes)                                                         \
    static graph_value name(nodes_call *c) {                                                       \
        return graph_unary(c->g, operator, c->x[0], attributes);                                   \
    }
SIMPLE(relu, "Relu", NULL)
SIMPLE(sigmoid, "Sigmoid", NULL)
SIMPLE(tangent, "Tanh", NULL)
SIMPLE(hardsigmoid, "HardSigmoid",
       GRAPH_ATTRIBUTES(GRAPH_REAL("alpha", 1.0 / 6), GRAPH_REAL("beta", 0.5)))
SIMPLE(hardswish, "HardSwish", NULL)

static graph_value relu6(nodes_call *c) {
    const float low = 0, high = 6;
    const graph_value a = graph_floats(c->g, &low, NULL, 0), b = graph_floats(c->g, &high, NULL, 0);
    return graph_operator(c->g, "Clip", (const graph_value *const[]){&c->x[0], &a, &b}, 3, NULL);
}

static graph_value leaky_relu(nodes_call *c) {
    const graph_attribute slope[] = {GRAPH_REAL("alpha", gyre_node_option(c->node, "slope", 0)),
                                     {.name = NULL}};
    return graph_unary(c->g, "LeakyRelu", c->x[0], slope);
}

static graph_value elu(nodes_call *c) {
    const graph_attribute alpha[] = {GRAPH_REAL("alpha", gyre_node_option(c->node, "alpha", 0)),
                                     {.name = NULL}};
    return graph_unary(c->g, "Elu", c->x[0], alpha);
}

static graph_value mish(nodes_call *c) {
    const graph_value soft = graph_unary(c->g, "Softplus", c->x[0], NULL);
    return graph_binary(c->g, "Mul", c->x[0], graph_unary(c->g, "Tanh", soft, NULL));
}

graph_value nodes_silu_of(nodes_call *c, graph_value x) {
    return graph_binary(c->g, "Mul", x, graph_unary(c->g, "Sigmoid", x, NULL));
}

static graph_value silu(nodes_call *c) {
    return nodes_silu_of(c, c->x[0]);
}

/* x (1 + t) / 2 */
static graph_value half_of(nodes_call *c, graph_value t) {
    const graph_value sum = graph_with(c->g, "Add", t, 1);
    return graph_with(c->g, "Mul", graph_binary(c->g, "Mul", c->x[0], sum), 0.5f);
}

static graph_value gelu(nodes_call *c) {
    const graph_value z = graph_with(c->g, "Div", c->x[0], 1.41421356f);
    return half_of(c, graph_unary(c->g, "Erf", z, NULL));
}

static graph_value gelu_tanh(nodes_call *c) {
    const graph_value cube = graph_with(c->g, "Pow", c->x[0], 3);
    const graph_value small = graph_with(c->g, "Mul", cube, 0.044715f);
    const graph_value sum = graph_binary(c->g, "Add", c->x[0], small);
    const graph_value z = graph_with(c->g, "Mul", sum, 0.797884561f);
    return half_of(c, graph_unary(c->g, "Tanh", z, NULL));
}

const nodes_row nodes_activations[] = {
    {"relu", relu},
    {"relu6", relu6},
    {"leaky_relu", leaky_relu},
    {"elu", elu},
    {"sigmoid", sigmoid},
    {"tanh", tangent},
    {"gelu", gelu},
    {"silu", silu},
    {"mish", mish},
    {"gelu_tanh", gelu_tanh},
    {"hardswish", hardswish},
    {"hardsigmoid", hardsigmoid},
    {0},
};
