/* Labels from a CSV file (RFC 4180): lines "file,label", fields in quotes where they hold commas,
 * and a first line that may be a header. */
#include "listing.h"

#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "lines.h"
#include "parts.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *path;
    char *at; /* what is not read yet */
    int line;
    bool header; /* the first line was one */
    char *first; /* the file that is named first */
} reader;

static gyre_status wrong(const reader *r, const char *what) {
    return gyre_fail(GYRE_EIO, "'%s', line %d: %s; 'file,label' was expected", r->path, r->line,
                     what);
}

static bool ends_field(char c) {
    return c == ',' || c == '\n' || c == '\0';
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* In quotes; two of them stand for one. */
static gyre_status read_quoted(reader *r, char **field) {
    char *to = *field = ++r->at;
    for (; *r->at != '\0' && (*r->at != '"' || r->at[1] == '"'); r->at++) {
        if (*r->at == '\n') break; /* no file or class has a name of two lines */
        if (*r->at == '"') r->at++;
        *to++ = *r->at;
    }
    if (*r->at != '"') return wrong(r, "a quote that is not closed");
    *to = '\0';
    r->at++;
    while (is_blank(*r->at)) r->at++;
    return ends_field(*r->at) ? GYRE_OK : wrong(r, "text behind a closing quote");
}

/* Ends the field with a zero; `end` becomes what stood there. */
static gyre_status read_field(reader *r, char **field, char *end) {
    while (is_blank(*r->at)) r->at++;
    if (*r->at == '"') {
        GYRE_TRY(read_quoted(r, field));
        *end = *r->at;
    } else {
        *field = r->at;
        while (!ends_field(*r->at)) r->at++;
        *end = *r->at;
        for (char *last = r->at; last > *field && is_blank(last[-1]); last--) last[-1] = '\0';
        *r->at = '\0';
    }
    if (*end != '\0') r->at++;
    return GYRE_OK;
}

/* Takes "." and empty components out of a path, so that each file has one name; false: it is
 * absolute or has "..", and may lead out of the folder. */
static bool make_plain(char *path) {
    if (path[0] == '/') return false;
    char *to = path;
    for (char *at = path, *end; *at != '\0'; at = end + strspn(end, "/")) {
        size_t length = strcspn(at, "/");
        end = at + length;
        if (length == 2 && memcmp(at, "..", 2) == 0) return false;
        if (length == 1 && at[0] == '.') continue;
        if (to > path) *to++ = '/';
        memmove(to, at, length);
        to += length;
    }
    *to = '\0';
    return true;
}

static gyre_status leads_out(const reader *r, const char *file) {
    char name[256];
    gyre_text_visible(file, name, sizeof name);
    return gyre_fail(GYRE_EIO,
                     "'%s', line %d: '%s' is absolute or has '..'; a file's place below the folder "
                     "of pictures was expected",
                     r->path, r->line, name);
}

/* Words as "image_id", where a file's name has an ending, a number or a folder. */
static bool is_header(const char *file) {
    return !data_is_picture_name(file) && strpbrk(file, "/0123456789") == NULL;
}

static gyre_status read_line(reader *r, data_listing *l) {
    char *file, *label, end;
    r->line++;
    GYRE_TRY(read_field(r, &file, &end));
    if (end != ',') return file[0] == '\0' ? GYRE_OK : wrong(r, "a single field");
    GYRE_TRY(read_field(r, &label, &end));
    if (end == ',') return wrong(r, "more than two fields");
    if (r->line == 1 && is_header(file)) {
        r->header = true;
        return GYRE_OK;
    }
    if (!make_plain(file)) return leads_out(r, file);
    if (file[0] == '\0' || label[0] == '\0') return wrong(r, "an empty field");
    char *path = strdup(file), *kind = strdup(label);
    if (r->first == NULL) r->first = strdup(file);
    if (path != NULL && kind != NULL)
        return data_listing_add(l, (data_listed){.path = path, .kind = kind});
    free(path);
    free(kind);
    return gyre_no_memory("reading '%s'", r->path);
}

/* Tables of other programs have other separators; a guess could take a part of a name for one. */
static gyre_status check_separator(const char *csv, const char *text) {
    size_t line = strcspn(text, "\n"), comma = strcspn(text, ","), other = strcspn(text, ";\t|");
    if (comma < line || other >= line) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s', line 1: its fields are separated by %s; commas were expected, "
                     "'file,label'",
                     csv,
                     text[other] == '\t'  ? "tabs"
                     : text[other] == ';' ? "semicolons"
                                          : "'|'");
}

/* A header with a digit, as "x1,y": it names no file that is there and a class that no other line
 * has, and the lines behind it name pictures. */
