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

static const char *const crop_keys[] = {"data.augment.resized_crop.min_scale",
                                        "data.augment.resized_crop.max_scale",
                                        "data.augment.resized_crop.ratio"};

/* Defaults cannot be told from the same values typed: a run's own config has them all. */
static bool is_changed(const gyre_settings *s, const char *path) {
    const config_field *f = config_field_find(path);
    double value = 0;
    memcpy(&value, (const char *)s + f->offset, sizeof value);
    return value != strtod(f->fallback, NULL);
}

static void add(char *list, size_t size, const char *path) {
    gyre_text_add(list, size, "%s%s", list[0] != '\0' ? ", " : "", path);
}

void gyre_config_warnings(const gyre_settings *s, void (*say)(void *context, const char *text),
                          void *context) {
    char list[256] = "", text[384], name[32];
    const config_field *optimizer = config_field_find("optimizer.name");
    for (size_t i = 0; i < sizeof optimizer_keys / sizeof *optimizer_keys; i++) {
        if (optimizer_keys[i].readers & 1u << s->optimizer.name) continue;
        if (is_changed(s, optimizer_keys[i].path)) add(list, sizeof list, optimizer_keys[i].path);
    }
    if (list[0] != '\0') {
        config_choice_at(optimizer->choices, (int)s->optimizer.name, name, sizeof name);
        snprintf(text, sizeof text, "without effect with %s: %s", name, list);
        say(context, text);
    }
    list[0] = '\0';
    for (size_t i = 0; i < sizeof crop_keys / sizeof *crop_keys && s->data.crop_size == 0; i++) {
        if (is_changed(s, crop_keys[i])) add(list, sizeof list, crop_keys[i]);
    }
    if (list[0] == '\0') return;
    snprintf(text, sizeof text, "without effect without data.augment.resized_crop.size: %s", list);
    say(context, text);
}
