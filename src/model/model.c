/* A model from its name: nodes from the zoo, then the layout of the flat parameter vector. */
#include "network.h"
#include "select.h"
#include "zoo.h"

#include "gyre/names.h"
#include "gyre/random.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { NAMES_MAX = 32, GROUPS_MAX = 256 /* each is updated by itself */ };

static gyre_status unknown_name(const char *key, const char *what, const char *name,
                                const char *const *names) {
    char list[512] = "";
    const char *nearest = gyre_name_nearest(name, names);
    if (nearest != NULL) {
        return gyre_fail(GYRE_EUSAGE, "%s: unknown %s \"%s\"; did you mean \"%s\"?", key, what,
                         name, nearest);
    }
    for (int i = 0; names[i] != NULL; i++) {
        gyre_text_add(list, sizeof list, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    return gyre_fail(GYRE_EUSAGE, "%s: unknown %s \"%s\"; there are %s", key, what, name, list);
}

static gyre_status find_entry(const char *name, const zoo_entry **out) {
    const char *names[NAMES_MAX] = {0};
    for (int i = 0; zoo_entries[i].name != NULL; i++) {
        names[i] = zoo_entries[i].name;
        if (strcmp(name, zoo_entries[i].name) == 0) {
            *out = &zoo_entries[i];
            return GYRE_OK;
        }
    }
    if (strpbrk(name, "./") != NULL) {
        return gyre_fail(
            GYRE_EUSAGE,
            "model.name: unknown model \"%s\"; the file of a network, ONNX or JSON, is "
            "for model.file",
            name);
    }
    return unknown_name("model.name", "model", name, names);
}

static bool same_group(const gyre_param *p, const gyre_param_group *g) {
    return p->lr_mult == g->lr_mult && p->decay_mult == g->decay_mult && p->frozen == g->frozen &&
           p->until == g->until;
}

/* Groups in order of first appearance, parameters in node order inside, each at a multiple of 16
 * floats. */
static gyre_status lay_out(gyre_model *m) {
    m->groups = calloc((size_t)m->param_count, sizeof *m->groups);
    if (m->groups == NULL) return gyre_no_memory("the model");
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        int g = 0;
        while (g < m->group_count && !same_group(p, &m->groups[g])) g++;
        if (g == GROUPS_MAX) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s: more than %d different pairs of lr_mult and decay_mult", m->name,
                             GROUPS_MAX);
        }
        if (g == m->group_count) {
            m->groups[m->group_count++] =
                (gyre_param_group){0, 0, p->lr_mult, p->decay_mult, p->frozen, p->until};
        }
    }
    size_t at = 0;
    for (int g = 0; g < m->group_count; g++) {
        gyre_param_group *group = &m->groups[g];
        group->offset = at;
        for (int i = 0; i < m->param_count; i++) {
            if (!same_group(&m->params[i], group)) continue;
            m->params[i].offset = at;
            at += node_align_floats(m->params[i].count);
            m->count += m->params[i].count;
        }
        group->count = at - group->offset;
    }
    m->parameters = at;
    return GYRE_OK;
}

static bool adds_noise(const gyre_model *m) {
    for (int i = 0; i < m->node_count; i++) {
        if (strcmp(m->nodes[i].type->name, NODE_NOISE) == 0) return true;
    }
    return false;
}

/* Where the settings name none. */
static const char *usual_loss(const gyre_model *m) {
    return adds_noise(m) ? NODE_NOISE_LOSS : NODE_DEFAULT_LOSS;
}

static gyre_status find_loss(const gyre_model *m, const gyre_model_settings *settings,
                             const gyre_node_type **out) {
    const char *name = settings->loss != NULL ? settings->loss : usual_loss(m);
    const char *names[NAMES_MAX] = {0};
    *out = node_type_named(name);
    if (*out != NULL && (*out)->is_loss) return GYRE_OK;
    for (int i = 0; i < NAMES_MAX - 1 && gyre_model_loss(i) != NULL; i++) {
        names[i] = gyre_model_loss(i);
    }
    return unknown_name("model.loss", "loss", name, names);
}

/* A node without a reader would have no gradient. */
static gyre_status check_read(const gyre_model *m) {
    gyre_status status = GYRE_OK;
    bool *read = calloc((size_t)m->node_count, sizeof *read);
    if (read == NULL) return gyre_no_memory("a model of %d layers", m->node_count);
    for (int i = 0; i < m->node_count; i++) {
        const gyre_node *n = &m->nodes[i];
        for (int k = 0; k < n->input_count; k++) {
            if (n->inputs[k] >= 0) read[n->inputs[k]] = true;
        }
    }
    for (int i = 0; i < m->node_count - 1 && status == GYRE_OK; i++) {
        if (read[i]) continue;
        status = gyre_fail(GYRE_EUSAGE, "%s: no other node reads %s", m->name, m->nodes[i].name);
    }
    free(read);
    return status;
}

