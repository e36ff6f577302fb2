/* Who sends what in an exact reduction. Pure: the backends carry these plans out, and tests count
 * their bytes.
 *
 * The sum is a binary tree over ranks, neighbours first. A node whose ranks are neighbours, a power
 * of two of them, and begin at a multiple of their number is a subtree: its sum is made inside it,
 * and one copy of the vector, not one for each rank, crosses between nodes. */
#ifndef GYRE_REDUCTION_H
#define GYRE_REDUCTION_H

#include "gyre/status.h"
#include <stddef.h>

/* ---- halving: what a CPU's ranks do, one partner after the other */

/* Elements that a rank gives to its partner, and those that it keeps and adds up. */
typedef struct {
    int partner;
    size_t give, give_end, keep, keep_end;
} gyre_halving;

enum { GYRE_HALVINGS_MAX = 31 };
/* The steps of `rank` of `ranks` (a power of two), the nearest partner first, for n elements; how
 * many they are. Afterwards the same steps in reverse order, each giving what it kept, make all
 * ranks' vectors whole. */
int gyre_halving_plan(int rank, int ranks, size_t n, gyre_halving out[GYRE_HALVINGS_MAX]);

/* ---- levels: what GPUs do, all members of a level at once */

/* Groups of `ranks` ranks that are `stride` apart. Each member gets a slice of the vector from all
 * members and adds it up; the next level does so with that slice; then, the last level first, the
 * members gather their slices. */
typedef struct {
    int ranks, stride;
} gyre_level;

typedef struct {
    size_t begin, count;
} gyre_slice;

enum { GYRE_LEVELS_MAX = 2 };
/* Inside blocks of `block` neighbours and then across them; one level where there is one block, or
 * where blocks are single ranks. Returns how many levels. */
int gyre_level_plan(int ranks, int block, gyre_level out[GYRE_LEVELS_MAX]);
/* Which member of its group a rank is, and which rank another member of that group is. */
int gyre_level_place(const gyre_level *l, int rank);
int gyre_level_rank(const gyre_level *l, int rank, int place);
/* The number of a rank's group. */
int gyre_level_group(const gyre_level *l, int rank);
/* GYRE_EUSAGE where a level of that plan would have more than `most` members. */
gyre_status gyre_level_check(int ranks, int block, int most);
/* A member's slice of n elements: equal parts, whole vectors of four, but the last has the rest. */
gyre_slice gyre_level_slice(const gyre_level *l, size_t n, int place);

#endif
