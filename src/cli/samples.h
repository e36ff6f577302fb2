/* Samples of one or several runs: what `gyre sample` makes, and the files it writes. Internal to
 * src/cli. */
#ifndef GYRE_CLI_SAMPLES_H
#define GYRE_CLI_SAMPLES_H

#include "gyre/latents.h"
#include "gyre/nearest.h"
#include "gyre/sample.h"

enum { CLI_SAMPLE_LABEL = 96 };

/* A run: a row of the grid. */
typedef struct {
    gyre_sample_source source;
    gyre_sampling_options options;
    char label[CLI_SAMPLE_LABEL];
    float *x; /* (seeds, h, w, c) */
} cli_sample_run;

typedef struct {
    cli_sample_run *runs;
    int run_count;
    uint64_t *seeds;
    int seed_count;
    gyre_latents start;            /* values NULL: the seeds' noise */
    gyre_sample_training training; /* of the first run; data NULL: no row of nearest samples */
    gyre_neighbour *nearest;       /* (seeds) */
    float *near;                   /* (seeds, h, w, c) */
} cli_samples;

void cli_samples_close(cli_samples *s);

/* Room for so many runs. */
gyre_status cli_samples_open(int run_count, cli_samples *s);
/* Opens a run, whose samples must have the first run's size. `data`: see gyre_sample_source_open.
 */
gyre_status cli_samples_add(cli_samples *s, int index, const char *path,
                            gyre_weights_choice weights, const char *data);
/* The list of seeds, and the noise that samples begin as, which may both be NULL. */
gyre_status cli_samples_seeds(cli_samples *s, const char *list, const char *start);

/* Makes all samples, on all ranks; `quiet`: tells nothing of how far it is. Collective. */
gyre_status cli_samples_make(cli_samples *s, bool quiet, gyre_comm *comm);
/* Finds the training samples that are nearest to the first run's. Collective. */
gyre_status cli_samples_find_nearest(cli_samples *s, gyre_comm *comm);

/* Before anything is made: may these files be written? Either may be NULL. */
gyre_status cli_samples_check_files(const char *picture, const char *latents);
/* Writes them and prints their paths. */
gyre_status cli_samples_write(const cli_samples *s, const char *picture, const char *latents);

#endif
