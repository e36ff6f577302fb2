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

/* A value on one line, with a space behind each comma and colon. */
static bool print_spaced(FILE *f, const cJSON *item) {
    char *text = gyre_json_print((const gyre_json_value *)item, false);
    bool quoted = false;
    for (const char *p = text; p != NULL && *p != '\0'; p++) {
        fputc(*p, f);
        if (*p == '"') quoted = !quoted;
        if (quoted && *p == '\\') fputc(*++p, f);
        if (!quoted && (*p == ',' || *p == ':')) fputc(' ', f);
    }
    free(text);
    return text != NULL;
}

/* A value on a line, with a comma where another follows. */
static bool print_row(FILE *f, const cJSON *item) {
    fprintf(f, "        ");
    bool ok = print_spaced(f, item);
    fprintf(f, "%s\n", item->next != NULL ? "," : "");
    return ok;
}

static bool print_rows(FILE *f, const cJSON *list) {
    fprintf(f, "[\n");
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        if (!print_row(f, item)) return false;
    }
    fprintf(f, "    ]");
    return true;
}

static bool print_member(FILE *f, const cJSON *item) {
    bool list = cJSON_IsArray(item);
    char *key = gyre_json_quote(item->string);
    bool ok = key != NULL;
    if (ok) fprintf(f, "    %s: ", key);
    if (ok) ok = list ? print_rows(f, item) : print_spaced(f, item);
    fprintf(f, "%s\n", item->next != NULL ? "," : "");
    free(key);
    return ok;
}

char *gyre_json_print_rows(const gyre_json_value *v) {
    char *text = NULL;
    size_t size = 0;
    bool ok = true;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) return NULL;
    fprintf(f, "{\n");
    const cJSON *item = ((const cJSON *)v)->child;
    for (; ok && item != NULL; item = item->next) ok = print_member(f, item);
    fprintf(f, "}\n");
    if (fclose(f) == 0 && ok) return text;
    free(text);
    return NULL;
}

char *gyre_json_quote(const char *text) {
    cJSON *item = cJSON_CreateString(text);
    char *out = item == NULL ? NULL : cJSON_PrintUnformatted(item);
    cJSON_Delete(item);
    return out;
}
