/* model.layers and model.file: a network as JSON, kept as text. What its nodes say is read where
 * the network is built; here it is a list, or an object with the list "nodes". */
#include "fields.h"

#include "gyre/file.h"
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

static gyre_status read_file(gyre_settings *s) {
    char *path = gyre_path_join(s->dir, s->model.file);
    cJSON *tree = NULL;
    if (path == NULL) return gyre_no_memory("the path '%s'", s->model.file);
    gyre_status status = config_read_file(path, &tree);
    if (status == GYRE_OK) status = config_take_network(tree, path, &s->model.layers);
    cJSON_Delete(tree);
    free(path);
    return status;
}

gyre_status config_finish_network(gyre_settings *s, const char *where) {
    gyre_model_settings *m = &s->model;
    const char *first = m->name != NULL ? "model.name" : "model.layers";
    const char *second = m->file != NULL ? "model.file" : "model.layers";
    if ((m->name != NULL) + (m->layers != NULL) + (m->file != NULL) > 1) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: one of model.name, model.layers and model.file was expected, found "
                         "%s and %s; null takes one back",
                         where, first, second);
    }
    if (m->file == NULL) return GYRE_OK;
    GYRE_TRY(gyre_fail_in("model.file", read_file(s)));
    free(m->file);
    m->file = NULL;
    return GYRE_OK;
}
