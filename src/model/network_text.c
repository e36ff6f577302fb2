/* Parts of messages about networks as JSON. */
#include "network.h"

#include "gyre/names.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *network_text(const gyre_json_value *v, char out[NETWORK_TEXT]) {
    char *text = gyre_json_print(v, false);
    snprintf(out, NETWORK_TEXT, "%s",
             text == NULL ? "another value" : gyre_text_shorten(text, NETWORK_TEXT - 1));
    free(text);
    return out;
}

const char *network_advice(const char *wrong, const char *const *names, char out[NETWORK_TEXT]) {
    const char *near = gyre_name_nearest(wrong, names);
    out[0] = '\0';
    if (near != NULL) snprintf(out, NETWORK_TEXT, "; did you mean \"%.50s\"?", near);
    return out;
}

const char *network_short_name(const gyre_node *n, const gyre_param *p) {
    return p->name + strlen(n->name) + 1;
}