static void drop_header(reader *r, const char *dir, data_listing *l) {
    if (r->header || l->count < 2 || !data_is_picture_name(l->files[1].path)) return;
    const data_listed first = l->files[0];
    if (data_is_picture_name(first.path) || strchr(first.path, '/') != NULL) return;
    char *path = gyre_path_join(dir, first.path);
    bool there = path == NULL || gyre_file_exists(path);
    free(path);
    for (size_t i = 1; i < l->count && !there; i++) there = !strcmp(l->files[i].kind, first.kind);
    if (there) return;
    gyre_say("'%s': line 1, '%s,%s', is taken as a header", r->path, first.path, first.kind);
    free(first.path);
    free(first.kind);
    memmove(l->files, l->files + 1, --l->count * sizeof *l->files);
    free(r->first);
    r->first = strdup(l->files[0].path);
    r->header = true;
}

static gyre_status read_lines(reader *r, const char *dir, data_listing *l) {
    GYRE_TRY(check_separator(r->path, r->at));
    while (*r->at != '\0') GYRE_TRY(read_line(r, l));
    drop_header(r, dir, l);
    if (l->count > 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' names no file; lines 'file,label' were expected", r->path);
}

static gyre_status check_columns(const reader *r, const data_listing *l) {
    size_t exchanged = 0;
    for (size_t i = 0; i < l->count; i++) {
        const data_listed *file = &l->files[i];
        exchanged += data_is_picture_name(file->kind) && !data_is_picture_name(file->path);
    }
    if (exchanged < l->count) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' has labels in its first column and files in its second; "
                     "exchange them, 'file,label' was expected",
                     r->path);
}

static gyre_status check_once(const char *csv, const data_listing *l) {
    char name[256];
    for (size_t i = 1; i < l->count; i++) {
        if (strcmp(l->files[i - 1].path, l->files[i].path) != 0) continue;
        gyre_text_visible(l->files[i].path, name, sizeof name);
        return gyre_fail(GYRE_EIO, "'%s' names the file '%s' twice", csv, name);
    }
    return GYRE_OK;
}

/* A path's last part without its ending. */
static size_t stem_of(const char *path, const char **stem) {
    const char *slash = strrchr(path, '/');
    *stem = slash == NULL ? path : slash + 1;
    return strcspn(*stem, ".");
}

/* The picture that may be meant by a name: in another folder, with another ending; else any. */
static const char *find_meant(const char *name, const data_listing *found) {
    const char *stem, *other;
    size_t length = stem_of(name, &stem);
    for (size_t i = 0; i < found->count; i++) {
        size_t its = stem_of(found->files[i].path, &other);
        if (its == length && strncmp(stem, other, length) == 0) return found->files[i].path;
    }
    return found->count > 0 ? found->files[0].path : NULL;
}

/* One error, where otherwise each file would be left out on its own. */
static gyre_status check_found(const reader *r, const char *dir, const data_listing *found,
                               const data_listing *l) {
    char name[256], meant[256];
    bool any = false;
    for (size_t i = 0; i < l->count && !any; i++) {
        char *path = gyre_path_join(dir, l->files[i].path);
        if (path == NULL) return gyre_no_memory("looking for a picture");
        any = gyre_file_exists(path);
        free(path);
    }
    if (any || r->first == NULL) return GYRE_OK;
    const char *other = find_meant(r->first, found);
    gyre_text_visible(r->first, name, sizeof name);
    gyre_text_visible(other == NULL ? "" : other, meant, sizeof meant);
    return gyre_fail(
        GYRE_EIO,
        "'%s' names %zu files, and none is in '%s': the first is '%s'%s, %s%s%s; names "
        "with their endings and places below the folder were expected",
        r->path, l->count, dir, name, r->header ? " (line 1 is taken as a header)" : "",
        other == NULL ? "there are no pictures" : "there is '", meant, other == NULL ? "" : "'");
}

/* Both lists are sorted. */
static void warn_of_unlisted(const char *dir, const char *csv, const data_listing *found,
                             const data_listing *l) {
    size_t unlisted = 0, at = 0;
    for (size_t i = 0; i < found->count; i++) {
        const char *path = found->files[i].path;
        while (at < l->count && strcmp(l->files[at].path, path) < 0) at++;
        if (at == l->count || strcmp(l->files[at].path, path) != 0) unlisted++;
    }
    if (unlisted == 0) return;
    gyre_warn("pictures in '%s' that '%s' does not name and that are left out: %zu", dir, csv,
              unlisted);
}

gyre_status data_listing_by_csv(const char *dir, const char *csv, bool no_parts, data_listing *l) {
    data_listing found = {0};
    gyre_status status = GYRE_OK;
    char *text = NULL;
    reader r = {.path = csv};
    GYRE_TRY(data_lines_read(csv, 1 << 30, &text));
    r.at = text;
    GYRE_GOTO(read_lines(&r, dir, l));
    GYRE_GOTO(check_columns(&r, l));
    data_listing_sort(l);
    GYRE_GOTO(check_once(csv, l));
    GYRE_GOTO(data_listing_walk(dir, &found));
    GYRE_GOTO(check_found(&r, dir, &found, l));
    warn_of_unlisted(dir, csv, &found, l);
    status = data_parts_of_labels(csv, no_parts, l);
out:
    data_listing_close(&found);
    free(r.first);
    free(text);
    return status;
}
