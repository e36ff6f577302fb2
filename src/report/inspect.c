/* gyre inspect: a summary of what a file or a run folder holds, as text. */
#include "gyre/checkpoint.h"
#include "gyre/dataset.h"
#include "gyre/file.h"
#include "gyre/find.h"
#include "gyre/h5.h"
#include "gyre/metrics.h"
#include "gyre/report.h"
#include "gyre/run_folder.h"
#include "gyre/safetensors.h"
#include "gyre/seal.h"
#include "gyre/text.h"
#include <stdlib.h>
#include <sys/stat.h>

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static gyre_status newest(const char *path, char **out) {
    GYRE_TRY(gyre_checkpoint_newest(path, out));
    if (*out != NULL) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' holds no checkpoint", path);
}

static gyre_status inspect_checkpoint(const char *path, FILE *out) {
    gyre_snapshot s;
    uint64_t hash = 0, state = 0, average = 0;
    int64_t completed = 0;
    GYRE_TRY(gyre_checkpoint_scalars(path, &s));
    GYRE_TRY(gyre_checkpoint_state_hash(path, &state));
    GYRE_TRY(gyre_checkpoint_hash(path, &hash, &completed));
    const bool averaged = s.average[0] != '\0';
    if (averaged) GYRE_TRY(gyre_checkpoint_average_hash(path, &average));
    gyre_text_print(out, path, 0);
    fprintf(out, ": checkpoint after %lld updates%s; checksum right\n", (long long)s.completed,
            s.finished ? ", the end of its run" : "");
    if (s.loss[0] != '\0') {
        fputs("  loss         ", out);
        gyre_text_print(out, s.loss, 0);
        fputc('\n', out);
    }
    fprintf(out, "  parameters   %016llx\n", (unsigned long long)hash);
    if (averaged) {
        fprintf(out, "  average      %016llx, ", (unsigned long long)average);
        gyre_text_print(out, s.average, 0);
        fputc('\n', out);
    }
    fprintf(out, "  state        %016llx\n", (unsigned long long)state);
    fprintf(out, "  config       %016llx\n", (unsigned long long)s.config_hash);
    fprintf(out, "  dataset      %016llx\n", (unsigned long long)s.data_hash);
    fprintf(out, "  written by   %d rank%s on ", s.ranks, s.ranks == 1 ? "" : "s");
    gyre_text_print(out, s.machine, 0);
    fputc('\n', out);
    return GYRE_OK;
}

static gyre_status inspect_metrics(const char *path, FILE *out) {
    gyre_tables t;
    GYRE_TRY(gyre_tables_read(path, &t));
    gyre_text_print(out, path, 0);
    fprintf(out, ": metrics; %zu training rows, %zu evaluations, %zu cycles\n", t.train_count,
            t.validation_count, t.cycle_count);
    if (t.train_count > 0) {
        const gyre_train_row *r = &t.train[t.train_count - 1];
        fprintf(out, "  last update  step %lld, lr %.6g, loss %.6g, after %.0f s\n",
                (long long)r->step, r->lr, r->loss, r->seconds);
    }
    if (t.validation_count > 0) {
        const gyre_validation_row *r = &t.validation[t.validation_count - 1];
        gyre_metric exact = *t.metric;
        char value[64];
        exact.decimals += 2;
        fprintf(out, "  last score   after %lld updates: loss %.6g, %s %s\n", (long long)r->step,
                r->loss, gyre_metric_prose(t.metric).text,
                gyre_metric_text(&exact, r->metric, value, sizeof value));
    }
    gyre_tables_free(&t);
    return GYRE_OK;
}

static gyre_status inspect_find(const char *path, FILE *out) {
    gyre_find f;
    GYRE_TRY(gyre_find_read(path, &f));
    gyre_text_print(out, path, 0);
    fprintf(out, ": range test from %g to %g, %zu steps in %d repeats\n", f.options.from,
            f.options.to, f.row_count, f.options.repeats);
    gyre_find_print(&f, out);
    gyre_find_close(&f);
    return GYRE_OK;
}

static void print_part(FILE *out, const char *name, const gyre_images *part) {
    if (part->count == 0) return;
    fprintf(out, "  %-12s %lld %s of %d x %d x %d\n", name, (long long)part->count,
            gyre_element_noun(part->element, 2), part->h, part->w, part->c);
}

static gyre_status inspect_dataset(const char *path, FILE *out) {
    gyre_dataset *d = NULL;
    GYRE_TRY(gyre_dataset_verify(path, &d));
    gyre_text_print(out, path, 0);
    const gyre_target *t = &gyre_dataset_train(d)->target;
    if (gyre_target_has_classes(t))
        fprintf(out, ": dataset of %d classes", gyre_dataset_classes(d));
    else
        fprintf(out, ": dataset with targets of %d x %d x %d", t->h, t->w, t->c);
    fprintf(out, ", content %016llx\n", (unsigned long long)gyre_dataset_hash(d));
    print_part(out, "train", gyre_dataset_train(d));
    print_part(out, "validation", gyre_dataset_validation(d));
    print_part(out, "test", gyre_dataset_test(d));
    gyre_dataset_close(d);
    return GYRE_OK;
}

