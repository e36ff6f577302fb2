/* All that is not one of the tables, and every attribute, since gyre writes none. */
#include "metrics_additions.h"

#include "gyre/text.h"

#include "metrics_tables.h"
#include <stdio.h>
#include <string.h>

static bool is_own(const char *name) {
    bool own = strcmp(name, "/") == 0;
    for (int i = 0; i < METRICS_TABLES; i++) {
        own = own || strcmp(name + 1, metrics_table_name((metrics_table)i)) == 0;
    }
    return own;
}

bool metrics_additions_list(const gyre_h5_reader *r, char *out, size_t size) {
    enum { NAMED = 4 };
    size_t count = 0, found = 0;
    const gyre_h5_entry *e = gyre_h5_reader_list(r, &count);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        bool own = is_own(e[i].name), top = strchr(e[i].name + 1, '/') == NULL;
        if (own ? !e[i].attributes : !top) continue; /* a group stands for what is in it */
        if (++found > NAMED) continue;
        gyre_text_add(out, size, "%s%s%.60s", found == 1 ? "" : ", ", own ? "attributes of " : "",
                      e[i].name);
    }
    if (found > NAMED) gyre_text_add(out, size, " and %zu more", found - NAMED);
    return found > 0;
}
