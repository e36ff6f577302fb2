/* A trained network by itself: what a checkpoint holds, without its run's dataset and device. */
#ifndef GYRE_TRAINED_H
#define GYRE_TRAINED_H

#include "gyre/checkpoint.h"
#include "gyre/model.h"
#include "gyre/status.h"

typedef struct {
    char *checkpoint; /* its path */
    gyre_model *model;
    gyre_snapshot
        snapshot; /* parameters, running statistics, normalisation; no optimizer's state */
    gyre_class_names names; /* count 0: the classes have none */
} gyre_trained;

/* Of a checkpoint, or of a run folder: the newest one there, or else the best. `weights` says which
 * of its weights, GYRE_WEIGHTS_ANY where a user said nothing; snapshot.averaged tells what that
 * came to. GYRE_EIO. */
gyre_status gyre_trained_open(const char *path, gyre_weights_choice weights, gyre_trained *out);
void gyre_trained_close(gyre_trained *t);

/* The checkpoint that a path means: itself, or of a run folder the newest one, or else the best.
 * free() it. GYRE_EIO: the path, or a checkpoint in the folder, is not there. */
gyre_status gyre_trained_checkpoint(const char *path, char **out);

#endif
