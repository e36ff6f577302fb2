/* The one place that knows which backends this program was built with. */
#include "gyre/backend.h"

#include <stdio.h>
#include <string.h>

#ifdef GYRE_CUDA
static const gyre_backend_ops *const cuda = &gyre_cuda_ops;
#else
static const gyre_backend_ops *const cuda = NULL;
#endif

/* A device's wait ends a little before the watchdog's, which knows less of what is wrong. */
static const double DEADLINE = 0.9;

gyre_backend_options gyre_backend_options_of(const gyre_settings *s) {
    return (gyre_backend_options){.threads = s->threads,
                                  .precision = s->precision,
                                  .reduce = s->reduce,
                                  .tf32 = s->tf32,
                                  .graph = s->graph,
                                  .deterministic = s->deterministic,
                                  .deadline_seconds = DEADLINE * s->watchdog_seconds,
                                  .first_deadline_seconds =
                                      DEADLINE * s->watchdog_first_step_seconds};
}

/* Takes the GPU, the CPU with the reason in `why`, or fails where the GPU is the only choice. */
static gyre_status try_gpu(bool must, struct gyre_comm *comm, char *why, size_t size,
                           const gyre_backend_ops **out) {
    if (cuda->available(comm, why, size)) {
        *out = cuda;
        return GYRE_OK;
    }
    if (!must) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE,
                     "backend: \"cuda\" needs one GPU per rank: %s; `gyre doctor` shows more, "
                     "\"cpu\" and \"auto\" go without",
                     why);
}

static gyre_status choose(gyre_backend_choice choice, struct gyre_comm *comm, char *why,
                          size_t size, const gyre_backend_ops **out) {
    bool must = choice == GYRE_BACKEND_CUDA;
    *out = &gyre_cpu_ops;
    why[0] = '\0';
    if (choice == GYRE_BACKEND_CPU) return GYRE_OK;
    if (cuda != NULL) return try_gpu(must, comm, why, size, out);
    if (!must) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE, "backend: this program was built without CUDA; use \"cpu\" or "
                                   "\"auto\"");
}

gyre_status gyre_backend_open(gyre_backend_choice choice, const gyre_backend_options *options,
                              struct gyre_comm *comm, gyre_backend **out) {
    const gyre_backend_ops *ops;
    char why[sizeof(*out)->no_gpu];
    GYRE_TRY(choose(choice, comm, why, sizeof why, &ops));
    GYRE_TRY(ops->open(options, comm, out));
    snprintf((*out)->no_gpu, sizeof(*out)->no_gpu, "%.*s", (int)sizeof(*out)->no_gpu - 1, why);
    return GYRE_OK;
}

void gyre_backend_assign(struct gyre_comm *comm) {
    char why[16]; /* not shown here: gyre_backend_open() says it */
    if (cuda != NULL) (void)cuda->available(comm, why, sizeof why);
}

void gyre_backend_list_devices(char *out, size_t size) {
    const gyre_backend_ops *const all[] = {&gyre_cpu_ops, cuda};
    snprintf(out, size, "%s", "");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        size_t used = strlen(out);
        if (all[i] != NULL) all[i]->list_devices(out + used, size - used);
    }
}
