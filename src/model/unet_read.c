/* diffusers' config.json of a UNet2DModel: a table of its fields, and what they must be together.
 *
 * A field that gyre has no node for may have the one value that needs none. */
#include "unet.h"

#include "gyre/json.h"
#include "network.h"
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const unet_config unet_defaults = {.in = 3,
                                   .out = 3,
                                   .levels = 4,
                                   .channels = {224, 448, 672, 896},
                                   .down_attention = {false, true, true, true},
                                   .up_attention = {true, true, true, false},
                                   .layers = 2,
                                   .middle_attention = true,
                                   .head = 8,
                                   .groups = 32,
                                   .eps = 1e-5,
                                   .downsample_padding = 1,
                                   .cosine_first = true};

typedef enum {
    COUNT,  /* int */
    SOME,   /* int, or null for 0 */
    REAL,   /* double */
    FLAG,   /* bool */
    ONE_OF, /* bool: the second of `values` */
    ONLY,   /* one of `values`; nothing is kept */
    NOTHING /* means nothing for what the network computes */
} kind;

typedef struct {
    const char *name;
    kind kind;
    size_t offset;
    double lowest, highest;
    const char *values; /* one or two, as JSON: "a|b" */
} field;

#define AT(member) offsetof(unet_config, member)
static const field fields[] = {
    {"in_channels", COUNT, AT(in), 1, 1 << 16, NULL},
    {"out_channels", COUNT, AT(out), 1, 1 << 16, NULL},
    {"layers_per_block", COUNT, AT(layers), 1, UNET_LAYERS_MAX, NULL},
    {"attention_head_dim", SOME, AT(head), 1, 1 << 16, NULL},
    {"norm_num_groups", COUNT, AT(groups), 1, 1 << 16, NULL},
    {"attn_norm_num_groups", SOME, AT(attention_groups), 1, 1 << 16, NULL},
    {"norm_eps", REAL, AT(eps), 1e-12, 1, NULL},
    {"dropout", REAL, AT(dropout), 0, 0.999, NULL},
    {"downsample_padding", COUNT, AT(downsample_padding), 0, 1, NULL},
    {"freq_shift", COUNT, AT(freq_shift), 0, 1, NULL},
    {"flip_sin_to_cos", FLAG, AT(cosine_first), 0, 0, NULL},
    {"time_embedding_dim", SOME, AT(time_channels), 1, 1 << 20, NULL},
    {"num_class_embeds", SOME, AT(classes), 1, 1 << 24, NULL},
    {"add_attention", FLAG, AT(middle_attention), 0, 0, NULL},
    {"mid_block_type", ONE_OF, AT(no_middle), 0, 0, "\"UNetMidBlock2D\"|null"},
    {"_class_name", ONLY, 0, 0, 0, "\"UNet2DModel\""},
    {"act_fn", ONLY, 0, 0, 0, "\"silu\"|\"swish\""},
    {"center_input_sample", ONLY, 0, 0, 0, "false"},
    {"time_embedding_type", ONLY, 0, 0, 0, "\"positional\""},
    {"mid_block_scale_factor", ONLY, 0, 0, 0, "1"},
    {"downsample_type", ONLY, 0, 0, 0, "\"conv\""},
    {"upsample_type", ONLY, 0, 0, 0, "\"conv\""},
    {"resnet_time_scale_shift", ONLY, 0, 0, 0, "\"default\""},
    {"class_embed_type", ONLY, 0, 0, 0, "null"},
    {"num_train_timesteps", NOTHING, 0, 0, 0, NULL}, /* of time_embedding_type "learned" */
    {"sample_size", NOTHING, 0, 0, 0, NULL},         /* the images have one */
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* Lists: a value for each level. */
static const char channels_key[] = "block_out_channels", down_key[] = "down_block_types",
                  up_key[] = "up_block_types";

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

static void describe(const field *f, char *out, size_t size) {
    const char *or_null = f->kind == SOME ? " or null" : "";
    size_t length;
    switch (f->kind) {
    case COUNT:
    case SOME:
        snprintf(out, size, "a whole number %.0f..%.0f%s", f->lowest, f->highest, or_null);
        break;
    case REAL: snprintf(out, size, "a number %g..%g", f->lowest, f->highest); break;
    case FLAG: snprintf(out, size, "true or false"); break;
    default:
        length = strcspn(f->values, "|");
        snprintf(out, size, "%.*s%s%s", (int)length, f->values,
                 f->values[length] == '|' ? " or " : "",
                 f->values[length] == '|' ? f->values + length + 1 : "");
        break;
    }
}

static gyre_status take(const field *f, const gyre_json_value *v, unet_config *out) {
    char expected[80], found[NETWORK_TEXT];
    void *to = (char *)out + f->offset;
    const bool null = gyre_json_kind_of(v) == GYRE_JSON_NULL;
    bool fits = true;
    int place = f->values == NULL ? -1 : place_of(v, f->values);
    switch (f->kind) {
    case COUNT:
    case SOME:
        fits = is_count(v, f->lowest, f->highest) || (f->kind == SOME && null);
        if (fits) *(int *)to = null ? 0 : (int)gyre_json_number(v);
        break;
    case REAL:
        fits = gyre_json_number(v) >= f->lowest && gyre_json_number(v) <= f->highest;
        if (fits) *(double *)to = gyre_json_number(v);
        break;
    case FLAG:
        fits = gyre_json_kind_of(v) == GYRE_JSON_FLAG;
        if (fits) *(bool *)to = gyre_json_is_true(v);
        break;
    case ONE_OF:
        fits = place >= 0;
        if (fits) *(bool *)to = place == 1;
        break;
    case ONLY: fits = place >= 0; break;
    case NOTHING: break;
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

static gyre_status take_levels(const gyre_json_value *object, unet_config *out) {
    static const char *const down_names[] = {"DownBlock2D", "AttnDownBlock2D"},
                             *const up_names[] = {"UpBlock2D", "AttnUpBlock2D"};
    const gyre_json_value *channels = gyre_json_get(object, channels_key),
                          *down = gyre_json_get(object, down_key),
                          *up = gyre_json_get(object, up_key);
    int down_count = out->levels, up_count = out->levels;
    if (channels != NULL) GYRE_TRY(take_channels(channels, out));
    if (down != NULL) {
        GYRE_TRY(take_blocks(down_key, down_names, down, out->down_attention, &down_count));
    }
    if (up != NULL) GYRE_TRY(take_blocks(up_key, up_names, up, out->up_attention, &up_count));
    if (down_count == out->levels && up_count == out->levels) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE, "%s, %s and %s need a value for each level, found %d, %d and %d%s",
        channels_key, down_key, up_key, out->levels, down_count, up_count,
        channels != NULL && down != NULL && up != NULL ? ""
                                                       : "; one that is left out has diffusers' 4");
}

/* ---- all */

static const field *field_named(const char *name) {
    for (int i = 0; i < FIELDS; i++) {
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    }
    return NULL;
}

static gyre_status refuse_key(const char *key) {
    const char *names[FIELDS + 4] = {channels_key, down_key, up_key};
    char advice[NETWORK_TEXT];
    for (int i = 0; i < FIELDS; i++) names[3 + i] = fields[i].name;
    return gyre_fail(GYRE_EUSAGE, "unknown field \"%.60s\" of a UNet2DModel%s", key,
                     network_advice(key, names, advice));
}

/* What a library notes of itself, as _diffusers_version. */
static bool is_note(const char *key) {
    return key[0] == '_' && strcmp(key, "_class_name") != 0;
}

static gyre_status take_fields(const gyre_json_value *object, unet_config *out) {
    const gyre_json_value *name = gyre_json_get(object, "_class_name");
    if (name != NULL) GYRE_TRY(take(field_named("_class_name"), name, out)); /* explains the rest */
    for (const gyre_json_value *v = gyre_json_first(object); v != NULL; v = gyre_json_next(v)) {
        const char *key = gyre_json_key(v);
        const field *f = field_named(key);
        if (is_note(key) || strcmp(key, channels_key) == 0 || strcmp(key, down_key) == 0 ||
            strcmp(key, up_key) == 0) {
            continue;
        }
        if (f == NULL) return refuse_key(key);
        GYRE_TRY(take(f, v, out));
    }
    return take_levels(object, out);
}

static gyre_status check_attention(const unet_config *u, int channels, const char *where) {
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
        GYRE_TRY(check_attention(u, u->channels[i], "a level with attention"));
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
    return check_attention(u, deepest, "the middle");
}

gyre_status unet_read(const char *text, unet_config *out) {
    gyre_json_value *v = NULL;
    *out = unet_defaults;
    GYRE_TRY(gyre_json_parse(text, "text", &v));
    gyre_status status = take_fields(v, out);
    if (status == GYRE_OK) status = check_channels(out);
    gyre_json_close(v);
    return status;
}
