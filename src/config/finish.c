/* What no single field can tell: defaults that depend on other fields, and combinations that
 * cannot be. Whatever needs the dataset or the number of ranks is checked by those who know it. */
#include "fields.h"

#include "gyre/defaults.h"
#include "gyre/file.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int gyre_default_shards(int batch_size) {
    for (int shards = GYRE_DEFAULT_SHARDS_MAX; shards > 1; shards /= 2) {
        if (batch_size % shards != 0) continue;
        if (batch_size / shards >= GYRE_DEFAULT_SHARD_SAMPLES_MIN) return shards;
    }
    return 1;
}

int gyre_default_small_shards(int batch_size) {
    int shards = GYRE_DEFAULT_SHARDS_MAX;
    while (batch_size % shards != 0) shards /= 2;
    return shards;
}

double gyre_config_momentum(const gyre_optimizer_settings *s) {
    switch (s->name) {
    case GYRE_OPTIMIZER_SGD:
    case GYRE_OPTIMIZER_ADADELTA: return s->momentum;
    case GYRE_OPTIMIZER_ADAM:
    case GYRE_OPTIMIZER_ADAMW: return s->beta1;
    case GYRE_OPTIMIZER_RMSPROP:
    case GYRE_OPTIMIZER_ADAGRAD: break;
    }
    return 0;
}

gyre_status config_finish_schedule(gyre_schedule_settings *s, const char *place) {
    if (isnan(s->peak_decay)) s->peak_decay = gyre_default_peak_decay(s->policy);
    if (isnan(s->cycles)) s->cycles = 0;
    if (isnan(s->momentum_min) != isnan(s->momentum_max)) {
        return gyre_fail(GYRE_EUSAGE, "%s.momentum: give both min and max, or neither", place);
    }
    s->cycle_momentum = !isnan(s->momentum_min);
    if (!s->cycle_momentum) s->momentum_min = s->momentum_max = 0;
    if (s->momentum_min > s->momentum_max) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.momentum: min %g is above max %g; exchange them (momentum is lowest "
                         "where the rate is highest)",
                         place, s->momentum_min, s->momentum_max);
    }
    if (s->warmup.unit == GYRE_UNIT_NONE && s->warmup_from > 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.warmup: \"from\" without a length; add \"steps\" or \"epochs\"",
                         place);
    }
    if (s->warmup.unit == GYRE_UNIT_NONE) s->warmup_from = 0;
    return GYRE_OK;
}

static gyre_status finish_schedules(gyre_settings *s, const char *where) {
    char place[512];
    gyre_schedule_settings *outer = &s->schedule;
    for (int i = 0; i < outer->stage_count; i++) {
        snprintf(place, sizeof place, "%.400s: schedule.stages[%d]", where, i);
        GYRE_TRY(config_finish_schedule(&outer->stages[i].schedule, place));
    }
    snprintf(place, sizeof place, "%.400s: schedule", where);
    return config_finish_schedule(outer, place);
}

static gyre_status finish_batch(gyre_settings *s, const char *where) {
    if (s->batch_size == 0) return GYRE_OK; /* gyre_config_require() asks for it */
    if (s->shards == 0 && gyre_default_shards(s->batch_size) == 1)
        return GYRE_OK; /* resolved later */
    if (s->shards == 0) s->shards = gyre_default_shards(s->batch_size);
    if (s->batch_size % s->shards != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: batch.shards: %d does not divide batch.size %d; take a divisor, or "
                         "leave it out for %d",
                         where, s->shards, s->batch_size, gyre_default_shards(s->batch_size));
    }
    if (s->reduce == GYRE_REDUCE_EXACT && (s->shards & (s->shards - 1)) != 0) {
        return gyre_fail(
            GYRE_EUSAGE,
            "%s: batch.shards: with reduce \"exact\" a power of two is expected, found "
            "%d; change it, or take reduce \"fast\"",
            where, s->shards);
    }
    return GYRE_OK;
}

static bool is_given(const config_reader *r, const char *path) {
    return r->given[config_field_find(path) - config_fields];
}

static gyre_status finish_optimizer(config_reader *r, const char *where) {
    gyre_optimizer_settings *o = &r->settings->optimizer;
    if (o->name == GYRE_OPTIMIZER_ADAMW) {
        if (is_given(r, "optimizer.decoupled") && !o->decoupled) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s: optimizer.decoupled: adamw is adam with decoupled weight decay; "
                             "for coupled decay take \"adam\"",
                             where);
        }
        o->decoupled = true;
    }
    if (o->nesterov && o->name != GYRE_OPTIMIZER_SGD) {
        return gyre_fail(GYRE_EUSAGE, "%s: optimizer.nesterov: only sgd has Nesterov's form",
                         where);
    }
    if (o->lr_in_momentum && o->name != GYRE_OPTIMIZER_SGD) {
        return gyre_fail(GYRE_EUSAGE, "%s: optimizer.lr_in_momentum: only sgd has a velocity",
                         where);
    }
    return GYRE_OK;
}

