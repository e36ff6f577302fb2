/* Writing safetensors; see gyre/safetensors.h. */
#include "gyre/json.h"
#include "gyre/safetensors.h"
#include "gyre/size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 8 };

static size_t bytes_of(const gyre_safetensors_array *a) {
    size_t bytes = sizeof(float);
    for (int i = 0; i < a->ndim; i++) bytes = gyre_size_of(bytes, (size_t)a->dims[i]);
    return bytes;
}

static int by_name(const void *a, const void *b) {
    const gyre_safetensors_array *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* A name that two of the sorted ones have, or NULL. */
static const char *find_twice(const gyre_safetensors_array *const *sorted, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) return sorted[i]->name;
    }
    return NULL;
}

static void print_text(FILE *f, const char *text, bool *ok) {
    char *quoted = gyre_json_quote(text);
    *ok = *ok && quoted != NULL;
    if (quoted != NULL) fputs(quoted, f);
    free(quoted);
}

static bool print_header(FILE *f, const gyre_safetensors_array *const *arrays, size_t count,
                         const gyre_note *notes, size_t note_count) {
    bool ok = true;
    size_t at = 0;
    fputs("{\"__metadata__\":{", f);
    for (size_t i = 0; i < note_count; i++) {
        if (i > 0) fputc(',', f);
        print_text(f, notes[i].key, &ok);
        fputc(':', f);
        print_text(f, notes[i].value, &ok);
    }
    fputc('}', f);
    for (size_t i = 0; i < count; i++) {
        const gyre_safetensors_array *a = arrays[i];
        fputc(',', f);
        print_text(f, a->name, &ok);
        fputs(":{\"dtype\":\"F32\",\"shape\":[", f);
        for (int k = 0; k < a->ndim; k++) fprintf(f, "%s%d", k == 0 ? "" : ",", a->dims[k]);
        fprintf(f, "],\"data_offsets\":[%zu,%zu]}", at, at + bytes_of(a));
        at += bytes_of(a);
    }
    fputc('}', f);
    return ok && !ferror(f);
}

/* Spaces up to a multiple of 8, so that the numbers behind it lie well in memory. */
static void print_padding(FILE *f) {
    for (long at = ftell(f); at % LENGTH != 0; at++) fputc(' ', f);
}

static void print_length(char *file, size_t header) {
    for (int i = 0; i < LENGTH; i++) file[i] = (char)(header >> (8 * i) & 0xff);
}

gyre_status gyre_safetensors_image(const gyre_safetensors_array *arrays, size_t count,
                                   const gyre_note *notes, size_t note_count, char **file,
                                   size_t *size) {
    const char zeros[LENGTH] = {0};
    size_t header = 0;
    *file = NULL;
    const gyre_safetensors_array **sorted = calloc(count + 1, sizeof *sorted);
    FILE *f = open_memstream(file, size);
    bool ok = sorted != NULL && f != NULL;
    for (size_t i = 0; i < count && ok; i++) sorted[i] = &arrays[i];
    if (ok) {
        qsort(sorted, count, sizeof *sorted, by_name);
        fwrite(zeros, 1, LENGTH, f);
        ok = print_header(f, sorted, count, notes, note_count);
        print_padding(f);
        header = (size_t)ftell(f) - LENGTH;
        for (size_t i = 0; i < count; i++) fwrite(sorted[i]->values, 1, bytes_of(sorted[i]), f);
    }
    if (f != NULL) ok = (fclose(f) == 0) & ok;
    const char *twice = ok ? find_twice(sorted, count) : NULL;
    free(sorted);
    if (twice != NULL) {
        free(*file);
        *file = NULL;
        return gyre_fail(GYRE_EUSAGE,
                         "two tensors would have the name %.200s; the option \"names\" of a node "
                         "gives one of them another",
                         twice);
    }
    if (ok) {
        print_length(*file, header);
        return GYRE_OK;
    }
    free(*file);
    *file = NULL;
    return gyre_no_memory("the %zu tensors of a file", count);
}
