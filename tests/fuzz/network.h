/* What holds for every network that is taken. */
#ifndef FUZZ_NETWORK_H
#define FUZZ_NETWORK_H

#include "gyre/model.h"
#include "gyre/status.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* It is printed so that it is taken again, and is the same then. Else the process ends. */
static inline void check_printed(const gyre_model *m) {
    char *text = NULL, *again = NULL;
    gyre_model *other = NULL;
    if (gyre_model_print(m, &text) != GYRE_OK) abort();
    const gyre_model_settings settings = {.layers = text};
    if (gyre_model_open(&settings, m->h, m->w, m->c, m->classes, &other) != GYRE_OK ||
        gyre_model_print(other, &again) != GYRE_OK || strcmp(text, again) != 0) {
        fprintf(stderr, "%s\n%s\n%s\n", gyre_error_text(), text, again == NULL ? "" : again);
        abort();
    }
    gyre_model_close(other);
    free(again);
    free(text);
}

#endif
