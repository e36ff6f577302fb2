/* The unit of an axis that one or several losses share; see losses.h. */
#include "losses.h"

#include "gyre/defaults.h"
#include "gyre/text.h"
#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 64 }; /* letters of a heading that names and units may take */

void report_losses_add(report_losses *l, const char *loss) {
    const char *name = loss == NULL ? GYRE_DEFAULT_LOSS : loss;
    for (int i = 0; i < l->count; i++) {
        if (strcmp(l->names[i], name) == 0) return;
    }
    if (l->count < REPORT_LOSSES_MAX) l->names[l->count++] = name;
}

const char *report_losses_unit(const report_losses *l, char out[REPORT_UNIT_MAX]) {
    out[0] = '\0';
    if (l->count == 1) snprintf(out, REPORT_UNIT_MAX, "%s", gyre_loss_unit(l->names[0]));
    for (int i = 0; l->count > 1 && i < l->count; i++) {
        const char *unit = gyre_loss_unit(l->names[i]);
        gyre_text_add(out, REPORT_UNIT_MAX, "%s%s: %s", i == 0 ? "" : ", ", l->names[i],
                      unit[0] == '\0' ? "no unit" : unit);
    }
    if (l->count > 1 && strlen(out) > NAMES_MAX)
        snprintf(out, REPORT_UNIT_MAX, "%d losses, each in its unit", l->count);
    return out;
}
