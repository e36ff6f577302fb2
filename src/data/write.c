/* Writing a dataset: everything is checked first, then one temporary file, seal, rename. */
#include "gyre/dataset.h"

#include "gyre/file.h"
#include "gyre/seal.h"
#include "labels.h"
#include "layout.h"
#include "write.h"
#include <errno.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- before */

gyre_status gyre_output_check(const char *path, bool force) {
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (exists && !S_ISREG(st.st_mode)) {
        return gyre_fail(GYRE_EIO, "'%s' exists and is no regular file", path);
    }
    if (exists && !force) {
        return gyre_fail(GYRE_EIO, "'%s' exists; --force replaces it", path);
    }
    char *dir = gyre_path_dir(path);
    if (dir == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to write '%s'", path);
    gyre_status status = GYRE_OK;
    if (access(dir, W_OK | X_OK) != 0) {
        status =
            gyre_fail(GYRE_EIO, "cannot write '%s': folder '%s': %s", path, dir, strerror(errno));
    }
    free(dir);
    return status;
}

static gyre_status check_part(const char *path, const char *name, const gyre_images *part,
                              const gyre_dataset_content *content) {
    const gyre_images *train = &content->train;
    if (part->count == 0) return GYRE_OK;
    if (part->h != train->h || part->w != train->w || part->c != train->c) {
        return gyre_fail(GYRE_EIO, "'%s': images of /%s are %d x %d x %d, of /train %d x %d x %d",
                         path, name, part->h, part->w, part->c, train->h, train->w, train->c);
    }
    return gyre_labels_check(path, name, part->labels, part->count, content->classes);
}

static gyre_status check_content(const char *path, const gyre_dataset_content *content) {
    const gyre_images *t = &content->train;
    bool sides = t->h >= 1 && t->h <= GYRE_SIDE_MAX && t->w >= 1 && t->w <= GYRE_SIDE_MAX;
    if (t->count < 1 || !sides || t->c < 1 || t->c > 4) {
        return gyre_fail(GYRE_EIO,
                         "'%s': %lld training images of %d x %d x %d cannot be a dataset: 1 or "
                         "more, with sides of 1 to %d and 1 to 4 channels",
                         path, (long long)t->count, t->h, t->w, t->c, GYRE_SIDE_MAX);
    }
    if (content->classes < 1 || content->classes > GYRE_CLASSES_MAX) {
        return gyre_fail(GYRE_EIO, "'%s': %d classes; 1 to %d were expected", path,
                         content->classes, GYRE_CLASSES_MAX);
    }
    GYRE_TRY(check_part(path, gyre_part_names[GYRE_PART_TRAIN], t, content));
    GYRE_TRY(
        check_part(path, gyre_part_names[GYRE_PART_VALIDATION], &content->validation, content));
    return check_part(path, gyre_part_names[GYRE_PART_TEST], &content->test, content);
}

/* ---- the HDF5 file. No times anywhere: equal contents are equal files. */

static void release(hid_t id) {
    if (id >= 0) H5Idec_ref(id);
}

static bool write_array(hid_t place, const char *name, hid_t type, int rank, const hsize_t *dims,
                        const void *data) {
    hid_t space = H5Screate_simple(rank, dims, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, false);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    hid_t id = H5Dcreate2(place, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = id >= 0 && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    release(id);
    release(list);
    release(space);
    return ok;
}

static bool write_part(hid_t file, int part, const gyre_images *p) {
    if (p->count == 0) return true;
    const hsize_t dims[] = {(hsize_t)p->count, (hsize_t)p->h, (hsize_t)p->w, (hsize_t)p->c};
    hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(list, false);
    hid_t group = H5Gcreate2(file, gyre_part_names[part], H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = group >= 0 && write_array(group, "images", H5T_STD_U8LE, 4, dims, p->images) &&
              write_array(group, "labels", H5T_STD_I32LE, 1, dims, p->labels);
    release(group);
    release(list);
    return ok;
}

/* Numbers where there are no names: they say how many classes there are. */
static bool write_names(hid_t file, const gyre_dataset_content *content) {
    const hsize_t count = (hsize_t)content->classes;
    char(*names)[GYRE_NAME_SIZE] = calloc(count, sizeof *names);
    if (names == NULL) return false;
    for (int i = 0; i < content->classes; i++) {
        if (content->names == NULL) {
            snprintf(names[i], GYRE_NAME_SIZE, "%d", i);
        } else {
            snprintf(names[i], GYRE_NAME_SIZE, "%s", content->names[i]);
        }
    }
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, GYRE_NAME_SIZE);
    H5Tset_cset(text, H5T_CSET_UTF8);
    bool ok = write_array(file, "names", text, 1, &count, names);
    release(text);
    free(names);
    return ok;
}

static gyre_status write_file(const char *path, const gyre_dataset_content *content) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_userblock(create, GYRE_SEAL_SIZE);
    H5Pset_obj_track_times(create, false);
    H5Pset_file_locking(access, 0, 1);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    release(create);
    release(access);
    if (file < 0) return gyre_fail(GYRE_EIO, "cannot create '%s'; is its folder writable?", path);
    bool ok = write_part(file, GYRE_PART_TRAIN, &content->train) &&
              write_part(file, GYRE_PART_VALIDATION, &content->validation) &&
              write_part(file, GYRE_PART_TEST, &content->test) && write_names(file, content);
    if (H5Fclose(file) < 0) ok = false;
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
}

gyre_status gyre_dataset_write(const char *path, const gyre_dataset_content *content, bool force) {
    char *temporary = NULL;
    GYRE_TRY(gyre_output_check(path, force));
    GYRE_TRY(check_content(path, content));
    if (asprintf(&temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) {
        return gyre_fail(GYRE_EDEVICE, "no memory to write '%s'", path);
    }
    gyre_status status = write_file(temporary, content);
    if (status == GYRE_OK) status = gyre_seal_write(temporary, "dataset");
    if (status == GYRE_OK) status = gyre_output_check(path, force); /* made by someone meanwhile? */
    if (status == GYRE_OK) status = gyre_file_commit(temporary, path);
    if (status != GYRE_OK) unlink(temporary);
    free(temporary);
    return status;
}

/* The library refuses to work with another version than the headers'. */
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *gyre_hdf5_version(void) {
    return TEXT(H5_VERS_MAJOR) "." TEXT(H5_VERS_MINOR) "." TEXT(H5_VERS_RELEASE);
}
