/* A space of features: what the last layer of a trained classifier reads of a picture. Internal to
 * src/run. */
#ifndef GYRE_RUN_FEATURES_H
#define GYRE_RUN_FEATURES_H

#include "gyre/comm.h"
#include "gyre/trained.h"

enum { RUN_FEATURES_NAME = 96 };

typedef struct {
    gyre_trained trained;
    size_t count;                 /* features of a picture */
    char name[RUN_FEATURES_NAME]; /* "resnet20 0123456789abcdef": network and parameters' hash */
} run_features;

/* Of a checkpoint or run folder, for pictures (h, w, c). Only reads files. GYRE_EIO; GYRE_EUSAGE:
 * it tells no classes of such pictures. Close it in any case. */
gyre_status run_features_open(const char *path, int h, int w, int c, run_features *f);
void run_features_close(run_features *f);

/* Of pictures(n, h, w, c), out(n, count) on all ranks, in f32 whatever precision a run has.
 * Collective. */
gyre_status run_features_of(const run_features *f, const uint8_t *pictures, int64_t n,
                            gyre_comm *comm, float *out);

#endif
