/* Folders of pictures: listed, numbered and split by their names, then read on all cores into a
 * file that already has a place for each of them. What could not be read is told at the end, in the
 * order of names. */
#include "gyre/import.h"

#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "import_threads.h"
#include <stdlib.h>
#include <string.h>

/* ---- before */

static gyre_status check_options(const gyre_folder_options *o) {
    bool sides = o->h >= 0 && o->w >= 0 && o->h <= DATA_SIDE_MAX && o->w <= DATA_SIDE_MAX;
    if (!sides || (o->h == 0) != (o->w == 0)) {
        return gyre_fail(GYRE_EUSAGE, "--size %dx%d: sides of 1 to %d pixels were expected", o->h,
                         o->w, DATA_SIDE_MAX);
    }
    if (o->c != 1 && o->c != 3) {
        return gyre_fail(GYRE_EUSAGE, "--channels %d: 3 (RGB) or 1 (gray) was expected", o->c);
    }
    if (o->split >= 0 && o->split < 1) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--split %g: a part of the pictures, above 0 and below 1, was expected",
                     o->split);
}

/* "; pictures among them, to be converted to PNG or JPEG: 300 .webp, 2 .gif" */
static const char *formats_text(const data_listing *l, char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; i < DATA_OTHER_FORMATS; i++) {
        if (l->formats[i] == 0) continue;
        gyre_text_add(out, size, "%s%zu %s",
                      out[0] == '\0' ? "; pictures among them, to be converted to PNG or JPEG: "
                                     : ", ",
                      l->formats[i], data_other_formats[i]);
    }
    return out;
}

static gyre_status no_pictures(const char *dir, const data_listing *l) {
    char name[256], formats[400];
    if (l->others == 0) return gyre_fail(GYRE_EIO, "'%s' holds no pictures", dir);
    gyre_text_visible(l->other, name, sizeof name);
    return gyre_fail(GYRE_EIO,
                     "'%s' holds no pictures: none of its %zu files, the first is '%s', has a name "
                     "that ends in .jpg, .jpeg or .png%s",
                     dir, l->others, name, formats_text(l, formats, sizeof formats));
}

static void tell_what_is_passed_over(const data_listing *l) {
    char name[256], formats[400];
    if (l->others > 0) {
        gyre_text_visible(l->other, name, sizeof name);
        gyre_warn(
            "files passed over, whose names do not end as a JPEG's or PNG's: %zu, the first is "
            "'%s'%s",
            l->others, name, formats_text(l, formats, sizeof formats));
    }
    if (l->hollow > 0) {
        gyre_text_visible(l->hollow_name, name, sizeof name);
        gyre_warn("empty folders, which make no class: %zu, the first is '%s'", l->hollow, name);
    }
    if (l->repeats > 0) {
        gyre_text_visible(l->repeat, name, sizeof name);
        gyre_warn("links passed over, to folders that are read already: %zu, the first is '%s'",
                  l->repeats, name);
    }
}

static gyre_status list(const char *dir, const gyre_folder_options *o, data_listing *l) {
    if (o->labels != NULL) {
        GYRE_TRY(data_listing_by_csv(dir, o->labels, o->no_parts, l));
    } else {
        GYRE_TRY(data_listing_walk(dir, l));
        if (l->count == 0) return no_pictures(dir, l);
        GYRE_TRY(data_listing_by_folder(dir, o->no_parts, l));
    }
    GYRE_TRY(data_listing_number(l));
    if (o->split > 0) GYRE_TRY(data_listing_split(l, o->split, o->seed));
    data_listing_place(l);
    tell_what_is_passed_over(l);
    return GYRE_OK;
}

/* With --force the output may be anything that is there, but not what is to be read. */
static gyre_status check_output(const char *dir, const char *output, const gyre_folder_options *o,
                                const data_listing *l) {
    gyre_status status = GYRE_OK;
    if (!gyre_file_exists(output)) return GYRE_OK;
    if (o->labels != NULL) GYRE_TRY(data_output_apart(output, o->labels));
    if (data_is_picture_name(output)) {
        return gyre_fail(GYRE_EUSAGE,
                         "the output '%s' is there and has a picture's name; a dataset was "
                         "expected, give a name like photos.h5 after -o",
                         output);
    }
    for (size_t i = 0; i < l->count && status == GYRE_OK; i++) {
        char *path = gyre_path_join(dir, l->files[i].path);
        if (path == NULL) return gyre_no_memory("reading a picture");
        status = data_output_apart(output, path);
        free(path);
    }
    return status;
}

/* Without --size: that of the first picture that has one. */
static gyre_status find_size(const char *dir, data_listing *l, data_picture_form *form) {
    for (size_t i = 0; i < l->count && form->h == 0; i++) {
        if (l->files[i].problem != NULL) continue;
        char *path = gyre_path_join(dir, l->files[i].path);
        if (path == NULL) return gyre_no_memory("reading a picture");
        gyre_status status = data_picture_size(path, &form->h, &form->w);
        free(path);
        if (status == GYRE_EIO) status = data_listed_fail(&l->files[i]);
        GYRE_TRY(status);
    }
    if (form->h <= DATA_SIDE_MAX && form->w <= DATA_SIDE_MAX) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "the first picture has %d x %d pixels; images of a dataset have sides of at "
                     "most %d: --size makes them smaller",
                     form->h, form->w, DATA_SIDE_MAX);
}

