/* The first few of many names, for a message of bounded length. Internal to src/data. */
#ifndef GYRE_DATA_FEW_H
#define GYRE_DATA_FEW_H

#include <stddef.h>

enum { DATA_FEW = 4, DATA_FEW_TEXT = 512 };

typedef struct {
    size_t count;
    char text[DATA_FEW_TEXT];
} data_few; /* begins as all zero */

/* Each name in quotes, unprintable bytes as \xHH; those behind the first DATA_FEW are counted. */
void data_few_add(data_few *f, const char *name);
/* "'a', 'b', 'c', 'd' and 3 more" */
const char *data_few_text(data_few *f);

#endif
