/* Pictures in rows and columns with labels, as one PNG. */
#ifndef GYRE_GRID_H
#define GYRE_GRID_H

#include "gyre/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int h, w, c; /* of a picture; c is 1 or 3 */
    int rows, columns;
    const uint8_t *const *pictures; /* (rows), each (columns, h, w, c) */
    const char *const *labels;      /* (rows): left of them, lines parted by \n */
    const char *corner;             /* over the labels: what the heads are */
    const char *const *heads;       /* (columns): over them */
    const char *caption;            /* below; NULL: nothing */
} gyre_grid;

/* The file's bytes, signed as gyre's (gyre/overwrite.h); free() them. Small pictures are enlarged
 * by a whole number. GYRE_EUSAGE: too many or too large pictures for one file. */
gyre_status gyre_grid_png(const gyre_grid *g, char **png, size_t *size);

#endif