/* ---- after */

/* The first of them by name, so that a wrong folder does not scroll everything else away. */
static size_t tell_problems(const data_listing *l) {
    enum { TOLD = 10 };
    size_t problems = 0;
    for (size_t i = 0; i < l->count; i++) {
        const data_listed *file = &l->files[i];
        char name[1024];
        if (file->problem == NULL || problems++ >= TOLD) continue;
        gyre_text_visible(file->path, name, sizeof name);
        gyre_say("left out: '%s' %s", name, file->problem);
    }
    if (problems > TOLD) gyre_say("left out: and %zu more", problems - TOLD);
    return problems;
}

/* How many classes have a training picture; the last of them is *last. */
static int count_learnable(const data_listing *l, const int64_t *pictures, int *last) {
    int count = 0;
    for (int k = 0; k < l->classes; k++) {
        if (pictures[k] == 0) continue;
        *last = k;
        count++;
    }
    return count;
}

static gyre_status check_classes(const char *dir, const data_listing *l, const int64_t *pictures) {
    int last = 0, learnable = count_learnable(l, pictures, &last);
    if (learnable == 0) {
        return gyre_fail(GYRE_EIO, "none of the training pictures in '%s' can be read (see above)",
                         dir);
    }
    if (learnable == 1) {
        return gyre_fail(GYRE_EIO,
                         "only one of %d classes in '%s', '%s', has training pictures that can be "
                         "read: there is nothing to tell apart. Give another class some",
                         l->classes, dir, l->names[last]);
    }
    return GYRE_OK;
}

static gyre_status check_pictures(const char *dir, const data_listing *l, bool strict) {
    gyre_status status = GYRE_OK;
    int64_t *pictures = calloc((size_t)l->classes, sizeof *pictures);
    if (pictures == NULL) return gyre_no_memory("%d classes", l->classes);
    for (size_t i = 0; i < l->count; i++) {
        const data_listed *file = &l->files[i];
        if (file->problem == NULL && file->part == DATA_PART_TRAIN) pictures[file->label]++;
    }
    size_t problems = tell_problems(l);
    if (strict && problems > 0) {
        status = gyre_fail(GYRE_EIO,
                           "%zu of %zu pictures in '%s' cannot be used (see above); without "
                           "--strict they are left out",
                           problems, l->count, dir);
        goto out;
    }
    GYRE_GOTO(check_classes(dir, l, pictures));
    if (problems > 0) gyre_warn("pictures left out: %zu of %zu", problems, l->count);
out:
    free(pictures);
    return status;
}

static gyre_status finish(data_rows *rows, const data_listing *l) {
    gyre_status status = GYRE_OK;
    int32_t *labels[DATA_PARTS] = {0};
    for (int part = 0; part < DATA_PARTS; part++) {
        size_t count = (size_t)l->counts[part];
        labels[part] = malloc(count * sizeof **labels + 1);
        if (labels[part] == NULL) {
            status = gyre_no_memory("%zu labels", count);
            goto out;
        }
        for (size_t i = 0; i < count; i++) labels[part][i] = DATA_NO_ROW;
    }
    for (size_t i = 0; i < l->count; i++) {
        const data_listed *file = &l->files[i];
        if (file->problem == NULL) labels[file->part][file->row] = file->label;
    }
    status = data_rows_finish(rows, (const int32_t *const *)labels);
out:
    for (int part = 0; part < DATA_PARTS; part++) free(labels[part]);
    return status;
}

/* ---- the import */

static gyre_status import(const char *dir, const char *output, const gyre_folder_options *o,
                          data_listing *l) {
    data_picture_form form = {.h = o->h, .w = o->w, .c = o->c, .fit = o->fit, .exact = o->h == 0};
    data_rows *rows = NULL;
    gyre_status status = GYRE_OK;
    if (form.exact) GYRE_TRY(find_size(dir, l, &form));
    if (form.h == 0) return check_pictures(dir, l, o->strict);
    data_rows_shape shape = {
        .h = form.h, .w = form.w, .c = form.c, .classes = l->classes, .names = l->names};
    memcpy(shape.counts, l->counts, sizeof shape.counts);
    GYRE_TRY(data_rows_open(output, o->force, &shape, &rows));
    const data_import_job job = {.dir = dir,
                                 .list = l,
                                 .rows = rows,
                                 .form = form,
                                 .threads = o->threads,
                                 .quiet = o->quiet};
    GYRE_GOTO(data_import_pictures(&job));
    GYRE_GOTO(check_pictures(dir, l, o->strict));
    GYRE_GOTO(data_listing_tell_repeated(l));
    status = finish(rows, l);
out:
    data_rows_close(rows);
    return status;
}

gyre_status gyre_import_folder(const char *dir, const char *output,
                               const gyre_folder_options *options) {
    data_listing l = {0};
    GYRE_TRY(check_options(options));
    GYRE_TRY(data_output_check(output, options->force));
    gyre_status status = list(dir, options, &l);
    if (status == GYRE_OK) status = check_output(dir, output, options, &l);
    if (status == GYRE_OK) status = import(dir, output, options, &l);
    data_listing_close(&l);
    return status;
}
