/* The value of model.class_weights. */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

static bool take_numbers(const config_field *f, const cJSON *list, double *out) {
    bool some = false;
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        double x = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (!(x >= f->min && x <= f->max)) return false;
        some = some || x > 0;
        *out++ = x;
    }
    return some;
}

void config_clear_class_weights(gyre_model_settings *m) {
    free(m->class_weights);
    m->class_weights = NULL;
    m->class_weight_count = 0;
    m->class_weights_balanced = false;
}

gyre_status config_take_class_weights(const config_field *f, const cJSON *value,
                                      gyre_model_settings *m, bool *fits) {
    double *weights = NULL;
    int count = cJSON_IsArray(value) ? cJSON_GetArraySize(value) : 0;
    bool balanced = cJSON_IsString(value) && strcmp(value->valuestring, f->choices) == 0;
    *fits = balanced || (count > 0 && count <= GYRE_CLASSES_MAX);
    if (!*fits) return GYRE_OK;
    if (!balanced) {
        weights = malloc((size_t)count * sizeof *weights);
        if (weights == NULL) return gyre_no_memory("the config");
        *fits = take_numbers(f, value, weights);
    }
    if (*fits) {
        config_clear_class_weights(m);
        m->class_weights = weights;
        m->class_weight_count = count;
        m->class_weights_balanced = balanced;
    } else {
        free(weights);
    }
    return GYRE_OK;
}

cJSON *config_class_weights_json(const gyre_model_settings *m) {
    if (m->class_weights == NULL) return cJSON_CreateString("balanced");
    return config_numbers_json(m->class_weights, m->class_weight_count);
}
