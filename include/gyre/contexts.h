/* Contexts: numbers that a network attends to besides a sample, as a text encoder makes them of a
 * caption. A sample names its context by its label. */
#ifndef GYRE_CONTEXTS_H
#define GYRE_CONTEXTS_H

enum { GYRE_CONTEXT_NONE = 0 }; /* the first one is that of no caption */

typedef struct {
    int count; /* 0: there are none */
    int tokens, channels;
    const float *values; /* (count, tokens, channels) */
} gyre_contexts;

#endif