static gyre_status take_class_weights(gyre_model *m, const gyre_node_type *type,
                                      const gyre_model_settings *settings) {
    int count = settings->class_weight_count;
    if (count == 0) return GYRE_OK;
    if (!type->weighs_classes) {
        return gyre_fail(GYRE_EUSAGE,
                         "model.class_weights: expected none, since the loss %s has none",
                         type->name);
    }
    if (count != m->classes) {
        return gyre_fail(GYRE_EUSAGE,
                         "model.class_weights: expected %d numbers, one for each class, found %d",
                         m->classes, count);
    }
    m->class_weights = malloc((size_t)count * sizeof *m->class_weights);
    if (m->class_weights == NULL) return gyre_no_memory("the model");
    for (int j = 0; j < count; j++) m->class_weights[j] = (float)settings->class_weights[j];
    return GYRE_OK;
}

/* The loss reads what the last node of the list gives. */
static gyre_status add_loss(builder *b, const gyre_model_settings *settings) {
    gyre_model *m = b->model;
    const gyre_node_type *type = NULL;
    GYRE_TRY(b->status);
    GYRE_TRY(find_loss(m, settings, &type));
    if (settings->label_smoothing != 0 && !type->smooths_labels) {
        return gyre_fail(GYRE_EUSAGE,
                         "optimizer.label_smoothing: expected 0, since the loss %s has none, found "
                         "%g",
                         type->name, settings->label_smoothing);
    }
    GYRE_TRY(take_class_weights(m, type, settings));
    m->mixes_labels = type->mixes_labels;
    m->label_smoothing = (float)settings->label_smoothing;
    builder_node_of(b, type->name, BUILDER_LOSS, m->node_count - 1, NULL);
    GYRE_TRY(b->status);
    for (int i = 0; i < m->node_count; i++) {
        m->draws_in_evaluation = m->draws_in_evaluation || m->nodes[i].type->draws_in_evaluation;
    }
    m->bands = type->bands;
    m->metric = type->metric;
    m->loss = type->name;
    return GYRE_OK;
}

/* The nodes before the loss. */
static gyre_status add_nodes(builder *b, const zoo_entry *entry,
                             const gyre_model_settings *settings) {
    if (entry == NULL) return gyre_fail_in("model.layers", network_read(b, settings->layers));
    entry->build(b, entry->variant);
    return gyre_fail_in(settings->unet != NULL ? "model.config" : "model.name", b->status);
}

bool gyre_denoise_is_usual(const gyre_denoise_settings *d) {
    return (d->steps == 0 || d->steps == GYRE_DEFAULT_DENOISE_STEPS) && d->noise == 0 &&
           d->predict == 0 && d->draw == 0 && d->from == 0 && d->to == 0 && !d->zero_snr &&
           d->beta_start == 0 && d->beta_end == 0 && d->offset == 0 && d->min_snr == 0 &&
           d->drop_condition == 0;
}

/* Only a network that is made here gets the options of the noise. */
static gyre_status check_denoise(const gyre_model *m, const zoo_entry *entry,
                                 const gyre_denoise_settings *d) {
    if (gyre_denoise_is_usual(d)) return GYRE_OK;
    if (entry == NULL) {
        return gyre_fail(GYRE_EUSAGE, "denoise: these keys are for unet alone; a network of "
                                      "model.layers says it in its node of type diffuse");
    }
    if (adds_noise(m)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "denoise: these keys are for unet alone, and the network is %s",
                     m->name);
}

gyre_status zoo_model_open(const zoo_entry *entry, const gyre_model_settings *settings, int h,
                           int w, int c, int classes, gyre_model **out) {
    bool values = settings->any_target || !gyre_target_has_classes(&settings->target);
    int least = values ? 1 : 2;
    if (classes < least) {
        return gyre_fail(GYRE_EUSAGE, "model.classes: at least %d expected, found %d", least,
                         classes);
    }
    gyre_model *m = calloc(1, sizeof *m);
    if (m == NULL) return gyre_no_memory("the model");
    snprintf(m->name, sizeof m->name, "%s", entry == NULL ? "network" : entry->name);
    m->h = h;
    m->w = w;
    m->c = c;
    m->classes = classes;
    m->target = settings->target;
    m->contexts = settings->contexts;
    m->norm_frozen = settings->batch_norm_frozen;
    builder b = {.model = m,
                 .settings = settings,
                 .any_target = settings->any_target,
                 .bias_lr_mult = 1,
                 .weight_decay_mult = 1,
                 .bias_decay_mult = 1};
    gyre_status status = add_nodes(&b, entry, settings);
    if (status == GYRE_OK) status = check_denoise(m, entry, &settings->denoise);
    if (status == GYRE_OK) status = add_loss(&b, settings);
    if (status == GYRE_OK) status = check_read(m);
    if (status == GYRE_OK && m->param_count == 0) {
        status = gyre_fail(GYRE_EUSAGE, "%s: no node has parameters, so there is nothing to train",
                           m->name);
    }
    if (status == GYRE_OK) status = select_frozen(m, settings);
    if (status == GYRE_OK) status = select_groups(m, settings);
    if (status == GYRE_OK) status = lay_out(m);
    builder_close(&b);
    if (status == GYRE_OK)
        *out = m;
    else
        gyre_model_close(m);
    return status;
}

