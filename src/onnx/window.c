/* Attributes of windows; see window.h. */
#include "window.h"

#include "attribute.h"
#include <limits.h>
#include <string.h>

int64_t onnx_window_extent(const onnx_window *o, int k) {
    return (o->size[k] - 1) * o->dilation[k] + 1;
}

/* `count` numbers of at least `least`, all `otherwise` where they are not given. */
static bool read_numbers(onnx_import *m, onnx_call *c, const char *name, int count, int64_t least,
                         int64_t otherwise, int64_t *out) {
    const Onnx__AttributeProto *a = onnx_attribute(c->node, name);
    const bool given = a != NULL && a->n_ints > 0;
    if (given && a->n_ints != (size_t)count) {
        onnx_refuse(m, c, "its %s are %zu numbers; %d were expected, for height and width", name,
                    a->n_ints, count);
        return false;
    }
    for (int i = 0; i < count; i++) {
        out[i] = given ? a->ints[i] : otherwise;
        if (out[i] >= least && out[i] <= INT_MAX) continue;
        onnx_refuse(m, c, "one of its %s is %lld; %lld to %d was expected", name, (long long)out[i],
                    (long long)least, INT_MAX);
        return false;
    }
    return true;
}

static bool read_size(onnx_import *m, onnx_call *c, const int64_t *filters, onnx_window *o) {
    if (filters != NULL && (filters[0] < 1 || filters[1] < 1)) {
        onnx_refuse(m, c, "its weights are filters of %lld x %lld pixels", (long long)filters[0],
                    (long long)filters[1]);
        return false;
    }
    if (filters != NULL) memcpy(o->size, filters, sizeof o->size);
    if (filters == NULL && onnx_attribute(c->node, "kernel_shape") == NULL) {
        onnx_refuse(m, c, "it has no kernel_shape, the size of its windows");
        return false;
    }
    int64_t said[2] = {o->size[0], o->size[1]};
    bool given = onnx_attribute(c->node, "kernel_shape") != NULL;
    if (given && !read_numbers(m, c, "kernel_shape", 2, 1, 1, said)) return false;
    if (filters != NULL && memcmp(said, filters, sizeof said) != 0) {
        onnx_refuse(
            m, c, "its kernel_shape is %lld x %lld, but its weights are filters of %lld x %lld",
            (long long)said[0], (long long)said[1], (long long)filters[0], (long long)filters[1]);
        return false;
    }
    memcpy(o->size, said, sizeof said);
    return true;
}

/* Padding that makes the output as large as the input divided by the stride. */
static void pad_same(onnx_window *o, const int64_t in[2], bool upper) {
    for (int k = 0; k < 2; k++) {
        int64_t out = (in[k] + o->stride[k] - 1) / o->stride[k];
        int64_t all = (out - 1) * o->stride[k] + onnx_window_extent(o, k) - in[k];
        if (all < 0) all = 0;
        o->pad[WINDOW_TOP + k] = upper ? all / 2 : all - all / 2;
        o->pad[WINDOW_BOTTOM + k] = all - o->pad[WINDOW_TOP + k];
    }
}

/* auto_pad, which pads beside it may only repeat. */
static bool pad_automatically(onnx_import *m, onnx_call *c, const int64_t in[2], onnx_window *o) {
    static const char *const modes[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
    int64_t given[4];
    int mode = 0;
    const Onnx__AttributeProto *pads = onnx_attribute(c->node, "pads");
    if (onnx_attribute(c->node, "auto_pad") == NULL) return true;
    while (mode < 4 && !onnx_is_text(c->node, "auto_pad", modes[mode])) mode++;
    if (mode == 4) {
        onnx_refuse(m, c, "its auto_pad is none of NOTSET, VALID, SAME_UPPER and SAME_LOWER");
        return false;
    }
    if (mode == 0) return true;
    memcpy(given, o->pad, sizeof given);
    memset(o->pad, 0, sizeof o->pad);
    if (mode > 1) pad_same(o, in, mode == 2);
    if (pads == NULL || pads->n_ints == 0 || memcmp(given, o->pad, sizeof given) == 0) return true;
    onnx_refuse(
        m, c,
        "its auto_pad %s means the pads %lld %lld %lld %lld, and its pads are %lld %lld %lld "
        "%lld; one of the two attributes was expected",
        modes[mode], (long long)o->pad[0], (long long)o->pad[1], (long long)o->pad[2],
        (long long)o->pad[3], (long long)given[0], (long long)given[1], (long long)given[2],
        (long long)given[3]);
    return false;
}

bool onnx_window_read(onnx_import *m, onnx_call *c, const int64_t in[2], const int64_t *filters,
                      onnx_window *o) {
    if (!read_size(m, c, filters, o) || !read_numbers(m, c, "strides", 2, 1, 1, o->stride) ||
        !read_numbers(m, c, "dilations", 2, 1, 1, o->dilation) ||
        !read_numbers(m, c, "pads", 4, 0, 0, o->pad)) {
        return false;
    }
    for (int k = 0; k < 2; k++) {
        if (onnx_window_extent(o, k) <= INT32_MAX) continue;
        onnx_refuse(m, c, "its window spans %lld pixels; gyre's largest spans 2^31 - 1",
                    (long long)onnx_window_extent(o, k));
        return false;
    }
    return pad_automatically(m, c, in, o);
}
