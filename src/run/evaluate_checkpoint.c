/* Loss and accuracy of a checkpoint on any dataset file, without its run going on. */
#include "evaluation.h"
#include "extend.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/run.h"
#include "gyre/seal.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH = 250, DEADLINE = 600 /* seconds */ }; /* of a checkpoint without its run */

/* A run folder means its newest checkpoint, or else its best one; a checkpoint's run is the folder
 * above its own. */
static gyre_status locate(const char *given, char **checkpoint, char **config) {
    struct stat st;
    if (stat(given, &st) != 0) return gyre_fail(GYRE_EIO, "'%s' does not exist", given);
    if (S_ISDIR(st.st_mode)) {
        GYRE_TRY(gyre_checkpoint_newest(given, checkpoint));
        if (*checkpoint == NULL) *checkpoint = gyre_checkpoint_best_path(given);
        if (*checkpoint != NULL && !gyre_file_exists(*checkpoint)) {
            return gyre_fail(GYRE_EIO, "'%s' holds no checkpoint", given);
        }
        *config = gyre_path_join(given, "config.json");
    } else {
        *checkpoint = strdup(given);
        char *folder = gyre_path_dir(given);
        if (folder != NULL) *config = gyre_path_join(folder, "../config.json");
        free(folder);
    }
    if (*checkpoint != NULL && *config != NULL) return GYRE_OK;
    return gyre_no_memory("finding the checkpoint of '%s'", given);
}

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
    bool own = e->settings != NULL && gyre_dataset_hash(e->data) == trained_on;
    bool split = own && e->settings->data.validation == GYRE_VALIDATION_SPLIT;
    if ((train && own && (split || e->settings->data.subset > 0)) || (held_out && split)) {
        GYRE_TRY(gyre_samples_open(e->data, &e->settings->data, e->settings->seed, &e->samples));
        e->view = train ? e->samples.train : e->samples.validation;
    }
    return e->view.count > 0 ? GYRE_OK : no_part(e, data, part, own);
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

/* The config, when the checkpoint was trained with it: a folder above may have one of its own. */
static gyre_status read_own_config(const char *config, uint64_t hash, gyre_settings **out) {
    bool known = false;
    gyre_status status = gyre_config_open(config, NULL, 0, out);
    if (status == GYRE_OK) status = gyre_extend_knows(*out, hash, &known);
    if (status == GYRE_EDEVICE) return status;
    if (known) return GYRE_OK;
    gyre_config_close(*out);
    *out = NULL;
    return GYRE_OK;
}

