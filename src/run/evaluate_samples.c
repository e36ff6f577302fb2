/* Samples of a network beside pictures that it never saw; see gyre/likeness.h. */
#include "evaluation.h"

#include "features.h"
#include "gyre/denoiser.h"
#include "gyre/log.h"
#include "gyre/nearest.h"
#include "gyre/sample.h"
#include "gyre/size.h"
#include <stdlib.h>
#include <string.h>

enum { HELD_MOST = 1000 }; /* pictures of the part that samples are compared with */

/* What is at work: a set of samples or pictures x(count, h, w, c), in the network's numbers. */
typedef struct {
    evaluation *e;
    gyre_sampling_options options;
    gyre_comm *comm;
    size_t values; /* of a sample */
    int made, held;
    float *made_x, *held_x;
    gyre_neighbour *made_near, *held_near; /* in the training samples */
} comparison;

static gyre_sampling_input input_of(const evaluation *e) {
    const gyre_model *m = e->model;
    return (gyre_sampling_input){.h = m->h,
                                 .w = m->w,
                                 .c = m->c,
                                 .bytes = e->view.images->element == GYRE_ELEMENT_U8,
                                 .mean = e->snapshot.mean,
                                 .scale = e->snapshot.scale};
}

/* Without a device: the network denoises, its training samples are known, and so is what to make.
 */
static gyre_status check_made(const evaluation *e, int made) {
    gyre_denoiser d;
    gyre_sampling_options options;
    const gyre_sampling_input input = input_of(e);
    const gyre_class_names names = gyre_dataset_class_names(e->data);
    if (!gyre_denoiser_of(e->model, &d)) {
        return gyre_fail(GYRE_EUSAGE, "expected a network whose loss is denoise, found %s",
                         e->model->loss);
    }
    if (!e->own) {
        return gyre_fail(GYRE_EUSAGE,
                         "needs the samples that the network was trained on, so the config of its "
                         "run, and the run's own dataset");
    }
    if (d.c != e->model->c) {
        return gyre_fail(GYRE_EUSAGE, "expected a network of images, found one of latents, which "
                                      "are compared as pictures alone");
    }
    if (made < 2 || made > GYRE_GENERATED_MOST) {
        return gyre_fail(GYRE_EUSAGE, "expected 2 to %d, found %d", GYRE_GENERATED_MOST, made);
    }
    return gyre_sample_options(&e->settings->sample, "sample.", e->model, &names, &input, &options);
}

gyre_status evaluation_check_samples(const evaluation *e, const gyre_evaluated *what) {
    const gyre_model *m = e->model;
    if (what->samples == 0 && what->features == NULL) return GYRE_OK;
    GYRE_TRY(gyre_fail_in("--samples", check_made(e, what->samples)));
    if (what->features == NULL) return GYRE_OK;
    if (e->view.images->element != GYRE_ELEMENT_U8) {
        return gyre_fail(GYRE_EUSAGE, "--features: expected a dataset of pictures, found arrays");
    }
    return gyre_fail_in("--features", gyre_features_check(what->features, m->h, m->w, m->c));
}

/* ---- both sets */

static gyre_status open_sets(comparison *c) {
    const evaluation *e = c->e;
    c->values = (size_t)e->model->h * (size_t)e->model->w * (size_t)e->model->c;
    c->held = e->view.count < HELD_MOST ? (int)e->view.count : HELD_MOST;
    c->made_x = malloc(gyre_size_of((size_t)c->made, c->values * sizeof(float)));
    c->held_x = malloc(gyre_size_of((size_t)c->held, c->values * sizeof(float)));
    c->made_near = calloc((size_t)c->made, sizeof *c->made_near);
    c->held_near = calloc((size_t)c->held, sizeof *c->held_near);
    if (c->made_x && c->held_x && c->made_near && c->held_near) return GYRE_OK;
    return gyre_no_memory("%d samples and %d pictures", c->made, c->held);
}

static void close_sets(comparison *c) {
    free(c->made_x);
    free(c->held_x);
    free(c->made_near);
    free(c->held_near);
}

/* Seeds from 0 on, so that those of two networks begin as the same noise. */
static gyre_status make(comparison *c) {
    gyre_sampling *sampling = NULL;
    uint64_t *seeds = calloc((size_t)c->made, sizeof *seeds);
    gyre_status status = seeds == NULL ? gyre_no_memory("%d samples", c->made) : GYRE_OK;
    GYRE_GOTO(gyre_comm_agree(c->comm, status));
    for (int i = 0; i < c->made; i++) seeds[i] = (uint64_t)i;
    const gyre_sampling_job job = {.seeds = seeds, .count = c->made};
    status = gyre_sampling_open(c->e->weights, &c->options, c->comm, &sampling);
    GYRE_GOTO(gyre_comm_agree(c->comm, status));
    status = gyre_sampling_run(sampling, &job, c->made_x);
out:
    gyre_sampling_close(sampling);
    free(seeds);
    return status;
}

