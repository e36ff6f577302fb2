/* Pictures that are in a dataset twice: sorted by their images' hashes, equal ones are neighbours.
 */
#include "listing.h"

#include "gyre/log.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>

/* How often something is so, and the first time by name. */
typedef struct {
    size_t count;
    const data_listed *file, *other;
} occasions;

static int by_content(const void *a, const void *b) {
    const data_listed *x = *(data_listed *const *)a, *y = *(data_listed *const *)b;
    if (x->content != y->content) return x->content < y->content ? -1 : 1;
    return (x > y) - (x < y); /* by name */
}

static void note(occasions *o, const data_listed *file, const data_listed *other) {
    if (o->count++ > 0 && file > o->file) return;
    o->file = file;
    o->other = other;
}

static void tell(const occasions *o, const char *what, const char *why) {
    char name[256], other[256];
    if (o->count == 0) return;
    gyre_text_visible(o->file->path, name, sizeof name);
    gyre_text_visible(o->other->path, other, sizeof other);
    gyre_warn("%s: %zu, the first is '%s', the same as '%s'%s", what, o->count, name, other, why);
}

/* Looks at the files of one image: a training picture that is held out too tests nothing, and a
 * picture of several classes teaches none of them. */
static void look(const data_listed *const *equal, size_t count, occasions *held,
                 occasions *classes) {
    const data_listed *trained = NULL;
    for (size_t i = 0; i < count && trained == NULL; i++) {
        if (equal[i]->part == DATA_PART_TRAIN) trained = equal[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (trained != NULL && equal[i]->part != DATA_PART_TRAIN) note(held, equal[i], trained);
    }
    for (size_t i = 1; i < count; i++) {
        if (equal[i]->label == equal[0]->label) continue;
        note(classes, equal[0], equal[i]);
        break;
    }
}

gyre_status data_listing_tell_repeated(const data_listing *l) {
    const data_listed **files = malloc((l->count + 1) * sizeof(*files));
    size_t count = 0, end = 0;
    occasions held = {0}, classes = {0};
    if (files == NULL) return gyre_no_memory("%zu pictures", l->count);
    for (size_t i = 0; i < l->count; i++) {
        if (l->files[i].problem == NULL) files[count++] = &l->files[i];
    }
    qsort(files, count, sizeof(*files), by_content);
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && files[end]->content == files[i]->content;) end++;
        look(files + i, end - i, &held, &classes);
    }
    free(files);
    tell(&held, "pictures of validation or test that are training pictures too",
         "; take them out of one part, or the score is too high");
    tell(&classes, "images that are in several classes", "");
    return GYRE_OK;
}
