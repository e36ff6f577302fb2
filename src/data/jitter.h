/* Colour jitter of a picture's bytes, as gyre/augment.h draws it. Internal to src/data. */
#ifndef GYRE_DATA_JITTER_H
#define GYRE_DATA_JITTER_H

#include "gyre/augment.h"
#include "pixels.h"

void data_jitter_apply(const gyre_jitter *jitter, data_pixels *p);

#endif
