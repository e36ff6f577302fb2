/* The weights of one axis of a resized picture: the triangle filter, widened by the scale when the
 * picture shrinks (what Pillow calls BILINEAR, and Heckbert's zoom before it).
 *
 * Output j is made of inputs first[j]..first[j] + taps - 1. Weights are whole numbers with the sum
 * DATA_FILTER_ONE, and their own mirror image. Internal to src/data. */
#ifndef GYRE_DATA_FILTER_H
#define GYRE_DATA_FILTER_H

#include "gyre/status.h"

enum { DATA_FILTER_ONE = 1 << 16 };

typedef struct {
    int in, out, taps;
    int *first;     /* (out), rising */
    float *weights; /* (out, taps), whole numbers */
    float *window;  /* scratch: one output's */
} data_filter;

/* `span` inputs or fewer have no more taps. */
int data_filter_room(double span, int out);

/* For the `span` in the middle of `in` inputs; data_filter_set() may follow. */
gyre_status data_filter_open(data_filter *f, int in, double span, int out);
/* For another `in` and `span`, at most those that it was opened with. */
void data_filter_set(data_filter *f, int in, double span);
void data_filter_close(data_filter *f);

#endif
