/* The table of config fields, and what one field can do: take a JSON value, give one back. */
#ifndef GYRE_CONFIG_FIELDS_H
#define GYRE_CONFIG_FIELDS_H

#include "gyre/config.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

typedef enum {
    FIELD_FLAG,       /* bool */
    FIELD_SWITCH,     /* an enum: false, true, or one of `choices` from 2 on */
    FIELD_INTEGER,    /* int */
    FIELD_SEED,       /* uint64_t */
    FIELD_REAL,       /* double */
    FIELD_RATE,       /* double, or "find" */
    FIELD_TEXT,       /* char *, owned; NULL: not given */
    FIELD_NAMES,      /* char ** + count: model.freeze */
    FIELD_GROUPS,     /* list of objects: optimizer.groups */
    FIELD_NETWORK,    /* char *, owned: a list of nodes as text */
    FIELD_UNET,       /* char *, owned: a path or an object, as JSON text */
    FIELD_CHOICE,     /* an enum, by its value's place in `choices` */
    FIELD_SIDE,       /* bool, true for the second of two choices */
    FIELD_LENGTH,     /* gyre_length, an object with one unit */
    FIELD_STEPS,      /* gyre_length from a whole number of steps */
    FIELD_VALIDATION, /* "test", "none" or {"split": f} */
    FIELD_WEIGHTS,    /* a choice, or a list of numbers: model.class_weights */
    FIELD_NORMALIZE,  /* a choice, or {"mean": [...], "std": [...]} */
    FIELD_MILESTONES, /* {"steps": [...]} or {"epochs": [...]} */
    FIELD_STAGES,     /* list of objects */
} field_kind;

enum {
    UNIT_STEPS = 1 << GYRE_UNIT_STEPS,
    UNIT_EPOCHS = 1 << GYRE_UNIT_EPOCHS,
    UNIT_CYCLES = 1 << GYRE_UNIT_CYCLES,
    UNIT_MINUTES = 1 << GYRE_UNIT_MINUTES,
    UNIT_PARTS = 1 << 8 /* steps need not be whole */
};

typedef struct {
    const char *path;
    field_kind kind;
    gyre_field_tag tag;
    size_t offset;        /* in gyre_settings */
    double min, max;      /* inclusive; of integers, reals and a length's value */
    unsigned units;       /* of a length */
    const char *choices;  /* "a|b|c", in the order of the enum */
    const char *fallback; /* default as JSON text; NULL: none (absent in the echo until given) */
    const char *help;     /* what the field does */
} config_field;

extern const config_field config_fields[]; /* ends with a NULL path */
enum { CONFIG_FIELDS_MAX = 160 };          /* the table is shorter; a test counts */

/* Other spellings of a key: {alias, path}; ends with NULL. */
extern const char *const config_aliases[][2];

/* Sets a field from JSON; `where` ("run.json: batch.size") begins the message. */
gyre_status config_field_set(const config_field *f, const cJSON *value, gyre_settings *settings,
                             const char *where);
/* A fresh JSON value of the field, or NULL in *out when it is not given. */
gyre_status config_field_get(const config_field *f, const gyre_settings *settings, cJSON **out);
/* Back to the default. A number without one becomes NaN until config_finish(). */
gyre_status config_field_reset(const config_field *f, gyre_settings *settings);

/* The field of this path or alias, else NULL. */
const config_field *config_field_find(const char *path);
/* True for "optimizer": some field's path continues below it. */
bool config_is_section(const char *path);

/* The field's range or choices as text: "number 0..1", "\"a\" or \"b\"". */
void config_field_range(const config_field *f, char *out, size_t size);
/* The k-th of "a|b|c" into out; false past the end. */
bool config_choice_at(const char *choices, int k, char *out, size_t size);
/* "steps", "epochs", ... */
const char *config_unit_name(gyre_unit unit);

/* The one of a field's `choices` (NULL at the end) that another tool's name, or a spelling, stands
 * for; NULL: none is likely. */
