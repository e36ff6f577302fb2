/* The files of `gyre sample`: a grid of pictures, and samples as numbers. */
#include "samples.h"

#include "cli.h"
#include "gyre/file.h"
#include "gyre/overwrite.h"
#include "gyre/size.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static gyre_status check_picture(const char *path) {
    const char *dot = strrchr(path, '.');
    if (dot == NULL || strcasecmp(dot, ".png") != 0) {
        return gyre_fail(GYRE_EUSAGE, "-o %s: a name that ends in .png was expected", path);
    }
    GYRE_TRY(gyre_overwrite_check_signed(path));
    return gyre_file_try(path);
}

gyre_status cli_samples_check_files(const char *picture, const char *latents) {
    if (picture != NULL) GYRE_TRY(check_picture(picture));
    return latents == NULL ? GYRE_OK : gyre_latents_check(latents);
}

static gyre_status write_picture(const cli_samples *s, const char *path) {
    gyre_sample_row *rows = calloc((size_t)s->run_count + 1, sizeof *rows);
    char caption[256], *png = NULL;
    int count = s->run_count;
    size_t size = 0;
    if (rows == NULL) return gyre_no_memory("a grid");
    for (int i = 0; i < s->run_count; i++) {
        const cli_sample_run *r = &s->runs[i];
        rows[i] = (gyre_sample_row){r->label, &r->source.input, r->x};
    }
    if (s->near != NULL) {
        const char *label =
            s->run_count == 1 ? "nearest\ntraining picture" : "training picture\nnearest to row 1";
        rows[count++] = (gyre_sample_row){label, &s->runs[0].source.input, s->near};
    }
    gyre_sample_caption(&s->runs[0].options, &s->runs[0].source.trained.names, caption,
                        sizeof caption);
    gyre_status status =
        gyre_sample_picture(rows, count, s->seeds, s->seed_count, caption, &png, &size);
    if (status == GYRE_OK) status = gyre_file_write_atomic(path, png, size);
    if (status == GYRE_OK) cli_print_path(path);
    free(png);
    free(rows);
    return status;
}

/* In the units of the dataset; all samples of a run, then those of the next. */
static gyre_status write_latents(const cli_samples *s, const char *path) {
    const gyre_sampling_input *in = &s->runs[0].source.input;
    size_t each = (size_t)s->seed_count * (size_t)in->h * (size_t)in->w * (size_t)in->c;
    gyre_latents l = {.count = s->run_count * s->seed_count, .h = in->h, .w = in->w, .c = in->c};
    l.values = malloc(gyre_size_of((size_t)s->run_count, each * sizeof *l.values));
    if (l.values == NULL) return gyre_no_memory("%d samples", l.count);
    for (int i = 0; i < s->run_count; i++) {
        float *to = l.values + (size_t)i * each;
        memcpy(to, s->runs[i].x, each * sizeof *to);
        gyre_sampling_store(&s->runs[i].source.input, (size_t)s->seed_count, to);
    }
    gyre_status status = gyre_latents_write(path, &l);
    if (status == GYRE_OK) cli_print_path(path);
    free(l.values);
    return status;
}

gyre_status cli_samples_write(const cli_samples *s, const char *picture, const char *latents) {
    if (picture != NULL) GYRE_TRY(write_picture(s, picture));
    if (latents != NULL) GYRE_TRY(write_latents(s, latents));
    return cli_flush();
}
