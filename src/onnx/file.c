/* Reading the messages of an ONNX file. protobuf-c takes nested messages by recursion and allocates
 * what the bytes ask for; so the bytes are walked first, by its own descriptors, for lengths that
 * leave their message and for depth, and what it allocates is counted. */
#include "file.h"

#include "gyre/file.h"
#include "gyre/size.h"
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 32,         /* of messages in messages; a graph without subgraphs needs 8 */
    MEMORY_BASE = 64 << 20, /* bytes that a file of any size may ask for */
    MEMORY_FACTOR = 16      /* and so many for each of its bytes */
};
#define FILE_MAX ((size_t)INT32_MAX) /* protobuf's own limit of a message */

/* ---- walking the bytes */

typedef struct {
    const uint8_t *at, *end;
} span;

static bool take_varint(span *s, uint64_t *out) {
    *out = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (s->at == s->end) return false;
        uint8_t byte = *s->at++;
        if (shift < 64) *out |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return true;
    }
    return false;
}

static bool take_bytes(span *s, uint64_t count, span *out) {
    if (count > (uint64_t)(s->end - s->at)) return false;
    *out = (span){s->at, s->at + count};
    s->at += count;
    return true;
}

/* What is wrong with the message's bytes, or NULL. */
static const char *walk(span s, const ProtobufCMessageDescriptor *type, int depth) {
    static const char *const cut = "it is cut short or damaged";
    if (depth > DEPTH_MAX) return "its messages nest too deeply";
    while (s.at < s.end) {
        uint64_t key = 0, number = 0;
        span part = {0};
        if (!take_varint(&s, &key)) return cut;
        uint64_t id = key >> 3;
        if (id == 0 || id > (1U << 29) - 1) return cut;
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)id);
        switch (key & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            if (!take_varint(&s, &number)) return cut;
            break;
        case PROTOBUF_C_WIRE_TYPE_64BIT:
            if (!take_bytes(&s, 8, &part)) return cut;
            break;
        case PROTOBUF_C_WIRE_TYPE_32BIT:
            if (!take_bytes(&s, 4, &part)) return cut;
            break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
            if (!take_varint(&s, &number) || !take_bytes(&s, number, &part)) return cut;
            if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE) break;
            const char *wrong = walk(part, field->descriptor, depth + 1);
            if (wrong != NULL) return wrong;
            break;
        default: return cut;
        }
    }
    return NULL;
}

/* ---- memory */

/* Blocks begin with their size, so that freeing gives it back. */
typedef union {
    size_t bytes;
    max_align_t aligned;
} block;

static void *allocate(void *context, size_t size) {
    onnx_file *f = context;
    size_t bytes = 0;
    if (!gyre_size_add(size, sizeof(block), &bytes) || bytes > f->left) return NULL;
    block *b = malloc(bytes);
    f->out_of_memory |= b == NULL;
    if (b == NULL) return NULL;
    f->left -= bytes;
    b->bytes = bytes;
    return b + 1;
}

static void release(void *context, void *memory) {
    onnx_file *f = context;
    if (memory == NULL) return;
    block *b = (block *)memory - 1;
    f->left += b->bytes;
    free(b);
}

/* ---- the file */

static gyre_status damaged(const char *path, const char *why) {
    return gyre_fail(
        GYRE_EIO, "'%s' was expected to be an ONNX file, but %s; export it anew, or copy it anew",
        path, why);
}

static gyre_status unpack(onnx_file *f, const uint8_t *bytes, size_t size) {
    const char *wrong = size == 0
                            ? "it is empty"
                            : walk((span){bytes, bytes + size}, &onnx__model_proto__descriptor, 0);
    if (wrong != NULL) return damaged(f->path, wrong);
    f->left = MEMORY_BASE + MEMORY_FACTOR * size;
    f->allocator = (ProtobufCAllocator){allocate, release, f};
    f->model = onnx__model_proto__unpack(&f->allocator, size, bytes);
    if (f->model == NULL && f->out_of_memory) return gyre_no_memory("reading '%s'", f->path);
    if (f->model == NULL) return damaged(f->path, "its messages are damaged");
    if (f->model->graph == NULL) return damaged(f->path, "it has no graph");
    return GYRE_OK;
}

gyre_status onnx_file_open(const char *path, onnx_file **out) {
    gyre_status status = GYRE_OK;
    char *bytes = NULL;
    size_t size = 0;
    onnx_file *f = calloc(1, sizeof *f);
    if (f == NULL || (f->path = strdup(path)) == NULL) {
        status = gyre_no_memory("reading '%s'", path);
        goto out;
    }
    GYRE_GOTO(gyre_file_read(path, FILE_MAX, &bytes, &size));
    GYRE_GOTO(unpack(f, (const uint8_t *)bytes, size));
    *out = f;
    f = NULL;
out:
    free(bytes);
    onnx_file_close(f);
    return status;
}

void onnx_file_close(onnx_file *f) {
    if (f == NULL) return;
    if (f->model != NULL) onnx__model_proto__free_unpacked(f->model, &f->allocator);
    free(f->path);
    free(f);
}

const char *onnx_file_note(const onnx_file *f, const char *key) {
    const Onnx__ModelProto *p = f->model;
    for (size_t i = 0; i < p->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *e = p->metadata_props[i];
        if (e->key != NULL && e->value != NULL && strcmp(e->key, key) == 0) return e->value;
    }
    return NULL;
}

bool onnx_file_is_by(const onnx_file *f, const char *producer) {
    const char *name = f->model->producer_name;
    return name != NULL && strcmp(name, producer) == 0;
}
