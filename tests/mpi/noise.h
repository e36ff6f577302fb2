/* A dataset of noise in 10 classes: DIR/data.h5. */
#ifndef GYRE_TESTS_MPI_NOISE_H
#define GYRE_TESTS_MPI_NOISE_H

#include "gyre/dataset.h"
#include "gyre/random.h"
#include <stdio.h>
#include <stdlib.h>

/* `count` images of side x side x 3; `test`: the same ones are the part test, too. */
static inline gyre_status noise_write(const char *dir, int count, int side, bool test) {
    size_t pixels = (size_t)count * (size_t)side * (size_t)side * 3;
    uint8_t *values = malloc(pixels);
    int32_t *labels = calloc((size_t)count, sizeof *labels);
    char path[64];
    if (values == NULL || labels == NULL) abort();
    gyre_random draws = gyre_random_open(7, GYRE_RANDOM_TEST, 0, 0);
    for (size_t i = 0; i < pixels; i++) values[i] = (uint8_t)gyre_random_u32(&draws);
    for (int i = 0; i < count; i++) labels[i] = i % 10;
    gyre_dataset_content content = {
        .train = {.count = count, .h = side, .w = side, .c = 3, .images = values, .labels = labels},
        .classes = 10};
    if (test) content.test = content.train;
    snprintf(path, sizeof path, "%s/data.h5", dir);
    gyre_status status = gyre_dataset_write(path, &content, true);
    free(values);
    free(labels);
    return status;
}

#endif
