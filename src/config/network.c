/* model.layers: a network as JSON, kept as text. What its nodes say is read where
 * the network is built; here it is a list, or an object with the list "nodes". */
#include "fields.h"

#include "gyre/json.h"
#include <stdlib.h>
#include <string.h>

/* The object of which the list is made, in `owned` where it is a new one; NULL: it is none. */
static const cJSON *object_of(const cJSON *value, cJSON **owned) {
    *owned = NULL;
    if (cJSON_IsObject(value)) {
        return cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(value, "nodes")) ? value : NULL;
    }
    if (!cJSON_IsArray(value)) return NULL;
    *owned = cJSON_CreateObject();
    if (*owned != NULL) cJSON_AddItemReferenceToObject(*owned, "nodes", (cJSON *)(uintptr_t)value);
    return *owned;
}

gyre_status config_take_network(const cJSON *value, const char *where, char **to) {
    cJSON *owned = NULL;
    const cJSON *object = object_of(value, &owned);
    if (object == NULL && !cJSON_IsArray(value)) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: expected a list of nodes, or an object with the list \"nodes\"",
                         where);
    }
    char *text = object == NULL ? NULL : gyre_json_print_rows((const gyre_json_value *)object);
    cJSON_Delete(owned);
    if (text == NULL) return gyre_no_memory("the network");
    text[strlen(text) - 1] = '\0'; /* without its last newline, as gyre_model_print has it */
    free(*to);
    *to = text;
    return GYRE_OK;
}
