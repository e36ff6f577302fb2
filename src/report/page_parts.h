/* The parts of a report's page, in the order in which they are read. Internal to src/report. */
#ifndef GYRE_REPORT_PAGE_PARTS_H
#define GYRE_REPORT_PAGE_PARTS_H

#include "gyre/results.h"
#include <stdio.h>

typedef struct {
    FILE *f;
    const gyre_results *e;
    const char *folder;   /* where the figures' files go */
    int figures;          /* so far */
    char differing[1024]; /* what arms differ in besides the schedule (report_all_differing) */
} report_page;

/* The path of a figure, "FOLDER/NAME.svg" or, when there are several groups, "FOLDER/NAME-g1.svg";
 * free() it in any case. `group` -1: of no group.
 * GYRE_EIO when a figure of that name is not ours. */
gyre_status report_page_path(const report_page *p, const char *name, int group, char **out);
/* Puts a figure that was drawn at `path` into the page. */
gyre_status report_page_figure(report_page *p, const char *path, const char *caption);
/* "2000 images: " for texts when there are several groups, else "". */
const char *report_page_group(const gyre_results *e, int group);

void report_page_head(report_page *p);            /* verdict, choice, what it rests on */
gyre_status report_page_compared(report_page *p); /* arms and their learning rates */
gyre_status report_page_results(report_page *p);  /* final and best values, differences */
gyre_status report_page_curves(report_page *p);   /* loss, metric, minima */
gyre_status report_page_averages(report_page *p); /* those of the weights, where cells keep some */
gyre_status report_page_times(report_page *p);    /* the metric in bands, where the loss has them */
gyre_status report_page_samples(report_page *p);  /* what generative networks make */
void report_page_target(report_page *p);          /* steps to the target */
void report_page_next(report_page *p);            /* what one more seed would tell */
void report_page_cells(report_page *p);           /* those that are not there, by name */
void report_page_cost(report_page *p);            /* seconds and samples: the only machine's part */
void report_page_method(report_page *p);          /* how to read all this */

#endif
