/* The parts of a report's page, in the order in which they are read. Internal to src/report. */
#ifndef GYRE_PAGE_H
#define GYRE_PAGE_H

#include "evidence.h"
#include "gyre/status.h"
#include <stdio.h>

typedef struct {
    FILE *f;
    const gyre_evidence *e;
    const char *folder;   /* where the figures' files go */
    int figures;          /* so far */
    char differing[1024]; /* what arms differ in besides the schedule (gyre_words_all_differing) */
} gyre_page;

/* The path of a figure, "FOLDER/NAME.svg" or, when there are several groups, "FOLDER/NAME-g1.svg";
 * free() it in any case. `group` -1: of no group.
 * GYRE_EIO when a figure of that name is not ours. */
gyre_status gyre_page_path(const gyre_page *p, const char *name, int group, char **out);
/* Puts a figure that was drawn at `path` into the page. */
gyre_status gyre_page_figure(gyre_page *p, const char *path, const char *caption);
/* "2000 images: " for texts when there are several groups, else "". */
const char *gyre_page_group(const gyre_evidence *e, int group);

void gyre_page_head(gyre_page *p);            /* verdict, choice, what it rests on */
gyre_status gyre_page_compared(gyre_page *p); /* arms and their learning rates */
gyre_status gyre_page_results(gyre_page *p);  /* final and best values, differences */
gyre_status gyre_page_curves(gyre_page *p);   /* loss, accuracy, minima */
void gyre_page_target(gyre_page *p);          /* steps to the target */
void gyre_page_next(gyre_page *p);            /* what one more seed would tell */
void gyre_page_cells(gyre_page *p);           /* those that are not there, by name */
void gyre_page_cost(gyre_page *p);            /* seconds and samples: the only machine's part */
void gyre_page_method(gyre_page *p);          /* how to read all this */

/* All of them, into f. */
gyre_status gyre_page_write(FILE *f, const gyre_evidence *e, const char *folder);

#endif