/* Of a run whose other checkpoints are gone, or which was stopped before the first. */
static gyre_status inspect_best(const char *folder, FILE *out) {
    char *best = gyre_checkpoint_best_path(folder);
    if (best == NULL) return gyre_no_memory("inspecting '%s'", folder);
    bool there = gyre_file_exists(best);
    fputs(there
              ? "no checkpoint of a step (checkpoints/step-*.h5), which a resume needs; best.h5 is "
                "there:\n"
              : "no checkpoint yet\n",
          out);
    gyre_status status = there ? inspect_checkpoint(best, out) : GYRE_OK;
    free(best);
    return status;
}

/* ---- names and shapes */

static void print_entries(const gyre_h5_entry *entries, size_t count, FILE *out) {
    for (size_t i = 0; i < count; i++) {
        char shape[128];
        if (entries[i].kind == GYRE_H5_GROUP) continue;
        gyre_h5_shape(&entries[i], shape, sizeof shape);
        fprintf(out, "  ");
        gyre_text_print(out, entries[i].name, 44);
        fprintf(out, " %s\n", shape);
    }
}

static void print_names(const gyre_h5_reader *reader, FILE *out) {
    size_t count = 0;
    const gyre_h5_entry *entries = gyre_h5_reader_list(reader, &count);
    print_entries(entries, count, out);
}

static gyre_status inspect_tensors(const char *path, bool names_alone, FILE *out) {
    gyre_safetensors *s = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_safetensors_open(path, &s));
    const gyre_h5_entry *entries = gyre_safetensors_list(s, &count);
    if (!names_alone) {
        gyre_text_print(out, path, 0);
        fprintf(out, ": a state_dict of %zu tensors, for model.init_from and `gyre eval --model`\n",
                count);
    }
    print_entries(entries, count, out);
    gyre_safetensors_close(s);
    return GYRE_OK;
}

static gyre_status print_names_of(const char *path, FILE *out) {
    gyre_h5_reader *reader = NULL;
    if (gyre_safetensors_is(path)) return inspect_tensors(path, true, out);
    GYRE_TRY(gyre_h5_reader_open(path, &reader));
    print_names(reader, out);
    gyre_h5_reader_close(reader);
    return GYRE_OK;
}

gyre_status gyre_inspect_names(const char *path, FILE *out) {
    char *found = NULL;
    if (is_folder(path)) GYRE_TRY(newest(path, &found));
    gyre_status status = print_names_of(found == NULL ? path : found, out);
    free(found);
    return status;
}

/* Weights from elsewhere, as model.init_from takes them; *known: it is such a file. */
static gyre_status inspect_weights(const char *path, bool *known, FILE *out) {
    gyre_h5_reader *reader = NULL;
    *known = false;
    GYRE_TRY(gyre_h5_reader_open(path, &reader));
    *known = gyre_h5_reader_find(reader, "/parameters") != NULL;
    if (*known) {
        gyre_text_print(out, path, 0);
        fprintf(out, ": weights from elsewhere, for model.init_from and `gyre eval --model`\n");
        print_names(reader, out);
    }
    gyre_h5_reader_close(reader);
    return GYRE_OK;
}

static gyre_status inspect_folder(const char *path, FILE *out) {
    gyre_status status = GYRE_OK;
    char *checkpoint = NULL, *metrics = gyre_path_join(path, GYRE_METRICS_FILE);
    char *config = gyre_path_join(path, GYRE_CONFIG_FILE),
         *find = gyre_path_join(path, GYRE_FIND_FILE);
    if (metrics == NULL || config == NULL || find == NULL) {
        status = gyre_no_memory("inspecting '%s'", path);
        goto out;
    }
    if (!gyre_file_exists(config) && gyre_file_exists(find)) {
        status = inspect_find(find, out);
        goto out;
    }
    if (!gyre_file_exists(config)) {
        status = gyre_fail(GYRE_EIO, "'%s' holds no run of gyre (no config.json)", path);
        goto out;
    }
    gyre_text_print(out, path, 0);
    fprintf(out, ": run folder\n");
    if (gyre_file_exists(metrics)) GYRE_GOTO(inspect_metrics(metrics, out));
    GYRE_GOTO(gyre_checkpoint_newest(path, &checkpoint));
    if (checkpoint == NULL) {
        status = inspect_best(path, out);
    } else {
        status = inspect_checkpoint(checkpoint, out);
    }
out:
    free(checkpoint);
    free(metrics);
    free(config);
    free(find);
    return status;
}

gyre_status gyre_inspect(const char *path, FILE *out) {
    gyre_seal_info seal;
    bool weights = false;
    if (is_folder(path)) return inspect_folder(path, out);
    if (gyre_safetensors_is(path)) return inspect_tensors(path, false, out);
    if (gyre_seal_read(path, "checkpoint", &seal) == GYRE_OK && seal.sealed) {
        return inspect_checkpoint(path, out);
    }
    if (seal.sealed && gyre_seal_read(path, "dataset", &seal) != GYRE_OK) {
        return GYRE_EIO; /* neither, or damaged: the seal says which */
    }
    if (!seal.sealed && inspect_metrics(path, out) == GYRE_OK) return GYRE_OK;
    if (!seal.sealed && inspect_find(path, out) == GYRE_OK) return GYRE_OK;
    if (!seal.sealed && inspect_weights(path, &weights, out) == GYRE_OK && weights) return GYRE_OK;
    return inspect_dataset(path, out);
}