/* The run's config says more than the checkpoint, but is not needed. */
static gyre_status read_settings(evaluation *e, const char *config, uint64_t hash,
                                 const char **data) {
    bool there = gyre_file_exists(config);
    if (there) GYRE_TRY(read_own_config(config, hash, &e->settings));
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

gyre_status evaluation_open_model(evaluation *e, const char *name, int classes, uint64_t trained_on,
                                  const char *data) {
    char copy[sizeof e->snapshot.model];
    const gyre_images *images = e->view.images;
    const gyre_model_settings settings = {.name = copy};
    snprintf(copy, sizeof copy, "%s", name);
    GYRE_TRY(check_classes(e, classes, trained_on, data));
    int size = e->settings == NULL ? 0 : e->settings->data.crop_size;
    return gyre_model_open(&settings, size > 0 ? size : images->h, size > 0 ? size : images->w,
                           images->c, classes, &e->model);
}

gyre_status evaluation_open_classes(evaluation *e) {
    e->classes = calloc(2 * (size_t)e->model->classes, sizeof *e->classes);
    return e->classes != NULL ? GYRE_OK : gyre_no_memory("%d classes", e->model->classes);
}

static gyre_status read_scalars(const char *path, gyre_snapshot *out) {
    gyre_seal_words seal;
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

/* Its parameters may have the same shapes all the same, or others that tell nothing of images. */
static gyre_status check_size(const evaluation *e, const char *data) {
    const gyre_model *m = e->model;
    const uint64_t found[] = {(uint64_t)m->h, (uint64_t)m->w, (uint64_t)m->c};
    uint64_t learned[3];
    bool known = false;
    GYRE_TRY(gyre_checkpoint_input_size(e->checkpoint, learned, &known));
    if (!known || memcmp(learned, found, sizeof found) == 0) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "'%s' has images of %d x %d x %d (height, width, channels), the network "
        "of '%s' was trained on %llu x %llu x %llu; import it with that --size "
        "and --channels%s",
        data, m->h, m->w, m->c, e->checkpoint, (unsigned long long)learned[0],
        (unsigned long long)learned[1], (unsigned long long)learned[2],
        e->settings != NULL ? "" : ", or, of a run with resized_crop, give its config by --model");
}

/* Reads everything; no device and no other rank yet. */
static gyre_status read_files(evaluation *e, const char *given, const char *data,
                              const char *part) {
    gyre_status status = GYRE_OK;
    char *config = NULL;
    gyre_snapshot scalars;
    bool named = data != NULL;
    GYRE_GOTO(locate(given, &e->checkpoint, &config));
    look_at_best(e, given);
    GYRE_GOTO(read_scalars(e->checkpoint, &scalars));
    GYRE_GOTO(read_settings(e, config, scalars.config_hash, &data));
    GYRE_GOTO(open_data(e, data, named));
    if (!named) GYRE_GOTO(check_data(e, data, scalars.data_hash));
    GYRE_GOTO(evaluation_find_view(e, data, part, scalars.data_hash));
    GYRE_GOTO(gyre_checkpoint_class_names(e->checkpoint, &e->names));
    GYRE_GOTO(evaluation_open_model(e, scalars.model, scalars.classes, scalars.data_hash, data));
    GYRE_GOTO(check_size(e, data));
    GYRE_GOTO(gyre_snapshot_open(e->model, 0, &e->snapshot));
    GYRE_GOTO(gyre_checkpoint_load(e->checkpoint, e->model, &e->snapshot));
    if (e->settings == NULL) {
        gyre_say("'%s' %s: whole images are scored, in f32", config, e->lacks_settings);
    }
    status = evaluation_open_classes(e);
out:
    free(config);
    return status;
}

static gyre_status open_net(evaluation *e, gyre_comm *comm) {
    const gyre_backend_ops *ops = e->backend->ops;
    gyre_queue *q = e->backend->main;
    const gyre_snapshot *s = &e->snapshot;
    GYRE_TRY(gyre_weights_open(e->model, e->backend, s->mean, s->scale, &e->weights));
    GYRE_TRY(ops->upload(q, e->weights->parameters, s->parameters, e->model->parameters));
    if (e->model->buffers > 0) {
        GYRE_TRY(ops->upload(q, e->weights->buffers, s->buffers, e->model->buffers));
    }
    GYRE_TRY(gyre_weights_pack(e->weights));
    int batch = e->settings == NULL ? BATCH : e->settings->evaluate.batch;
    return gyre_evaluator_open(e->weights, batch, comm, gyre_comm_watchdog(comm), &e->evaluator);
}

void gyre_evaluation_close(gyre_evaluation *e) {
    free(e->checkpoint);
    free(e->class_samples);
    free(e->class_correct);
    free(e->class_names);
    *e = (gyre_evaluation){0};
}

/* The dataset may have fewer classes than the network. */
static void name_class(const evaluation *e, int k, char *out, size_t size) {
    if (k < e->names.count) {
        snprintf(out, size, "%s", e->names.names[k]);
    } else if (k < gyre_dataset_classes(e->data)) {
        snprintf(out, size, "%s", gyre_dataset_class_name(e->data, k));
    } else {
        snprintf(out, size, "%d", k);
    }
}

static gyre_status fill_in(evaluation *e, const gyre_score *score, gyre_evaluation *out) {
    int n = e->model->classes;
    *out = (gyre_evaluation){
        .checkpoint = e->checkpoint,
        .completed = e->snapshot.completed,
        .best = e->best,
        .of_run = e->samples.train.images != NULL,
        .samples = e->view.count,
        .correct = score->right,
        .loss = score->loss,
        .classes = n,
    };
    e->checkpoint = NULL;
    out->class_samples = calloc((size_t)n, sizeof *out->class_samples);
    out->class_correct = calloc((size_t)n, sizeof *out->class_correct);
    out->class_names = calloc((size_t)n, sizeof *out->class_names);
    if (!out->class_samples || !out->class_correct || !out->class_names) {
        gyre_evaluation_close(out);
        return gyre_no_memory("%d classes", n);
    }
    for (int k = 0; k < n; k++) {
        out->class_samples[k] = (int64_t)e->classes[k];
        out->class_correct[k] = (int64_t)e->classes[n + k];
        name_class(e, k, out->class_names[k], sizeof out->class_names[k]);
    }
    return GYRE_OK;
}

gyre_status gyre_evaluate(const char *file, const char *config, const char *data, const char *part,
                          gyre_comm *comm, gyre_evaluation *out) {
    evaluation e = {.best = -1};
    gyre_score score;
    gyre_status status = config == NULL ? read_files(&e, file, data, part)
                                        : evaluation_read_weights(&e, file, config, data, part);
    status = gyre_comm_agree(comm, status);
    if (status != GYRE_OK) goto out;
    gyre_backend_options options = {.deterministic = true, .deadline_seconds = DEADLINE};
    gyre_backend_choice choice = GYRE_BACKEND_AUTO;
    if (e.settings != NULL) {
        options = gyre_backend_options_of(e.settings);
        choice = e.settings->backend;
    }
    options.reduce = GYRE_REDUCE_FAST; /* nothing is, so any number of ranks will do */
    GYRE_GOTO(gyre_comm_agree(comm, gyre_backend_open(choice, &options, comm, &e.backend)));
    GYRE_GOTO(gyre_comm_agree(comm, open_net(&e, comm)));
    GYRE_GOTO(gyre_evaluator_run(e.evaluator, &e.view, e.classes, &score));
    status = gyre_comm_agree(comm, fill_in(&e, &score, out));
out:
    gyre_evaluator_close(e.evaluator);
    if (e.weights != NULL) gyre_weights_close(e.weights);
    if (e.backend != NULL) e.backend->ops->close(e.backend);
    gyre_snapshot_close(&e.snapshot);
    if (e.model != NULL) gyre_model_close(e.model);
    gyre_samples_close(&e.samples);
    if (e.data != NULL) gyre_dataset_close(e.data);
    if (e.settings != NULL) gyre_config_close(e.settings);
    free(e.names.names);
    free(e.classes);
    free(e.checkpoint);
    return status;
}
