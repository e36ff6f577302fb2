/* Runs are opened, and their samples made; see samples.h. */
#include "samples.h"

#include "gyre/clock.h"
#include "gyre/config.h"
#include "gyre/defaults.h"
#include "gyre/log.h"
#include "gyre/size.h"
#include "gyre/status_line.h"
#include "gyre/terminal.h"
#include "gyre/text.h"
#include "holds.h"
#include "weights.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gyre_status cli_samples_open(int run_count, cli_samples *s) {
    *s = (cli_samples){.run_count = run_count};
    s->runs = calloc((size_t)run_count, sizeof *s->runs);
    return s->runs != NULL ? GYRE_OK : gyre_no_memory("%d runs", run_count);
}

void cli_samples_close(cli_samples *s) {
    for (int i = 0; s->runs != NULL && i < s->run_count; i++) {
        gyre_sample_source_close(&s->runs[i].source);
        free(s->runs[i].x);
    }
    gyre_sample_training_close(&s->training);
    free(s->runs);
    free(s->seeds);
    free(s->start.values);
    free(s->nearest);
    free(s->near);
    *s = (cli_samples){0};
}

/* ---- runs */

/* The folder that holds the checkpoint's folder is a run's; else the file names itself. */
static void name_run(const gyre_trained *t, char *out, size_t size) {
    char *whole = realpath(t->checkpoint, NULL);
    char *file = whole == NULL ? NULL : strrchr(whole, '/');
    const char *name = file == NULL ? t->checkpoint : file + 1;
    if (file != NULL && file != whole) {
        *file = '\0';
        char *folder = strrchr(whole, '/');
        if (folder != whole && strcmp(folder + 1, "checkpoints") == 0) {
            *folder = '\0';
            name = strrchr(whole, '/') + 1;
        }
    }
    snprintf(out, size, "%s", name);
    free(whole);
}

static void write_label(cli_sample_run *r) {
    enum { NAME = 24 };
    char name[PATH_MAX];
    name_run(&r->source.trained, name, sizeof name);
    const gyre_snapshot *kept = &r->source.trained.snapshot;
    snprintf(r->label, sizeof r->label, "%s\nstep %lld%s", gyre_text_shorten(name, NAME),
             (long long)kept->completed,
             kept->averaged             ? "\naverage"
             : kept->average[0] != '\0' ? "\nlast weights"
                                        : "");
}

gyre_status cli_samples_add(cli_samples *s, int index, const char *path,
                            gyre_weights_choice weights, const char *data) {
    cli_sample_run *r = &s->runs[index];
    const gyre_sampling_input *in = &r->source.input, *first = &s->runs[0].source.input;
    gyre_status status = gyre_sample_source_open(path, weights, data, &r->source);
    if (status == GYRE_EIO) {
        status = cli_other_kind(status, path, CLI_HOLDS_RUN | CLI_HOLDS_CHECKPOINT);
    }
    GYRE_TRY(status);
    write_label(r);
    if (in->h == first->h && in->w == first->w && in->c == first->c) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "rows need samples of one size: '%s' makes %d x %d x %d (height, width, "
                     "channels), the first run %d x %d x %d",
                     path, in->h, in->w, in->c, first->h, first->w, first->c);
}

static gyre_status read_start(cli_samples *s, const char *file) {
    const gyre_sampling_input *in = &s->runs[0].source.input;
    GYRE_TRY(gyre_latents_read(file, &s->start));
    if (s->start.h == in->h && s->start.w == in->w && s->start.c == in->c) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--start: '%s' has noise of %d x %d x %d (height, width, channels), the "
                     "network takes %d x %d x %d",
                     file, s->start.h, s->start.w, s->start.c, in->h, in->w, in->c);
}

gyre_status cli_samples_seeds(cli_samples *s, const char *list, const char *start) {
    char as_many[32];
    if (start != NULL) GYRE_TRY(read_start(s, start));
    snprintf(as_many, sizeof as_many, "0..%d", s->start.count - 1);
    const char *usual = start != NULL ? as_many : GYRE_DEFAULT_SAMPLE_SEEDS;
    GYRE_TRY(gyre_fail_in("--seeds",
                          gyre_seeds_read(list == NULL ? usual : list, &s->seeds, &s->seed_count)));
    if (start == NULL || s->start.count == s->seed_count) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--seeds: expected %d, as many as '%s' has samples, found %d",
                     s->start.count, start, s->seed_count);
}

