/* Parts by the names of folders. A class may honestly be called "train", so that a name alone does
 * not decide: a part holds folders of classes, a class holds pictures. The list is sorted by path,
 * so that each folder is a range of it. */
#include "parts.h"

#include "few.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- names */

static const struct {
    const char *name;
    int part;
} words[] = {{"train", DATA_PART_TRAIN},
             {"training", DATA_PART_TRAIN},
             {"trn", DATA_PART_TRAIN},
             {"validation", DATA_PART_VALIDATION},
             {"validate", DATA_PART_VALIDATION},
             {"valid", DATA_PART_VALIDATION},
             {"val", DATA_PART_VALIDATION},
             {"dev", DATA_PART_VALIDATION},
             {"devel", DATA_PART_VALIDATION},
             {"development", DATA_PART_VALIDATION},
             {"test", DATA_PART_TEST},
             {"testing", DATA_PART_TEST},
             {"tst", DATA_PART_TEST}};

static int word_of(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].name) == length && strncasecmp(name, words[i].name, length) == 0) {
            return words[i].part;
        }
    }
    return -1;
}

/* "test_set", "TrainSet", "train-images": what stands before such an ending. */
static size_t without_ending(const char *name, size_t length) {
    static const char *const endings[] = {"set", "data", "images"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (length <= n || strncasecmp(name + length - n, endings[i], n) != 0) continue;
        length -= n;
        return length > 1 && strchr("_- ", name[length - 1]) != NULL ? length - 1 : length;
    }
    return length;
}

/* The part that a folder of this name is, -1: none. */
static int part_of(const char *name, size_t length) {
    int part = word_of(name, length);
    return part >= 0 ? part : word_of(name, without_ending(name, length));
}

/* The part that a name only hints at, "seg_train" or "test1"; -1: none. */
static int hint_of(const char *name, size_t length) {
    int part = part_of(name, length);
    for (size_t i = 0, end; i < length && part < 0; i = end + 1) {
        for (end = i; end < length && isalpha((unsigned char)name[end]);) end++;
        part = word_of(name + i, end - i);
    }
    return part;
}

/* ---- folders */

typedef struct {
    size_t low, high; /* its files */
    const char *name;
    size_t length;
    size_t own;        /* pictures right in it */
    int part, hint;    /* that its name is, or hints at; -1: none */
    bool direct, deep; /* holds pictures; holds folders with pictures */
} folder;

/* The first folder from file *i on, among those whose names begin at byte `at` of their paths. */
static bool next_folder(const data_listing *l, size_t at, size_t *i, size_t high, folder *out) {
    const char *slash = NULL;
    for (; *i < high && slash == NULL; (*i)++) {
        const data_listed *file = &l->files[*i];
        if (file->problem == NULL) slash = strchr(file->path + at, '/');
    }
    if (slash == NULL) return false;
    size_t first = *i - 1;
    const char *name = l->files[first].path + at;
    size_t length = (size_t)(slash - name);
    *out = (folder){.low = first,
                    .name = name,
                    .length = length,
                    .part = part_of(name, length),
                    .hint = hint_of(name, length)};
    for (*i = first; *i < high && strncmp(l->files[*i].path + at, name, length + 1) == 0; (*i)++) {
        if (l->files[*i].problem != NULL) continue;
        bool deep = strchr(l->files[*i].path + at + length + 1, '/') != NULL;
        out->deep = out->deep || deep;
        out->direct = out->direct || !deep;
        out->own += !deep;
    }
    out->high = *i;
    return true;
}

/* What the folders of one level are called. */
typedef struct {
    size_t folders, named, hinted;
    unsigned parts, hints;      /* a bit for each */
    bool twice;                 /* two folders are one part */
    bool named_deep, hint_deep; /* and one of them holds folders with pictures */
    folder last;
    data_few looking, others; /* like parts, and not */
} level;

static void add_name(data_few *few, const folder *f) {
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)(f->length < 200 ? f->length : 200), f->name);
    data_few_add(few, name);
}

static level survey(const data_listing *l, size_t at, size_t low, size_t high) {
    level v = {0};
    for (folder f; next_folder(l, at, &low, high, &f);) {
        v.folders++;
        v.last = f;
        add_name(f.hint >= 0 ? &v.looking : &v.others, &f);
        if (f.hint < 0) continue;
        v.hinted++;
        v.hints |= 1u << f.hint;
        v.hint_deep = v.hint_deep || f.deep;
        if (f.part < 0) continue;
        v.named++;
        v.twice = v.twice || (v.parts & 1u << f.part) != 0;
        v.parts |= 1u << f.part;
        v.named_deep = v.named_deep || f.deep;
    }
    return v;
}

static bool several(unsigned parts) {
    return (parts & (parts - 1)) != 0;
}

typedef enum { CLASSES, PARTS, UNCLEAR } meaning;

