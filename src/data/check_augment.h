/* Do the settings of data.augment fit the samples? Internal to src/data. */
#ifndef GYRE_DATA_CHECK_AUGMENT_H
#define GYRE_DATA_CHECK_AUGMENT_H

#include "gyre/dataset.h"

/* GYRE_EUSAGE, naming the key. */
gyre_status data_check_augment(const gyre_data_settings *s, const gyre_images *train);

#endif
