/* The tables of metrics.h5, three, and those of some runs alone (gyre/metrics.h has their rows).
 * Internal to src/runfile. */
#ifndef GYRE_RUNFILE_METRICS_TABLES_H
#define GYRE_RUNFILE_METRICS_TABLES_H

#include "gyre/h5.h"
#include "gyre/metric.h"

typedef enum {
    METRICS_TRAIN,
    METRICS_VALIDATION,
    METRICS_CYCLES,
    METRICS_BANDS,
    METRICS_AVERAGES
} metrics_table;
enum { METRICS_TABLES = 5, METRICS_COLUMNS_MAX = 1 + GYRE_LOSS_BANDS_MAX };

const char *metrics_table_name(metrics_table table);

/* The layouts of a run's tables, which point into this struct: it must not move. */
typedef struct {
    bool has[METRICS_TABLES]; /* the run's tables */
    gyre_h5_layout tables[METRICS_TABLES];
    gyre_h5_column columns[METRICS_TABLES][METRICS_COLUMNS_MAX];
} metrics_layouts;

/* `parts`: GYRE_METRICS_BANDS, ... */
void metrics_layouts_open(const gyre_metric *metric, unsigned parts, metrics_layouts *out);

#endif
