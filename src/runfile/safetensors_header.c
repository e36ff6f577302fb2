/* Parses and checks the header; see safetensors_header.h. The JSON is
 * {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {...}}. */
#include "safetensors_header.h"

#include "gyre/size.h"
#include "json_scan.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int size;
} types[] = {
    {"F32", 4}, {"F16", 2}, {"BF16", 2},        {"F64", 8},         {"BOOL", 1},
    {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1},     {"F8_E4M3", 1},     {"F8_E8M0", 1},
    {"I16", 2}, {"U16", 2}, {"I32", 4},         {"U32", 4},         {"I64", 8},
    {"U64", 8}, {"C64", 8}, {"F8_E4M3FNUZ", 1}, {"F8_E5M2FNUZ", 1},
};

/* ---- one tensor */

static gyre_status read_type(json_scan *s, safetensors_tensor *t) {
    char name[32];
    const char *at = s->at;
    GYRE_TRY(json_scan_string(s, name, sizeof name));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) != 0) continue;
        t->type = types[i].name;
        t->element = types[i].size;
        return GYRE_OK;
    }
    s->at = at;
    return json_scan_expected(s, "a type of numbers, as \"F32\"");
}

static gyre_status read_shape(json_scan *s, safetensors_tensor *t) {
    bool first = true, more = false;
    GYRE_TRY(json_scan_need(s, '['));
    for (t->ndim = 0;; t->ndim++) {
        GYRE_TRY(json_scan_more(s, ']', &first, &more));
        if (!more) return GYRE_OK;
        if (t->ndim == GYRE_H5_NDIM_MAX) return json_scan_expected(s, "at most 8 dimensions");
        GYRE_TRY(json_scan_whole(s, &t->dims[t->ndim]));
    }
}

static gyre_status read_offsets(json_scan *s, safetensors_tensor *t) {
    GYRE_TRY(json_scan_need(s, '['));
    GYRE_TRY(json_scan_whole(s, &t->begin));
    GYRE_TRY(json_scan_need(s, ','));
    GYRE_TRY(json_scan_whole(s, &t->end));
    return json_scan_need(s, ']');
}

static gyre_status read_tensor(json_scan *s, safetensors_tensor *t) {
    static const struct {
        const char *key;
        gyre_status (*read)(json_scan *s, safetensors_tensor *t);
    } members[] = {{"dtype", read_type}, {"shape", read_shape}, {"data_offsets", read_offsets}};
    unsigned seen = 0;
    bool first = true, more = false;
    GYRE_TRY(json_scan_need(s, '{'));
    for (;;) {
        char key[32];
        unsigned i = 0;
        GYRE_TRY(json_scan_more(s, '}', &first, &more));
        if (!more) break;
        const char *at = s->at;
        GYRE_TRY(json_scan_string(s, key, sizeof key));
        while (i < 3 && strcmp(members[i].key, key) != 0) i++;
        if (i == 3 || (seen & 1U << i) != 0) {
            s->at = at;
            return json_scan_expected(s, "one each of \"dtype\", \"shape\" and \"data_offsets\"");
        }
        seen |= 1U << i;
        GYRE_TRY(json_scan_need(s, ':'));
        GYRE_TRY(members[i].read(s, t));
    }
    if (seen == 7) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': tensor '%s' lacks its %s", s->path, t->name,
                     (seen & 1) == 0   ? "\"dtype\""
                     : (seen & 2) == 0 ? "\"shape\""
                                       : "\"data_offsets\"");
}

/* ---- the header */

static gyre_status read_metadata(json_scan *s) {
    bool first = true, more = false;
    GYRE_TRY(json_scan_need(s, '{'));
    for (;;) {
        GYRE_TRY(json_scan_more(s, '}', &first, &more));
        if (!more) return GYRE_OK;
        for (int i = 0; i < 2; i++) {
            if (!json_scan_take(s, '"')) return json_scan_expected(s, "a text in quotes");
            s->at--;
            GYRE_TRY(json_scan_skip(s));
            if (i == 0) GYRE_TRY(json_scan_need(s, ':'));
        }
    }
}

