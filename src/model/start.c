/* Starts: their names, and the initial values that they stand for. */
#include "start.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"he", "xavier", "torch", "zeros", "ones", "whiten", "dirac"};
static const char *const spreads[] = {"normal", "uniform", "constant"}; /* START_NORMAL and on */
enum { NAMES = sizeof names / sizeof *names, SPREADS = sizeof spreads / sizeof *spreads };

const char start_expected[] =
    "\"he\", \"xavier\", \"torch\", \"zeros\", \"ones\", \"whiten\", \"dirac\", {\"normal\": "
    "deviation}, {\"uniform\": half width} or {\"constant\": value}";

bool start_read(const gyre_json_value *v, start *out) {
    const char *text = gyre_json_text(v);
    for (int i = 0; text != NULL && i < NAMES; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = (start){.form = (start_form)i};
        return true;
    }
    if (gyre_json_kind_of(v) != GYRE_JSON_OBJECT) return false;
    const gyre_json_value *only = gyre_json_first(v);
    if (only == NULL || gyre_json_next(only) != NULL) return false;
    double spread = gyre_json_number(only);
    if (!(spread > 0 && spread <= 1e6)) return false;
    for (int i = 0; i < SPREADS; i++) {
        if (strcmp(gyre_json_key(only), spreads[i]) != 0) continue;
        *out = (start){.form = (start_form)(START_NORMAL + i), .spread = spread};
        return true;
    }
    return false;
}

bool start_is_spread(const gyre_json_value *v) {
    const gyre_json_value *first =
        gyre_json_kind_of(v) == GYRE_JSON_OBJECT ? gyre_json_first(v) : NULL;
    if (first == NULL) return false;
    for (int i = 0; i < SPREADS; i++) {
        if (strcmp(gyre_json_key(first), spreads[i]) == 0) return true;
    }
    return false;
}

void start_write(gyre_json *j, const char *key, start s) {
    if (s.form < START_NORMAL) {
        gyre_json_add_text(j, key, names[s.form]);
        return;
    }
    gyre_json_enter_object(j, key);
    gyre_json_add_number(j, spreads[s.form - START_NORMAL], s.spread);
    gyre_json_leave(j);
}

/* The initial values; false where there is no such fan. */
static bool values_of(start s, const gyre_param *p, gyre_init *init, double *spread) {
    double fan = s.form == START_HE ? p->fan_out : p->fan_in;
    double gain = s.form == START_HE ? sqrt(2.0) : s.form == START_XAVIER ? sqrt(3.0) : 1.0;
    *spread = s.spread;
    switch (s.form) {
    case START_HE:
    case START_XAVIER:
    case START_TORCH:
        *init = s.form == START_HE ? GYRE_INIT_NORMAL : GYRE_INIT_UNIFORM;
        *spread = gain / sqrt(fan);
        return fan > 0;
    case START_WHITEN:
    case START_DIRAC:
        *init = s.form == START_WHITEN ? GYRE_INIT_WHITEN : GYRE_INIT_DIRAC;
        *spread = gain / sqrt(fan);
        return fan > 0 && p->fan_out > 0;
    case START_ZEROS: *init = GYRE_INIT_ZERO; break;
    case START_ONES: *init = GYRE_INIT_ONE; break;
    case START_NORMAL: *init = GYRE_INIT_NORMAL; break;
    case START_UNIFORM: *init = GYRE_INIT_UNIFORM; break;
    case START_CONSTANT: *init = GYRE_INIT_CONSTANT; break;
    }
    return true;
}

bool start_set(start s, gyre_param *p) {
    return values_of(s, p, &p->init, &p->spread);
}

start start_of(const gyre_param *p) {
    bool drawn = p->init != GYRE_INIT_ZERO && p->init != GYRE_INIT_ONE;
    for (int i = 0; i < NAMES; i++) {
        const start s = {.form = (start_form)i};
        gyre_init init;
        double spread;
        if (!values_of(s, p, &init, &spread) || init != p->init) continue;
        if (!drawn || spread == p->spread) return s;
    }
    start_form form = p->init == GYRE_INIT_NORMAL    ? START_NORMAL
                      : p->init == GYRE_INIT_UNIFORM ? START_UNIFORM
                                                     : START_CONSTANT;
    return (start){form, p->spread};
}

bool start_same(start a, start b) {
    return a.form == b.form && (a.form < START_NORMAL || a.spread == b.spread);
}

start start_of_bias(start weight) {
    return (start){.form = weight.form == START_TORCH ? START_TORCH : START_ZEROS};
}
