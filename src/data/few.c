/* The first few of many names, as the text of a message. */
#include "few.h"

#include "gyre/text.h"
#include <stdio.h>

enum { MORE = 40 }; /* bytes for "and N more" */

void data_few_add(data_few *f, const char *name) {
    char visible[(DATA_FEW_TEXT - MORE) / DATA_FEW - 4];
    if (f->count++ >= DATA_FEW) return;
    gyre_text_visible(name, visible, sizeof visible);
    gyre_text_add(f->text, sizeof f->text, "%s'%s'", f->count > 1 ? ", " : "", visible);
}

const char *data_few_text(data_few *f) {
    if (f->count > DATA_FEW) {
        gyre_text_add(f->text, sizeof f->text, " and %zu more", f->count - DATA_FEW);
    }
    return f->text;
}
