/* A report's tables as CSV files, for spreadsheets, R and pandas. Internal to src/report. */
#ifndef GYRE_CSV_H
#define GYRE_CSV_H

#include "evidence.h"
#include <stddef.h>
#include <stdio.h>

typedef struct {
    const char *name; /* "cells.csv" */
    const char *mark; /* how such a file begins */
    void (*print)(FILE *f, const gyre_evidence *e);
} gyre_csv;

/* All of them; `count` of the first are written for a single run too. */
extern const gyre_csv gyre_csv_tables[];
enum { GYRE_CSV_RUN_TABLES = 2, GYRE_CSV_TABLES = 4 };

#endif
