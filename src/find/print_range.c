/* Trials as a text table; see print_range.h. A row for each rate, a column for each rung. */
#include "print_range.h"

#include "range.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* The mean over the seeds as people read it, or what there is instead. */
static void print_cell(const gyre_find *f, gyre_find_rung rung, double max_lr, FILE *out) {
    double sum = 0;
    int n = 0;
    bool scored = f->scored > 0;
    for (size_t i = 0; i < f->cycle_count; i++) {
        const gyre_find_cycle *c = &f->cycles[i];
        if (c->rung != (int64_t)rung || c->max_lr != max_lr) continue;
        sum += scored ? c->metric : c->loss;
        n++;
    }
    char text[64] = "";
    if (n > 0 && isnan(sum)) snprintf(text, sizeof text, "diverged");
    if (n > 0 && !isnan(sum) && !scored) snprintf(text, sizeof text, "%.4f", sum / n);
    if (n > 0 && !isnan(sum) && scored) gyre_metric_text(f->metric, sum / n, text, sizeof text);
    fprintf(out, "  %12s", text);
}

static int rising(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void print_heads(const gyre_find *f, const find_ladder *l, FILE *out) {
    char words[3][32];
    fprintf(out, "trials: one cycle of so many steps, and the %s after it\n  %-9s",
            f->scored > 0 ? gyre_metric_prose(f->metric).text : "training loss", "max_lr");
    snprintf(words[0], sizeof words[0], "%" PRId64, l->steps);
    snprintf(words[1], sizeof words[1], "%" PRId64, 2 * l->steps);
    snprintf(words[2], sizeof words[2], "%" PRId64, FIND_LADDER_LONGEST * l->steps);
    for (int i = 0; i < 3; i++) fprintf(out, "  %12s", words[i]);
    fputc('\n', out);
}

/* What was tried with the best rate alone. */
static void print_others(const gyre_find *f, FILE *out) {
    for (size_t i = 0; i < f->cycle_count; i++) {
        const gyre_find_cycle *c = &f->cycles[i];
        char text[64] = "diverged", what[96];
        if (c->rung == GYRE_FIND_LADDER || c->rung == GYRE_FIND_LAST) continue;
        if (c->max_lr != f->range.max_lr) continue;
        if (!isnan(c->loss) && f->scored == 0) snprintf(text, sizeof text, "%.4f", c->loss);
        if (!isnan(c->loss) && f->scored > 0)
            gyre_metric_text(f->metric, c->metric, text, sizeof text);
        snprintf(what, sizeof what, "%" PRId64 " cycle%s of %" PRId64 " steps, from max_lr / %.3g",
                 c->cycles, c->cycles == 1 ? "" : "s", c->steps / c->cycles,
                 c->max_lr / c->base_lr);
        fprintf(out, "  %-40s %12s\n", what, text);
    }
}

void find_print_ladder(const gyre_find *f, FILE *out) {
    const find_ladder l = find_ladder_of(f);
    double *rates = calloc(f->cycle_count, sizeof *rates);
    size_t n = 0;
    if (rates == NULL) return;
    for (size_t i = 0; i < f->cycle_count; i++) rates[n++] = f->cycles[i].max_lr;
    qsort(rates, n, sizeof *rates, rising);
    print_heads(f, &l, out);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && rates[i] == rates[i - 1]) continue;
        fprintf(out, "  %-9.3g", rates[i]);
        for (gyre_find_rung r = GYRE_FIND_LADDER; r <= GYRE_FIND_LAST; r++) {
            print_cell(f, r, rates[i], out);
        }
        fputs(rates[i] == f->range.max_lr ? "  *\n" : "\n", out);
    }
    if (f->range.outcome == GYRE_FIND_TESTED) print_others(f, out);
    free(rates);
}

void find_print_range(const gyre_find *f, FILE *out) {
    const gyre_find_range *r = &f->range;
    if (r->outcome == GYRE_FIND_UNTRIED) {
        fputs("no range yet: the trials are not whole\n", out);
        return;
    }
    if (r->outcome != GYRE_FIND_TESTED) {
        fprintf(out, "no range: %s\n", r->reason);
        return;
    }
    fprintf(out, "suggested: base_lr %.3g, max_lr %.3g, ", r->base_lr, r->max_lr);
    if (r->cycles > 0) fprintf(out, "%" PRId64 " cycle%s, ", r->cycles, r->cycles == 1 ? "" : "s");
    fprintf(out, "stepsize %" PRId64 " steps\n  %s\n", r->stepsize, r->reason);
}
