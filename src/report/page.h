/* A report's page. Internal to src/report. */
#ifndef GYRE_REPORT_PAGE_H
#define GYRE_REPORT_PAGE_H

#include "gyre/results.h"
#include <stdio.h>

/* Writes the whole page into f; figures go to `folder`. */
gyre_status report_page_write(FILE *f, const gyre_results *e, const char *folder);

#endif
