/* Weights that come from elsewhere, in the network that a config describes. */
#include "evaluation.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "input.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The config's dataset, seen from here. */
static gyre_status locate(const gyre_settings *s, const char *config, char **out) {
    *out = NULL;
    if (!gyre_config_names_network(s)) {
        return gyre_fail(
            GYRE_EUSAGE,
            "%s has no model.name (nor model.layers, model.file or model.config) to take the "
            "weights into",
            config);
    }
    if (s->data.path == NULL) return GYRE_OK;
    *out = gyre_config_path(s, s->data.path);
    return *out != NULL ? GYRE_OK : gyre_no_memory("the path '%s'", config);
}

/* Statistics of the images that the config trains on, where its normalisation is made of them. */
static gyre_status measure(const evaluation *e, const char *own, const char *data,
                           gyre_dataset **opened, gyre_samples *samples) {
    gyre_data_settings settings = e->settings->data;
    const gyre_dataset *d = e->data;
    gyre_normalize how = settings.normalize;
    if (how != GYRE_NORMALIZE_CHANNEL && how != GYRE_NORMALIZE_MEAN_IMAGE) return GYRE_OK;
    if (own == NULL || !gyre_file_exists(own)) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.normalize takes mean and deviation from the config's "
                         "training images, and %s is not there; give the numbers, as {\"mean\": "
                         "[...], \"std\": [...]}",
                         own == NULL ? "data.path" : own);
    }
    if (strcmp(own, data) != 0) {
        GYRE_TRY(gyre_dataset_open(own, opened));
        d = *opened;
    }
    const gyre_images *own_images = gyre_dataset_train(d);
    bool same_size = own_images->h == e->view.images->h && own_images->w == e->view.images->w;
    if (own_images->c != e->view.images->c || (how == GYRE_NORMALIZE_MEAN_IMAGE && !same_size)) {
        return gyre_fail(GYRE_EIO,
                         "'%s' has %s of %d x %d x %d, '%s', which the config normalises by, "
                         "of %d x %d x %d",
                         data, gyre_element_noun(e->view.images->element, 2), e->view.images->h,
                         e->view.images->w, e->view.images->c, own, own_images->h, own_images->w,
                         own_images->c);
    }
    if (own_images->element != e->view.images->element) {
        return gyre_fail(GYRE_EIO,
                         "'%s' holds %s, '%s', which the config normalises by, %s: the same "
                         "samples are other numbers",
                         data, gyre_element_name(e->view.images->element), own,
                         gyre_element_name(own_images->element));
    }
    if (settings.validation != GYRE_VALIDATION_SPLIT) settings.validation = GYRE_VALIDATION_NONE;
    return gyre_samples_open(d, &settings, e->settings->seed, samples);
}

/* As the config's own file of weights has it. */
static gyre_status take_input(evaluation *e) {
    char *from = gyre_config_path(e->settings, e->settings->model.init_from);
    if (from == NULL) return gyre_no_memory("the path '%s'", e->settings->model.init_from);
    gyre_status status = gyre_input_import(from, e->model, e->view.images->element,
                                           e->snapshot.mean, e->snapshot.scale);
    free(from);
    return gyre_fail_in("data.augment.normalize", status);
}

static gyre_status scale_input(evaluation *e, const char *own, const char *data) {
    gyre_dataset *opened = NULL;
    gyre_samples samples = {0};
    gyre_status status = GYRE_OK;
    GYRE_GOTO(gyre_normalization_check(&e->settings->data, e->view.images));
    GYRE_GOTO(measure(e, own, data, &opened, &samples));
    run_input_scaling(&e->settings->data, &samples.stats, e->view.images->element, e->model,
                      e->snapshot.mean, e->snapshot.scale);
    if (e->settings->data.normalize == GYRE_NORMALIZE_INIT_FROM) GYRE_GOTO(take_input(e));
out:
    gyre_samples_close(&samples);
    gyre_dataset_close(opened);
    return status;
}

/* The network expects what it was trained with, and no score tells that it got something else. */
static void say_input(const evaluation *e, const char *own) {
    gyre_normalize how = e->settings->data.normalize;
    enum { MOST = 4 };
    char numbers[256] = "";
    for (int k = 0; k < e->model->c && k < MOST; k++) {
        double dev = 1 / (double)e->snapshot.scale[k];
        gyre_text_add(numbers, sizeof numbers, "%s%.3f +- %.3f", k > 0 ? ", " : "",
                      (double)e->snapshot.mean[k] / 255, dev / 255);
    }
    if (e->model->c > MOST) {
        gyre_text_add(numbers, sizeof numbers, " and %d more", e->model->c - MOST);
    }
    switch (how) {
    case GYRE_NORMALIZE_RAW: gyre_say("input: pixels from 0 to 255, as they are"); break;
    case GYRE_NORMALIZE_GIVEN: gyre_say("input: normalised by the config's %s", numbers); break;
    case GYRE_NORMALIZE_CHANNEL:
        gyre_say("input: normalised by %s, of the training images of '%s'; "
                 "data.augment.normalize takes other numbers",
                 numbers, own);
        break;
    case GYRE_NORMALIZE_INIT_FROM:
        gyre_say("input: normalised as '%s' has it", e->settings->model.init_from);
        break;
    case GYRE_NORMALIZE_MEAN_IMAGE:
        gyre_say("input: pixels from 0 to 255, less the mean of the training images of '%s'", own);
        break;
    }
}

gyre_status evaluation_read_weights(evaluation *e, const gyre_evaluated *what) {
    const char *config = what->config, *data = what->data;
    gyre_status status = GYRE_OK;
    char *own = NULL;
    e->of_config = true;
    GYRE_GOTO(gyre_config_open(config, NULL, 0, &e->settings));
    GYRE_GOTO(locate(e->settings, config, &own));
    bool given = data != NULL;
    if (!given) data = own;
    if (data == NULL) {
        status = gyre_fail(GYRE_EUSAGE, "%s names no dataset; give one by --data FILE", config);
        goto out;
    }
    e->checkpoint = strdup(what->file);
    if (e->checkpoint == NULL) {
        status = gyre_no_memory("reading '%s'", what->file);
        goto out;
    }
    GYRE_GOTO(gyre_dataset_open(data, &e->data));
    uint64_t cut = given ? 0 : gyre_dataset_hash(e->data);
    gyre_model_settings model = e->settings->model;
    if (model.classes == 0) model.classes = gyre_dataset_classes(e->data);
    GYRE_GOTO(evaluation_find_view(e, data, what->part, cut));
    GYRE_GOTO(evaluation_open_model(e, &model, cut, data));
    GYRE_GOTO(gyre_snapshot_open(e->model, 0, &e->snapshot));
    GYRE_GOTO(scale_input(e, own, data));
    e->snapshot.names = gyre_dataset_class_names(e->data);
    e->snapshot.completed = -1;
    GYRE_GOTO(gyre_parameters_import(what->file, e->model,
                                     GYRE_NEED_PARAMETERS | GYRE_NEED_STATISTICS, what->weights,
                                     &e->snapshot));
    say_input(e, own);
    if (e->settings->model.class_weights_balanced) {
        gyre_say("loss: all classes alike, since balanced weights are those of training labels");
    }
    status = evaluation_open_classes(e);
out:
    free(own);
    return status;
}
