/* Puts a trained network on a device; see device.h. */
#include "device.h"

#include "gyre/defaults.h"

gyre_status run_device_open(const gyre_settings *settings, gyre_comm *comm, gyre_backend **out) {
    gyre_backend_options options = {.deterministic = true,
                                    .deadline_seconds = GYRE_DEFAULT_WATCHDOG_SECONDS};
    gyre_backend_choice choice = GYRE_BACKEND_AUTO;
    if (settings != NULL) {
        options = gyre_backend_options_of(settings);
        choice = settings->backend;
    }
    options.reduce = GYRE_REDUCE_FAST;
    return gyre_comm_agree(comm, gyre_backend_open(choice, &options, comm, out));
}

gyre_status run_device_load(const gyre_model *m, const gyre_snapshot *s, gyre_backend *b,
                            gyre_weights **out) {
    GYRE_TRY(gyre_weights_open(m, b, s->mean, s->scale, out));
    GYRE_TRY(b->ops->upload(b->main, (*out)->parameters, s->parameters, m->parameters));
    if (m->buffers > 0) {
        GYRE_TRY(b->ops->upload(b->main, (*out)->buffers, s->buffers, m->buffers));
    }
    return gyre_weights_pack(*out);
}
