/* A node's options, by their names in its type's table. */
#include "node.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static int numbers_of(node_option_kind kind) {
    return kind == OPTION_PAIR ? 2 : kind == OPTION_SIDES ? 4 : 1;
}

static void store(const node_option *o, const double *values, void *options) {
    char *at = (char *)options + o->offset;
    switch (o->kind) {
    case OPTION_REAL: *(float *)(void *)at = (float)values[0]; break;
    case OPTION_BOOL: *(bool *)(void *)at = values[0] != 0; break;
    case OPTION_INT:
    case OPTION_COUNT:
    case OPTION_CHOICE:
    case OPTION_PAIR:
    case OPTION_SIDES:
        for (int i = 0; i < numbers_of(o->kind); i++) ((int *)(void *)at)[i] = (int)values[i];
        break;
    }
}

static int count_choices(const node_option *o) {
    int count = 0;
    while (o->choices[count] != NULL) count++;
    return count;
}

static gyre_status check_value(const gyre_node *n, const node_option *o, double value) {
    if (isnan(value)) {
        return gyre_fail(GYRE_EUSAGE, "node %s of type %s lacks \"%s\"", n->name, n->type->name,
                         o->name);
    }
    if (o->kind != OPTION_REAL && value != floor(value)) {
        return gyre_fail(GYRE_EUSAGE, "node %s: \"%s\": expected a whole number, found %g", n->name,
                         o->name, value);
    }
    double lowest = o->kind == OPTION_CHOICE ? 0 : o->lowest;
    double highest = o->kind == OPTION_CHOICE ? count_choices(o) - 1 : o->highest;
    if (o->kind == OPTION_REAL) highest = fmin(highest, (double)FLT_MAX);
    if (!(value >= lowest && value <= highest)) {
        bool open = o->kind != OPTION_REAL && highest >= INT_MAX; /* "or more" reads better */
        char most[32];
        snprintf(most, sizeof most, " to %g", highest);
        return gyre_fail(GYRE_EUSAGE, "node %s: \"%s\": expected %g%s, found %.10g", n->name,
                         o->name, lowest, open ? " or more" : most, value);
    }
    return GYRE_OK;
}

/* One number is for all places, two are for height and width, four for the sides. */
static gyre_status spread(const gyre_node *n, const node_option *o, int given,
                          double values[OPTION_NUMBERS_MAX]) {
    static const char *const expected[] = {
        [OPTION_INT] = "1 number",           [OPTION_COUNT] = "1 number",
        [OPTION_REAL] = "1 number",          [OPTION_BOOL] = "1 value",
        [OPTION_CHOICE] = "1 value",         [OPTION_PAIR] = "1 or 2 numbers",
        [OPTION_SIDES] = "1, 2 or 4 numbers"};
    int all = numbers_of(o->kind);
    if (given > all || (given != 1 && given != 2 && given != 4)) {
        return gyre_fail(GYRE_EUSAGE, "node %s: \"%s\": expected %s, found %d", n->name, o->name,
                         expected[o->kind], given);
    }
    for (int i = given; i < all; i++) values[i] = values[i - given];
    return GYRE_OK;
}

static gyre_status set_option(gyre_node *n, const node_option *o, const node_value *given,
                              int classes) {
    double values[OPTION_NUMBERS_MAX] = {o->fallback};
    int count = 0;
    for (; given != NULL && given->name != NULL; given++) {
        if (strcmp(given->name, o->name) != 0) continue;
        if (count < OPTION_NUMBERS_MAX) values[count] = given->value;
        count++;
    }
    if (values[0] == NODE_CLASSES && o->kind == OPTION_INT) {
        values[0] = classes;
        n->by_classes |= 1u << (o - n->type->options);
    }
    GYRE_TRY(spread(n, o, count == 0 ? 1 : count, values));
    bool checked = count > 0 || o->absent == NULL;
    for (int i = 0; checked && i < numbers_of(o->kind); i++) GYRE_TRY(check_value(n, o, values[i]));
    store(o, values, n->options);
    return GYRE_OK;
}

const node_option *node_option_named(const gyre_node_type *type, const char *name) {
    const node_option *o = type->options;
    while (o != NULL && o->name != NULL && strcmp(o->name, name) != 0) o++;
    return o != NULL && o->name != NULL ? o : NULL;
}

int node_option_choice(const node_option *o, const char *name) {
    for (int i = 0; o->choices[i] != NULL; i++) {
        if (strcmp(o->choices[i], name) == 0) return i;
    }
    return -1;
}

static gyre_status refuse_unknown(const gyre_node *n, const node_value *given) {
    for (; given != NULL && given->name != NULL; given++) {
        if (node_option_named(n->type, given->name) != NULL) continue;
        return gyre_fail(GYRE_EUSAGE, "node %s: type %s has no option \"%s\"", n->name,
                         n->type->name, given->name);
    }
    return GYRE_OK;
}

gyre_status node_set_options(gyre_node *n, const node_value *given, int classes) {
    GYRE_TRY(refuse_unknown(n, given));
    if (n->type->options_size == 0) return GYRE_OK;
    n->options = calloc(1, n->type->options_size);
    if (n->options == NULL) return gyre_no_memory("node %s", n->name);
    for (const node_option *o = n->type->options; o->name != NULL; o++) {
        GYRE_TRY(set_option(n, o, given, classes));
    }
    return GYRE_OK;
}

double node_option_number(const gyre_node *n, const char *name, int i) {
    const node_option *o = node_option_named(n->type, name);
    if (o == NULL || i < 0 || i >= numbers_of(o->kind)) return NAN;
    const char *at = (const char *)n->options + o->offset;
    switch (o->kind) {
    case OPTION_INT:
    case OPTION_COUNT:
    case OPTION_CHOICE:
    case OPTION_PAIR:
    case OPTION_SIDES: return ((const int *)(const void *)at)[i];
    case OPTION_REAL: return (double)*(const float *)(const void *)at;
    case OPTION_BOOL: return *(const bool *)(const void *)at;
    }
    return NAN;
}

double gyre_node_option(const gyre_node *n, const char *name, int i) {
    return node_option_number(n, name, i);
}

double node_option_value(const gyre_node *n, const char *name) {
    return node_option_number(n, name, 0);
}

uint64_t node_name_hash(const gyre_node *n) {
    return XXH3_64bits(n->name, strlen(n->name));
}
