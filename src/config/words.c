/* The keys and values that can be typed behind --set, for a shell that completes them. */
#include "fields.h"

#include <stdio.h>

void gyre_config_each_key(void (*each)(void *context, const char *key), void *context) {
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        if (f->kind != FIELD_LENGTH) each(context, f->path);
        for (int unit = GYRE_UNIT_STEPS; unit <= GYRE_UNIT_MINUTES; unit++) {
            char key[128];
            if (f->kind != FIELD_LENGTH || (f->units & (1u << unit)) == 0) continue;
            snprintf(key, sizeof key, "%s.%s", f->path, config_unit_name((gyre_unit)unit));
            each(context, key);
        }
    }
}

bool gyre_config_each_value(const char *key, void (*each)(void *context, const char *value),
                            void *context) {
    char value[64];
    const config_field *f = config_field_find(key);
    if (f == NULL) return false;
    const char *choices = f->kind == FIELD_FLAG   ? "false|true"
                          : f->kind == FIELD_RATE ? "find"
                                                  : f->choices;
    for (int i = 0; f->kind == FIELD_SWITCH && i < 2; i++) each(context, i ? "true" : "false");
    for (int i = 0; choices != NULL && config_choice_at(choices, i, value, sizeof value); i++) {
        each(context, value);
    }
    return f->kind == FIELD_TEXT;
}
