/* The network of an arm, opened on no device before any cell runs: what arms are judged by, and
 * whether cells can make the samples that the study asks for. */
#include "study_spec.h"

#include "gyre/denoiser.h"
#include "gyre/model.h"
#include "gyre/run.h"
#include "gyre/sample.h"

/* As a run opens it, but for class weights, which only change the loss. */
static gyre_status open_model(const gyre_settings *s, const study_data *d, gyre_model **out) {
    const bool cut = s->data.crop_size > 0;
    gyre_model_settings model = s->model;
    if (model.classes == 0) model.classes = d->classes;
    model.target = d->target;
    model.class_weights = NULL;
    model.class_weight_count = 0;
    model.class_weights_balanced = false;
    return gyre_model_open(&model, cut ? s->data.crop_size : d->h, cut ? s->data.crop_size : d->w,
                           d->c, model.classes, out);
}

/* The sampler that the section `sample` asks for; a class by its name is for the cell to find. */
static gyre_status check_sampler(const gyre_sample_settings *s, const gyre_model *m) {
    const gyre_sampling_input input = {.h = m->h, .w = m->w, .c = m->c, .bytes = true};
    gyre_sampling_options options;
    if (s->condition != NULL) return GYRE_OK;
    return gyre_sample_options(s, "sample.", m, &(gyre_class_names){0}, &input, &options);
}

static gyre_status check_samples(const gyre_study *study, const gyre_sample_settings *s,
                                 const study_data *d, const gyre_model *m) {
    gyre_denoiser denoiser;
    if (study->samples == 0) return GYRE_OK;
    if (!gyre_denoiser_of(m, &denoiser)) {
        return gyre_fail(GYRE_EUSAGE,
                         "samples: expected a network whose loss is denoise, which alone makes "
                         "some, found %s",
                         m->loss);
    }
    GYRE_TRY(check_sampler(s, m));
    if (!d->has_test) {
        return gyre_fail(GYRE_EUSAGE,
                         "samples: expected a dataset with a part test, which they are compared "
                         "with; '%s' has none",
                         d->path);
    }
    if (study->features == NULL) return GYRE_OK;
    return gyre_fail_in("features", gyre_features_check(study->features, m->h, m->w, m->c));
}

gyre_status study_arm_network(const gyre_study *study, const study_data *d, gyre_study_arm *arm) {
    gyre_model *m = NULL;
    GYRE_TRY(open_model(arm->settings, d, &m));
    arm->metric = m->metric;
    gyre_status status = check_samples(study, &arm->settings->sample, d, m);
    gyre_model_close(m);
    return status;
}
