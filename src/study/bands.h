/* Curves over seeds. Internal to src/study. */
#ifndef GYRE_STUDY_BANDS_H
#define GYRE_STUDY_BANDS_H

#include "gyre/results.h"

/* Fills in the bands of all arms from the cells' tables. */
gyre_status study_draw_bands(gyre_results *e);

#endif
