/* The samples of a batch, gathered from the dataset: for training by the loader, for evaluation by
 * the evaluator. */
#ifndef GYRE_GATHER_H
#define GYRE_GATHER_H

#include "gyre/batch.h"
#include "gyre/dataset.h"
#include "gyre/fitter.h"

/* The row of sample `index` of a view, and the bytes of an image as the model takes it. */
int64_t gyre_view_row(const gyre_view *view, int64_t index);
size_t gyre_view_image_bytes(const gyre_view *view);

/* What augmentation is keyed by. */
typedef struct {
    const gyre_data_settings *settings;
    uint64_t seed;
    int64_t epoch;
} gyre_gather_key;

/* Are crops and mirrors left to the backend? */
bool gyre_gather_draws_moves(const gyre_data_settings *settings);

/* Room for a batch. */
typedef struct {
    uint8_t *images;       /* (count, gyre_view_image_bytes); NULL: no images are read */
    gyre_crop *crops;      /* (count), or NULL: images are resized here. Else they are left to the
                            * device: images(count, gyre_images_row) get the lines of each part */
    void *targets;         /* (count, gyre_target_values) of 4 bytes each */
    gyre_augment *augment; /* (count); NULL: none is drawn */
    gyre_erase *erase;     /* (count); likewise */
} gyre_gather_room;

/* Fills the room with the samples of these rows. `key` NULL: as evaluation shows them, without
 * augmentation. GYRE_EIO as gyre_images_read. */
gyre_status gyre_gather(const gyre_view *view, const int64_t *rows, int64_t count,
                        const gyre_gather_key *key, gyre_fitter *fitter,
                        const gyre_gather_room *room);

#endif
