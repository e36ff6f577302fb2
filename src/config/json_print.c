/* JSON as text, with numbers that read back as the same doubles. */
#include "fields.h"
#include "gyre/json.h"

#include <stdio.h>
#include <stdlib.h>

cJSON *config_number_json(double x) {
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    return cJSON_CreateRaw(text);
}

/* Puts digits of our own in the place of each number below `item`. */
static bool fix_numbers(cJSON *item) {
    for (cJSON *child = item->child; child != NULL;) {
        cJSON *next = child->next;
        if (cJSON_IsNumber(child)) {
            cJSON *exact = config_number_json(child->valuedouble);
            if (exact != NULL) { /* its key goes along */
                exact->string = child->string;
                child->string = NULL;
            }
            if (!cJSON_ReplaceItemViaPointer(item, child, exact)) return false;
        } else if (!fix_numbers(child)) {
            return false;
        }
        child = next;
    }
    return true;
}

char *gyre_json_print(const gyre_json_value *v, bool pretty) {
    const cJSON *item = (const cJSON *)v;
    cJSON *copy =
        cJSON_IsNumber(item) ? config_number_json(item->valuedouble) : cJSON_Duplicate(item, true);
    char *text = NULL;
    if (copy != NULL && fix_numbers(copy)) {
        text = pretty ? cJSON_Print(copy) : cJSON_PrintUnformatted(copy);
    }
    cJSON_Delete(copy);
    return text;
}

char *gyre_json_quote(const char *text) {
    cJSON *item = cJSON_CreateString(text);
    char *out = item == NULL ? NULL : cJSON_PrintUnformatted(item);
    cJSON_Delete(item);
    return out;
}
