/* What is odd about the classes of a dataset: some without training images, names that look alike
 * or like a missing value. Nothing of it is an error, and all of it is a mistake more often than
 * not. */
#include "gyre/dataset.h"

#include "few.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "spelling.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- classes without training images */

enum { IGNORED = 255 }; /* what masks of bytes often hold where a pixel has no class */

typedef struct {
    int first, last, empty,
        elsewhere; /* with a training image; none there; none there but others */
    data_few names;
    bool numbered; /* classes are called by their numbers */
} gaps;

static void look(const gyre_dataset *d, const uint8_t *found, gaps *out) {
    *out = (gaps){.first = -1, .numbered = true};
    for (int k = 0; k < gyre_dataset_classes(d); k++) {
        const char *name = gyre_dataset_class_name(d, k);
        char number[16];
        snprintf(number, sizeof number, "%d", k);
        out->numbered = out->numbered && strcmp(name, number) == 0;
        if ((found[k] & 1) != 0) {
            if (out->first < 0) out->first = k;
            out->last = k;
            continue;
        }
        data_few_add(&out->names, name);
        out->empty++;
        out->elsewhere += found[k] != 0;
    }
}

static void write_gaps(const gyre_dataset *d, gaps *g, char *out, size_t size) {
    int classes = gyre_dataset_classes(d);
    bool shifted = g->numbered && g->first > 0 && g->last == classes - 1 && g->empty == g->first;
    if (shifted) {
        char which[48] = "class 0 has";
        if (g->first > 1) snprintf(which, sizeof which, "classes 0 to %d have", g->first - 1);
        snprintf(out, size,
                 "the training labels are %d to %d, but classes count from 0: %s no training "
                 "image; subtract %d from all labels, unless that is meant",
                 g->first, g->last, which, g->first);
    } else {
        snprintf(out, size,
                 "classes without a training image, which cannot be learned: %d of %d, %s%s",
                 g->empty, classes, data_few_text(&g->names),
                 g->numbered ? "; number the classes from 0 without gaps" : "");
    }
    bool masks = gyre_dataset_train(d)->target.classes;
    if (masks && classes == IGNORED + 1 && g->last == IGNORED) {
        gyre_text_add(out, size,
                      "; where %d means no class, make it -1, as by "
                      "np.where(y == %d, -1, y.astype('int32'))",
                      IGNORED, IGNORED);
    }
    if (g->elsewhere > 0) {
        gyre_text_add(out, size, "; %d of them %s images in another part", g->elsewhere,
                      g->elsewhere == 1 ? "has" : "have");
    }
}

bool gyre_dataset_gaps(const gyre_dataset *d, char *out, size_t size) {
    gaps g;
    const uint8_t *found = gyre_dataset_classes_seen(d);
    if (found == NULL) return false;
    look(d, found, &g);
    if (g.empty > 0) write_gaps(d, &g, out, size);
    return g.empty > 0;
}

void gyre_dataset_warn_gaps(const gyre_dataset *d) {
    static uint64_t told;
    char text[GYRE_GAPS_TEXT];
    if (told == gyre_dataset_hash(d) || !gyre_dataset_gaps(d, text, sizeof text)) return;
    told = gyre_dataset_hash(d);
    gyre_warn("%s", text);
}

/* ---- names */

typedef struct {
    char *folded;
    const char *name;
} spelling;

static int by_folded(const void *a, const void *b) {
    const spelling *x = a, *y = b;
    int order = strcmp(x->folded, y->folded);
    return order != 0 ? order : strcmp(x->name, y->name);
}

static void warn_of_pairs(spelling *list, int count) {
    data_few few = {0};
    size_t pairs = 0;
    qsort(list, (size_t)count, sizeof *list, by_folded);
    for (int i = 1; i < count; i++) {
        if (strcmp(list[i - 1].folded, list[i].folded) != 0) continue;
        if (pairs++ > 0) continue;
        data_few_add(&few, list[i - 1].name);
        data_few_add(&few, list[i].name);
    }
    if (pairs == 0) return;
    gyre_warn("names of classes that differ only in case, blanks or Unicode form: %s%s; where "
              "they mean one class, give it one name",
              data_few_text(&few), pairs > 1 ? " and others" : "");
}

static void warn_of_look_alikes(const gyre_dataset *d) {
    int count = gyre_dataset_classes(d), made = 0;
    spelling *list = calloc((size_t)count, sizeof *list);
    for (int k = 0; list != NULL && k < count; k++, made++) {
        list[k].name = gyre_dataset_class_name(d, k);
        list[k].folded = data_spelling_fold(list[k].name);
        if (list[k].folded == NULL) break;
    }
    if (made == count) warn_of_pairs(list, count);
    for (int k = 0; k < made; k++) free(list[k].folded);
    free(list);
}

/* How tables of labels write an unknown class. */
static void warn_of_missing(const gyre_dataset *d) {
    static const char *const missing[] = {"-1", "NA", "N/A", "NaN", "null", "None", "unlabeled"};
    for (int k = 0; k < gyre_dataset_classes(d); k++) {
        for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
            if (strcasecmp(gyre_dataset_class_name(d, k), missing[i]) != 0) continue;
            gyre_warn("the class '%s' may stand for images without a label; leave them out, unless "
                      "it is meant",
                      gyre_dataset_class_name(d, k));
            return;
        }
    }
}

void gyre_dataset_warn_names(const gyre_dataset *d) {
    warn_of_look_alikes(d);
    warn_of_missing(d);
}

bool gyre_class_names_differ(const char *a_place, const gyre_class_names *a, const char *b_place,
                             const gyre_class_names *b, char *out, size_t size) {
    if (a->count == 0 || b->count == 0) return false;
    int least = a->count < b->count ? a->count : b->count;
    for (int i = 0; i < least; i++) {
        if (strcmp(a->names[i], b->names[i]) == 0) continue;
        snprintf(out, size, "class %d is '%s' in %s, '%s' in %s", i, b->names[i], b_place,
                 a->names[i], a_place);
        return true;
    }
    if (a->count == b->count) return false;
    const gyre_class_names *more = a->count > b->count ? a : b;
    snprintf(out, size, "class %d is '%s' in %s, and %s has only %d classes", least,
             more->names[least], more == a ? a_place : b_place, more == a ? b_place : a_place,
             least);
    return true;
}
