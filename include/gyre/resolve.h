/* Settings resolved against their dataset: every length in steps, shards and classes known, paths
 * absolute; and what is opened for that. */
#ifndef GYRE_RESOLVE_H
#define GYRE_RESOLVE_H

#include "gyre/average.h"
#include "gyre/comm.h"
#include "gyre/dataset.h"
#include "gyre/model.h"
#include "gyre/sampler.h"
#include "gyre/schedule.h"
#include "gyre/settings.h"
#include "gyre/status.h"

typedef struct {
    gyre_settings settings;
    uint64_t config_hash, data_hash;
    uint64_t shared_hash; /* of the settings that all ranks have in common */
    gyre_dataset *data;
    gyre_samples samples;
    gyre_epochs epochs;
    gyre_model *model;
    gyre_average_members members[GYRE_AVERAGE_COUNT]; /* of the averages that are kept */

    gyre_stage_settings *stages; /* owned copies that `settings` points to, as what follows */
    gyre_group_settings *groups;
    char *data_path, *init_path, *unet;
    char *layers;          /* NULL: the network's name tells all */
    double *class_weights; /* where they were to be balanced */
    char output_dir[2];
} gyre_resolved;

/* Opens the dataset, resolves the settings, checks shards and ranks, builds model and schedule;
 * what does not fit is refused before anything is written. Without `schedule` none is needed:
 * schedule and length of the settings stay as they are. Only reads files. Close `out`, which must
 * stay where it is, in any case. Collective; all ranks return the same. */
gyre_status gyre_resolve(const gyre_settings *settings, gyre_comm *comm, gyre_schedule **schedule,
                         gyre_resolved *out);
void gyre_resolved_close(gyre_resolved *r);

/* The dataset that settings name, its samples as they cut it, and its epochs. Close all three,
 * whatever came of it, NULL and zeros before. */
gyre_status gyre_resolve_data(const gyre_settings *s, gyre_dataset **data, gyre_samples *samples,
                              gyre_epochs *epochs);

#endif
