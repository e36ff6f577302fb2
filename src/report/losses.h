/* The losses whose values share an axis, and the axis's unit. Internal to src/report. */
#ifndef GYRE_REPORT_LOSSES_H
#define GYRE_REPORT_LOSSES_H

#include "units.h"

enum { REPORT_LOSSES_MAX = 8 };

typedef struct {
    const char *names[REPORT_LOSSES_MAX]; /* each once; owned by the caller */
    int count;
} report_losses;

/* `loss` as model.loss names it; NULL: the default one. Losses beyond the maximum are left out. */
void report_losses_add(report_losses *l, const char *loss);
/* Of one loss its unit, "nats" or "". Of several each with its unit, since their values cannot be
 * compared: "cross_entropy: nats, one_hot_squared_error: no unit"; or their number
 * where that is too long for a heading. */
const char *report_losses_unit(const report_losses *l, char out[REPORT_UNIT_MAX]);

#endif
