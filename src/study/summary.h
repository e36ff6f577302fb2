/* Summaries of arms, and the steps that they took to the target. Internal to src/study. */
#ifndef GYRE_STUDY_SUMMARY_H
#define GYRE_STUDY_SUMMARY_H

#include "gyre/results.h"

/* The metric of the cells, the default loss's where none is known. GYRE_EIO, which names the arms,
 * when they have several: no arms can be compared then. */
gyre_status study_find_metric(gyre_results *e);

/* Fills in what follows from cells and study alone: summaries, targets, comparisons, choice. */
gyre_status study_summarise(gyre_results *e, double target);

#endif