/* Such an optimizer takes an average of its own in the weights' place. */
static gyre_status finish_schedule_free(gyre_settings *s, const char *where) {
    const gyre_optimizer_settings *o = &s->optimizer;
    const bool adam = o->name == GYRE_OPTIMIZER_ADAM || o->name == GYRE_OPTIMIZER_ADAMW;
    const char *wrong = NULL;
    if (!o->schedule_free) {
        if (s->average.kind != GYRE_AVERAGE_FREE) return GYRE_OK;
        return gyre_fail(GYRE_EUSAGE,
                         "%s: average.kind: schedule_free belongs to \"optimizer.schedule_free\": "
                         "true; take ema, swa or minima, or set that",
                         where);
    }
    if (o->nesterov || o->lr_in_momentum)
        wrong = "it has a momentum of its own; leave nesterov and lr_in_momentum out";
    if (!(gyre_config_momentum(o) > 0)) wrong = "its momentum (beta1 of adam) is above 0";
    if (s->average.kind != GYRE_AVERAGE_NONE && s->average.kind != GYRE_AVERAGE_FREE)
        wrong = "its own mean is taken in the weights' place; leave average.kind out, or keep "
                "averages beside it by average.beside";
    if (o->name != GYRE_OPTIMIZER_SGD && !adam) wrong = "it is a form of sgd, adam and adamw";
    if (wrong != NULL) {
        return gyre_fail(GYRE_EUSAGE, "%s: optimizer.schedule_free: %s", where, wrong);
    }
    s->average.kind = GYRE_AVERAGE_FREE;
    return GYRE_OK;
}

static gyre_status finish_lookahead(gyre_settings *s, const char *where) {
    gyre_lookahead_settings *l = &s->optimizer.lookahead;
    if (l->every > 0 && s->optimizer.schedule_free) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: optimizer.lookahead: schedule-free optimizers average by themselves; "
                         "leave one of the two out",
                         where);
    }
    if (isnan(l->decay)) l->decay = l->every > 0 ? GYRE_DEFAULT_LOOKAHEAD_DECAY : 0;
    return GYRE_OK;
}

static bool cycles_momentum(const gyre_schedule_settings *s) {
    for (int i = 0; i < s->stage_count; i++) {
        if (s->stages[i].schedule.cycle_momentum) return true;
    }
    return s->cycle_momentum;
}

/* Cycling the momentum holds back a velocity while the rate is high. */
static gyre_status check_momentum(const gyre_settings *s, const char *where) {
    if (!cycles_momentum(&s->schedule)) return GYRE_OK;
    if (s->optimizer.schedule_free) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: schedule.momentum: schedule-free optimizers need a "
                         "constant one; leave min and max out",
                         where);
    }
    const char *name = NULL, *why = "has no momentum";
    switch (s->optimizer.name) {
    case GYRE_OPTIMIZER_RMSPROP: name = "rmsprop"; break;
    case GYRE_OPTIMIZER_ADAGRAD: name = "adagrad"; break;
    case GYRE_OPTIMIZER_ADADELTA:
        name = "adadelta";
        why = "has no velocity: its momentum is the decay of its averages";
        break;
    default: return GYRE_OK;
    }
    return gyre_fail(
        GYRE_EUSAGE,
        "%s: schedule.momentum: %s %s, so there is nothing to cycle; leave min and max "
        "out, or take sgd or adam",
        where, name, why);
}

/* The default that is written out is the same run as the one that is not. */
static void finish_loss(gyre_model_settings *s) {
    if (s->loss == NULL || strcmp(s->loss, GYRE_DEFAULT_LOSS) != 0) return;
    free(s->loss);
    s->loss = NULL;
}

gyre_status config_finish(config_reader *r, const char *where) {
    gyre_settings *s = r->settings;
    finish_loss(&s->model);
    GYRE_TRY(config_finish_network(r, where));
    GYRE_TRY(config_finish_unet(r));
    GYRE_TRY(finish_schedules(s, where));
    GYRE_TRY(finish_batch(s, where));
    GYRE_TRY(finish_optimizer(r, where));
    GYRE_TRY(finish_schedule_free(s, where));
    GYRE_TRY(finish_lookahead(s, where));
    return check_momentum(s, where);
}

bool gyre_config_names_network(const gyre_settings *s) {
    return s->model.name != NULL || s->model.layers != NULL || s->model.unet != NULL;
}

gyre_status gyre_config_require(const gyre_settings *s) {
    const char *missing = s->data.path == NULL            ? "data.path"
                          : !gyre_config_names_network(s) ? "model.name"
                          : s->batch_size == 0            ? "batch.size"
                          : s->length.unit == GYRE_UNIT_NONE && s->schedule.stage_count == 0
                              ? "length"
                              : NULL;
    if (missing == NULL) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "the config has no %s; add it, or give it by --set %s=...",
                     missing, missing);
}

char *gyre_config_path(const gyre_settings *s, const char *path) {
    return gyre_path_join(s->dir == NULL ? "." : s->dir, path);
}
