/* Predictions as CSV: what a network gives for each sample. */
#include "predictions.h"

#include "gyre/file.h"
#include "gyre/overwrite.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Without labels, two columns are empty; the second is where an output is no number. */
static void print_sample(FILE *f, const gyre_evaluation *e, int64_t i) {
    const float *outputs = e->outputs + (size_t)i * e->outputs_each;
    int best = gyre_largest_output(outputs, e->outputs_each);
    fprintf(f, "%" PRId64 ",", e->rows[i]);
    if (e->labelled) fprintf(f, "%d", e->labels[i]);
    fputc(',', f);
    if (e->labelled && best >= 0) fprintf(f, "%d", best);
    for (size_t k = 0; k < e->outputs_each; k++) fprintf(f, ",%.9g", (double)outputs[k]);
    fputc('\n', f);
}

/* Row by row: the text of many outputs is several times their size. */
gyre_status cli_predictions_write(const char *path, const gyre_evaluation *e) {
    char *temporary = NULL;
    FILE *f = NULL;
    gyre_status status = GYRE_OK;
    if (asprintf(&temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) {
        return gyre_no_memory("the predictions");
    }
    f = fopen(temporary, "we");
    bool ok = f != NULL;
    if (ok) print_header(f, e);
    for (int64_t i = 0; ok && i < e->samples; i++) {
        print_sample(f, e, i);
        ok = !ferror(f);
    }
    if (f != NULL) ok = fclose(f) == 0 && ok;
    if (!ok) status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", temporary, strerror(errno));
    if (!ok) unlink(temporary);
    if (status == GYRE_OK) status = gyre_file_commit(temporary, path);
    free(temporary);
    return status;
}
