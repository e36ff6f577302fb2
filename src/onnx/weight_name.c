/* Names by who made the file; see weight_name.h. PyTorch allows any character in them, also those
 * that exporters put into names of their own. */
#include "weight_name.h"

#include <string.h>

static bool is_number(const char *text) {
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* "PREFIX" or "PREFIX_3" */
static bool is_numbered(const char *name, const char *prefix) {
    const size_t length = strlen(prefix);
    if (strncmp(name, prefix, length) != 0) return false;
    return name[length] == '\0' || (name[length] == '_' && is_number(name + length + 1));
}

bool onnx_name_is_lost(const char *name) {
    if (strstr(name, "::") != NULL || is_numbered(name, "getitem")) return true;
    return strncmp(name, "val_", 4) == 0 && is_number(name + 4);
}

/* "onnx::Conv_193": weights that TorchScript folds or transposes. */
static bool is_folded(const char *name) {
    const char *end = strrchr(name, '_');
    return strncmp(name, "onnx::", 6) == 0 && end != NULL && is_number(end + 1);
}

/* "/layer1/Constant_output_0": a value, whose path begins at the network. */
static bool is_output(const char *name) {
    static const char tail[] = "_output";
    const char *end = strrchr(name, '_');
    const size_t length = sizeof tail - 1;
    return name[0] == '/' && end != NULL && is_number(end + 1) && (size_t)(end - name) > length &&
           memcmp(end - length, tail, length) == 0;
}

/* TorchScript's nodes have paths for names, and dynamo's have none; a few of them tell. */
static bool is_by_torchscript(const onnx_file *f) {
    enum { FEW = 64 };
    const Onnx__GraphProto *g = f->model->graph;
    for (size_t i = 0; i < g->n_node && i < FEW; i++) {
        if (g->node[i]->name != NULL && g->node[i]->name[0] == '/') return true;
    }
    return false;
}

static onnx_name_kind kind_by_torch(const onnx_file *f, const char *name) {
    if (is_output(name)) return ONNX_NAME_LITERAL;
    if (is_folded(name)) return ONNX_NAME_LOST;
    const bool lost = strstr(name, "::") == NULL && onnx_name_is_lost(name);
    return lost && !is_by_torchscript(f) ? ONNX_NAME_LOST : ONNX_NAME_TOLD;
}

/* gyre's own names are NODE/1, NODE/factor and NODE/weight; no node's name has a slash. */
static onnx_name_kind kind_by_gyre(const char *name) {
    const char *slash = strrchr(name, '/');
    if (slash == NULL) return ONNX_NAME_TOLD;
    const bool weight = strcmp(slash, "/weight") == 0 || strcmp(slash, "/bias") == 0;
    return weight ? ONNX_NAME_COMPUTED : ONNX_NAME_LITERAL;
}

onnx_name_kind onnx_name_kind_of(const onnx_file *f, const char *name) {
    if (onnx_file_is_by(f, "gyre")) return kind_by_gyre(name);
    if (onnx_file_is_by(f, "pytorch")) return kind_by_torch(f, name);
    if (strchr(name, '/') != NULL) return ONNX_NAME_LITERAL;
    return onnx_name_is_lost(name) ? ONNX_NAME_LOST : ONNX_NAME_TOLD;
}

const char *onnx_name_beside(const onnx_file *f, const Onnx__TensorProto *t) {
    const bool told =
        onnx_file_is_by(f, "gyre") && t->doc_string != NULL && t->doc_string[0] != '\0';
    return told ? t->doc_string : NULL;
}
