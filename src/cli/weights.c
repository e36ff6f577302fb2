/* The option --weights; see weights.h. */
#include "weights.h"

#include <string.h>

gyre_status cli_weights_read(const char *value, gyre_weights_choice *out) {
    *out = GYRE_WEIGHTS_AVERAGE;
    if (strcmp(value, "average") == 0) return GYRE_OK;
    *out = GYRE_WEIGHTS_LAST;
    if (strcmp(value, "last") == 0) return GYRE_OK;
    for (int kind = GYRE_AVERAGE_EMA; kind < GYRE_AVERAGE_COUNT; kind++) {
        *out = (gyre_weights_choice)(GYRE_WEIGHTS_EMA + kind - GYRE_AVERAGE_EMA);
        if (strcmp(value, gyre_average_name((gyre_average_kind)kind)) == 0) return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "--weights %s: average, last, ema, swa or minima was expected",
                     value);
}

const char *cli_weights_text(bool has_average, bool averaged) {
    if (!has_average) return "";
    return averaged ? ", the average of its weights" : ", its last weights";
}
