/* Chooses between the two kinds; see weights_file.h. */
#include "weights_file.h"

#include "h5_reader.h"
#include <stdio.h>
#include <string.h>

/* PyTorch's own files are Python programs in disguise, or zip files of such. */
static gyre_status refuse_pickle(const char *path) {
    static const char *const heads[] = {"PK\003\004", "\x80\002"};
    char head[5] = "";
    FILE *f = fopen(path, "r");
    if (f == NULL) return GYRE_OK;
    size_t got = fread(head, 1, sizeof head - 1, f);
    fclose(f);
    for (size_t i = 0; i < 2; i++) {
        if (got < 4 || strncmp(head, heads[i], strlen(heads[i])) != 0) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s' is a file of torch.save, which only Python reads; write "
                         "the state_dict with safetensors.torch.save_file",
                         path);
    }
    return GYRE_OK;
}

gyre_status weights_file_open(const char *path, weights_file *out) {
    *out = (weights_file){0};
    if (gyre_safetensors_is(path)) return gyre_safetensors_open(path, &out->tensors);
    GYRE_TRY(refuse_pickle(path));
    return gyre_h5_reader_open(path, &out->h5);
}

void weights_file_close(weights_file *f) {
    gyre_h5_reader_close(f->h5);
    gyre_safetensors_close(f->tensors);
    *f = (weights_file){0};
}

const gyre_h5_entry *weights_file_list(const weights_file *f, size_t *count) {
    if (f->tensors != NULL) return gyre_safetensors_list(f->tensors, count);
    return gyre_h5_reader_list(f->h5, count);
}

static const gyre_h5_entry *find_tensor(const weights_file *f, const char *name) {
    size_t count = 0;
    const gyre_h5_entry *entries = gyre_safetensors_list(f->tensors, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].name, name) == 0) return &entries[i];
    }
    return NULL;
}

static const gyre_h5_entry *find_dataset(const weights_file *f, const char *group,
                                         const char *name) {
    char path[GYRE_H5_NAME_SIZE];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return gyre_h5_reader_find(f->h5, path);
}

const gyre_h5_entry *weights_file_find(const weights_file *f, const char *name, bool statistic) {
    const gyre_h5_entry *e = NULL;
    if (f->tensors != NULL) return find_tensor(f, name);
    if (statistic) e = find_dataset(f, "/state/buffers", name);
    return e != NULL ? e : find_dataset(f, "/parameters", name);
}

gyre_status weights_file_read(const weights_file *f, const gyre_h5_entry *e, float *out,
                              size_t count) {
    if (f->tensors != NULL) return gyre_safetensors_read(f->tensors, e, out, count);
    return h5_read_floats(f->h5, e, out, count);
}
