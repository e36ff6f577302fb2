/* What an evaluation of a checkpoint and one of weights from elsewhere share: the samples that are
 * scored, and the network for them. */
#include "evaluation.h"

#include "gyre/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gyre_images *choose_part(const gyre_dataset *d, const char *part) {
    if (strcmp(part, "test") == 0) return gyre_dataset_test(d);
    if (strcmp(part, "validation") == 0) return gyre_dataset_validation(d);
    return strcmp(part, "train") == 0 ? gyre_dataset_train(d) : NULL;
}

static gyre_status no_part(const evaluation *e, const char *data, const char *part, bool own) {
    char parts[GYRE_PARTS_TEXT];
    gyre_dataset_parts_text(e->data, parts);
    const char *run = "";
    if (e->settings != NULL && !e->of_config) {
        switch (e->settings->data.validation) {
        case GYRE_VALIDATION_SPLIT:
            run = own ? "; the run was evaluated on a split of its training samples, which `--part "
                        "validation` scores"
                      : "; the run was evaluated on a split of the dataset that it was trained on, "
                        "which is another";
            break;
        case GYRE_VALIDATION_TEST: run = "; the run was evaluated on test"; break;
        case GYRE_VALIDATION_PART: run = "; the run was evaluated on validation"; break;
        case GYRE_VALIDATION_NONE: run = "; the run was not evaluated"; break;
        }
    }
    return gyre_fail(GYRE_EIO, "'%s' has no part '%s'; it has %s%s", data, part, parts, run);
}

static void find_passes(evaluation *e, const char *part) {
    const gyre_settings *s = e->settings;
    const bool at_end =
        s != NULL && s->data.validation != GYRE_VALIDATION_TEST && strcmp(part, "test") == 0;
    e->passes = gyre_evaluate_passes(s == NULL ? NULL : &s->evaluate, at_end);
}

gyre_status evaluation_find_view(evaluation *e, const char *data, const char *part,
                                 uint64_t trained_on) {
    const gyre_images *images = choose_part(e->data, part);
    if (images == NULL) {
        return gyre_fail(GYRE_EUSAGE, "--part %s: the parts are test, validation and train", part);
    }
    e->view = (gyre_view){.images = images,
                          .count = images->count,
                          .size = e->settings == NULL ? 0 : e->settings->data.crop_size};
    bool train = strcmp(part, "train") == 0, held_out = strcmp(part, "validation") == 0;
    bool own = e->own = e->settings != NULL && gyre_dataset_hash(e->data) == trained_on;
    bool split = own && e->settings->data.validation == GYRE_VALIDATION_SPLIT;
    if ((train && own && (split || e->settings->data.subset > 0)) || (held_out && split)) {
        GYRE_TRY(gyre_samples_open(e->data, &e->settings->data, e->settings->seed, &e->samples));
        e->view = train ? e->samples.train : e->samples.validation;
    }
    find_passes(e, part);
    return e->view.count > 0 ? GYRE_OK : no_part(e, data, part, own);
}

/* A score on other classes than the network learned means nothing. */
static gyre_status check_classes(const evaluation *e, int classes, uint64_t trained_on,
                                 const char *data) {
    char difference[512];
    int found = gyre_dataset_classes(e->data);
    gyre_class_names names = gyre_dataset_class_names(e->data);
    if (gyre_class_names_differ(e->checkpoint, &e->names, data, &names, difference,
                                sizeof difference)) {
        return gyre_fail(GYRE_EIO,
                         "'%s' has other classes than the network was trained on: %s; import it "
                         "with the same classes in the same order",
                         data, difference);
    }
    if (found > classes) {
        return gyre_fail(GYRE_EIO, "'%s' has labels of %d classes, the model knows %d", data, found,
                         classes);
    }
    if (found < classes && gyre_dataset_hash(e->data) != trained_on) {
        gyre_warn("'%s' has labels of %d classes, the model knows %d", data, found, classes);
    }
    return GYRE_OK;
}

gyre_status evaluation_open_model(evaluation *e, const gyre_model_settings *settings,
                                  uint64_t trained_on, const char *data) {
    const gyre_images *images = e->view.images;
    const gyre_model_settings *own = e->settings == NULL ? NULL : &e->settings->model;
    const gyre_model_settings plain = {.name = settings->name,
                                       .layers = settings->layers,
                                       .unet = settings->unet,
                                       .denoise = settings->denoise,
                                       .loss = settings->loss,
                                       .class_weights = own == NULL ? NULL : own->class_weights,
                                       .class_weight_count =
                                           own == NULL ? 0 : own->class_weight_count,
                                       .target = images->target,
                                       .latents = images->latents,
                                       .contexts = gyre_dataset_contexts(e->data)};
    const int classes = plain.contexts == NULL ? settings->classes : plain.contexts->count;
    if (plain.contexts == NULL) GYRE_TRY(check_classes(e, classes, trained_on, data));
    if (gyre_loss_yes_or_no(settings->loss)) {
        GYRE_TRY(gyre_dataset_yes_or_no(e->data, data, settings->loss));
    }
    int size = e->settings == NULL ? 0 : e->settings->data.crop_size;
    GYRE_TRY(gyre_model_open(&plain, size > 0 ? size : images->h, size > 0 ? size : images->w,
                             images->c, classes, &e->model));
    return gyre_model_check_contexts(e->model);
}

gyre_status evaluation_open_classes(evaluation *e) {
    e->classes = calloc(2 * (size_t)e->model->classes, sizeof *e->classes);
    return e->classes != NULL ? GYRE_OK : gyre_no_memory("%d classes", e->model->classes);
}
