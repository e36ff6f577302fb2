/* Samples of networks that were trained before; see gyre/sample.h. */
#include "gyre/sample.h"

#include "device.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "own_config.h"
#include <stdlib.h>
#include <string.h>

static gyre_status find_file(const gyre_sample_source *s, const char **data) {
    if (*data == NULL && s->settings != NULL) *data = s->settings->data.path;
    if (*data == NULL) {
        return gyre_fail(GYRE_EIO, "no config of the run of '%s' names its dataset",
                         s->trained.checkpoint);
    }
    if (gyre_file_exists(*data)) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "the dataset '%s' is not there", *data);
}

/* The contexts are the dataset's, or another's with the same size of them. */
static gyre_status take_contexts(gyre_sample_source *s, const char *data) {
    GYRE_TRY(find_file(s, &data));
    GYRE_TRY(gyre_dataset_open(data, &s->data));
    s->trained.model->contexts = gyre_dataset_contexts(s->data);
    return gyre_fail_in(data, gyre_model_check_contexts(s->trained.model));
}

gyre_status gyre_sample_source_open(const char *path, gyre_weights_choice weights, const char *data,
                                    gyre_sample_source *out) {
    char *checkpoint = NULL, *config = NULL;
    gyre_status status = GYRE_OK;
    *out = (gyre_sample_source){0};
    GYRE_GOTO(run_locate(path, &checkpoint, &config));
    GYRE_GOTO(gyre_trained_open(checkpoint, weights, &out->trained));
    GYRE_GOTO(
        run_own_config(config, checkpoint, out->trained.snapshot.config_hash, &out->settings));
    const gyre_model *m = out->trained.model;
    gyre_denoiser d;
    const gyre_snapshot *s = &out->trained.snapshot;
    const char *pixels = gyre_element_name(GYRE_ELEMENT_U8);
    const bool denoises = gyre_denoiser_of(m, &d);
    out->input = (gyre_sampling_input){
        .h = d.h,
        .w = d.w,
        .c = d.c,
        .bytes = s->element[0] == '\0' || strcmp(s->element, pixels) == 0,
        .mean = s->mean,
        .scale = s->scale,
    };
    if (!denoises) {
        status = gyre_fail(GYRE_EUSAGE,
                           "'%s': expected a network that denoises, which alone makes samples; "
                           "its loss is %s",
                           path, m->loss);
    }
    if (status == GYRE_OK && d.contexts) status = take_contexts(out, data);
out:
    free(checkpoint);
    free(config);
    if (status != GYRE_OK) gyre_sample_source_close(out);
    return status;
}

void gyre_sample_source_close(gyre_sample_source *s) {
    if (s->trained.checkpoint != NULL) gyre_trained_close(&s->trained);
    gyre_config_close(s->settings);
    gyre_dataset_close(s->data);
    *s = (gyre_sample_source){0};
}

gyre_status gyre_sample_make(const gyre_sample_source *s, const gyre_sampling_options *options,
                             const gyre_sampling_job *job, gyre_comm *comm, float *x) {
    const gyre_trained *t = &s->trained;
    gyre_backend *backend = NULL;
    gyre_weights *weights = NULL;
    gyre_sampling *sampling = NULL;
    gyre_status status = GYRE_OK;
    GYRE_GOTO(run_device_open(s->settings, comm, &backend));
    GYRE_GOTO(gyre_comm_agree(comm, run_device_load(t->model, &t->snapshot, backend, &weights)));
    GYRE_GOTO(gyre_comm_agree(comm, gyre_sampling_open(weights, options, comm, &sampling)));
    status = gyre_sampling_run(sampling, job, x);
out:
    gyre_sampling_close(sampling);
    if (weights != NULL) gyre_weights_close(weights);
    if (backend != NULL) backend->ops->close(backend);
    return status;
}

/* ---- what it was trained on */

static gyre_status find_view(const gyre_sample_source *s, gyre_sample_training *t) {
    const gyre_images *images = gyre_dataset_train(t->data);
    if (s->settings != NULL) {
        GYRE_TRY(gyre_samples_open(t->data, &s->settings->data, s->settings->seed, &t->samples));
        t->view = t->samples.train;
        return GYRE_OK;
    }
    bool cut = images->h != s->input.h || images->w != s->input.w;
    t->view = (gyre_view){.images = images, .count = images->count, .size = cut ? s->input.h : 0};
    return GYRE_OK;
}

gyre_status gyre_sample_training_open(const gyre_sample_source *s, const char *data,
                                      gyre_sample_training *out) {
    *out = (gyre_sample_training){0};
    if (s->input.c != s->trained.model->c) {
        return gyre_fail(GYRE_EIO, "the network makes latents, which are not compared with those "
                                   "of the dataset");
    }
    GYRE_TRY(find_file(s, &data));
    GYRE_TRY(gyre_dataset_open(data, &out->data));
    if (gyre_dataset_hash(out->data) != s->trained.snapshot.data_hash) {
        return gyre_fail(GYRE_EIO,
                         "'%s' has other samples than '%s' was trained on; --data FILE names the "
                         "dataset where it is now",
                         data, s->trained.checkpoint);
    }
    return find_view(s, out);
}

void gyre_sample_training_close(gyre_sample_training *t) {
    gyre_samples_close(&t->samples);
    if (t->data != NULL) gyre_dataset_close(t->data);
    *t = (gyre_sample_training){0};
}
