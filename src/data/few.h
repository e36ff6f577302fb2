/* The first few of many names, for a message of bounded length. Internal to src/data. */
#ifndef GYRE_DATA_FEW_H
#define GYRE_DATA_FEW_H

#include <stddef.h>

enum { GYRE_FEW = 4, GYRE_FEW_TEXT = 512 };

typedef struct {
    size_t count, used;
    char text[GYRE_FEW_TEXT];
} gyre_few; /* begins as all zero */

/* Each name in quotes, unprintable bytes as \xHH; those behind the first GYRE_FEW are counted. */
void gyre_few_add(gyre_few *f, const char *name);
/* "'a', 'b', 'c', 'd' and 3 more" */
const char *gyre_few_text(gyre_few *f);

#endif
