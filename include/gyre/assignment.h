/* Which of its devices each rank of a host takes. Pure: no device is asked here. */
#ifndef GYRE_ASSIGNMENT_H
#define GYRE_ASSIGNMENT_H

#include "gyre/status.h"
#include <stdbool.h>

/* What one rank sees of one device. */
typedef struct {
    int place;    /* of the device in the rank's own list, from 0; -1: the rank does not see it */
    int distance; /* of the rank's cores from the device: 0 nearest, at most 255 */
} gyre_sight;

/* sights(ranks, devices): gives each rank a device that it sees and that no other has, wherever
 * that is possible. Of all such assignments the one with the least sum of distances; of those the
 * one that keeps order: the first rank the first device of its list, as far as that goes. The same
 * sights give the same assignment.
 *
 * taken(ranks): each rank's device. *whole: every rank has one. Else short_of(ranks) marks ranks
 * that together see fewer devices than they are many. GYRE_EDEVICE when out of memory. */
gyre_status gyre_assign_devices(int ranks, int devices, const gyre_sight *sights, int *taken,
                                bool *short_of, bool *whole);

#endif
