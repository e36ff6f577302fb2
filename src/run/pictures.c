/* Samples of a run under way; see pictures.h. They are made by all ranks and written by rank 0. A
 * run that resumes comes to some steps again: the picture of before is the same, and stays. */
#include "pictures.h"

#include "gyre/clock.h"
#include "gyre/config.h"
#include "gyre/defaults.h"
#include "gyre/file.h"
#include "gyre/latents.h"
#include "gyre/log.h"
#include "gyre/size.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static size_t values_of(const gyre_sampling_input *in) {
    return (size_t)in->h * (size_t)in->w * (size_t)in->c;
}

/* Says how, but not when. */
static gyre_status check_unused(const gyre_sample_settings *s) {
    bool used = s->seeds != NULL || s->steps > 0 || s->method != GYRE_SAMPLING_DDIM ||
                s->eta != 0 || s->condition != NULL || s->guidance != 1;
    if (!used) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "sample: expected sample.every or sample.minima beside the other "
                                  "keys, to say when samples are made");
}

static gyre_status plan(run_pictures *p, const gyre_resolved *resolved) {
    const gyre_sample_settings *s = &resolved->settings.sample;
    const gyre_model *m = resolved->model;
    const gyre_class_names names = gyre_dataset_class_names(resolved->data);
    const gyre_images *images = resolved->samples.train.images;
    gyre_denoiser d;
    gyre_denoiser_of(m, &d); /* gyre_sample_options refuses another network */
    const gyre_sampling_input input = {
        .h = d.h, .w = d.w, .c = d.c, .bytes = images->element == GYRE_ELEMENT_U8};
    p->on = s->every.unit != GYRE_UNIT_NONE || s->minima;
    if (!p->on) return check_unused(s);
    GYRE_TRY(gyre_sample_options(s, "sample.", m, &names, &input, &p->options));
    p->pictures = gyre_sample_is_picture(&input);
    gyre_sample_caption(&p->options, &names, p->caption, sizeof p->caption);
    const char *list = s->seeds == NULL ? GYRE_DEFAULT_SAMPLE_SEEDS : s->seeds;
    return gyre_fail_in("sample.seeds", gyre_seeds_read(list, &p->seeds, &p->count));
}

gyre_status run_pictures_plan(run_pictures *p, const gyre_resolved *resolved) {
    const char *source = resolved->settings.source;
    gyre_status status = plan(p, resolved);
    return source == NULL ? status : gyre_fail_in(source, status);
}

gyre_status run_pictures_open(run_pictures *p, const gyre_trainer *t) {
    if (!p->on) return GYRE_OK;
    p->options.input.mean = t->snapshot.mean;
    p->options.input.scale = t->snapshot.scale;
    size_t bytes = values_of(&p->options.input) * sizeof *p->x;
    p->x = malloc(gyre_size_of((size_t)p->count, bytes));
    if (p->x == NULL) return gyre_no_memory("%d samples", p->count);
    return gyre_sampling_open(gyre_trainer_evaluated(t), &p->options, t->comm, &p->sampling);
}

void run_pictures_close(run_pictures *p) {
    gyre_sampling_close(p->sampling);
    free(p->seeds);
    free(p->x);
    *p = (run_pictures){0};
}

bool run_pictures_due(const run_pictures *p, const gyre_sample_settings *s, int64_t completed,
                      bool minimum, bool end) {
    bool on_grid = s->every.unit == GYRE_UNIT_STEPS && completed % (int64_t)s->every.value == 0;
    return p->on && (end || on_grid || (minimum && s->minima));
}

/* ---- rank 0 */

/* RUN/samples/step-000012000.png, as checkpoints are called; free() it. */
static gyre_status path_of(const run_pictures *p, const run_files *f, int64_t completed,
                           char **out) {
    int n = asprintf(out, "%s/" GYRE_SAMPLES "/step-%09lld.%s", f->folder.path,
                     (long long)completed, p->pictures ? "png" : "h5");
    return n >= 0 ? GYRE_OK : gyre_no_memory("samples of a run");
}

static gyre_status draw(const run_pictures *p, int64_t completed, char **png, size_t *size) {
    char label[48];
    snprintf(label, sizeof label, "step\n%lld", (long long)completed);
    const gyre_sample_row row = {label, &p->options.input, p->x};
    return gyre_sample_picture(&row, 1, p->seeds, p->count, p->caption, png, size);
}

