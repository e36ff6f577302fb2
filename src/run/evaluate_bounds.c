/* What a network that denoises is to be read against: see gyre/bounds.h. */
#include "evaluation.h"

#include "gyre/denoiser.h"
#include "gyre/log.h"

gyre_status evaluation_check_bounds(const evaluation *e) {
    gyre_denoiser d;
    if (!gyre_denoiser_of(e->model, &d)) {
        return gyre_fail(GYRE_EUSAGE,
                         "--bounds: expected a network whose loss is denoise, found %s",
                         e->model->loss);
    }
    if (d.c != e->model->c) {
        return gyre_fail(GYRE_EUSAGE,
                         "--bounds: expected a network of images, found one of latents, which are "
                         "drawn anew each time");
    }
    if (e->own) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--bounds: needs the images that the network was trained on, so the config of "
                     "its run, and the run's own dataset");
}

gyre_status evaluation_find_training(evaluation *e) {
    if (e->samples.train.images != NULL) return GYRE_OK;
    return gyre_samples_open(e->data, &e->settings->data, e->settings->seed, &e->samples);
}

gyre_status evaluation_bounds(evaluation *e, gyre_comm *comm, gyre_bounds *out) {
    GYRE_TRY(gyre_comm_agree(comm, evaluation_find_training(e)));
    if (gyre_comm_rank(comm) == 0) {
        gyre_say("comparing with denoisers that know the %lld training images",
                 (long long)e->samples.train.count);
    }
    const gyre_bounds_question q = {.model = e->model,
                                    .train = &e->samples.train,
                                    .view = &e->view,
                                    .mean = e->snapshot.mean,
                                    .scale = e->snapshot.scale,
                                    .passes = e->passes};
    return gyre_bounds_of(&q, e->backend, comm, out);
}
