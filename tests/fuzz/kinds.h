/* The kinds of files that are damaged, and what reads each: the functions of the library that stand
 * behind the commands. */
#ifndef FUZZ_KINDS_H
#define FUZZ_KINDS_H

#include "../../src/data/picture.h"
#include "../../src/study/cell_result.h"
#include "../../src/study/study_json.h"
#include "gyre/checkpoint.h"
#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/dataset.h"
#include "gyre/events.h"
#include "gyre/file.h"
#include "gyre/find.h"
#include "gyre/import.h"
#include "gyre/json.h"
#include "gyre/log.h"
#include "gyre/metrics.h"
#include "gyre/report.h"
#include "gyre/run.h"
#include "gyre/safetensors.h"
#include "gyre/study.h"
#include "gyre/tensorboard.h"
#include "network.h"
#include "onnx.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gyre_comm *comm; /* of the kinds that train */

/* ---- what reads them; each is handed the damaged file */

static gyre_status read_dataset(const char *path) {
    gyre_dataset *d = NULL;
    GYRE_TRY(gyre_dataset_verify(path, &d));
    const gyre_images *train = gyre_dataset_train(d);
    uint8_t *row = calloc(1, gyre_images_row(train) + 1);
    gyre_status status =
        row == NULL ? GYRE_EDEVICE : gyre_images_read(train, train->count - 1, 1, row);
    free(row);
    gyre_dataset_close(d);
    return status;
}

static gyre_status inspect(const char *path) {
    FILE *out = fopen("/dev/null", "w");
    gyre_status status = gyre_inspect(path, out);
    fclose(out);
    return status;
}

static gyre_status inspect_checkpoint(const char *path) {
    uint64_t hash = 0;
    gyre_class_names names = {0};
    gyre_status status = inspect(path);
    if (gyre_newest_hash(path, &hash) == GYRE_OK) gyre_checkpoint_class_names(path, &names);
    free(names.names);
    return status;
}

static gyre_status evaluate(const char *path) {
    gyre_evaluation e = {0};
    gyre_status status = gyre_evaluate(
        &(gyre_evaluated){.file = path, .data = "plain.h5", .part = "test"}, NULL, comm, &e);
    gyre_evaluation_close(&e);
    return status;
}

static gyre_status train(const char *folder, const char *set) {
    gyre_settings *s = NULL;
    char *sets[] = {(char *)(uintptr_t)set};
    const gyre_train_options options = {.out = folder, .quiet = true, .stop_after = 4};
    GYRE_TRY(gyre_config_open("config.json", sets, set != NULL, &s));
    gyre_status status = gyre_train(s, &options, comm);
    gyre_config_close(s);
    return status;
}

static gyre_status read_network(const char *path) {
    gyre_settings *s = NULL;
    gyre_model *m = NULL;
    gyre_json *j = gyre_json_begin();
    gyre_json_enter_object(j, "model");
    gyre_json_add_text(j, "file", path);
    gyre_json_leave(j);
    gyre_json_value *tree = gyre_json_end_value(j);
    gyre_status status = gyre_config_build(tree, "config.json", NULL, 0, &s);
    if (status == GYRE_OK) status = gyre_model_open(&s->model, 32, 32, 3, 10, &m);
    if (status == GYRE_OK) check_printed(m);
    if (m != NULL) gyre_model_close(m);
    gyre_config_close(s);
    gyre_json_close(tree);
    return status;
}

/* A run that resumes from the damaged file. */
static gyre_status resume(const char *path, const char *place) {
    char command[600];
    snprintf(command, sizeof command, "rm -rf resumed; cp -r run resumed; cp '%s' resumed/%s", path,
             place);
    if (system(command) != 0) return GYRE_EIO;
    return train("resumed", NULL);
}

static gyre_status resume_checkpoint(const char *path) {
    return resume(path, "checkpoints/step-000000002.h5");
}

static gyre_status resume_metrics(const char *path) {
    return resume(path, "metrics.h5");
}

