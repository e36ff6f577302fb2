/* The panel of a range test's trials. Internal to src/report. */
#ifndef GYRE_REPORT_PLOT_LADDER_H
#define GYRE_REPORT_PLOT_LADDER_H

#include "figure.h"
#include "gyre/find.h"

/* The score after a cycle over the rate that it goes up to, a line for each length. */
gyre_status report_ladder_panel(report_figure *f, const report_frame *frame, int index,
                                const gyre_find *x);

#endif