/* From all over the part, whose samples may lie by class. */
static gyre_status read_held(comparison *c) {
    for (int i = 0; i < c->held; i++) {
        c->held_near[i].index = i * c->e->view.count / c->held;
    }
    return gyre_nearest_read(&c->e->view, &c->options.input, c->held_near, c->held, c->held_x);
}

/* ---- what they are like */

static gyre_status compare_distances(comparison *c, gyre_copying *out) {
    const gyre_view *train = &c->e->samples.train;
    const gyre_sampling_input *in = &c->options.input;
    GYRE_TRY(gyre_nearest(train, in, c->made_x, c->made, c->comm, c->made_near));
    GYRE_TRY(gyre_nearest(train, in, c->held_x, c->held, c->comm, c->held_near));
    double *made = malloc(((size_t)c->made + (size_t)c->held + 1) * sizeof *made);
    if (made == NULL) return gyre_comm_agree(c->comm, gyre_no_memory("distances"));
    double *held = made + c->made;
    for (int i = 0; i < c->made; i++) made[i] = c->made_near[i].distance;
    for (int i = 0; i < c->held; i++) held[i] = c->held_near[i].distance;
    gyre_copying_of(made, (size_t)c->made, held, (size_t)c->held, out);
    free(made);
    return gyre_comm_agree(c->comm, GYRE_OK);
}

static gyre_status features_of(const comparison *c, const run_features *f, const float *x,
                               int count, float *out) {
    uint8_t *pixels = malloc((size_t)count * c->values);
    gyre_status status = pixels == NULL ? gyre_no_memory("%d pictures", count) : GYRE_OK;
    status = gyre_comm_agree(c->comm, status);
    if (status == GYRE_OK) {
        gyre_sampling_pixels(&c->options.input, (size_t)count, x, pixels);
        status = run_features_of(f, pixels, count, c->comm, out);
    }
    free(pixels);
    return status;
}

static gyre_status compare_features(const comparison *c, const char *path, gyre_generated *out) {
    const gyre_model *m = c->e->model;
    run_features f;
    float *made = NULL, *held = NULL;
    gyre_status status = run_features_open(path, m->h, m->w, m->c, &f);
    GYRE_GOTO(gyre_comm_agree(c->comm, gyre_fail_in("--features", status)));
    made = malloc(gyre_size_of((size_t)c->made, f.count * sizeof *made));
    held = malloc(gyre_size_of((size_t)c->held, f.count * sizeof *held));
    if (made == NULL || held == NULL) status = gyre_no_memory("features of pictures");
    GYRE_GOTO(gyre_comm_agree(c->comm, status));
    GYRE_GOTO(features_of(c, &f, c->made_x, c->made, made));
    GYRE_GOTO(features_of(c, &f, c->held_x, c->held, held));
    out->kernel = gyre_kernel_distance_of(made, (size_t)c->made, held, (size_t)c->held, f.count);
    snprintf(out->features, sizeof out->features, "%s", f.name);
out:
    run_features_close(&f);
    free(made);
    free(held);
    return status;
}

/* The samples and their nearest training samples, in the dataset's units; the sets are used up. */
static gyre_status hand_over(comparison *c, gyre_generated *out) {
    const gyre_sampling_input *in = &c->options.input;
    float *near = malloc((size_t)c->made * c->values * sizeof *near);
    if (near == NULL) return gyre_no_memory("%d samples", c->made);
    out->samples = (gyre_latents){c->made, in->h, in->w, in->c, c->made_x};
    out->nearest = (gyre_latents){c->made, in->h, in->w, in->c, near};
    c->made_x = NULL;
    GYRE_TRY(gyre_nearest_read(&c->e->samples.train, in, c->made_near, c->made, near));
    gyre_sampling_store(in, (size_t)c->made, out->samples.values);
    gyre_sampling_store(in, (size_t)c->made, near);
    return GYRE_OK;
}

gyre_status evaluation_samples(evaluation *e, const gyre_evaluated *what, gyre_comm *comm,
                               gyre_generated *out) {
    comparison c = {.e = e, .comm = comm, .made = what->samples};
    const gyre_sampling_input input = input_of(e);
    const gyre_class_names names = gyre_dataset_class_names(e->data);
    gyre_status status = evaluation_find_training(e);
    if (status == GYRE_OK) {
        status = gyre_sample_options(&e->settings->sample, "sample.", e->model, &names, &input,
                                     &c.options);
    }
    if (status == GYRE_OK) status = open_sets(&c);
    if (status == GYRE_OK) status = read_held(&c);
    GYRE_GOTO(gyre_comm_agree(comm, status));
    if (what->tells && gyre_comm_rank(comm) == 0) gyre_say("making %d samples", c.made);
    GYRE_GOTO(make(&c));
    *out = (gyre_generated){.made = c.made,
                            .held = c.held,
                            .train = e->samples.train.count,
                            .pictures = input.bytes && (input.c == 1 || input.c == 3)};
    GYRE_GOTO(compare_distances(&c, &out->copying));
    if (what->features != NULL) GYRE_GOTO(compare_features(&c, what->features, out));
    GYRE_GOTO(gyre_comm_agree(comm, hand_over(&c, out)));
out:
    close_sets(&c);
    return status;
}
