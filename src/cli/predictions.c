/* Predictions as CSV: what a network gives for each sample. */
#include "predictions.h"

#include "gyre/file.h"
#include "gyre/overwrite.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "index,label,prediction,";

gyre_status cli_predictions_check(const char *path) {
    GYRE_TRY(gyre_overwrite_check(path, header));
    return gyre_file_try(path);
}

/* A name as a column of CSV; quotes only where it needs them. */
static void print_name(FILE *f, const char *name) {
    if (strpbrk(name, ",\"\r\n") == NULL) {
        fputs(name, f);
        return;
    }
    fputc('"', f);
    for (; *name != '\0'; name++) {
        if (*name == '"') fputc('"', f);
        fputc(*name, f);
    }
    fputc('"', f);
}

static void print_header(FILE *f, const gyre_evaluation *e) {
    fputs(header, f);
    for (size_t k = 0; k < e->outputs_each; k++) {
        if (k > 0) fputc(',', f);
        if (e->named && e->outputs_each == (size_t)e->classes)
            print_name(f, e->class_names[k]);
        else
            fprintf(f, "out%zu", k);
    }
    fputc('\n', f);
}

/* Without labels, two columns are empty. */
static void print_sample(FILE *f, const gyre_evaluation *e, int64_t i) {
    const float *outputs = e->outputs + (size_t)i * e->outputs_each;
    size_t best = 0;
    for (size_t k = 1; k < e->outputs_each; k++) {
        if (outputs[k] > outputs[best]) best = k;
    }
    if (e->labelled)
        fprintf(f, "%" PRId64 ",%d,%zu", e->rows[i], e->labels[i], best);
    else
        fprintf(f, "%" PRId64 ",,", e->rows[i]);
    for (size_t k = 0; k < e->outputs_each; k++) fprintf(f, ",%.9g", (double)outputs[k]);
    fputc('\n', f);
}

gyre_status cli_predictions_write(const char *path, const gyre_evaluation *e) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) return gyre_no_memory("the predictions");
    print_header(f, e);
    for (int64_t i = 0; i < e->samples; i++) print_sample(f, e, i);
    gyre_status status = ferror(f) ? gyre_no_memory("the predictions") : GYRE_OK;
    if (fclose(f) != 0 && status == GYRE_OK) status = gyre_no_memory("the predictions");
    if (status == GYRE_OK) status = gyre_file_write_atomic(path, text, size);
    free(text);
    return status;
}
