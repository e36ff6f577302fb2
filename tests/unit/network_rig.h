/* Networks as JSON for tests: opened, and printed again. Included after cmocka. */
#ifndef GYRE_TESTS_NETWORK_RIG_H
#define GYRE_TESTS_NETWORK_RIG_H

#include "../../src/model/node.h"
#include <stdlib.h>
#include <string.h>

#define FC "{\"name\": \"fc\", \"type\": \"linear\", \"out\": \"classes\"}"
#define CONV "\"type\": \"conv\", \"channels\": 4, \"size\": 3"

static inline gyre_status open_layers(char *layers, int size, int channels, gyre_model **out) {
    const gyre_model_settings settings = {.layers = layers};
    *out = NULL;
    return gyre_model_open(&settings, size, size, channels, 10, out);
}

static inline gyre_model *opened(const char *layers) {
    char *copy = strdup(layers);
    gyre_model *m = NULL;
    if (open_layers(copy, 8, 1, &m) != GYRE_OK) fail_msg("%s", gyre_error_text());
    free(copy);
    return m;
}

static inline char *printed(const gyre_model *m) {
    char *text = NULL;
    if (gyre_model_print(m, &text) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return text;
}

#endif
