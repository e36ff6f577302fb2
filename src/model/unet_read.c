/* diffusers' config.json of a U-Net: its fields, and what they must be together. */
#include "unet.h"

#include "gyre/json.h"
#include "network.h"
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Lists: a value for each level. */
static const char channels_key[] = "block_out_channels", down_key[] = "down_block_types",
                  up_key[] = "up_block_types", class_key[] = "_class_name";

/* ---- one field */

static bool is_count(const gyre_json_value *v, double lowest, double highest) {
    double x = gyre_json_number(v);
    return x >= lowest && x <= highest && x == floor(x);
}

/* The place of the value among "a|b"; -1: it is none of them. */
static int place_of(const gyre_json_value *v, const char *values) {
    char text[NETWORK_TEXT] = "";
    const gyre_json_kind found = gyre_json_kind_of(v);
    if (found == GYRE_JSON_NULL) snprintf(text, sizeof text, "null");
    if (found == GYRE_JSON_FLAG)
        snprintf(text, sizeof text, gyre_json_is_true(v) ? "true" : "false");
    if (found == GYRE_JSON_NUMBER) snprintf(text, sizeof text, "%g", gyre_json_number(v));
    if (found == GYRE_JSON_TEXT) snprintf(text, sizeof text, "\"%s\"", gyre_json_text(v));
    for (int i = 0; *values != '\0'; i++) {
        size_t length = strcspn(values, "|");
        if (strlen(text) == length && memcmp(text, values, length) == 0) return i;
        values += length + (values[length] == '|');
    }
    return -1;
}

static void describe(const unet_field *f, char *out, size_t size) {
    const char *or_other = f->kind == UNET_SOME      ? " or null"
                           : f->kind == UNET_NUMBERS ? ", or a list with one for each level"
                                                     : "";
    size_t length;
    switch (f->kind) {
    case UNET_COUNT:
    case UNET_SOME:
    case UNET_NUMBERS:
        snprintf(out, size, "a whole number %.0f..%.0f%s", f->lowest, f->highest, or_other);
        break;
    case UNET_REAL: snprintf(out, size, "a number %g..%g", f->lowest, f->highest); break;
    case UNET_FLAG: snprintf(out, size, "true or false"); break;
    default:
        length = strcspn(f->values, "|");
        snprintf(out, size, "%.*s%s%s", (int)length, f->values,
                 f->values[length] == '|' ? " or " : "",
                 f->values[length] == '|' ? f->values + length + 1 : "");
        break;
    }
}

static bool take_numbers(const unet_field *f, const gyre_json_value *v, unet_numbers *out) {
    out->count = 0;
    if (is_count(v, f->lowest, f->highest)) {
        for (int i = 0; i < UNET_LEVELS_MAX; i++) out->of[i] = (int)gyre_json_number(v);
        return true;
    }
    if (gyre_json_kind_of(v) != GYRE_JSON_LIST) return false;
    for (const gyre_json_value *one = gyre_json_first(v); one != NULL; one = gyre_json_next(one)) {
        if (out->count == UNET_LEVELS_MAX || !is_count(one, f->lowest, f->highest)) return false;
        out->of[out->count++] = (int)gyre_json_number(one);
    }
    return out->count > 0;
}

static gyre_status take(const unet_field *f, const gyre_json_value *v, unet_config *out) {
    char expected[96], found[NETWORK_TEXT];
    void *to = (char *)out + f->offset;
    const bool null = gyre_json_kind_of(v) == GYRE_JSON_NULL;
    bool fits = true;
    int place = f->values == NULL ? -1 : place_of(v, f->values);
    switch (f->kind) {
    case UNET_COUNT:
    case UNET_SOME:
        fits = is_count(v, f->lowest, f->highest) || (f->kind == UNET_SOME && null);
        if (fits) *(int *)to = null ? 0 : (int)gyre_json_number(v);
        break;
    case UNET_NUMBERS: fits = take_numbers(f, v, to); break;
    case UNET_REAL:
        fits = gyre_json_number(v) >= f->lowest && gyre_json_number(v) <= f->highest;
        if (fits) *(double *)to = gyre_json_number(v);
        break;
    case UNET_FLAG:
        fits = gyre_json_kind_of(v) == GYRE_JSON_FLAG;
        if (fits) *(bool *)to = gyre_json_is_true(v);
        break;
    case UNET_ONE_OF:
        fits = place >= 0;
        if (fits) *(bool *)to = place == 1;
        break;
    case UNET_ONLY: fits = place >= 0; break;
    case UNET_NOTHING: break;
    }
    if (fits) return GYRE_OK;
    describe(f, expected, sizeof expected);
    return gyre_fail(GYRE_EUSAGE, "%s: expected %s%s, found %s", f->name, expected,
                     f->values != NULL ? ", which is what gyre builds" : "",
                     network_text(v, found));
}