static gyre_status add_tensor(json_scan *s, const char *name, safetensors_header *h, size_t *room) {
    if (h->count == GYRE_H5_ENTRIES_MAX) {
        return gyre_fail(GYRE_EIO, "'%s' holds more than the %d tensors that are read", s->path,
                         GYRE_H5_ENTRIES_MAX);
    }
    if (h->count == *room) {
        *room = gyre_size_double(*room, 64, h->count + 1);
        safetensors_tensor *more = realloc(h->tensors, gyre_size_of(*room, sizeof *more));
        if (more == NULL) return gyre_no_memory("reading '%s'", s->path);
        h->tensors = more;
    }
    safetensors_tensor *t = &h->tensors[h->count];
    *t = (safetensors_tensor){.name = strdup(name)};
    if (t->name == NULL) return gyre_no_memory("reading '%s'", s->path);
    h->count++;
    return read_tensor(s, t);
}

static gyre_status read_header(json_scan *s, safetensors_header *h) {
    size_t room = 0;
    bool first = true, more = false, metadata = false;
    GYRE_TRY(json_scan_need(s, '{'));
    for (;;) {
        char name[GYRE_H5_NAME_SIZE];
        GYRE_TRY(json_scan_more(s, '}', &first, &more));
        if (!more) return json_scan_end(s);
        GYRE_TRY(json_scan_string(s, name, sizeof name));
        GYRE_TRY(json_scan_need(s, ':'));
        if (strcmp(name, "__metadata__") != 0) {
            GYRE_TRY(add_tensor(s, name, h, &room));
            continue;
        }
        if (metadata) return gyre_fail(GYRE_EIO, "'%s' has two \"__metadata__\"", s->path);
        metadata = true;
        GYRE_TRY(read_metadata(s));
    }
}

/* ---- what all tensors together must be */

static int by_name(const void *a, const void *b) {
    const safetensors_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int by_place(const void *a, const void *b) {
    const safetensors_tensor *x = *(const safetensors_tensor *const *)a;
    const safetensors_tensor *y = *(const safetensors_tensor *const *)b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static gyre_status check_size(const char *path, const safetensors_tensor *t) {
    uint64_t bytes = (uint64_t)t->element;
    bool fits = true;
    for (int i = 0; i < t->ndim; i++) {
        fits = fits && !__builtin_mul_overflow(bytes, t->dims[i], &bytes);
    }
    if (fits && t->end >= t->begin && t->end - t->begin == bytes) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s': tensor '%s' of type %s lies at bytes %" PRIu64 " to %" PRIu64
                     ", which is not the size that its shape needs",
                     path, t->name, t->type, t->begin, t->end);
}

/* One behind the other, in whatever order the header names them. */
static gyre_status check_places(const char *path, safetensors_tensor *const *sorted, size_t count,
                                uint64_t data) {
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const safetensors_tensor *t = sorted[i];
        GYRE_TRY(check_size(path, t));
        if (t->begin != at) {
            return gyre_fail(GYRE_EIO,
                             "'%s': tensor '%s' begins at byte %" PRIu64 " of the data, %" PRIu64
                             " was expected: tensors %s",
                             path, t->name, t->begin, at,
                             t->begin < at ? "overlap" : "leave a gap");
        }
        at = t->end;
    }
    if (at == data) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO, "'%s' has %" PRIu64 " bytes of tensors, its header tells of %" PRIu64 ": it %s",
        path, data, at,
        data < at ? "was cut short; copy or download it again" : "holds something behind them");
}

static gyre_status check_together(const char *path, const safetensors_header *h, uint64_t data) {
    safetensors_tensor **sorted = calloc(h->count + 1, sizeof *sorted);
    gyre_status status = GYRE_OK;
    if (sorted == NULL) return gyre_no_memory("reading '%s'", path);
    for (size_t i = 0; i < h->count; i++) sorted[i] = &h->tensors[i];
    qsort(sorted, h->count, sizeof *sorted, by_name);
    for (size_t i = 1; i < h->count && status == GYRE_OK; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0) continue;
        status = gyre_fail(GYRE_EIO, "'%s' has two tensors '%s'", path, sorted[i]->name);
    }
    qsort(sorted, h->count, sizeof *sorted, by_place);
    if (status == GYRE_OK) status = check_places(path, sorted, h->count, data);
    free(sorted);
    return status;
}

gyre_status safetensors_header_parse(const char *path, const char *text, size_t size, uint64_t data,
                                     safetensors_header *out) {
    json_scan s = {.path = path, .begin = text, .at = text, .end = text + size};
    *out = (safetensors_header){0};
    gyre_status status = read_header(&s, out);
    if (status == GYRE_OK) status = check_together(path, out, data);
    if (status != GYRE_OK) safetensors_header_free(out);
    return status;
}

void safetensors_header_free(safetensors_header *h) {
    for (size_t i = 0; i < h->count; i++) free(h->tensors[i].name);
    free(h->tensors);
    *h = (safetensors_header){0};
}
