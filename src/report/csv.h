/* A report's tables as CSV files, for spreadsheets, R and pandas. Internal to src/report. */
#ifndef GYRE_REPORT_CSV_H
#define GYRE_REPORT_CSV_H

#include "gyre/results.h"
#include <stddef.h>
#include <stdio.h>

typedef struct {
    const char *name; /* "cells.csv" */
    const char *mark; /* how such a file begins */
    void (*print)(FILE *f, const gyre_results *e);
    bool (*exists)(const gyre_results *e); /* NULL: always */
} report_csv;

/* All of them; `count` of the first are written for a single run too. */
extern const report_csv report_csv_tables[];
enum { REPORT_CSV_RUN_TABLES = 4, REPORT_CSV_TABLES = 7 };

#endif
