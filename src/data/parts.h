/* Which folders of pictures are parts and which are classes. Internal to src/data. */
#ifndef GYRE_DATA_PARTS_H
#define GYRE_DATA_PARTS_H

#include "listing.h"

/* Gives each file its part, and the place in its path where its class's folder begins. Folders are
 * parts by their names (train, training, val, dev, test, ... in any case) when all of them are and
 * one is for training; a folder around them, or in a part and with its name, is passed through.
 * What may be read in two ways is GYRE_EUSAGE, naming the folders. `plain`: all are classes. The
 * list is sorted. */
gyre_status data_parts_find(const char *dir, bool plain, data_listing *l);

/* The same where classes come from elsewhere (`csv`): folders are parts or mean nothing. */
gyre_status data_parts_of_labels(const char *csv, bool plain, data_listing *l);

#endif
