/* Contexts in memory, as floats; see contexts.h. */
#include "contexts.h"

#include "gyre/size.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static gyre_status check_alike(const data_source *a, const data_source *b) {
    const data_layout *l = &a->layout, *m = &b->layout;
    if (l->contexts == m->contexts && l->tokens == m->tokens &&
        l->context_channels == m->context_channels) {
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EIO, "'%s' has %lld contexts of %d x %d, '%s' has %lld of %d x %d",
                     a->path, (long long)l->contexts, l->tokens, l->context_channels, b->path,
                     (long long)m->contexts, m->tokens, m->context_channels);
}

/* A row of a file's table, by way of `room`. */
static gyre_status read_row(const data_source *s, int64_t row, void *room, float *out) {
    const data_layout *l = &s->layout;
    const size_t values = (size_t)l->tokens * (size_t)l->context_channels;
    const uint64_t bytes = data_layout_context(l);
    GYRE_TRY(data_source_read(s, l->contexts_at + (uint64_t)row * bytes, room, bytes));
    gyre_element_floats(l->context_element, room, values, out);
    for (size_t i = 0; i < values; i++) {
        if (isfinite(out[i])) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s': /contexts[%lld] holds %g; every value must be a finite number",
                         s->path, (long long)row, (double)out[i]);
    }
    return GYRE_OK;
}

static gyre_status read_tables(const data_source *sources, int count, void *room, float *row,
                               float *out) {
    const data_layout *l = &sources[0].layout;
    const size_t values = (size_t)l->tokens * (size_t)l->context_channels;
    for (int64_t i = 0; i < l->contexts; i++) {
        GYRE_TRY(read_row(&sources[0], i, room, out + (size_t)i * values));
        for (int k = 1; k < count; k++) {
            GYRE_TRY(read_row(&sources[k], i, room, row));
            if (memcmp(row, out + (size_t)i * values, values * sizeof *row) == 0) continue;
            return gyre_fail(GYRE_EIO, "'%s': /contexts[%lld] is another one than in '%s'",
                             sources[k].path, (long long)i, sources[0].path);
        }
    }
    return GYRE_OK;
}

gyre_status data_contexts_read(const data_source *sources, int count, gyre_contexts *out,
                               float **values) {
    const data_layout *l = &sources[0].layout;
    const size_t row = gyre_size_of((size_t)l->tokens * (size_t)l->context_channels, sizeof(float));
    *out = (gyre_contexts){0};
    for (int i = 1; i < count; i++) GYRE_TRY(check_alike(&sources[i], &sources[0]));
    if (l->contexts == 0) return GYRE_OK;
    *values = malloc(gyre_size_of((size_t)l->contexts, row));
    void *room = malloc(row);
    float *other = malloc(row);
    gyre_status status = *values && room && other
                             ? read_tables(sources, count, room, other, *values)
                             : gyre_no_memory("%lld contexts", (long long)l->contexts);
    free(room);
    free(other);
    if (status == GYRE_OK) {
        *out = (gyre_contexts){(int)l->contexts, l->tokens, l->context_channels, *values};
    }
    return status;
}

gyre_status data_contexts_check(const char *path, const char *part, const int32_t *contexts,
                                int64_t count, const gyre_contexts *table) {
    for (int64_t i = 0; i < count; i++) {
        if (contexts[i] >= 0 && contexts[i] < table->count) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s': /%s/contexts[%lld] is %d; expected is a row of /contexts, 0 to %d",
                         path, part, (long long)i, contexts[i], table->count - 1);
    }
    return GYRE_OK;
}