gyre_status gyre_model_open(const gyre_model_settings *settings, int h, int w, int c, int classes,
                            gyre_model **out) {
    const zoo_entry *entry = NULL;
    if (settings->layers == NULL && settings->unet != NULL)
        entry = &zoo_by_config;
    else if (settings->layers == NULL)
        GYRE_TRY(find_entry(settings->name, &entry));
    return zoo_model_open(entry, settings, h, w, c, classes, out);
}

void gyre_model_close(gyre_model *m) {
    if (m == NULL) return;
    for (int i = 0; i < m->node_count; i++) free(m->nodes[i].options);
    for (int i = 0; i < m->param_count; i++) free(m->params[i].torch.name);
    for (int i = 0; i < m->statistic_count; i++) free(m->statistics[i].torch.name);
    free(m->nodes);
    free(m->params);
    free(m->groups);
    free(m->statistics);
    free(m->class_weights);
    free(m);
}

bool gyre_model_tells_label(const gyre_model *m) {
    return gyre_target_is_label(&m->target) && m->bands == 0;
}

int gyre_model_output(const gyre_model *m) {
    return m->nodes[m->node_count - 1].inputs[0];
}

size_t gyre_model_outputs(const gyre_model *m) {
    return node_elements(node_output(m, gyre_model_output(m)));
}

int gyre_model_feature_node(const gyre_model *m) {
    return m->nodes[gyre_model_output(m)].inputs[0];
}

size_t gyre_model_features(const gyre_model *m) {
    int node = gyre_model_feature_node(m);
    return node < 0 ? 0 : node_elements(node_output(m, node));
}

/* Filter i becomes 1 at its middle for channel i, else 0 (torch.nn.init.dirac_ on the first
 * filters). */
static void pass_channels_on(const gyre_param *p, float *out) {
    const bool conv = p->ndim == 4;
    const int rows = conv ? p->dims[1] : 1, columns = conv ? p->dims[2] : 1;
    const int channels = p->dims[p->ndim - 1];
    const int filters = p->dims[0] < channels ? p->dims[0] : channels;
    const size_t filter = p->count / (size_t)p->dims[0];
    const size_t middle = (size_t)(rows / 2 * columns + columns / 2) * (size_t)channels;
    memset(out, 0, (size_t)filters * filter * sizeof *out);
    for (int i = 0; i < filters; i++) out[(size_t)i * filter + middle + (size_t)i] = 1;
}

static void init_param(const gyre_param *p, uint64_t seed, float *out) {
    gyre_random r =
        gyre_random_open(seed, GYRE_RANDOM_WEIGHTS, XXH3_64bits(p->name, strlen(p->name)), 0);
    for (size_t i = 0; i < p->count; i++) {
        switch (p->init) {
        case GYRE_INIT_WHITEN:
        case GYRE_INIT_ZERO: out[i] = 0; break;
        case GYRE_INIT_ONE: out[i] = 1; break;
        case GYRE_INIT_CONSTANT: out[i] = (float)p->spread; break;
        case GYRE_INIT_NORMAL: out[i] = (float)(p->spread * gyre_random_normal(&r)); break;
        case GYRE_INIT_DIRAC:
        case GYRE_INIT_UNIFORM:
            out[i] = (float)(p->spread * (2.0 * gyre_random_uniform(&r) - 1.0));
            break;
        }
    }
    if (p->init == GYRE_INIT_DIRAC) pass_channels_on(p, out);
}

void gyre_model_init(const gyre_model *m, uint64_t seed, float *parameters, float *buffers) {
    bool made = false; /* then what lies between parameters is 0 already */
    for (int i = 0; i < m->param_count; i++) made |= m->params[i].init == GYRE_INIT_WHITEN;
    if (!made) memset(parameters, 0, m->parameters * sizeof(float));
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        if (p->init != GYRE_INIT_WHITEN) init_param(p, seed, parameters + p->offset);
    }
    for (int i = 0; i < m->statistic_count; i++) {
        const gyre_statistic *a = &m->statistics[i];
        for (size_t k = 0; k < a->count; k++) buffers[a->offset + k] = a->initial;
    }
}
