/* Which type an attribute has: of each name the same with all operators that gyre reads, but for
 * one. */
#include "attribute.h"

#include <string.h>

typedef Onnx__AttributeProto__AttributeType type;
#define TYPE(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

static const struct {
    const char *name;
    type type;
} expected[] = {
    {"align_corners", TYPE(INT)},
    {"allowzero", TYPE(INT)},
    {"alpha", TYPE(FLOAT)},
    {"approximate", TYPE(STRING)},
    {"auto_pad", TYPE(STRING)},
    {"axes", TYPE(INTS)},
    {"axis", TYPE(INT)},
    {"beta", TYPE(FLOAT)},
    {"bias", TYPE(FLOAT)},
    {"ceil_mode", TYPE(INT)},
    {"coordinate_transformation_mode", TYPE(STRING)},
    {"count_include_pad", TYPE(INT)},
    {"dilations", TYPE(INTS)},
    {"dtype", TYPE(INT)},
    {"else_branch", TYPE(GRAPH)},
    {"end", TYPE(INT)},
    {"ends", TYPE(INTS)},
    {"epsilon", TYPE(FLOAT)},
    {"gamma", TYPE(FLOAT)},
    {"group", TYPE(INT)},
    {"high", TYPE(FLOAT)},
    {"keepdims", TYPE(INT)},
    {"kernel_shape", TYPE(INTS)},
    {"low", TYPE(FLOAT)},
    {"max", TYPE(FLOAT)},
    {"min", TYPE(FLOAT)},
    {"mode", TYPE(STRING)},
    {"momentum", TYPE(FLOAT)},
    {"nearest_mode", TYPE(STRING)},
    {"noop_with_empty_axes", TYPE(INT)},
    {"num_groups", TYPE(INT)},
    {"pads", TYPE(INTS)},
    {"perm", TYPE(INTS)},
    {"ratio", TYPE(FLOAT)},
    {"scales", TYPE(FLOATS)},
    {"size", TYPE(INT)},
    {"split", TYPE(INTS)},
    {"start", TYPE(INT)},
    {"starts", TYPE(INTS)},
    {"strides", TYPE(INTS)},
    {"then_branch", TYPE(GRAPH)},
    {"to", TYPE(INT)},
    {"training_mode", TYPE(INT)},
    {"transA", TYPE(INT)},
    {"transB", TYPE(INT)},
    {"value_float", TYPE(FLOAT)},
    {"value_floats", TYPE(FLOATS)},
    {"value_int", TYPE(INT)},
    {"value_ints", TYPE(INTS)},
};

/* UNDEFINED: gyre does not read it. */
static type expected_of(const Onnx__NodeProto *n, const char *name) {
    if (strcmp(name, "value") == 0) /* of Pad before opset 11 */
        return strcmp(n->op_type, "Pad") == 0 ? TYPE(FLOAT) : TYPE(TENSOR);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (strcmp(expected[i].name, name) == 0) return expected[i].type;
    }
    return TYPE(UNDEFINED);
}

static const char *words_of(type t) {
    switch (t) {
    case TYPE(INT): return "a whole number";
    case TYPE(INTS): return "a list of whole numbers";
    case TYPE(FLOAT): return "a number";
    case TYPE(FLOATS): return "a list of numbers";
    case TYPE(STRING): return "a text";
    case TYPE(TENSOR): return "a tensor";
    case TYPE(GRAPH): return "a graph";
    default: return "of another type";
    }
}

/* The first type other than `right` of which it has a value, else that which it names. Writers of
 * some languages leave out zeros, and others write them for all types. */
static type found_in(const Onnx__AttributeProto *a, type right) {
    const struct {
        bool there;
        type type;
    } values[] = {{a->has_i && a->i != 0, TYPE(INT)},
                  {a->n_ints > 0, TYPE(INTS)},
                  {a->has_f && a->f != 0, TYPE(FLOAT)},
                  {a->n_floats > 0, TYPE(FLOATS)},
                  {a->has_s && a->s.len > 0, TYPE(STRING)},
                  {a->n_strings > 0, TYPE(STRINGS)},
                  {a->t != NULL, TYPE(TENSOR)},
                  {a->n_tensors > 0, TYPE(TENSORS)},
                  {a->g != NULL, TYPE(GRAPH)},
                  {a->n_graphs > 0, TYPE(GRAPHS)}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (values[i].there && values[i].type != right) return values[i].type;
    }
    return a->has_type ? a->type : right;
}

static gyre_status wrong(const char *path, const Onnx__NodeProto *n, const char *attribute,
                         const char *found, const char *wanted) {
    return gyre_fail(GYRE_EIO,
                     "'%s': the attribute %.60s of node '%.120s' (%.60s) is %s; %s was expected: "
                     "export it anew",
                     path, attribute, n->name == NULL ? "" : n->name, n->op_type, found, wanted);
}

gyre_status onnx_attributes_check(const char *path, const Onnx__NodeProto *n) {
    for (size_t i = 0; i < n->n_attribute; i++) {
        const Onnx__AttributeProto *a = n->attribute[i];
        const type right = a->name == NULL ? TYPE(UNDEFINED) : expected_of(n, a->name);
        if (right == TYPE(UNDEFINED)) continue;
        if (onnx_attribute(n, a->name) != a) return wrong(path, n, a->name, "there twice", "one");
        const type found = found_in(a, right);
        if (found != right) return wrong(path, n, a->name, words_of(found), words_of(right));
    }
    return GYRE_OK;
}
