/* Config files: JSON with comments, checked against one table of fields.
 *
 * The table (src/config/fields.c) drives parsing, ranges, defaults, --set, `gyre help config`,
 * docs/config.md and the resolved echo in a run folder. */
#ifndef GYRE_CONFIG_H
#define GYRE_CONFIG_H

#include "gyre/json.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What a resume makes of a field that differs: refuse, note, or accept. */
typedef enum { GYRE_FIELD_ARITHMETIC, GYRE_FIELD_RECORDED, GYRE_FIELD_FREE } gyre_field_tag;

/* Reads a config and applies `sets` ("optimizer.momentum=0.95"; the value is JSON, or a bare
 * string). Errors: GYRE_EIO when the file cannot be read, else GYRE_EUSAGE naming file, line and
 * column or key path, the allowed range and the nearest valid key. On success close it. */
gyre_status gyre_config_open(const char *path, char *const *sets, int set_count,
                             gyre_settings **out);
/* The same from what is in memory: a whole config, and objects laid over it, whose keys are nested
 * or dotted ({"schedule.cycles": 3}) and of which the last one wins; null means the default. `path`
 * is the file that relative paths and messages go by, `where` begins a layer's messages. The values
 * need not live on. */
typedef struct {
    const gyre_json_value *object;
    const char *where;
} gyre_config_layer;
gyre_status gyre_config_build(const gyre_json_value *tree, const char *path,
                              const gyre_config_layer *layers, int layer_count,
                              gyre_settings **out);
void gyre_config_close(gyre_settings *settings);

/* Appends a stage to the schedule: JSON as in schedule.stages, but complete in itself, so that a
 * key that is not given has its default and not the outer schedule's value. What was there becomes
 * the stage, or stages, before it. Errors: GYRE_EUSAGE naming the key. */
gyre_status gyre_config_extend(gyre_settings *settings, const char *stage);

/* Gives `now` the past of `run`, whose lengths are in steps, up to `step`: its stages become those
 * of `run`, the last one cut there, and one more of its own outer keys and length, or without
 * `length_given` for the steps that `run` has left. Errors: GYRE_EUSAGE: `now` differs from `run`
 * in more than schedule and length, or `step` is none of its steps. */
gyre_status gyre_config_branch(gyre_settings *now, const gyre_settings *run, int64_t step,
                               bool length_given);

/* GYRE_OK when all that a training run needs is given: data.path, model.name, batch.size, and a
 * length (or stages). `gyre schedule` needs less, so gyre_config_open does not ask. */
gyre_status gyre_config_require(const gyre_settings *settings);

/* model.name, model.layers, model.file or model.config was given. */
bool gyre_config_names_network(const gyre_settings *settings);

/* A path of the config, which is relative to its folder, seen from here; free() it. NULL: out of
 * memory. */
char *gyre_config_path(const gyre_settings *settings, const char *path);

/* The settings as JSON text with every default written out; free() it. */
gyre_status gyre_config_print(const gyre_settings *settings, char **out);

/* The text of the config file at `path`, which gyre_config_open accepts, with values replaced or
 * added; comments and layout stay. free() it. Keys as "schedule.base_lr", values as JSON. */
typedef struct {
    const char *key, *value;
} gyre_config_change;
gyre_status gyre_config_edit(const char *path, const gyre_config_change *changes, int count,
                             char **out);

/* What a key or option that is not known may be meant for, by other tools' names and by spelling:
 * "the run's length is ...". False: nothing is likely. */
bool gyre_config_suggest(const char *name, char *out, size_t size);

/* XXH3-64 of the arithmetic fields as printed: equal for configs that describe the same run. */
gyre_status gyre_config_hash(const gyre_settings *settings, uint64_t *out);

/* XXH3-64 of all that the ranks of one job must have in common: everything but threads, backend and
 * the paths. Ranks that differ in when they evaluate or save would wait for each other. */
gyre_status gyre_config_hash_shared(const gyre_settings *settings, uint64_t *out);

/* Each arithmetic field that differs, as text: "optimizer.momentum: run has 0.9, config has 0.95;
 * ..."; "": all agree. `run` and `now` are both resolved. */
gyre_status gyre_config_list_differences(const gyre_settings *run, const gyre_settings *now,
                                         char *out, size_t size);
/* GYRE_OK when there are none; else GYRE_EUSAGE with the list. */
gyre_status gyre_config_compare(const gyre_settings *run, const gyre_settings *now);

/* Calls `each` for every key that two resolved configs differ in and that a result may hang on:
 * arithmetic and recorded fields, and the file that weights come from. The dataset's content is
 * for the caller to compare. */
gyre_status gyre_config_differences(const gyre_settings *a, const gyre_settings *b,
                                    void (*each)(void *context, const char *key), void *context);

/* Every field with type, range, default and meaning: for a terminal, as Markdown, and as the
 * manual page gyre-config(5). */
void gyre_config_help(FILE *out);
void gyre_config_help_markdown(FILE *out);
void gyre_config_help_man(FILE *out);

/* Calls `each` for every key that --set takes, a length's with its units ("length.epochs"). */
void gyre_config_each_key(void (*each)(void *context, const char *key), void *context);
/* Calls `each` for every value of the key that is a word. True: it takes a text of the user's own,
 * a name or a path. */
bool gyre_config_each_value(const char *key, void (*each)(void *context, const char *value),
                            void *context);

/* batch.shards' default: the largest power of two <= 8 that divides the batch with >= 32 samples
 * per shard, else 1. Where it is 1, settings keep 0 until the network is known: one without batch
 * norm then has gyre_default_small_shards(), the largest power of two <= 8 that divides the batch.
 */
int gyre_default_shards(int batch_size);
int gyre_default_small_shards(int batch_size);

/* The momentum that a schedule starts from: beta1 of adam and adamw, 0 of rmsprop and adagrad,
 * which have none. */
/* Tells of keys whose values nothing reads, as momentum with adam: a line for all of a kind. */
void gyre_config_warnings(const gyre_settings *settings,
                          void (*say)(void *context, const char *text), void *context);

double gyre_config_momentum(const gyre_optimizer_settings *settings);

/* The seeds of a list, "0..7" or "3,5,8"; free() them. GYRE_EUSAGE. */
gyre_status gyre_seeds_read(const char *text, uint64_t **seeds, int *count);

const char *gyre_cjson_version(void);

#endif
