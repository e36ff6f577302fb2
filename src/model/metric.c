/* Metrics: their values from sums, their order, and how people read them. */
#include "gyre/metric.h"

#include "node.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Losses that are judged alike have metrics of one name. */
static bool is_first_of_its_name(int type, const char *name) {
    for (int i = 0; i < type; i++) {
        const gyre_metric *m = node_type_at(i)->metric;
        if (m != NULL && strcmp(m->name, name) == 0) return false;
    }
    return true;
}

const gyre_metric *gyre_metric_at(int index) {
    const gyre_node_type *type;
    for (int i = 0; (type = node_type_at(i)) != NULL; i++) {
        if (type->metric == NULL || !is_first_of_its_name(i, type->metric->name)) continue;
        if (index-- == 0) return type->metric;
    }
    return NULL;
}

const gyre_metric *gyre_metric_of_loss(const char *loss) {
    const gyre_node_type *type = node_type_named(loss != NULL ? loss : NODE_DEFAULT_LOSS);
    return type != NULL && type->is_loss ? type->metric : NULL;
}

const char *gyre_loss_unit(const char *loss) {
    const gyre_node_type *type = node_type_named(loss != NULL ? loss : NODE_DEFAULT_LOSS);
    return type != NULL && type->is_loss && type->loss_unit != NULL ? type->loss_unit : "";
}

bool gyre_loss_yes_or_no(const char *loss) {
    const gyre_node_type *type = node_type_named(loss != NULL ? loss : NODE_DEFAULT_LOSS);
    return type != NULL && type->yes_or_no;
}

bool gyre_metric_same(const gyre_metric *a, const gyre_metric *b) {
    return strcmp(a->name, b->name) == 0;
}

double gyre_metric_value(const gyre_metric *m, double sum, int64_t samples) {
    double mean = sum / (double)samples;
    switch (m->form) {
    case GYRE_METRIC_EXP_MEAN: return exp(mean);
    case GYRE_METRIC_ROOT_MEAN: return sqrt(mean);
    case GYRE_METRIC_MEAN: break;
    }
    return mean;
}

bool gyre_metric_better(const gyre_metric *m, double value, double other) {
    return m->greater_is_better ? value > other : value < other;
}

double gyre_metric_best(const gyre_metric *m, double a, double b) {
    return isnan(a) || gyre_metric_better(m, b, a) ? b : a;
}

double gyre_metric_worst(const gyre_metric *m) {
    return m->greater_is_better ? (double)-INFINITY : (double)INFINITY;
}

double gyre_metric_shown(const gyre_metric *m, double value) {
    return m->factor * value;
}

const char *gyre_metric_text(const gyre_metric *m, double value, char *out, size_t size) {
    snprintf(out, size, "%.*f%s%s", m->decimals, gyre_metric_shown(m, value),
             m->unit[0] == '\0' ? "" : " ", m->unit);
    return out;
}

gyre_metric_prose_name gyre_metric_prose(const gyre_metric *m) {
    gyre_metric_prose_name prose;
    snprintf(prose.text, sizeof prose.text, "%s", m->name);
    for (char *c = prose.text; *c != '\0'; c++) {
        if (*c == '_') *c = ' ';
    }
    return prose;
}
