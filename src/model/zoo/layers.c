/* Nodes of the types that the zoo uses. */
#include "layers.h"

int layers_conv(builder *b, const char *name, int x, conv_options o) {
    return builder_node_of(b, "conv", name, x,
                           BUILDER_OPTIONS({"channels", o.channels}, {"size", o.r},
                                           {"stride", o.stride}, {"pad", o.pad}, {"bias", o.bias},
                                           {"relu", o.relu},
                                           {"groups", o.groups == 0 ? 1 : o.groups}));
}

int layers_dense(builder *b, const char *name, int x, int channels, bool bias) {
    return builder_node_of(
        b, "conv", name, x,
        BUILDER_OPTIONS({"channels", channels}, {"size", 1}, {"bias", bias}, {"dense", true}));
}

int layers_linear(builder *b, const char *name, int x, double out, bool relu) {
    return builder_node_of(b, "linear", name, x, BUILDER_OPTIONS({"out", out}, {"relu", relu}));
}

int layers_norm(builder *b, const char *name, int x, int residual, bool relu) {
    const int inputs[] = {x, residual};
    return builder_node(b, "batch_norm", name, inputs, residual == LAYERS_NONE ? 1 : 2,
                        BUILDER_OPTIONS({"relu", relu}));
}

int layers_conv_norm(builder *b, const char *prefix, int x, conv_options o, const char *act) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.0", prefix);
    x = layers_conv(b, name, x, o);
    snprintf(name, sizeof name, "%s.1", prefix);
    x = layers_norm(b, name, x, LAYERS_NONE, false);
    snprintf(name, sizeof name, "%s.2", prefix);
    return builder_node_of(b, act, name, x, NULL);
}

int layers_flatten(builder *b, const char *name, int x, const char *order) {
    const node_option *o = node_option_named(node_type_named("flatten"), "order");
    return builder_node_of(b, "flatten", name, x,
                           BUILDER_OPTIONS({"order", node_option_choice(o, order)}));
}

int layers_pool(builder *b, const char *type, const char *name, int x, int r, int stride, int pad) {
    return builder_node_of(b, type, name, x,
                           BUILDER_OPTIONS({"size", r}, {"stride", stride}, {"pad", pad}));
}

int layers_caffe_pool(builder *b, const char *type, const char *name, int x, int r) {
    return builder_node_of(b, type, name, x,
                           BUILDER_OPTIONS({"size", r}, {"stride", 2}, {"ceil", true}));
}

int layers_global_average(builder *b, const char *name, int x) {
    return builder_node_of(b, "average_pool", name, x, BUILDER_OPTIONS({"global", true}));
}

int layers_add(builder *b, const char *name, int x, int y) {
    const int both[] = {x, y};
    return builder_node(b, "add", name, both, 2, NULL);
}
