/* The columns of metrics.h5. */
#include "metrics_tables.h"

#include "gyre/metrics.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

#define METRIC NULL /* the name of the run's metric is its column's */

static const gyre_h5_column train_columns[] = {
    {"step", true},       {"epoch", true},          {"cycle", true},
    {"lr", false},        {"momentum", false},      {"loss", false},
    {"grad_norm", false}, {"samples_per_s", false}, {"seconds", false},
};
static const gyre_h5_column validation_columns[] = {
    {"step", true},  {"epoch", true}, {"cycle", true},
    {"loss", false}, {METRIC, false}, {"seconds", false},
};
static const gyre_h5_column cycle_columns[] = {
    {"cycle", true}, {"end_step", true}, {"lr", false}, {"loss", false}, {METRIC, false},
};
static const gyre_h5_column band_columns[] = {
    {"step", true},    {"band_0", false}, {"band_1", false}, {"band_2", false},
    {"band_3", false}, {"band_4", false}, {"band_5", false}, {"band_6", false},
    {"band_7", false}, {"band_8", false}, {"band_9", false},
};

static const gyre_h5_column average_columns[] = {
    {"step", true},
    {"loss_last", false},
    {"loss_ema", false},
    {"loss_swa", false},
    {"loss_minima", false},
    {"loss_schedule_free", false},
    {"metric_last", false},
    {"metric_ema", false},
    {"metric_swa", false},
    {"metric_minima", false},
    {"metric_schedule_free", false},
};

static const gyre_h5_layout kinds[METRICS_TABLES] = {
    {"train", sizeof(gyre_train_row), COUNT(train_columns), train_columns, 0},
    {"validation", sizeof(gyre_validation_row), COUNT(validation_columns), validation_columns, 0},
    {"cycles", sizeof(gyre_cycle_row), COUNT(cycle_columns), cycle_columns, 1},
    {"bands", sizeof(gyre_bands_row), COUNT(band_columns), band_columns, 0},
    {"averages", sizeof(gyre_averages_row), COUNT(average_columns), average_columns, 0},
};

_Static_assert(sizeof(gyre_train_row) == 8 * COUNT(train_columns), "eight bytes a column");
_Static_assert(sizeof(gyre_validation_row) == 8 * COUNT(validation_columns), "eight a column");
_Static_assert(sizeof(gyre_cycle_row) == 8 * COUNT(cycle_columns), "eight bytes a column");
_Static_assert(sizeof(gyre_bands_row) == 8 * COUNT(band_columns), "eight bytes a column");
_Static_assert(sizeof(gyre_averages_row) == 8 * COUNT(average_columns), "eight bytes a column");
_Static_assert(COUNT(band_columns) == METRICS_COLUMNS_MAX, "the widest table");

const char *metrics_table_name(metrics_table table) {
    return kinds[table].name;
}

void metrics_layouts_open(const gyre_metric *metric, unsigned parts, metrics_layouts *out) {
    for (int i = 0; i < METRICS_TABLES; i++) {
        out->has[i] = i < METRICS_BANDS || (parts & 1u << (i - METRICS_BANDS)) != 0;
        out->tables[i] = kinds[i];
        out->tables[i].columns = out->columns[i];
        for (int k = 0; k < kinds[i].column_count; k++) {
            out->columns[i][k] = kinds[i].columns[k];
            if (out->columns[i][k].name == METRIC) out->columns[i][k].name = metric->name;
        }
    }
}
