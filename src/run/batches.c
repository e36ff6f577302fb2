/* The loader as the run's settings and ranks have it. */
#include "batches.h"

#include "gyre/cores.h"
#include "gyre/defaults.h"

int run_batches_readers(const gyre_trainer *t) {
    const gyre_settings *s = &t->resolved->settings;
    if (s->data.readers > 0) return s->data.readers;
    int threads = s->threads > 0 ? s->threads : gyre_cores_threads(gyre_comm_cores(t->comm));
    return threads < GYRE_DEFAULT_READERS_MAX ? threads : GYRE_DEFAULT_READERS_MAX;
}

gyre_status run_batches_open(const gyre_trainer *t, int64_t first, int64_t last,
                             gyre_loader **out) {
    const int64_t count = t->resolved->settings.batch_size / t->ranks;
    gyre_data_settings settings = t->resolved->settings.data;
    settings.readers = run_batches_readers(t);
    return gyre_loader_open(&t->resolved->samples.train, &settings, t->resolved->epochs, t->seed,
                            t->rank * count, count, first, last, t->images_kept, out);
}