static gyre_status read_metrics(const char *path) {
    gyre_tables t;
    inspect(path);
    gyre_status status = gyre_tables_read(path, &t);
    if (status == GYRE_OK) gyre_tables_free(&t);
    return status;
}

static gyre_status read_find(const char *path) {
    gyre_find f;
    double *smooth = NULL;
    GYRE_TRY(gyre_find_read(path, &f));
    gyre_status status = gyre_find_smooth(&f, &smooth);
    FILE *out = fopen("/dev/null", "w");
    gyre_find_print(&f, out);
    fclose(out);
    free(smooth);
    gyre_find_close(&f);
    return status;
}

/* An export over the damaged file: it is replaced, or refused. */
static gyre_status export_events(const char *path) {
    char command[600], *written = NULL;
    double began = 0;
    gyre_run_content run;
    GYRE_TRY(gyre_events_began("run/log.jsonl", &began));
    snprintf(command, sizeof command,
             "rm -rf events; mkdir events; cp '%s' events/events.out.tfevents.%010.0f.export", path,
             began);
    if (system(command) != 0) return GYRE_EIO;
    gyre_status status = gyre_run_content_open("run", &run);
    if (status == GYRE_OK)
        status = gyre_tensorboard_export(&run, "run/log.jsonl", "events", &written);
    free(written);
    gyre_run_content_close(&run);
    return status;
}

static gyre_status begin_from(const char *path) {
    char set[600];
    snprintf(set, sizeof set, "model.init_from=%s", path);
    if (system("rm -rf begun") != 0) return GYRE_EIO;
    return train("begun", set);
}

static gyre_status read_tensors(const char *path) {
    gyre_safetensors *s = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_safetensors_open(path, &s));
    const gyre_h5_entry *e = gyre_safetensors_list(s, &count);
    gyre_status status = GYRE_OK;
    for (size_t i = 0; i < count && status == GYRE_OK; i++) {
        float few[64];
        status = gyre_safetensors_read(s, &e[i], few, e[i].dims[0] <= 64 ? e[i].dims[0] : 64);
        if (status == GYRE_EIO) status = GYRE_OK; /* another number of them, or no floats */
    }
    gyre_safetensors_close(s);
    return status;
}

static gyre_status import_cifar(const char *path) {
    (void)path; /* it lies in its folder */
    return gyre_import_cifar("cifar", "out.h5", true);
}

static gyre_status import_idx(const char *path) {
    (void)path;
    return gyre_import_idx("idx", "out.h5", true);
}

static gyre_status import_gz(const char *path) {
    (void)path;
    return gyre_import_idx("gz", "out.h5", true);
}

static gyre_status read_picture(const char *path) {
    static uint8_t pixels[16 * 16 * 3];
    const data_picture_form form = {.h = 16, .w = 16, .c = 3};
    return data_picture_read(path, &form, pixels);
}

static gyre_status read_labels(const char *path) {
    const gyre_folder_options o = {
        .c = 3, .labels = path, .quiet = true, .force = true, .threads = 1};
    return gyre_import_folder("photos", "out.h5", &o);
}

static gyre_status read_config(const char *path) {
    gyre_settings *s = NULL;
    GYRE_TRY(gyre_config_open(path, NULL, 0, &s));
    gyre_config_close(s);
    return GYRE_OK;
}

static gyre_status read_study(const char *path) {
    gyre_study *s = NULL;
    GYRE_TRY(gyre_study_open(path, &s));
    gyre_study_close(s);
    return GYRE_OK;
}

static gyre_status read_result(const char *path) {
    gyre_study *s = NULL;
    gyre_cell_result result;
    char command[600];
    GYRE_TRY(gyre_study_read("cells", &s));
    char *folder = gyre_study_cell_folder(s, 0, 0);
    snprintf(command, sizeof command, "cp '%s' '%s/result.json'", path, folder);
    gyre_status status = system(command) == 0 ? gyre_study_result(s, 0, 0, &result) : GYRE_EIO;
    free(folder);
    gyre_study_close(s);
    return status;
}

/* ---- the kinds */

