/* Which tensors are parameters, and which pools adaptive: dynamo's notes at the values and nodes of
 * a graph, and the list of buffers in to_gyre's files by TorchScript. The notes are of a newer
 * version of the format than gyre may have been built with, so their bytes are looked at. */
#include "origin.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "pkg.torch.export.graph_signature.InputSpec.kind";

/* An entry's value follows its key, as field 2 with its length. */
static bool has_kind(const uint8_t *bytes, size_t size, const char *kind) {
    const size_t length = strlen(kind);
    const uint8_t *at = memmem(bytes, size, key, sizeof key - 1);
    if (at == NULL) return false;
    at += sizeof key - 1;
    const size_t left = size - (size_t)(at - bytes);
    return left >= 2 + length && at[0] == 0x12 && at[1] == length &&
           memcmp(at + 2, kind, length) == 0;
}

/* All tensors that have names of PyTorch's network are parameters, but for those of the list. */
static void mark_by_list(onnx_import *m, const char *list) {
    cJSON *names = cJSON_Parse(list);
    if (!cJSON_IsArray(names)) {
        cJSON_Delete(names);
        return;
    }
    for (int i = 0; i < m->values.count; i++) {
        onnx_constant *k = m->values.list[i].constant;
        if (k == NULL) continue;
        k->trained = !k->integer && onnx_told_name(k) != NULL;
        m->marked = m->marked || k->trained;
    }
    for (const cJSON *n = names->child; n != NULL; n = n->next) {
        const onnx_value *v =
            cJSON_IsString(n) ? onnx_values_find(&m->values, n->valuestring) : NULL;
        if (v == NULL || v->constant == NULL) continue;
        v->constant->trained = false;
        v->constant->untrained = true;
        v->constant->kind = ONNX_NAME_TOLD;
    }
    cJSON_Delete(names);
}

static void mark_by_notes(onnx_import *m) {
    const Onnx__GraphProto *g = m->work.file->model->graph;
    for (size_t i = 0; i < g->n_value_info && m->work.status == GYRE_OK; i++) {
        const ProtobufCMessage *info = &g->value_info[i]->base;
        const char *name = g->value_info[i]->name;
        const onnx_value *v = name == NULL ? NULL : onnx_values_find(&m->values, name);
        if (v == NULL || v->kind != ONNX_CONSTANT) continue;
        const size_t size = protobuf_c_message_get_packed_size(info);
        uint8_t *bytes = onnx_take(&m->work, size + 1, 1);
        if (bytes == NULL) return;
        protobuf_c_message_pack(info, bytes);
        const bool buffer = has_kind(bytes, size, "BUFFER");
        v->constant->untrained = buffer || has_kind(bytes, size, "CONSTANT_TENSOR");
        v->constant->trained = has_kind(bytes, size, "PARAMETER");
        if (buffer || v->constant->trained) v->constant->kind = ONNX_NAME_TOLD;
        m->marked = m->marked || v->constant->trained;
    }
}

void onnx_origin_mark(onnx_import *m) {
    const char *list = onnx_file_note(m->work.file, "gyre_exchange.buffers");
    if (list != NULL)
        mark_by_list(m, list);
    else
        mark_by_notes(m);
}

/* ---- pools */

static bool has_one_of(const uint8_t *bytes, size_t size, const char *const *words) {
    for (; *words != NULL; words++) {
        if (memmem(bytes, size, *words, strlen(*words)) != NULL) return true;
    }
    return false;
}

/* By the module that dynamo notes, or the line of the network's code. */
onnx_pool_origin onnx_origin_of_pool(onnx_import *m, const Onnx__NodeProto *n) {
    static const char *const adaptive[] = {
        "pooling.AdaptiveAvgPool2d'", "pooling.AdaptiveMaxPool2d'", "F.adaptive_avg_pool2d(",
        "F.adaptive_max_pool2d(",     "functional.adaptive_",       NULL};
    static const char *const plain[] = {"pooling.AvgPool2d'", "pooling.MaxPool2d'", "F.avg_pool2d(",
                                        "F.max_pool2d(", NULL};
    const size_t size = protobuf_c_message_get_packed_size(&n->base);
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL) onnx_fail_memory(&m->work);
    if (bytes == NULL) return ONNX_POOL_UNTOLD;
    protobuf_c_message_pack(&n->base, bytes);
    const bool is_adaptive = has_one_of(bytes, size, adaptive);
    const bool is_plain = has_one_of(bytes, size, plain);
    free(bytes);
    return is_adaptive ? ONNX_POOL_ADAPTIVE : is_plain ? ONNX_POOL_PLAIN : ONNX_POOL_UNTOLD;
}