static meaning meaning_of(const level *v) {
    bool train = (v->parts & 1u << DATA_PART_TRAIN) != 0;
    if (v->hinted == 0) return CLASSES;
    if (v->named == v->folders) return train && !v->twice ? PARTS : UNCLEAR;
    if (v->named > 0 && (v->named_deep || several(v->parts))) return UNCLEAR;
    return several(v->hints) && (v->hint_deep || v->hinted == v->folders) ? UNCLEAR : CLASSES;
}

/* ---- parts whose names are not known */

/* Passes single folders, one in the other, as some archives have them. */
static folder inner_of(const data_listing *l, folder f, size_t *at) {
    *at += f.length + 1;
    for (folder only, next;; f = only, *at += only.length + 1) {
        size_t i = f.low;
        if (f.direct || !next_folder(l, *at, &i, f.high, &only)) return f;
        if (next_folder(l, *at, &i, f.high, &next) || only.direct) return f;
    }
}

static size_t count_folders(const data_listing *l, size_t at, size_t low, size_t high) {
    size_t count = 0;
    for (folder f; next_folder(l, at, &low, high, &f);) count++;
    return count;
}

/* A picture or two beside them, an overview, does not make a class of it. */
static bool holds_folders(const data_listing *l, size_t at, const folder *f) {
    return f->own == 0 || f->own < count_folders(l, at + f->length + 1, f->low, f->high);
}

/* Do most folders of `f` have the name of one in `g`? One walk, since both are sorted. The slash
 * behind a name is compared too, so that no name is the beginning of another. */
static bool same_names(const data_listing *l, size_t at, folder f, folder g, data_few *same) {
    size_t at_f = at, at_g = at, all = 0;
    folder a, b;
    f = inner_of(l, f, &at_f);
    g = inner_of(l, g, &at_g);
    bool more = next_folder(l, at_g, &g.low, g.high, &b);
    while (next_folder(l, at_f, &f.low, f.high, &a)) {
        int order = -1;
        all++;
        while (more && (order = strncmp(b.name, a.name, a.length + 1)) < 0) {
            more = next_folder(l, at_g, &g.low, g.high, &b);
        }
        if (more && order == 0) add_name(same, &a);
    }
    return all > 0 && 2 * same->count > all;
}

static folder largest_of(const data_listing *l, size_t at, size_t low, size_t high, size_t *most) {
    folder largest = {0};
    *most = 0;
    for (folder f; next_folder(l, at, &low, high, &f);) {
        size_t inner = at;
        folder g = inner_of(l, f, &inner);
        size_t count = !holds_folders(l, at, &f) ? 0 : count_folders(l, inner, g.low, g.high);
        if (count > *most) largest = f;
        if (count > *most) *most = count;
    }
    return largest;
}

/* Parts of a dataset hold the same classes, whatever the parts are called: at least half of the
 * level's folders hold hardly a picture of their own, but folders that the largest of them has too.
 */
static bool repeats_itself(const data_listing *l, size_t at, size_t low, size_t high,
                           data_few *alike, data_few *same) {
    size_t most = 0, all = 0;
    folder largest = largest_of(l, at, low, high, &most);
    *alike = (data_few){0};
    for (folder f; most > 1 && next_folder(l, at, &low, high, &f); all++) {
        data_few names = {0};
        bool itself = f.low == largest.low;
        if (!holds_folders(l, at, &f) || !(itself || same_names(l, at, f, largest, &names)))
            continue;
        add_name(alike, &f);
        if (!itself) *same = names;
    }
    return alike->count > 1 && 2 * alike->count >= all;
}

/* ---- what is said */

static const char advice[] = "or give --no-parts when each folder is a class";

static gyre_status unclear(const char *dir, level *v) {
    const char *looking = data_few_text(&v->looking);
    if (v->twice) {
        return gyre_fail(GYRE_EUSAGE,
                         "'%s': of the folders %s two are for the same part; put their pictures "
                         "into one, %s",
                         dir, looking, advice);
    }
    if (v->hinted < v->folders) {
        return gyre_fail(
            GYRE_EUSAGE,
            "'%s': these folders look like parts of the dataset: %s, but others beside "
            "them do not: %s; leave only train, validation and test there, with "
            "folders of classes in them, %s",
            dir, looking, data_few_text(&v->others), advice);
    }
    return gyre_fail(GYRE_EUSAGE, "'%s': these folders look like parts of the dataset: %s; %s, %s",
                     dir, looking,
                     v->named < v->folders ? "rename them to train, validation and test"
                                           : "none of them is for training: name one train",
                     advice);
}

static gyre_status unnamed(const char *dir, data_few *alike, data_few *same) {
    return gyre_fail(GYRE_EUSAGE,
                     "'%s': the folders %s hold folders of the same names (%s), as the parts of a "
                     "dataset do; rename them to train, validation and test (or "
                     "training, val, valid, dev, testing), %s",
                     dir, data_few_text(alike), data_few_text(same), advice);
}