/* ---- lists */

static gyre_status check_list(const char *key, const gyre_json_value *list, int *count) {
    char found[NETWORK_TEXT];
    *count = 0;
    if (gyre_json_kind_of(list) == GYRE_JSON_LIST) {
        for (const gyre_json_value *v = gyre_json_first(list); v != NULL; v = gyre_json_next(v)) {
            ++*count;
        }
    }
    if (*count >= 1 && *count <= UNET_LEVELS_MAX) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "%s: a list of 1 to %d levels was expected, found %s", key,
                     UNET_LEVELS_MAX, network_text(list, found));
}

static gyre_status take_channels(const gyre_json_value *list, unet_config *out) {
    char found[NETWORK_TEXT];
    int i = 0;
    GYRE_TRY(check_list(channels_key, list, &out->levels));
    for (const gyre_json_value *v = gyre_json_first(list); v != NULL; v = gyre_json_next(v), i++) {
        if (!is_count(v, 1, 1 << 16)) {
            return gyre_fail(GYRE_EUSAGE, "%s[%d]: a whole number %d..%d was expected, found %s",
                             channels_key, i, 1, 1 << 16, network_text(v, found));
        }
        out->channels[i] = (int)gyre_json_number(v);
    }
    return GYRE_OK;
}

/* "DownBlock2D" or "AttnDownBlock2D", and of the way up likewise. */
static gyre_status take_blocks(const char *key, const char *const names[2],
                               const gyre_json_value *list, bool *attention, int *count) {
    char found[NETWORK_TEXT];
    int i = 0;
    GYRE_TRY(check_list(key, list, count));
    for (const gyre_json_value *v = gyre_json_first(list); v != NULL; v = gyre_json_next(v), i++) {
        const char *name = gyre_json_text(v);
        attention[i] = name != NULL && strcmp(name, names[1]) == 0;
        if (attention[i] || (name != NULL && strcmp(name, names[0]) == 0)) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "%s[%d]: expected \"%s\" or \"%s\", which are what gyre "
                         "builds, found %s",
                         key, i, names[0], names[1], network_text(v, found));
    }
    return GYRE_OK;
}

/* A list of numbers has one for each level. */
static gyre_status check_numbers(const unet_class *class, const unet_config *u) {
    for (const unet_field *f = class->fields; f->name != NULL; f++) {
        if (f->kind != UNET_NUMBERS) continue;
        const unet_numbers *n = (const void *)((const char *)u + f->offset);
        if (n->count == 0 || n->count == u->levels) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "%s: expected a number, or one for each of %d levels, found %d", f->name,
                         u->levels, n->count);
    }
    return GYRE_OK;
}

static gyre_status take_levels(const unet_class *class, const gyre_json_value *object,
                               unet_config *out) {
    const gyre_json_value *channels = gyre_json_get(object, channels_key),
                          *down = gyre_json_get(object, down_key),
                          *up = gyre_json_get(object, up_key);
    int down_count = out->levels, up_count = out->levels;
    if (channels != NULL) GYRE_TRY(take_channels(channels, out));
    if (down != NULL) {
        GYRE_TRY(take_blocks(down_key, class->down, down, out->down_attention, &down_count));
    }
    if (up != NULL) GYRE_TRY(take_blocks(up_key, class->up, up, out->up_attention, &up_count));
    if (down_count == out->levels && up_count == out->levels) return check_numbers(class, out);
    return gyre_fail(
        GYRE_EUSAGE, "%s, %s and %s need a value for each level, found %d, %d and %d%s",
        channels_key, down_key, up_key, out->levels, down_count, up_count,
        channels != NULL && down != NULL && up != NULL ? ""
                                                       : "; one that is left out has diffusers' 4");
}

/* ---- all */

static const unet_field *field_named(const unet_class *class, const char *name) {
    const unet_field *f = class->fields;
    while (f->name != NULL && strcmp(f->name, name) != 0) f++;
    return f->name == NULL ? NULL : f;
}

