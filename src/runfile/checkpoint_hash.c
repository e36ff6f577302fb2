/* The identity of trained parameters, and of the whole state of a run. */
#include "gyre/checkpoint.h"

#include "h5_reader.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

/* Chained: the hash so far is the seed of the next parameter's. */
static uint64_t chain(uint64_t hash, const float *values, size_t count) {
    return XXH3_64bits_withSeed(values, count * sizeof *values, hash);
}

/* One array after the other, each read as a whole: what gyre has written fits the file. */
static gyre_status hash_array(gyre_h5_reader *r, const gyre_h5_entry *e, uint64_t *hash) {
    size_t count = h5_count(e);
    if (count > gyre_h5_reader_size(r) / sizeof(float)) {
        char shape[128];
        gyre_h5_shape(e, shape, sizeof shape);
        return gyre_fail(GYRE_EIO, "'%s' is damaged: %s is %s, which its file cannot hold",
                         gyre_h5_reader_path(r), e->name, shape);
    }
    float *values = malloc(count * sizeof *values + 1);
    if (values == NULL) {
        return gyre_no_memory("the %zu values of %s", count, e->name);
    }
    gyre_status status = h5_read_floats(r, e, values, count);
    if (status == GYRE_OK) *hash = chain(*hash, values, count);
    free(values);
    return status;
}

static bool is_below(const gyre_h5_entry *e, const char *group) {
    return strncmp(e->name, group, strlen(group)) == 0;
}

/* The list is in the order in which they were written, which is that of the layers. */
static gyre_status hash_group(gyre_h5_reader *r, const char *group, const char *what,
                              uint64_t *hash) {
    size_t count = 0, found = 0;
    const gyre_h5_entry *list = gyre_h5_reader_list(r, &count);
    *hash = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_below(&list[i], group)) continue;
        GYRE_TRY(hash_array(r, &list[i], hash));
        found++;
    }
    if (found > 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' has no %s", gyre_h5_reader_path(r), what);
}

gyre_status gyre_checkpoint_hash(const char *path, uint64_t *out, int64_t *completed) {
    gyre_snapshot scalars;
    gyre_h5_reader *r = NULL;
    GYRE_TRY(gyre_checkpoint_scalars(path, &scalars));
    *completed = scalars.completed;
    GYRE_TRY(gyre_h5_reader_open(path, &r));
    gyre_status status = hash_group(r, "/parameters/", "parameters", out);
    gyre_h5_reader_close(r);
    return status;
}

/* What the next update and a score are made of; neither who wrote it nor what classes are called.
 */
static bool is_state(const gyre_h5_entry *e) {
    return e->kind != GYRE_H5_GROUP &&
           (is_below(e, "/parameters/") || is_below(e, "/optimizer/") || is_below(e, "/average/") ||
            is_below(e, "/averages/") || is_below(e, "/lookahead/") ||
            is_below(e, "/state/buffers/") || is_below(e, "/state/input/"));
}

/* Each array's name and then its values, so that none can stand for another. */
static gyre_status hash_state(gyre_h5_reader *r, int64_t completed, uint64_t *hash) {
    size_t count = 0;
    const gyre_h5_entry *list = gyre_h5_reader_list(r, &count);
    *hash = XXH3_64bits(&completed, sizeof completed);
    for (size_t i = 0; i < count; i++) {
        if (!is_state(&list[i])) continue;
        *hash = XXH3_64bits_withSeed(list[i].name, strlen(list[i].name), *hash);
        GYRE_TRY(hash_array(r, &list[i], hash));
    }
    return GYRE_OK;
}

gyre_status gyre_checkpoint_state_hash(const char *path, uint64_t *out) {
    gyre_snapshot scalars;
    gyre_h5_reader *r = NULL;
    GYRE_TRY(gyre_checkpoint_scalars(path, &scalars));
    GYRE_TRY(gyre_h5_reader_open(path, &r));
    gyre_status status = hash_state(r, scalars.completed, out);
    gyre_h5_reader_close(r);
    return status;
}

gyre_status gyre_checkpoint_average_hash(const char *path, uint64_t *out) {
    gyre_snapshot scalars;
    gyre_h5_reader *r = NULL;
    GYRE_TRY(gyre_checkpoint_scalars(path, &scalars));
    GYRE_TRY(gyre_h5_reader_open(path, &r));
    gyre_status status = hash_group(r, "/average/", "average of its weights", out);
    gyre_h5_reader_close(r);
    return status;
}

/* ---- of a file, or of a run folder's newest checkpoint */

static gyre_status hash_newest(const char *path, gyre_status (*hash)(const char *, uint64_t *),
                               uint64_t *out) {
    struct stat st;
    char *found = NULL;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        GYRE_TRY(gyre_checkpoint_newest(path, &found));
        if (found == NULL) return gyre_fail(GYRE_EIO, "'%s' holds no checkpoint", path);
        path = found;
    }
    gyre_status status = hash(path, out);
    free(found);
    return status;
}

static gyre_status hash_weights(const char *path, uint64_t *out) {
    int64_t completed = 0;
    return gyre_checkpoint_hash(path, out, &completed);
}

gyre_status gyre_newest_hash(const char *path, uint64_t *out) {
    return hash_newest(path, hash_weights, out);
}

gyre_status gyre_newest_state_hash(const char *path, uint64_t *out) {
    return hash_newest(path, gyre_checkpoint_state_hash, out);
}

gyre_status gyre_newest_average_hash(const char *path, uint64_t *out) {
    return hash_newest(path, gyre_checkpoint_average_hash, out);
}