/* `at` bytes of the path of file `low` are the folder. */
static gyre_status parts_below(const char *dir, const data_listing *l, size_t at, size_t low,
                               level *v) {
    char path[1024], visible[512];
    snprintf(path, sizeof path, "%s/%.*s", dir, (int)(at < 512 ? at : 512), l->files[low].path);
    path[strlen(path) - 1] = '\0'; /* the slash */
    gyre_text_visible(path, visible, sizeof visible);
    return gyre_fail(
        GYRE_EUSAGE,
        "'%s': these folders look like parts of the dataset: %s, but lie in a folder of "
        "a class or of a part; parts are the folders at the top (train/cat, test/cat); "
        "move or rename them, %s",
        visible, data_few_text(&v->looking), advice);
}

/* ---- below the parts, or the top */

/* Folders within a class, where all is of that class. */
static gyre_status check_class(const char *dir, const data_listing *l, size_t at, size_t low,
                               size_t high) {
    size_t i = low;
    level v = survey(l, at, low, high);
    if (several(v.parts)) return parts_below(dir, l, at, low, &v);
    if (v.folders == 0) return GYRE_OK;
    for (folder f; next_folder(l, at, &i, high, &f);) {
        if (f.deep) GYRE_TRY(check_class(dir, l, at + f.length + 1, f.low, f.high));
    }
    return GYRE_OK;
}

static gyre_status check_classes(const char *dir, const data_listing *l, size_t at, size_t low,
                                 size_t high) {
    for (folder f; next_folder(l, at, &low, high, &f);) {
        if (f.deep) GYRE_TRY(check_class(dir, l, at + f.length + 1, f.low, f.high));
    }
    return GYRE_OK;
}

static void take(data_listing *l, size_t low, size_t high, int part, size_t at) {
    for (size_t i = low; i < high; i++) {
        l->files[i].part = part;
        l->files[i].kind_at = at;
    }
}

/* A part in a folder of its own name, as some archives have it, is that folder. */
static gyre_status take_part(const char *dir, data_listing *l, const folder *part, size_t at) {
    size_t low = part->low, high = part->high;
    at += part->length + 1;
    take(l, low, high, part->part, at);
    level v = survey(l, at, low, high);
    while (v.folders == 1 && v.last.hint == part->part && v.last.deep && !v.last.direct) {
        at += v.last.length + 1;
        low = v.last.low;
        high = v.last.high;
        v = survey(l, at, low, high);
    }
    if (v.named_deep) return parts_below(dir, l, at, low, &v);
    take(l, low, high, part->part, at);
    return check_classes(dir, l, at, low, high);
}

/* Single folders, one in the other, with the parts in the last of them? */
static bool is_around_parts(const data_listing *l, size_t at, const level *v) {
    if (v->folders != 1) return false;
    at += v->last.length + 1;
    level inner = survey(l, at, v->last.low, v->last.high);
    data_few alike = {0}, same = {0};
    bool parts = meaning_of(&inner) != CLASSES && (v->hinted == 0 || several(inner.parts));
    if (v->hinted == 0) {
        parts = parts || repeats_itself(l, at, v->last.low, v->last.high, &alike, &same);
    }
    return parts || is_around_parts(l, at, &inner);
}

static void warn_of_class(level *v) {
    if (v->named == 0) return;
    gyre_warn("taken as a class, since pictures lie right in it and not in folders of classes: %s; "
              "--no-parts says that this is meant",
              data_few_text(&v->looking));
}

gyre_status data_parts_find(const char *dir, bool plain, data_listing *l) {
    size_t at = 0, low = 0, high = l->count;
    if (plain) return GYRE_OK;
    data_few alike = {0}, same = {0};
    level v = survey(l, at, low, high);
    while (is_around_parts(l, at, &v)) {
        at += v.last.length + 1;
        low = v.last.low;
        high = v.last.high;
        v = survey(l, at, low, high);
    }
    switch (meaning_of(&v)) {
    case UNCLEAR: return unclear(dir, &v);
    case CLASSES:
        GYRE_TRY(check_classes(dir, l, at, low, high));
        if (repeats_itself(l, at, low, high, &alike, &same)) return unnamed(dir, &alike, &same);
        warn_of_class(&v);
        return GYRE_OK;
    case PARTS: break;
    }
    for (folder f; next_folder(l, at, &low, high, &f);) GYRE_TRY(take_part(dir, l, &f, at));
    return GYRE_OK;
}

gyre_status data_parts_of_labels(const char *csv, bool plain, data_listing *l) {
    size_t i = 0;
    level v = survey(l, 0, 0, l->count);
    if (plain || !several(v.parts)) return GYRE_OK;
    if (meaning_of(&v) == UNCLEAR) return unclear(csv, &v);
    for (folder f; next_folder(l, 0, &i, l->count, &f);) take(l, f.low, f.high, f.part, 0);
    return GYRE_OK;
}