static gyre_status refuse_key(const unet_class *class, const char *key) {
    enum { MOST = 64 };
    const char *names[MOST + 1] = {channels_key, down_key, up_key};
    char advice[NETWORK_TEXT];
    int count = 3;
    for (const unet_field *f = class->fields; f->name != NULL && count < MOST; f++) {
        names[count++] = f->name;
    }
    return gyre_fail(GYRE_EUSAGE, "unknown field \"%.60s\" of a %s%s", key, class->name,
                     network_advice(key, names, advice));
}

/* What a library notes of itself, as _diffusers_version. */
static bool is_note(const char *key) {
    return key[0] == '_' && strcmp(key, class_key) != 0;
}

/* Without a name it is the plain one, as gyre has always read it. */
static gyre_status choose_class(const gyre_json_value *object, const unet_class **out) {
    const gyre_json_value *v = gyre_json_get(object, class_key);
    const char *name = v == NULL ? NULL : gyre_json_text(v);
    char found[NETWORK_TEXT];
    *out =
        name != NULL && strcmp(name, unet_conditional.name) == 0 ? &unet_conditional : &unet_plain;
    if (v == NULL || (name != NULL && strcmp(name, (*out)->name) == 0)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s: expected \"%s\" or \"%s\", which are what gyre builds, found %s",
                     class_key, unet_plain.name, unet_conditional.name, network_text(v, found));
}

static gyre_status take_fields(const unet_class *class, const gyre_json_value *object,
                               unet_config *out) {
    *out = class->defaults;
    for (const gyre_json_value *v = gyre_json_first(object); v != NULL; v = gyre_json_next(v)) {
        const char *key = gyre_json_key(v);
        const unet_field *f = field_named(class, key);
        if (is_note(key) || strcmp(key, channels_key) == 0 || strcmp(key, down_key) == 0 ||
            strcmp(key, up_key) == 0) {
            continue;
        }
        if (f == NULL) return refuse_key(class, key);
        GYRE_TRY(take(f, v, out));
    }
    return take_levels(class, object, out);
}

/* `level` counts from the images' size. */
static gyre_status check_heads(const unet_config *u, int level, const char *where) {
    const int heads = u->heads.of[level], channels = u->channels[level];
    if (channels % heads == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "attention_head_dim, the number of heads: expected a divisor of the %d "
                     "channels of %s, found %d",
                     channels, where, heads);
}

static gyre_status check_attention(const unet_config *u, int level, const char *where) {
    const int channels = u->channels[level];
    if (u->condition) return check_heads(u, level, where);
    if (u->head == 0 || channels % u->head == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "attention_head_dim: expected a divisor of the %d channels of %s, found %d; "
                     "null is one head of them all",
                     channels, where, u->head);
}

static gyre_status check_channels(const unet_config *u) {
    for (int i = 0; i < u->levels; i++) {
        if (u->channels[i] % u->groups != 0) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s[%d]: expected a multiple of the %d groups of norm_num_groups, "
                             "found %d",
                             channels_key, i, u->groups, u->channels[i]);
        }
        if (!u->down_attention[i] && !u->up_attention[u->levels - 1 - i]) continue;
        GYRE_TRY(check_attention(u, i, "a level with attention"));
    }
    const int deepest = u->channels[u->levels - 1];
    if (u->channels[0] % 2 != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s[0]: an even number was expected, since t has as many sines as "
                         "cosines, found %d",
                         channels_key, u->channels[0]);
    }
    if (u->no_middle || !u->middle_attention) return GYRE_OK;
    if (u->attention_groups > 0 && deepest % u->attention_groups != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "attn_norm_num_groups: expected a divisor of the %d channels of the "
                         "middle, found %d",
                         deepest, u->attention_groups);
    }
    return check_attention(u, u->levels - 1, "the middle");
}

gyre_status unet_read(const char *text, unet_config *out) {
    gyre_json_value *v = NULL;
    const unet_class *class = NULL;
    GYRE_TRY(gyre_json_parse(text, "text", &v));
    gyre_status status = choose_class(v, &class);
    if (status == GYRE_OK) status = take_fields(class, v, out);
    if (status == GYRE_OK) status = check_channels(out);
    gyre_json_close(v);
    return status;
}
