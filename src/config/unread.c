/* Keys that have a value of their own, and that nothing reads: as a rule another optimizer's. */
#include "fields.h"

#include "gyre/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    SGD = 1 << GYRE_OPTIMIZER_SGD,
    ADAM = 1 << GYRE_OPTIMIZER_ADAM | 1 << GYRE_OPTIMIZER_ADAMW,
    RMSPROP = 1 << GYRE_OPTIMIZER_RMSPROP,
    ADAGRAD = 1 << GYRE_OPTIMIZER_ADAGRAD,
    ADADELTA = 1 << GYRE_OPTIMIZER_ADADELTA
};

/* Nesterov's form and lr_in_momentum are errors with the others (config_finish). */
static const struct {
    const char *path;
    unsigned readers;
} optimizer_keys[] = {
    {"optimizer.momentum", SGD | ADADELTA},
    {"optimizer.beta1", ADAM},
    {"optimizer.beta2", ADAM},
    {"optimizer.rms_decay", RMSPROP},
    {"optimizer.eps", ADAM | RMSPROP | ADAGRAD | ADADELTA},
};

/* Defaults cannot be told from the same values typed: a run's own config has them all. */
static bool is_changed(const gyre_settings *s, const char *path) {
    const config_field *f = config_field_find(path);
    const void *at = (const char *)s + f->offset;
    double value = 0;
    if (f->kind == FIELD_FLAG) return *(const bool *)at != (strcmp(f->fallback, "true") == 0);
    if (f->kind == FIELD_INTEGER)
        return *(const int *)at != (f->fallback == NULL ? 0 : (int)strtol(f->fallback, NULL, 10));
    if (f->kind == FIELD_LENGTH) return ((const gyre_length *)at)->unit != GYRE_UNIT_NONE;
    memcpy(&value, at, sizeof value);
    return value != (f->fallback == NULL ? 0 : strtod(f->fallback, NULL));
}

static void add(char *list, size_t size, const char *path) {
    gyre_text_add(list, size, "%s%s", list[0] != '\0' ? ", " : "", path);
}

typedef void sayer(void *context, const char *text);

/* "without effect WHEN: a, b", should there be any. */
static void say_list(const char *when, const char *list, sayer *say, void *context) {
    char text[384];
    if (list[0] == '\0') return;
    snprintf(text, sizeof text, "without effect %s: %s", when, list);
    say(context, text);
}

static void warn_optimizer(const gyre_settings *s, sayer *say, void *context) {
    char list[256] = "", name[32], when[48];
    for (size_t i = 0; i < sizeof optimizer_keys / sizeof *optimizer_keys; i++) {
        if (optimizer_keys[i].readers & 1u << s->optimizer.name) continue;
        if (is_changed(s, optimizer_keys[i].path)) add(list, sizeof list, optimizer_keys[i].path);
    }
    config_choice_at(config_field_find("optimizer.name")->choices, (int)s->optimizer.name, name,
                     sizeof name);
    snprintf(when, sizeof when, "with %s", name);
    say_list(when, list, say, context);
}

/* Keys of what another key turns on. */
static const struct {
    const char *keys[4], *when;
} parts[] = {
    {{"data.augment.resized_crop.min_scale", "data.augment.resized_crop.max_scale",
      "data.augment.resized_crop.ratio"},
     "without data.augment.resized_crop.size"},
    {{"data.augment.random_erasing.min_scale", "data.augment.random_erasing.max_scale",
      "data.augment.random_erasing.ratio"},
     "without data.augment.random_erasing.probability"},
    {{"optimizer.lookahead.decay", "optimizer.lookahead.power", "optimizer.lookahead.until"},
     "without optimizer.lookahead.every"},
    {{"average.decay", "average.warmup"}, "without an average of kind ema"},
    {{"average.start", "average.every"}, "without an average of kind swa"},
    {{"average.first_minimum"}, "without an average of kind minima"},
    {{"average.statistics"}, "without an average of kind swa, minima or schedule_free"},
};

void gyre_config_warnings(const gyre_settings *s, void (*say)(void *context, const char *text),
                          void *context) {
    const bool swa = gyre_average_is_kept(&s->average, GYRE_AVERAGE_SWA);
    const bool minima = gyre_average_is_kept(&s->average, GYRE_AVERAGE_MINIMA);
    const bool on[] = {s->data.crop_size > 0,
                       s->data.erasing.probability > 0,
                       s->optimizer.lookahead.every > 0,
                       gyre_average_is_kept(&s->average, GYRE_AVERAGE_EMA),
                       swa,
                       minima,
                       swa || minima || gyre_average_is_kept(&s->average, GYRE_AVERAGE_FREE)};
    warn_optimizer(s, say, context);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char list[256] = "";
        for (int k = 0; !on[i] && parts[i].keys[k] != NULL; k++) {
            if (is_changed(s, parts[i].keys[k])) add(list, sizeof list, parts[i].keys[k]);
        }
        say_list(parts[i].when, list, say, context);
    }
}