/* Not the folders above it: where they are missing the run folder was moved. */
static gyre_status make_folder(const run_files *f) {
    char *dir = gyre_path_join(f->folder.path, GYRE_SAMPLES);
    gyre_status status = GYRE_OK;
    if (dir == NULL) return gyre_no_memory("samples of a run");
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        status = gyre_fail(GYRE_EIO, "cannot make folder '%s': %s", dir, strerror(errno));
    }
    free(dir);
    return status;
}

static void tell(const run_pictures *p, run_files *f, int64_t completed, const char *path,
                 double seconds) {
    gyre_json *line = gyre_event_begin(f->events, "sample");
    gyre_json_add_integer(line, "step", completed);
    gyre_json_add_number(line, "seconds", seconds);
    run_files_log(f, line);
    gyre_progress_clear(f->progress);
    if (!p->quiet) gyre_say("step %lld: samples %s", (long long)completed, path);
}

/* In the units of the dataset; x is not what it was then. */
static gyre_status keep_numbers(const run_pictures *p, const char *path) {
    const gyre_sampling_input *in = &p->options.input;
    const gyre_latents l = {p->count, in->h, in->w, in->c, p->x};
    gyre_sampling_store(in, (size_t)p->count, p->x);
    return gyre_latents_write(path, &l);
}

/* The picture of this step, new or as it is there, into the files. */
static gyre_status keep_picture(const run_pictures *p, run_files *f, int64_t completed,
                                const char *path, bool there) {
    enum { LARGEST = 1 << 30 };
    char *png = NULL;
    size_t size = 0;
    gyre_status status =
        there ? gyre_file_read(path, LARGEST, &png, &size) : draw(p, completed, &png, &size);
    if (status == GYRE_OK && !there) status = gyre_file_write_atomic(path, png, size);
    if (status == GYRE_OK) {
        run_files_tolerate(
            f, gyre_tensorboard_picture(f->tensorboard, completed, "samples", png, size));
    }
    free(png);
    return status;
}

static gyre_status keep(const run_pictures *p, run_files *f, int64_t completed, const char *path,
                        bool there, double begun) {
    if (!there) GYRE_TRY(make_folder(f));
    if (p->pictures)
        GYRE_TRY(keep_picture(p, f, completed, path, there));
    else if (!there)
        GYRE_TRY(keep_numbers(p, path));
    if (!there) tell(p, f, completed, path, gyre_clock() - begun);
    return GYRE_OK;
}

static void warn(run_files *f) {
    gyre_progress_clear(f->progress);
    gyre_warn("%s; training continues without these samples", gyre_error_text());
    gyre_json *line = gyre_event_begin(f->events, "warning");
    gyre_json_add_text(line, "text", gyre_error_text());
    run_files_log(f, line);
}

/* ---- all ranks */

/* By the weights that are evaluated: working copies of an average are in the place of the trained
 * weights' for as long as it takes. */
static gyre_status make(run_pictures *p, gyre_trainer *t) {
    const gyre_sampling_job job = {.seeds = p->seeds, .count = p->count};
    gyre_weights *evaluated = gyre_trainer_evaluated(t);
    if (evaluated == t->weights) return gyre_sampling_run(p->sampling, &job, p->x);
    GYRE_TRY(gyre_trainer_fatal(t, gyre_weights_pack(evaluated)));
    GYRE_TRY(gyre_sampling_run(p->sampling, &job, p->x));
    return gyre_trainer_fatal(t, gyre_weights_pack(t->weights));
}

gyre_status run_pictures_make(run_pictures *p, gyre_trainer *t, run_files *files,
                              run_timing *timing) {
    double begun = gyre_clock();
    bool first = t->rank == 0, there = false;
    char *path = NULL;
    gyre_status status = GYRE_OK;
    if (first) {
        status = run_files_follow(files);
        if (status == GYRE_OK) status = path_of(p, files, t->completed, &path);
        if (status == GYRE_OK) there = gyre_file_taken(path);
    }
    GYRE_GOTO(gyre_comm_agree(t->comm, status));
    GYRE_GOTO(gyre_comm_broadcast(t->comm, &there, sizeof there, 0));
    if (!there) GYRE_GOTO(make(p, t));
    if (!first) goto out;
    gyre_watchdog_phase(t->watchdog, "writing samples", t->completed);
    if (keep(p, files, t->completed, path, there, begun) != GYRE_OK) warn(files);
    run_timing_pause(timing, begun);
out:
    free(path);
    return status;
}
