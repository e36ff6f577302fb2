/* What networks that denoise make: for `gyre sample`, and of a run while it trains. */
#ifndef GYRE_SAMPLE_H
#define GYRE_SAMPLE_H

#include "gyre/dataset.h"
#include "gyre/sampling.h"
#include "gyre/trained.h"

/* ---- what is to be made */

/* The sampler that settings ask for, of a model whose input is `input` and whose classes have these
 * names. `prefix` begins the keys that messages name: "--" or "sample.". GYRE_EUSAGE: the network
 * does not denoise, or not as the settings say. */
gyre_status gyre_sample_options(const gyre_sample_settings *settings, const char *prefix,
                                const gyre_model *m, const gyre_class_names *names,
                                const gyre_sampling_input *input, gyre_sampling_options *out);

/* ---- pictures */

/* A row of a grid: samples in the numbers of a network with this input. */
typedef struct {
    const char *label; /* lines parted by \n */
    const gyre_sampling_input *input;
    const float *x; /* (seeds, h, w, c) */
} gyre_sample_row;

/* Are samples of this input pictures, which have 1 or 3 channels? */
bool gyre_sample_is_picture(const gyre_sampling_input *input);
/* GYRE_EUSAGE where they are none. */
gyre_status gyre_sample_check_picture(const gyre_sampling_input *input);
/* Rows of samples of one size, one for each seed, as PNG; free() it. */
gyre_status gyre_sample_picture(const gyre_sample_row *rows, int count, const uint64_t *seeds,
                                int seed_count, const char *caption, char **png, size_t *size);
/* "DDIM, 50 steps, eta 0, class dog, guidance 3"; the class by its name, where it has one. */
void gyre_sample_caption(const gyre_sampling_options *o, const gyre_class_names *names, char *out,
                         size_t size);

/* ---- trained networks */

typedef struct {
    gyre_trained trained;
    gyre_settings *settings; /* of its run; NULL: config.json beside it is not there, or another */
    gyre_sampling_input input;
    gyre_dataset *data; /* whose contexts it reads; NULL: it reads none */
} gyre_sample_source;

/* The newest checkpoint of a run folder, or else its best one; or a checkpoint. Only reads files.
 * `weights`: which of its weights. `data`: the dataset whose contexts it reads, where it reads any;
 * NULL: that of its run's config. GYRE_EIO; GYRE_EUSAGE: it does not denoise, or the contexts have
 * another size. */
gyre_status gyre_sample_source_open(const char *path, gyre_weights_choice weights, const char *data,
                                    gyre_sample_source *out);
void gyre_sample_source_close(gyre_sample_source *s);

/* Samples of it, on a device that its run's settings choose: x(seeds, h, w, c) on all ranks, in the
 * network's numbers. Collective. */
gyre_status gyre_sample_make(const gyre_sample_source *s, const gyre_sampling_options *options,
                             const gyre_sampling_job *job, gyre_comm *comm, float *x);

/* The samples that it was trained on. */
typedef struct {
    gyre_dataset *data;
    gyre_samples samples;
    gyre_view view;
} gyre_sample_training;

/* `data` NULL: the file that its run's config names. GYRE_EIO: it is not there, or has other
 * samples than the run was trained on. Close it in any case. */
gyre_status gyre_sample_training_open(const gyre_sample_source *s, const char *data,
                                      gyre_sample_training *out);
void gyre_sample_training_close(gyre_sample_training *t);

#endif
