/* A range test as a text table: what each rule says over the repeats, then the verdict. */
#include "gyre/find.h"

#include "curve.h"
#include "print_range.h"
#include "verdict.h"
#include <inttypes.h>
#include <math.h>

/* Epochs; the paper's range. */
enum { STEPSIZE_LEAST = 2, STEPSIZE_MOST = 10 };

/* What the verdict has for a mark. */
#define OF(v, mark) (v)->value.mark, (v)->low.mark, (v)->high.mark, (v)->given.mark

static void print_mark(const gyre_find *f, FILE *out, const char *name, double value, double low,
                       double high, int given, const char *words) {
    char count[32];
    snprintf(count, sizeof count, "%d of %d", given, f->options.repeats);
    if (isnan(value)) {
        fprintf(out, "  %-9s %10s  %10s  %10s  %10s  %s\n", name, "-", "", "", count, words);
    } else {
        fprintf(out, "  %-9s %10.3g  %10.3g  %10.3g  %10s  %s\n", name, value, low, high, count,
                words);
    }
}

static const char *about_divergence(const gyre_find *f) {
    int64_t asked = f->options.steps * f->options.repeats;
    if (!isnan(f->verdict.value.diverged))
        return "half of what was learned is lost, or the sweep ends";
    if (f->verdict.given.diverged > 0) return "not in most repeats";
    return (int64_t)f->row_count == asked ? "never, up to the last rate" : "";
}

static void print_marks(const gyre_find *f, FILE *out) {
    const gyre_find_verdict *v = &f->verdict;
    if (find_reads_scores(f)) {
        fprintf(out,
                "read off the validation loss of %" PRId64 " samples, at the same times and noises "
                "in all evaluations\n",
                f->samples);
    }
    fprintf(out, "  %-9s %10s  %10s  %10s  %10s\n", "", "rate", "lowest", "highest", "repeats");
    print_mark(f, out, "base_lr", OF(v, base_lr), "where the loss begins to fall");
    char what[96];
    if (f->metric->is_share) /* src/find/curve.h: the others do not say how sure they are */
        snprintf(what, sizeof what, "where loss or %s stop improving",
                 gyre_metric_prose(f->metric).text);
    else
        snprintf(what, sizeof what, "where the loss stops improving");
    print_mark(f, out, "max_lr", OF(v, max_lr), what);
    print_mark(f, out, "third", OF(v, third),
               "a second opinion on max_lr: the last rate before divergence, divided by 3");
    print_mark(f, out, "diverged", OF(v, diverged), about_divergence(f));
    fprintf(out, "single rates by fastai's rules\n");
    print_mark(f, out, "valley", OF(v, valley), "");
    print_mark(f, out, "slide", OF(v, slide), "");
    print_mark(f, out, "minimum", OF(v, minimum), "(a tenth of the least loss's)");
    print_mark(f, out, "steep", OF(v, steep), "");
}

static void print_trials(const gyre_find *f, FILE *out) {
    if (f->trial_count == 0) return;
    fprintf(out, "verified with %" PRId64 " steps at constant rates:\n  %10s  %18s  %10s\n",
            (f->options.steps + 1) / 2, "rate",
            find_reads_scores(f) ? "validation loss" : "training loss",
            gyre_metric_prose(f->metric).text);
    for (int i = 0; i < f->trial_count; i++) {
        const gyre_find_trial *t = &f->trials[i];
        fprintf(out, "  %10.3g  ", t->rate);
        if (isnan(t->loss)) {
            fprintf(out, "%18s\n", "diverged");
        } else if (isnan(t->metric)) {
            fprintf(out, "%8.4f +- %6.4f\n", t->loss, t->error);
        } else {
            char value[64];
            fprintf(out, "%8.4f +- %6.4f  %10s\n", t->loss, t->error,
                    gyre_metric_text(f->metric, t->metric, value, sizeof value));
        }
    }
    fprintf(out, "  %s\n", f->verified);
}

static void print_sweeps(const gyre_find *f, FILE *out) {
    const gyre_find_verdict *v = &f->verdict;
    if (!v->reliable) {
        fprintf(out, "no reliable suggestion: %s\n", v->reason);
        if (f->options.verify) fputs("not verified: there are no bounds to train at\n", out);
        return;
    }
    fprintf(out, "suggested: base_lr %.3g, max_lr %.3g, stepsize %" PRId64 " steps\n",
            v->value.base_lr, v->value.max_lr, v->stepsize);
    fprintf(out,
            "  %s\n  stepsize: %d epochs; %d to %d are usual (%" PRId64 " to %" PRId64 " steps)\n",
            v->reason, FIND_STEPSIZE, STEPSIZE_LEAST, STEPSIZE_MOST,
            STEPSIZE_LEAST * f->steps_per_epoch, STEPSIZE_MOST * f->steps_per_epoch);
    print_trials(f, out);
}

void gyre_find_print(const gyre_find *f, FILE *out) {
    print_marks(f, out);
    if (f->cycle_count == 0) {
        print_sweeps(f, out);
        return;
    }
    find_print_ladder(f, out);
    find_print_range(f, out);
}