const char *config_suggest_value(const char *path, const char *value, const char *const *choices);
/* "optimizer.name" for "optimizer": the key that a value given to a whole section is for; or NULL.
 */
const char *config_section_key(const char *section);

/* The unit of this name; false: there is none. */
bool config_unit_find(const char *name, gyre_unit *out);
/* A length of a unit: steps are at least `min`, and whole unless `parts`; epochs, cycles and
 * minutes are any positive number (0 only if min is). False, as of what follows: the value is none.
 */
bool config_take_unit_value(gyre_unit unit, double min, bool parts, const cJSON *value,
                            gyre_length *out);
/* {"epochs": 10}: exactly one unit among those of the field. */
bool config_take_length(const config_field *f, const cJSON *value, gyre_length *out);
/* Epochs, or steps from 1 on. */
bool config_take_span(const cJSON *value, gyre_length *out);
cJSON *config_length_json(const gyre_length *length);
/* {"key": value}, taking `value` over; NULL when memory is short, also for `value`. */
cJSON *config_object_json(const char *key, cJSON *value);

/* The shortest of 15 to 17 digits that reads back as the same double; cJSON's own numbers may come
 * back one bit off. NULL if out of memory. */
cJSON *config_number_json(double x);

/* {"mean": [...], "std": [...]} of data.augment.normalize; false when the value is no such. */
bool config_take_normalization(const config_field *f, const cJSON *value, gyre_normalization *out);
cJSON *config_normalization_json(const gyre_normalization *n);

/* model.class_weights: "balanced" or a list of numbers, not all of them 0; *fits says whether the
 * value is one. And back to none. */
gyre_status config_take_class_weights(const config_field *f, const cJSON *value,
                                      gyre_model_settings *m, bool *fits);
cJSON *config_class_weights_json(const gyre_model_settings *m);
void config_clear_class_weights(gyre_model_settings *m);

/* A list of numbers; NULL if out of memory. */
cJSON *config_numbers_json(const double *values, int count);

/* Parses JSON with comments. `where` (the file's name) begins a message. */
gyre_status config_parse_text(const char *text, const char *where, cJSON **out);
gyre_status config_read_file(const char *path, cJSON **out);

/* Overwrites the comments of `blanked`, a copy of `text`, with spaces. */
gyre_status config_blank_comments(const char *text, char *blanked, const char *where);

/* Which fields a config gave, by their place in the table. */
typedef struct {
    gyre_settings *settings;
    bool given[CONFIG_FIELDS_MAX];
    bool once;           /* within one file no field is given twice */
    const cJSON *stages; /* of whichever source gave them last; applied after everything else */
    char stages_where[512];
} config_reader;

/* Takes a whole config, an object laid over it, or one "key=value" (whose parsed value goes to
 * *owned: keep it as long as the reader). */
gyre_status config_take_tree(config_reader *r, const cJSON *tree, const char *where);
gyre_status config_take_layer(config_reader *r, const cJSON *object, const char *where);
gyre_status config_take_set(config_reader *r, const char *set, cJSON **owned);
gyre_status config_take_stages(config_reader *r);

/* The text of model.layers from a list of nodes, or an object with one. */
gyre_status config_take_network(const cJSON *value, const char *where, char **to);
/* The text of model.config from a path, or an object. */
gyre_status config_take_unet(const cJSON *value, const char *where, char **to);
/* Reads the file of model.config in its place. */
gyre_status config_finish_unet(config_reader *r);
/* optimizer.groups from JSON, and back to nothing. */
gyre_status config_take_groups(const cJSON *value, const char *where, gyre_model_settings *m);
cJSON *config_groups_json(const gyre_model_settings *m);
void config_clear_groups(gyre_model_settings *m);
/* Reads model.file into model.layers; one of the ways to name a network at most. */
gyre_status config_finish_network(config_reader *r, const char *where);

/* What no single field can tell: values that depend on others, and what does not go together. */
gyre_status config_finish(config_reader *r, const char *where);
/* The same for one schedule at the key path `place`. */
gyre_status config_finish_schedule(gyre_schedule_settings *s, const char *place);

#endif
