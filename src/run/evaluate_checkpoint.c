/* Scores a checkpoint on any dataset file; its run does not resume. */
#include "evaluation.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/seal.h"
#include "gyre/text.h"
#include "own_config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is scored */

/* Where another checkpoint than the run's best is taken; one that cannot be read is not needed. */
static void look_at_best(evaluation *e, const char *given) {
    gyre_snapshot best;
    char *path = gyre_checkpoint_best_path(given);
    if (path != NULL && gyre_file_exists(path) && strcmp(path, e->checkpoint) != 0 &&
        gyre_checkpoint_scalars(path, &best) == GYRE_OK) {
        e->best = best.completed;
    }
    free(path);
}

/* A file that was written anew where the run's was: what the run held out or never saw may be what
 * it was trained on. */
static gyre_status check_data(const evaluation *e, const char *data, uint64_t trained_on) {
    if (gyre_dataset_hash(e->data) == trained_on) return GYRE_OK;
    char word[512];
    return gyre_fail(GYRE_EIO,
                     "'%s' has other images or labels than the dataset that the run was trained "
                     "on, and may hold training samples in its other parts; put that dataset back, "
                     "or score this one all the same by --data %s",
                     data, gyre_text_word(data, "FILE", word, sizeof word));
}

/* The run's config says more than the checkpoint, but is not needed. */
static gyre_status read_settings(evaluation *e, const char *config, uint64_t hash,
                                 const char **data) {
    bool there = gyre_file_exists(config);
    GYRE_TRY(run_own_config(config, e->checkpoint, hash, &e->settings));
    if (*data == NULL && e->settings != NULL) *data = e->settings->data.path;
    const char *why = there ? "is not the config that the checkpoint was trained with (another "
                              "run's, edited, or of another version of gyre)"
                            : "is not there";
    if (*data == NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "'%s' %s, so nothing names the dataset; give it by --data FILE", config,
                         why);
    }
    e->lacks_settings = why;
    return GYRE_OK;
}

static gyre_status read_scalars(const char *path, gyre_snapshot *out) {
    gyre_seal_info seal;
    gyre_status status = gyre_checkpoint_scalars(path, out);
    if (status != GYRE_EIO || gyre_seal_read(path, "checkpoint", &seal) != GYRE_OK || seal.sealed) {
        return status;
    }
    return gyre_fail(GYRE_EIO,
                     "'%s' is not a checkpoint of gyre, or its first bytes are damaged; weights "
                     "from elsewhere are scored with --model CONFIG",
                     path);
}

static gyre_status open_data(evaluation *e, const char *data, bool given) {
    if (!given && !gyre_file_exists(data)) {
        return gyre_fail(GYRE_EIO,
                         "'%s', the dataset of the run, is not there; when it was moved, give it "
                         "by --data FILE",
                         data);
    }
    return gyre_dataset_open(data, &e->data);
}

/* Another dataset may still give parameters of the same shapes, or of shapes that say nothing about
 * images. */
static gyre_status check_size(const evaluation *e, const char *data) {
    const gyre_model *m = e->model;
    const uint64_t found[] = {(uint64_t)m->h, (uint64_t)m->w, (uint64_t)m->c};
    const gyre_element element = e->view.images->element;
    const bool pictures = element == GYRE_ELEMENT_U8;
    uint64_t learned[3];
    bool known = false;
    GYRE_TRY(gyre_checkpoint_input_size(e->checkpoint, learned, &known));
    if (!known || memcmp(learned, found, sizeof found) == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' has %s of %d x %d x %d (height, width, channels), the network "
                     "of '%s' was trained on %llu x %llu x %llu%s%s",
                     data, gyre_element_noun(element, 2), m->h, m->w, m->c, e->checkpoint,
                     (unsigned long long)learned[0], (unsigned long long)learned[1],
                     (unsigned long long)learned[2],
                     pictures ? "; import it with that --size and --channels" : "",
                     pictures && e->settings == NULL
                         ? ", or, of a run with resized_crop, give its config by --model"
                         : "");
}

/* Another type holds the same pixels as other numbers, and is scaled by the mean of these. */
static gyre_status check_element(const evaluation *e, const gyre_snapshot *scalars,
                                 const char *data) {
    gyre_element element = e->view.images->element;
    const char *found = gyre_element_name(element), *learned = scalars->element;
    if (learned[0] == '\0' || strcmp(learned, found) == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' has %s of %s, the network of '%s' was trained on %s, to which they are "
                     "other numbers; import them as %s",
                     data, gyre_element_noun(element, 2), found, e->checkpoint, learned, learned);
}

/* The network that the checkpoint holds, or that of the zoo which it names. */
static gyre_status open_model(evaluation *e, gyre_snapshot *scalars, const char *data) {
    char *layers = NULL;
    GYRE_TRY(gyre_checkpoint_network(e->checkpoint, &layers));
    const gyre_model_settings model = {.name = scalars->model,
                                       .layers = layers,
                                       .loss = scalars->loss[0] == '\0' ? NULL : scalars->loss,
                                       .classes = scalars->classes};
    gyre_status status = evaluation_open_model(e, &model, scalars->data_hash, data);
    free(layers);
    return status;
}

gyre_status evaluation_read_checkpoint(evaluation *e, const gyre_evaluated *what) {
    gyre_status status = GYRE_OK;
    char *config = NULL;
    gyre_snapshot scalars;
    const char *data = what->data;
    bool named = data != NULL;
    GYRE_GOTO(run_locate(what->file, &e->checkpoint, &config));
    look_at_best(e, what->file);
    GYRE_GOTO(read_scalars(e->checkpoint, &scalars));
    GYRE_GOTO(read_settings(e, config, scalars.config_hash, &data));
    GYRE_GOTO(open_data(e, data, named));
    if (!named) GYRE_GOTO(check_data(e, data, scalars.data_hash));
    GYRE_GOTO(evaluation_find_view(e, data, what->part, scalars.data_hash));
    GYRE_GOTO(gyre_checkpoint_class_names(e->checkpoint, &e->names));
    GYRE_GOTO(open_model(e, &scalars, data));
    GYRE_GOTO(check_size(e, data));
    GYRE_GOTO(check_element(e, &scalars, data));
    GYRE_GOTO(gyre_snapshot_open(e->model, 0, &e->snapshot));
    GYRE_GOTO(gyre_checkpoint_load_weights(e->checkpoint, e->model, what->weights, &e->snapshot));
    if (e->settings == NULL) {
        gyre_say("'%s' %s: whole images are scored, in f32, and all classes alike", config,
                 e->lacks_settings);
    }
    status = evaluation_open_classes(e);
out:
    free(config);
    return status;
}