enum { FILES_MAX = 6 };
typedef enum { BYTES, TEXT } form;

typedef struct {
    const char *name;
    const char *files[FILES_MAX]; /* one of them is damaged, in turn */
    form form;
    const char *seal; /* made anew after the damage */
    gyre_status (*read)(const char *path);
    bool in_place; /* under its own name, in its folder */
    bool ranks;    /* needs MPI */
} kind;

static const kind kinds[] = {
    {.name = "network",
     .files = {"small_cnn.json", "resnet20.json", "cifar10_full.json", "network.json"},
     .form = TEXT,
     .read = read_network},
    {.name = "onnx",
     .files = {"squeeze.preserve.onnx", "squeeze.dynamo_training.onnx", "plain.dynamo.onnx",
               "table.training.onnx", "exported.onnx"},
     .read = read_onnx},
    {.name = "dataset", .files = {"plain.h5"}, .read = read_dataset},
    {.name = "dataset-latest", .files = {"latest.h5"}, .read = read_dataset},
    {.name = "dataset-sealed", .files = {"sealed.h5", "photos.h5"}, .read = read_dataset},
    {.name = "dataset-resealed",
     .files = {"sealed.h5", "photos.h5"},
     .seal = "dataset",
     .read = read_dataset},
    {.name = "checkpoint",
     .files = {"checkpoint.h5"},
     .seal = "checkpoint",
     .read = inspect_checkpoint},
    {.name = "checkpoint-eval",
     .files = {"checkpoint.h5"},
     .seal = "checkpoint",
     .read = evaluate,
     .ranks = true},
    {.name = "checkpoint-resume",
     .files = {"checkpoint.h5"},
     .seal = "checkpoint",
     .read = resume_checkpoint,
     .ranks = true},
    {.name = "metrics", .files = {"metrics.h5"}, .read = read_metrics},
    {.name = "metrics-resume", .files = {"metrics.h5"}, .read = resume_metrics, .ranks = true},
    {.name = "events", .files = {"events.bin"}, .read = export_events},
    {.name = "find", .files = {"find.h5"}, .read = read_find},
    {.name = "init-from",
     .files = {"weights.h5", "checkpoint.h5"},
     .seal = "checkpoint",
     .read = begin_from,
     .ranks = true},
    {.name = "safetensors",
     .files = {"net.safetensors", "half.safetensors", "net.safetensors.index.json"},
     .read = read_tensors},
    {.name = "init-from-tensors", .files = {"net.safetensors"}, .read = begin_from, .ranks = true},
    {.name = "cifar",
     .files = {"cifar/data_batch_1.bin", "cifar/test_batch.bin"},
     .read = import_cifar,
     .in_place = true},
    {.name = "cifar-names",
     .files = {"cifar/batches.meta.txt"},
     .form = TEXT,
     .read = import_cifar,
     .in_place = true},
    {.name = "idx",
     .files = {"idx/train-images-idx3-ubyte", "idx/train-labels-idx1-ubyte",
               "idx/t10k-images-idx3-ubyte", "idx/t10k-labels-idx1-ubyte"},
     .read = import_idx,
     .in_place = true},
    {.name = "idx-gz",
     .files = {"gz/train-images-idx3-ubyte.gz", "gz/train-labels-idx1-ubyte.gz",
               "gz/t10k-images-idx3-ubyte.gz"},
     .read = import_gz,
     .in_place = true},
    {.name = "png", .files = {"photos/cat/0.png", "photos/dog/1.png"}, .read = read_picture},
    {.name = "jpeg", .files = {"photo.jpg"}, .read = read_picture},
    {.name = "config", .files = {"config.json"}, .form = TEXT, .read = read_config},
    {.name = "manifest", .files = {"manifest.json"}, .form = TEXT, .read = read_dataset},
    {.name = "labels", .files = {"labels.csv"}, .form = TEXT, .read = read_labels},
    {.name = "study", .files = {"study.json"}, .form = TEXT, .read = read_study},
    {.name = "result", .files = {"result.json"}, .form = TEXT, .read = read_result},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

#endif
