/* Predictions as CSV: what a network gives for each sample. */
#include "predictions.h"

#include "gyre/file.h"
#include "gyre/leftover.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char header[] = "index,label,prediction,";

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
static void print_sample(FILE *f, size_t outputs_each, const gyre_outputs *o, int64_t i) {
    const float *outputs = o->outputs + (size_t)i * outputs_each;
    int best = gyre_largest_output(outputs, outputs_each);
    fprintf(f, "%" PRId64 ",", o->rows[i]);
    if (o->labels != NULL) fprintf(f, "%d", o->labels[i]);
    fputc(',', f);
    if (o->labels != NULL && best >= 0) fprintf(f, "%d", best);
    for (size_t k = 0; k < outputs_each; k++) fprintf(f, ",%.9g", (double)outputs[k]);
    fputc('\n', f);
}

static gyre_status cannot_write(const cli_predictions *p) {
    return gyre_fail(GYRE_EIO, "cannot write '%s': %s", p->temporary, strerror(errno));
}

gyre_status cli_predictions_open(const char *path, cli_predictions *out) {
    *out = (cli_predictions){.path = path};
    GYRE_TRY(gyre_overwrite_check(path, header));
    GYRE_TRY(gyre_file_try(path));
    if (asprintf(&out->temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) {
        out->temporary = NULL;
        return gyre_no_memory("the predictions");
    }
    gyre_leftover_tell(path);
    gyre_leftover_guard(out->temporary);
    out->file = fopen(out->temporary, "we");
    return out->file == NULL ? cannot_write(out) : GYRE_OK;
}

gyre_status cli_predictions_take(void *context, const gyre_evaluation *e, const gyre_outputs *o) {
    cli_predictions *p = context;
    if (ftell(p->file) == 0) print_header(p->file, e);
    for (int64_t i = 0; i < o->count; i++) print_sample(p->file, e->outputs_each, o, i);
    return ferror(p->file) ? cannot_write(p) : GYRE_OK;
}

static bool same_content(const char *a, const char *b) {
    uint64_t x = 0, y = 1;
    return gyre_file_hash(a, &x) == GYRE_OK && gyre_file_hash(b, &y) == GYRE_OK && x == y;
}

/* A table has no room for a checksum: what is there may have been changed by hand. */
static gyre_status keep_changed(const cli_predictions *p) {
    char *kept = NULL;
    if (!gyre_file_exists(p->path) || same_content(p->path, p->temporary)) return GYRE_OK;
    GYRE_TRY(gyre_overwrite_keep(p->path, "before", &kept));
    gyre_warn("'%s' held other predictions; that file is '%s' now", p->path, kept);
    free(kept);
    return GYRE_OK;
}

gyre_status cli_predictions_close(cli_predictions *p, gyre_status status) {
    if (p->temporary == NULL) return status;
    if (p->file != NULL && fclose(p->file) != 0 && status == GYRE_OK) status = cannot_write(p);
    if (status == GYRE_OK) status = keep_changed(p);
    if (status == GYRE_OK)
        status = gyre_file_commit(p->temporary, p->path);
    else
        unlink(p->temporary);
    gyre_leftover_release(p->temporary);
    free(p->temporary);
    *p = (cli_predictions){0};
    return status;
}
