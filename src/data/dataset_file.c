/* A dataset file: opened, sealed or probed, its layout held against its length. */
#include "dataset_file.h"

#include "gyre/alive.h"
#include "gyre/child.h"
#include "gyre/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIECE = 1 << 20 };

static gyre_status open_file(data_source *s) {
    struct stat st = {0};
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would wait for a writer */
    if (s->fd < 0) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", s->path, strerror(errno));
    if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
        return gyre_fail(GYRE_EIO, "'%s' is %s, a dataset file was expected", s->path,
                         S_ISDIR(st.st_mode)   ? "a folder"
                         : S_ISREG(st.st_mode) ? "empty"
                                               : "no regular file");
    }
    s->size = (uint64_t)st.st_size;
    return GYRE_OK;
}

gyre_status data_source_read(const data_source *s, uint64_t offset, void *out, size_t size) {
    return gyre_file_read_at(s->fd, s->path, offset, out, size);
}

/* HDF5's signature stands at the begin of a file, or behind a user block of 512 bytes, 1024, 2048
 * and so on. Without its seal, a file of gyre's is damaged. */
static gyre_status check_signature(const data_source *s) {
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    enum { SIGNATURE = sizeof signature - 1 };
    char found[SIGNATURE];
    for (uint64_t at = 0; s->size >= SIGNATURE && at <= s->size - SIGNATURE;
         at = at == 0 ? GYRE_SEAL_SIZE : 2 * at) {
        GYRE_TRY(data_source_read(s, at, found, SIGNATURE));
        if (memcmp(found, signature, SIGNATURE) != 0) continue;
        if (at == 0) return GYRE_OK;
        return gyre_fail(GYRE_EIO,
                         "'%s' %shas another program's user block of %llu bytes; `h5unjam -i FILE "
                         "-o NEW.h5 --delete` (hdf5-tools) writes it without",
                         s->path,
                         at == GYRE_SEAL_SIZE ? "is damaged in its first 512 bytes, or " : "",
                         (unsigned long long)at);
    }
    return gyre_fail(GYRE_EIO,
                     "'%s' is not an HDF5 file; `gyre data import` makes datasets out of others",
                     s->path);
}

/* A right checksum is no signature: a child process reads what lies in the file even then. */
static gyre_status read_layout(data_source *s, bool whole) {
    bool sealed = false;
    if (whole) GYRE_TRY(gyre_seal_check(s->path, "dataset", &sealed));
    GYRE_TRY(gyre_seal_read(s->path, "dataset", &s->seal));
    if (!s->seal.sealed) GYRE_TRY(check_signature(s));
    return data_layout_probe(s->path, gyre_child_seconds(0), &s->layout);
}

/* `count` things of `each` bytes lie at `offset` inside the file. */
static gyre_status check_extent(const data_source *s, const char *part, const char *name,
                                uint64_t offset, int64_t count, uint64_t each) {
    uint64_t room = offset < s->size ? s->size - offset : 0;
    if ((uint64_t)count <= room / each) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' is cut short: /%s%s needs %lld x %llu bytes from byte %llu on, the file "
                     "ends at %llu",
                     s->path, part, name, (long long)count, (unsigned long long)each,
                     (unsigned long long)offset, (unsigned long long)s->size);
}

static gyre_status check_extents(const data_source *s) {
    const data_layout *l = &s->layout;
    for (int i = 0; i < DATA_PARTS; i++) {
        const data_layout_part *p = &l->parts[i];
        if (p->count == 0) continue;
        const char *part = data_part_names[i];
        GYRE_TRY(check_extent(s, part,
                              p->latents                      ? "/latents"
                              : p->element == GYRE_ELEMENT_U8 ? "/images"
                                                              : "/arrays",
                              p->images, p->count, data_layout_row(p)));
        GYRE_TRY(check_extent(s, part, gyre_target_is_label(&p->target) ? "/labels" : "/targets",
                              p->targets, p->count, data_layout_target(p)));
    }
    if (l->contexts > 0) {
        GYRE_TRY(
            check_extent(s, "contexts", "", l->contexts_at, l->contexts, data_layout_context(l)));
    }
    if (l->names == 0) return GYRE_OK;
    return check_extent(s, "names", "", l->names_at, l->names, (uint64_t)l->name_size);
}

