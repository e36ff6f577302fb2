#include "few.h"

#include "gyre/text.h"
#include <stdio.h>

enum { MORE = 40 }; /* bytes for "and N more" */

void gyre_few_add(gyre_few *f, const char *name) {
    char visible[(GYRE_FEW_TEXT - MORE) / GYRE_FEW - 4];
    if (f->count++ >= GYRE_FEW) return;
    gyre_text_visible(name, visible, sizeof visible);
    f->used += (size_t)snprintf(f->text + f->used, sizeof f->text - f->used, "%s'%s'",
                                f->count > 1 ? ", " : "", visible);
}

const char *gyre_few_text(gyre_few *f) {
    if (f->count > GYRE_FEW) {
        snprintf(f->text + f->used, sizeof f->text - f->used, " and %zu more", f->count - GYRE_FEW);
    }
    return f->text;
}
