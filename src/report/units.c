/* Values and names of quantities with their units; see units.h. */
#include "units.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

static const char *gap(const char *unit) {
    return unit[0] == '\0' ? "" : " ";
}

const char *report_value(const gyre_metric *m, double value, char out[REPORT_UNIT_MAX]) {
    snprintf(out, REPORT_UNIT_MAX, "%.*f%s%s", m->decimals, value, gap(m->unit), m->unit);
    return out;
}

const char *report_difference(const gyre_metric *m, double difference, bool sign,
                              char out[REPORT_UNIT_MAX]) {
    const char *unit = m->difference_unit;
    snprintf(out, REPORT_UNIT_MAX, sign ? "%+.*f%s%s" : "%.*f%s%s", m->decimals, difference,
             gap(unit), unit);
    return out;
}

const char *report_difference_of(const gyre_metric *m, double difference, bool sign,
                                 char out[REPORT_UNIT_MAX]) {
    char number[REPORT_UNIT_MAX];
    if (m->difference_unit[0] != '\0') return report_difference(m, difference, sign, out);
    snprintf(out, REPORT_UNIT_MAX, "%.32s in %.80s", report_difference(m, difference, sign, number),
             gyre_metric_prose(m).text);
    return out;
}

const char *report_number(const gyre_metric *m, bool sign, char out[REPORT_UNIT_MAX]) {
    snprintf(out, REPORT_UNIT_MAX, "%%%s.%df", sign ? "+" : "", m->decimals);
    return out;
}

const char *report_quantity(const char *name, const char *unit, const char *note,
                            char out[REPORT_UNIT_MAX]) {
    const char *between = *unit != '\0' && *note != '\0' ? "; " : "";
    if (*unit == '\0' && *note == '\0')
        snprintf(out, REPORT_UNIT_MAX, "%s", name);
    else
        snprintf(out, REPORT_UNIT_MAX, "%s (%s%s%s)", name, unit, between, note);
    return out;
}

const char *report_capital(const gyre_metric *m, char out[REPORT_UNIT_MAX]) {
    snprintf(out, REPORT_UNIT_MAX, "%s", gyre_metric_prose(m).text);
    out[0] = (char)toupper((unsigned char)out[0]);
    return out;
}

const char *report_best(const gyre_metric *m) {
    return m->greater_is_better ? "highest" : "lowest";
}

const char *report_above(const gyre_metric *m) {
    return m->greater_is_better ? "above" : "below";
}

const char *report_right(const gyre_metric *m) {
    return m->greater_is_better ? "right" : "left";
}

bool report_is_nothing(const gyre_metric *m, double difference) {
    return fabs(difference) < 1e-11 * m->factor;
}