gyre_status data_source_open(const char *path, bool whole, data_source *out) {
    gyre_status status = GYRE_OK;
    *out = (data_source){.fd = -1, .path = strdup(path)};
    if (out->path == NULL) {
        status = gyre_no_memory("opening '%s'", path);
        goto out;
    }
    GYRE_GOTO(open_file(out));
    GYRE_GOTO(read_layout(out, whole));
    status = check_extents(out);
out:
    if (status != GYRE_OK) data_source_close(out);
    return status;
}

void data_source_close(data_source *s) {
    if (s->path == NULL) return;
    if (s->fd >= 0) close(s->fd);
    free(s->path);
    *s = (data_source){0};
}

/* ---- the content */

static gyre_status hash_bytes(XXH3_state_t *state, const data_source *s, uint64_t offset,
                              uint64_t size, uint8_t *piece) {
    for (uint64_t done = 0; done < size;) {
        size_t next = size - done < PIECE ? (size_t)(size - done) : PIECE;
        GYRE_TRY(data_source_read(s, offset + done, piece, next));
        XXH3_64bits_update(state, piece, next);
        gyre_alive();
        done += next;
    }
    return GYRE_OK;
}

/* What a part of pictures with one label each does not have: such hashes stay as they were. */
static void hash_kind(XXH3_state_t *state, const data_layout_part *p) {
    const gyre_target *t = &p->target;
    const int64_t kind[] = {p->element, p->target_stored, t->h, t->w, t->c, t->classes};
    if (p->element == GYRE_ELEMENT_U8 && gyre_target_is_label(t)) return;
    XXH3_64bits_update(state, kind, sizeof kind);
    if (p->latents) XXH3_64bits_update(state, "latents", sizeof "latents");
}

static gyre_status hash_part(XXH3_state_t *state, const data_source *sources, int count, int part,
                             uint8_t *piece) {
    const data_layout_part *first = &sources[0].layout.parts[DATA_PART_TRAIN];
    int64_t shape[] = {part, 0, first->h, first->w, first->c};
    for (int i = 0; i < count; i++) shape[1] += sources[i].layout.parts[part].count;
    if (shape[1] == 0) return GYRE_OK;
    XXH3_64bits_update(state, shape, sizeof shape);
    hash_kind(state, first);
    for (int i = 0; i < count; i++) {
        const data_layout_part *p = &sources[i].layout.parts[part];
        uint64_t bytes = (uint64_t)p->count * data_layout_row(p);
        GYRE_TRY(hash_bytes(state, &sources[i], p->images, bytes, piece));
    }
    for (int i = 0; i < count; i++) {
        const data_layout_part *p = &sources[i].layout.parts[part];
        uint64_t bytes = (uint64_t)p->count * data_layout_target(p);
        GYRE_TRY(hash_bytes(state, &sources[i], p->targets, bytes, piece));
    }
    return GYRE_OK;
}

/* Of the first file: the others have the same ones. */
static gyre_status hash_contexts(XXH3_state_t *state, const data_source *s, uint8_t *piece) {
    const data_layout *l = &s->layout;
    const int64_t shape[] = {l->contexts, l->tokens, l->context_channels, l->context_element};
    if (l->contexts == 0) return GYRE_OK;
    XXH3_64bits_update(state, shape, sizeof shape);
    return hash_bytes(state, s, l->contexts_at, (uint64_t)l->contexts * data_layout_context(l),
                      piece);
}

gyre_status data_source_hash(const data_source *sources, int count, uint64_t *out) {
    gyre_status status = GYRE_OK;
    XXH3_state_t *state = XXH3_createState();
    uint8_t *piece = malloc(PIECE);
    if (state == NULL || piece == NULL || XXH3_64bits_reset(state) != XXH_OK) {
        status = gyre_no_memory("hashing a dataset");
        goto out;
    }
    for (int part = 0; part < DATA_PARTS; part++) {
        GYRE_GOTO(hash_part(state, sources, count, part, piece));
    }
    GYRE_GOTO(hash_contexts(state, &sources[0], piece));
    *out = XXH3_64bits_digest(state);
    if (*out == 0) *out = 1; /* 0 means: not known */
out:
    free(piece);
    XXH3_freeState(state);
    return status;
}
