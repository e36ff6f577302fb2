/* From settings to a sampler: defaults, classes by name, and what does not go together. */
#include "gyre/sample.h"

#include "gyre/defaults.h"
#include "gyre/log.h"
#include "gyre/names.h"
#include "gyre/text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static gyre_status choose_steps(const gyre_sample_settings *s, const char *prefix,
                                const gyre_denoiser *d, gyre_sampling_rule *out) {
    int all = d->schedule.steps, usual = GYRE_DEFAULT_SAMPLE_STEPS;
    bool ddim = s->method == GYRE_SAMPLING_DDIM;
    out->steps = s->steps > 0 ? s->steps : ddim && usual < all ? usual : all;
    if (out->steps <= all) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "%ssteps: expected 1 to %d, the times of the network, found %d",
                     prefix, all, out->steps);
}

/* The number of a class that is called so, or has this number; -1: there is none. */
static int find_class(const char *name, const gyre_class_names *names, int classes) {
    char *end = NULL;
    for (int i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], name) == 0) return i;
    }
    long number = isdigit((unsigned char)name[0]) ? strtol(name, &end, 10) : -1;
    return number >= 0 && number < classes && *end == '\0' ? (int)number : -1;
}

static gyre_status no_such_class(const char *name, const char *prefix,
                                 const gyre_class_names *names, int classes) {
    const char **list = calloc((size_t)names->count + 1, sizeof *list);
    if (list == NULL) return gyre_no_memory("the classes");
    for (int i = 0; i < names->count; i++) list[i] = names->names[i];
    const char *near = gyre_name_nearest(name, list);
    free(list);
    return gyre_fail(GYRE_EUSAGE, "%sclass: expected a number of 0 to %d%s, found '%.80s'%s%s%s",
                     prefix, classes - 1, names->count > 0 ? " or a class's name" : "", name,
                     near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                     near == NULL ? "" : "'?");
}

/* The row of the class, or that of no class. */
static gyre_status choose_class(const gyre_sample_settings *s, const char *prefix,
                                const gyre_denoiser *d, const gyre_class_names *names,
                                gyre_sampling_options *out) {
    if (d->classes == 0) {
        if (s->condition == NULL) return GYRE_OK;
        return gyre_fail(GYRE_EUSAGE,
                         "%sclass: the network takes no class: it has no node of type embedding or "
                         "context",
                         prefix);
    }
    out->condition = d->null_class;
    out->null_class = d->null_class;
    if (s->condition != NULL) {
        out->condition = find_class(s->condition, names, d->classes);
        if (out->condition < 0) return no_such_class(s->condition, prefix, names, d->classes);
    }
    if (out->condition >= 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%sclass: expected a class, since the network was never trained without one "
                     "(denoise.drop_condition, or drop of its node of type embedding)",
                     prefix);
}

static gyre_status check_guidance(const gyre_sample_settings *s, const char *prefix,
                                  const gyre_denoiser *d) {
    if (s->guidance == 1) return GYRE_OK;
    if (s->condition == NULL) {
        return gyre_fail(GYRE_EUSAGE, "%sguidance: expected a class that it leads to (%sclass)",
                         prefix, prefix);
    }
    if (d->null_class >= 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%sguidance: expected a network that was also trained without its class "
                     "(denoise.drop_condition, or drop of its node of type embedding)",
                     prefix);
}

static void warn_of_times(const gyre_denoiser *d) {
    if (d->from == 0 && d->to == d->schedule.steps) return;
    gyre_warn("the network is trained at times %d to %d alone (denoise.from, denoise.to), and "
              "sampling visits others of its %d",
              d->from, d->to - 1, d->schedule.steps);
}

gyre_status gyre_sample_options(const gyre_sample_settings *settings, const char *prefix,
                                const gyre_model *m, const gyre_class_names *names,
                                const gyre_sampling_input *input, gyre_sampling_options *out) {
    gyre_denoiser d;
    *out = (gyre_sampling_options){.rule = {.method = settings->method, .eta = settings->eta},
                                   .input = *input,
                                   .clamp = input->bytes,
                                   .condition = -1,
                                   .null_class = -1,
                                   .guidance = settings->guidance,
                                   .batch = GYRE_DEFAULT_SAMPLE_BATCH};
    if (!gyre_denoiser_of(m, &d)) {
        return gyre_fail(GYRE_EUSAGE,
                         "expected a network that denoises, which alone makes samples; its loss "
                         "is %s",
                         m->loss);
    }
    if (settings->method == GYRE_SAMPLING_DDPM && settings->eta != 0) {
        return gyre_fail(GYRE_EUSAGE, "%seta: is for method ddim; ddpm adds noise of its own",
                         prefix);
    }
    /* what zero_snr is for: sampling begins at the last time, where nothing is left of the image */
    out->rule.spacing = d.schedule.zero_snr ? GYRE_SPACING_TRAILING : GYRE_SPACING_LEADING;
    GYRE_TRY(choose_steps(settings, prefix, &d, &out->rule));
    GYRE_TRY(choose_class(settings, prefix, &d, names, out));
    GYRE_TRY(check_guidance(settings, prefix, &d));
    warn_of_times(&d);
    return GYRE_OK;
}