/* ---- at work */

/* What a person sees of it: on a terminal a line that is rewritten, else one now and then. */
typedef struct {
    bool silent;
    gyre_status_line line;
    char name[CLI_SAMPLE_LABEL]; /* of the run */
    int run, runs;               /* from 1 */
    double begun, shown;
} progress;

static void show(void *context, int64_t done, int64_t all) {
    progress *p = context;
    char text[256], left[32], which[48] = "";
    double now = gyre_clock();
    bool terminal = p->line.terminal >= 0;
    if (done == all || now - p->shown < (terminal ? 0.2 : 30)) return;
    gyre_print_duration((now - p->begun) / (double)done * (double)(all - done), left, sizeof left);
    if (p->runs > 1) snprintf(which, sizeof which, " (run %d of %d)", p->run, p->runs);
    snprintf(text, sizeof text, "%s%s: step %lld/%lld  %.0f %%  %s left", p->name, which,
             (long long)done, (long long)all, floor(100.0 * (double)done / (double)all), left);
    if (terminal)
        gyre_status_line_show(&p->line, text);
    else
        gyre_say("%s", text);
    p->shown = now;
}

static gyre_status make_run(cli_samples *s, int index, progress *p, gyre_comm *comm) {
    cli_sample_run *r = &s->runs[index];
    const gyre_sampling_input *in = &r->source.input;
    size_t values = (size_t)in->h * (size_t)in->w * (size_t)in->c;
    r->x = malloc(gyre_size_of((size_t)s->seed_count, values * sizeof *r->x));
    gyre_status status = r->x != NULL ? GYRE_OK : gyre_no_memory("%d samples", s->seed_count);
    GYRE_TRY(gyre_comm_agree(comm, status));
    snprintf(p->name, sizeof p->name, "%.*s", (int)strcspn(r->label, "\n"), r->label);
    p->run = index + 1;
    p->begun = p->shown = gyre_clock();
    const gyre_sampling_job job = {.seeds = s->seeds,
                                   .count = s->seed_count,
                                   .start = s->start.values,
                                   .progress = p->silent ? NULL : show,
                                   .context = p};
    return gyre_sample_make(&r->source, &r->options, &job, comm, r->x);
}

static void tell_done(const cli_samples *s, const cli_sample_run *r, double seconds) {
    const gyre_trained *t = &r->source.trained;
    char caption[128], duration[32];
    gyre_sample_caption(&r->options, &t->names, caption, sizeof caption);
    gyre_print_duration(seconds, duration, sizeof duration);
    gyre_say("checkpoint %s, after step %lld%s: %d sample%s in %s (%s)", t->checkpoint,
             (long long)t->snapshot.completed,
             cli_weights_text(t->snapshot.average[0] != '\0', t->snapshot.averaged), s->seed_count,
             s->seed_count == 1 ? "" : "s", duration, caption);
}

gyre_status cli_samples_make(cli_samples *s, bool quiet, gyre_comm *comm) {
    bool silent = quiet || gyre_comm_rank(comm) != 0;
    progress p = {.silent = silent, .line = gyre_status_line_open(silent), .runs = s->run_count};
    gyre_status status = GYRE_OK;
    for (int i = 0; i < s->run_count && status == GYRE_OK; i++) {
        double begun = gyre_clock();
        status = make_run(s, i, &p, comm);
        gyre_status_line_clear(&p.line);
        if (status == GYRE_OK && !quiet) tell_done(s, &s->runs[i], gyre_clock() - begun);
    }
    gyre_status_line_close(&p.line);
    return status;
}

gyre_status cli_samples_find_nearest(cli_samples *s, gyre_comm *comm) {
    const cli_sample_run *first = &s->runs[0];
    const gyre_sampling_input *in = &first->source.input;
    size_t values = (size_t)in->h * (size_t)in->w * (size_t)in->c, n = (size_t)s->seed_count;
    s->nearest = calloc(n, sizeof *s->nearest);
    s->near = malloc(gyre_size_of(n, values * sizeof *s->near));
    gyre_status status = s->nearest != NULL && s->near != NULL
                             ? GYRE_OK
                             : gyre_no_memory("the nearest training samples");
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(gyre_nearest(&s->training.view, in, first->x, s->seed_count, comm, s->nearest));
    return gyre_comm_agree(
        comm, gyre_nearest_read(&s->training.view, in, s->nearest, s->seed_count, s->near));
}
