/* The loader without anyone who trains: images per second that it can gather.
 *   loader_alone DATASET [plain|augment|crop] [STEPS] */
#include "gyre/clock.h"
#include "gyre/loader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128, STEPS = 4000 }; /* the first tenth is not counted */

static gyre_status measure(const char *path, const char *how, int64_t steps, double *images_per_s) {
    bool augment = strcmp(how, "augment") == 0, crop = strcmp(how, "crop") == 0;
    const gyre_data_settings settings = {.validation = GYRE_VALIDATION_NONE,
                                         .mirror = augment,
                                         .crop = augment ? 4 : 0,
                                         .crop_size = crop ? 64 : 0,
                                         .crop_scale_min = 0.08,
                                         .crop_scale_max = 1,
                                         .crop_ratio = 4.0 / 3};
    gyre_dataset *data = NULL;
    gyre_samples samples;
    gyre_epochs epochs;
    gyre_loader *loader = NULL;
    gyre_batch batch;
    double begun = 0;
    const int64_t warmup = steps / 10;
    GYRE_TRY(gyre_dataset_open(path, &data));
    GYRE_TRY(gyre_samples_open(data, &settings, 1, &samples));
    GYRE_TRY(gyre_epochs_make(samples.train.count, BATCH, GYRE_LAST_DROP, &epochs));
    GYRE_TRY(
        gyre_loader_open(&samples.train, &settings, epochs, 1, 0, BATCH, 0, steps, false, &loader));
    for (int64_t t = 0; t < steps; t++) {
        if (t == warmup) begun = gyre_clock();
        GYRE_TRY(gyre_loader_next(loader, &batch));
    }
    *images_per_s = (double)(steps - warmup) * BATCH / (gyre_clock() - begun);
    gyre_loader_close(loader);
    gyre_samples_close(&samples);
    gyre_dataset_close(data);
    return GYRE_OK;
}

int main(int argc, char **argv) {
    double images_per_s = 0;
    long steps = argc > 3 ? strtol(argv[3], NULL, 10) : STEPS;
    if (argc < 2 || argc > 4 || steps < 10) {
        fprintf(stderr, "usage: loader_alone DATASET [plain|augment|crop] [STEPS]\n");
        return GYRE_EUSAGE;
    }
    gyre_status status = measure(argv[1], argc > 2 ? argv[2] : "plain", steps, &images_per_s);
    if (status != GYRE_OK) {
        fprintf(stderr, "loader_alone: %s\n", gyre_error_text());
        return (int)status;
    }
    printf("%.0f\n", images_per_s);
    return 0;
}
