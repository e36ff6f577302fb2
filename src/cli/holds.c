/* Tells from its content what a path holds, to name the command that reads it. */
#include "holds.h"

#include "gyre/dataset.h"
#include "gyre/file.h"
#include "gyre/find.h"
#include "gyre/json.h"
#include "gyre/metrics.h"
#include "gyre/run_folder.h"
#include "gyre/safetensors.h"
#include "gyre/seal.h"
#include "gyre/study.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    int kind;
    const char *description;
} kinds[] = {
    {CLI_HOLDS_RUN,
     "a run's folder; it is for `gyre plot`, `gyre report`, `gyre inspect`, `gyre eval` "
     "and `gyre export`"},
    {CLI_HOLDS_STUDY, "a study's folder; it is for `gyre report`"},
    {CLI_HOLDS_FIND_FOLDER, "the folder of a range test; it is for `gyre plot` and `gyre inspect`"},
    {CLI_HOLDS_CHECKPOINT, "a checkpoint; it is for `gyre eval`, `gyre inspect` and `gyre export`"},
    {CLI_HOLDS_DATASET, "a dataset; it is for `gyre data info`, `gyre eval --data` and data.path"},
    {CLI_HOLDS_METRICS, "the tables of a run; give the run's folder, or take `gyre inspect`"},
    {CLI_HOLDS_FIND, "the result of a range test; it is for `gyre plot` and `gyre inspect`"},
    {CLI_HOLDS_CONFIG, "a config; it is for `gyre train`, `gyre schedule` and `gyre find`"},
    {CLI_HOLDS_TENSORS, "a state_dict; it is for model.init_from, `gyre eval --model` and `gyre "
                        "inspect`"},
    {CLI_HOLDS_STUDY_FILE, "a study file; it is for `gyre study`"},
};

static bool has(const char *folder, const char *name) {
    char *path = gyre_path_join(folder, name);
    bool there = path != NULL && gyre_file_exists(path);
    free(path);
    return there;
}

static int folder_kind(const char *path) {
    if (has(path, GYRE_STUDY_FILE) && has(path, "cells")) return CLI_HOLDS_STUDY;
    if (has(path, GYRE_CONFIG_FILE) || has(path, GYRE_METRICS_FILE)) return CLI_HOLDS_RUN;
    return has(path, GYRE_FIND_FILE) ? CLI_HOLDS_FIND_FOLDER : CLI_HOLDS_OTHER;
}

static int json_kind(const char *path) {
    static const struct {
        const char *key;
        int kind;
    } signs[] = {{"gyre_manifest", CLI_HOLDS_DATASET}, {"base", CLI_HOLDS_STUDY_FILE},
                 {"seeds", CLI_HOLDS_STUDY_FILE},      {"model", CLI_HOLDS_CONFIG},
                 {"schedule", CLI_HOLDS_CONFIG},       {"data", CLI_HOLDS_CONFIG}};
    gyre_json_value *tree = NULL;
    int kind = CLI_HOLDS_OTHER;
    if (gyre_json_read(path, &tree) != GYRE_OK) return CLI_HOLDS_OTHER;
    for (size_t i = 0; i < sizeof signs / sizeof *signs && kind == CLI_HOLDS_OTHER; i++) {
        bool object = gyre_json_kind_of(tree) == GYRE_JSON_OBJECT;
        if (object && gyre_json_get(tree, signs[i].key) != NULL) kind = signs[i].kind;
    }
    gyre_json_close(tree);
    return kind;
}

static int hdf5_kind(const char *path) {
    gyre_seal_info seal;
    gyre_tables tables = {0};
    gyre_find find;
    gyre_dataset *data = NULL;
    if (gyre_seal_read(path, "checkpoint", &seal) == GYRE_OK && seal.sealed) {
        return CLI_HOLDS_CHECKPOINT;
    }
    if (gyre_seal_read(path, "dataset", &seal) == GYRE_OK && seal.sealed) return CLI_HOLDS_DATASET;
    if (seal.sealed) return CLI_HOLDS_OTHER;
    if (gyre_tables_read(path, &tables) == GYRE_OK) {
        gyre_tables_free(&tables);
        return CLI_HOLDS_METRICS;
    }
    if (gyre_find_read(path, &find) == GYRE_OK) {
        gyre_find_close(&find);
        return CLI_HOLDS_FIND;
    }
    if (gyre_dataset_open(path, &data) != GYRE_OK) return CLI_HOLDS_OTHER;
    gyre_dataset_close(data);
    return CLI_HOLDS_DATASET;
}

int cli_holds(const char *path) {
    char head[520] = "";
    struct stat st;
    if (stat(path, &st) != 0) return CLI_HOLDS_OTHER;
    if (S_ISDIR(st.st_mode)) return folder_kind(path);
    if (!S_ISREG(st.st_mode)) return CLI_HOLDS_OTHER;
    if (gyre_safetensors_is(path)) return CLI_HOLDS_TENSORS;
    FILE *f = fopen(path, "r");
    if (f == NULL) return CLI_HOLDS_OTHER;
    size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    bool hdf5 = n >= 8 && memcmp(head, "\x89HDF", 4) == 0;
    bool sealed = n == sizeof head && memcmp(head + GYRE_SEAL_SIZE, "\x89HDF", 4) == 0;
    return hdf5 || sealed ? hdf5_kind(path) : json_kind(path);
}

gyre_status cli_other_kind(gyre_status status, const char *path, int expected) {
    char text[GYRE_ERROR_MAX];
    if (status != GYRE_EIO && status != GYRE_EUSAGE) return status;
    snprintf(text, sizeof text, "%s", gyre_error_text());
    int kind = cli_holds(path);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].kind != kind || (kind & expected) != 0) continue;
        return gyre_fail(status, "'%s' is %s", path, kinds[i].description);
    }
    return gyre_fail(status, "%s", text);
}
