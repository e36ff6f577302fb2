/* Rows of samples as a grid with labels. */
#include "gyre/sample.h"

#include "gyre/grid.h"
#include "gyre/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER = 24 };

bool gyre_sample_is_picture(const gyre_sampling_input *input) {
    return input->c == 1 || input->c == 3;
}

gyre_status gyre_sample_check_picture(const gyre_sampling_input *input) {
    if (gyre_sample_is_picture(input)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "samples of %d channels are no pictures, which have 1 or 3; `gyre sample "
                     "--latents FILE` writes them as numbers",
                     input->c);
}

/* What a grid points to. */
typedef struct {
    uint8_t **pictures; /* (rows) */
    const char **labels, **heads;
    char *numbers; /* (seeds, NUMBER) */
} content;

static void close_content(content *c, int rows) {
    for (int i = 0; c->pictures != NULL && i < rows; i++) free(c->pictures[i]);
    free(c->pictures);
    free(c->labels);
    free(c->heads);
    free(c->numbers);
}

static gyre_status fill(const gyre_sample_row *rows, int count, const uint64_t *seeds,
                        int seed_count, content *c) {
    const gyre_sampling_input *in = rows[0].input;
    size_t n = (size_t)seed_count, bytes = n * (size_t)in->h * (size_t)in->w * (size_t)in->c;
    c->pictures = calloc((size_t)count, sizeof *c->pictures);
    c->labels = calloc((size_t)count, sizeof *c->labels);
    c->heads = calloc(n, sizeof *c->heads);
    c->numbers = calloc(n, NUMBER);
    if (!c->pictures || !c->labels || !c->heads || !c->numbers) return gyre_no_memory("a grid");
    for (int i = 0; i < count; i++) {
        c->labels[i] = rows[i].label;
        c->pictures[i] = malloc(bytes);
        if (c->pictures[i] == NULL) return gyre_no_memory("a grid");
        gyre_sampling_pixels(rows[i].input, n, rows[i].x, c->pictures[i]);
    }
    for (size_t k = 0; k < n; k++) {
        snprintf(c->numbers + k * NUMBER, NUMBER, "%" PRIu64, seeds[k]);
        c->heads[k] = c->numbers + k * NUMBER;
    }
    return GYRE_OK;
}

gyre_status gyre_sample_picture(const gyre_sample_row *rows, int count, const uint64_t *seeds,
                                int seed_count, const char *caption, char **png, size_t *size) {
    const gyre_sampling_input *in = rows[0].input;
    content c = {0};
    gyre_status status = GYRE_OK;
    GYRE_TRY(gyre_sample_check_picture(in));
    GYRE_GOTO(fill(rows, count, seeds, seed_count, &c));
    const gyre_grid grid = {.h = in->h,
                            .w = in->w,
                            .c = in->c,
                            .rows = count,
                            .columns = seed_count,
                            .pictures = (const uint8_t *const *)c.pictures,
                            .labels = c.labels,
                            .corner = "seed",
                            .heads = c.heads,
                            .caption = caption};
    status = gyre_grid_png(&grid, png, size);
out:
    close_content(&c, count);
    return status;
}

void gyre_sample_caption(const gyre_sampling_options *o, const gyre_class_names *names, char *out,
                         size_t size) {
    bool ddim = o->rule.method == GYRE_SAMPLING_DDIM;
    snprintf(out, size, "%s, %d step%s", ddim ? "DDIM" : "DDPM", o->rule.steps,
             o->rule.steps == 1 ? "" : "s");
    if (ddim) gyre_text_add(out, size, ", eta %g", o->rule.eta);
    if (o->condition >= 0 && o->condition < names->count)
        gyre_text_add(out, size, ", class %s", names->names[o->condition]);
    else if (o->condition >= 0 && o->condition != o->null_class)
        gyre_text_add(out, size, ", class %d", o->condition);
    if (o->guidance != 1) gyre_text_add(out, size, ", guidance %g", o->guidance);
}
