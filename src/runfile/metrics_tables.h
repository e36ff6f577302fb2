/* The three tables of metrics.h5 (gyre/metrics.h has their rows). Internal to src/runfile. */
#ifndef GYRE_RUNFILE_METRICS_TABLES_H
#define GYRE_RUNFILE_METRICS_TABLES_H

#include "gyre/h5.h"

typedef enum { METRICS_TRAIN, METRICS_VALIDATION, METRICS_CYCLES } metrics_table;
enum { METRICS_TABLES = 3 };

const gyre_h5_layout *metrics_table_layout(metrics_table name);

#endif
