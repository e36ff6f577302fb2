/* gyre data: makes dataset files of official downloads and of folders of pictures, and says what
 * one holds. */
#include "cli.h"

#include "gyre/dataset.h"
#include "gyre/import.h"
#include "gyre/text.h"
#include "holds.h"
#include "import_options.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PARTS = 3, MANY = 2000 };

static const char every_import[] = "of"; /* ids of the options that go with all of them */

static const char *const part_names[PARTS] = {"train", "validation", "test"};

static const gyre_images *part_of(const gyre_dataset *d, int part) {
    return part == 0 ? gyre_dataset_train(d)
                     : (part == 1 ? gyre_dataset_validation(d) : gyre_dataset_test(d));
}

static double megabytes(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? (double)st.st_size / 1e6 : 0;
}

static void warn(const gyre_dataset *d) {
    gyre_dataset_warn_gaps(d);
    gyre_dataset_warn_unread(d);
    gyre_dataset_warn_names(d);
}

/* ---- info */

static void print_channels(const gyre_pixel_stats *s, int channels) {
    for (int k = 0; k < channels; k++) {
        printf("  channel %d    mean %.4f, deviation %.4f\n", k, (double)s->mean[k],
               (double)s->dev[k]);
    }
}

static gyre_status print_classes(const gyre_dataset *d) {
    int classes = gyre_dataset_classes(d);
    int64_t *counts = calloc((size_t)classes * PARTS, sizeof *counts);
    if (counts == NULL) return gyre_no_memory("%d classes", classes);
    printf("  %5s  %-24s", "class", "name");
    for (int part = 0; part < PARTS; part++) {
        const gyre_images *p = part_of(d, part);
        if (p->count > 0) printf(" %10s", part_names[part]);
        for (int64_t i = 0; i < p->count; i++) counts[p->labels[i] * PARTS + part]++;
    }
    printf("\n");
    int left_out = 0;
    for (int k = 0; k < classes; k++) {
        int64_t images = 0;
        for (int part = 0; part < PARTS; part++) images += counts[k * PARTS + part];
        /* one label that is far too great makes a million classes */
        if (images == 0 && classes > MANY) {
            left_out++;
            continue;
        }
        printf("  %5d  ", k);
        gyre_text_print(stdout, gyre_dataset_class_name(d, k), 24);
        for (int part = 0; part < PARTS; part++) {
            if (part_of(d, part)->count > 0) printf(" %10" PRId64, counts[k * PARTS + part]);
        }
        printf("\n");
    }
    if (left_out > 0) printf("  and %d classes without any image\n", left_out);
    free(counts);
    return GYRE_OK;
}

static gyre_status info(const char *path) {
    const gyre_data_settings settings = {.validation = GYRE_VALIDATION_NONE};
    gyre_dataset *d = NULL;
    gyre_samples samples = {0};
    gyre_status status = GYRE_OK;
    GYRE_TRY(gyre_dataset_verify(path, &d));
    GYRE_GOTO(gyre_samples_open(d, &settings, 0, &samples));
    const gyre_images *train = gyre_dataset_train(d);
    gyre_text_print(stdout, path, 0);
    if (gyre_dataset_files(d) > 0) {
        printf(": manifest of %d files, their checksums right\n", gyre_dataset_files(d));
    } else {
        printf(": %.1f MB, %s\n", megabytes(path),
               gyre_dataset_sealed(d) ? "sealed by gyre, checksum right"
                                      : "from another program, without gyre's checksum");
    }
    printf("  %-11s  %d x %d x %d (height, width, channels)\n", "images", train->h, train->w,
           train->c);
    for (int part = 0; part < PARTS; part++) {
        const gyre_images *p = part_of(d, part);
        if (p->count > 0) printf("  %-11s  %" PRId64 " images\n", part_names[part], p->count);
    }
    printf("  %-11s  %016" PRIx64 "\n", "content", gyre_dataset_hash(d));
    print_channels(&samples.stats, train->c);
    printf("  %-11s  %d\n", "classes", gyre_dataset_classes(d));
    GYRE_GOTO(print_classes(d));
    status = cli_flush();
    if (status == GYRE_OK) warn(d);
out:
    gyre_samples_close(&samples);
    gyre_dataset_close(d);
    return status;
}

/* ---- import */

/* Opens what was written: the line speaks of the file, not of what was meant. */
static gyre_status report(const char *path) {
    gyre_dataset *d = NULL;
    GYRE_TRY(gyre_dataset_open(path, &d));
    const gyre_images *train = gyre_dataset_train(d), *validation = gyre_dataset_validation(d);
    gyre_text_print(stdout, path, 0);
    printf(": %" PRId64 " training", train->count);
    if (validation->count > 0) printf(", %" PRId64 " validation", validation->count);
    printf(" and %" PRId64 " test images of %d x %d x %d in %d classes, %.1f MB\n",
           gyre_dataset_test(d)->count, train->h, train->w, train->c, gyre_dataset_classes(d),
           megabytes(path));
    gyre_status status = cli_flush();
    if (status == GYRE_OK) warn(d);
    gyre_dataset_close(d);
    return status;
}

static gyre_status import_cifar(const char *dir, const cli_import_options *o) {
    return gyre_import_cifar(dir, o->output, o->force);
}

static gyre_status import_idx(const char *dir, const cli_import_options *o) {
    return gyre_import_idx(dir, o->output, o->force);
}

static gyre_status import_folder(const char *dir, const cli_import_options *o) {
    return gyre_import_folder(dir, o->output, &o->folder);
}

static const struct {
    const char *kind;
    gyre_status (*import)(const char *dir, const cli_import_options *o);
    bool of_pictures; /* takes the options of a folder */
} importers[] = {
    {"cifar", import_cifar, false}, {"idx", import_idx, false}, {"folder", import_folder, true}};

/* One of the options that were given and are for `import folder` alone; NULL: there is none. */
static const char *folder_option(const char *given) {
    const char *name = NULL;
    for (const cli_option *o = cli_import_options_table; o->name != NULL; o++) {
        bool was_given = o->id != 0 && strchr(given, o->id) != NULL;
        if (was_given && strchr(every_import, o->id) == NULL) name = o->name;
    }
    return name;
}

static gyre_status import(const char *kind, const char *dir, const cli_import_options *o,
                          const char *folder_only) {
    for (size_t i = 0; i < sizeof importers / sizeof *importers; i++) {
        if (strcmp(kind, importers[i].kind) != 0) continue;
        if (folder_only != NULL && !importers[i].of_pictures) {
            return gyre_fail(GYRE_EUSAGE, "--%s is for `gyre data import folder`, not for %s",
                             folder_only, kind);
        }
        GYRE_TRY(importers[i].import(dir, o));
        return report(o->output);
    }
    return gyre_fail(GYRE_EUSAGE,
                     "data import '%s' is unknown; the kinds are cifar, idx and folder", kind);
}

/* ---- manifest */

static gyre_status manifest(char *const *files, int count, const cli_import_options *o) {
    gyre_dataset *d = NULL;
    GYRE_TRY(gyre_manifest_write(o->output, files, count, o->force));
    GYRE_TRY(gyre_dataset_open(o->output, &d));
    gyre_text_print(stdout, o->output, 0);
    printf(": %" PRId64 " training, %" PRId64 " validation and %" PRId64 " test images in %d "
           "files\n",
           gyre_dataset_train(d)->count, gyre_dataset_validation(d)->count,
           gyre_dataset_test(d)->count, gyre_dataset_files(d));
    gyre_dataset_close(d);
    return cli_flush();
}

/* ---- the operands after `gyre data` */

static gyre_status data(int argc, char **argv) {
    cli_import_options o = {.folder = {.c = 3, .seed = 1}};
    char given[CLI_OPTIONS_MAX + 1];
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_data, &o, given));
    o.folder.force = o.force;
    const char *folder_only = folder_option(given);
    char **operands = argv + optind;
    int count = argc - optind;
    if (count == 2 && strcmp(operands[0], "info") == 0 && given[0] == '\0') {
        return cli_other_kind(info(operands[1]), operands[1], CLI_HOLDS_DATASET);
    }
    if (count == 3 && strcmp(operands[0], "import") == 0 && o.output != NULL) {
        return import(operands[1], operands[2], &o, folder_only);
    }
    if (count >= 2 && strcmp(operands[0], "manifest") == 0 && o.output != NULL &&
        folder_only == NULL) {
        return manifest(operands + 1, count - 1, &o);
    }
    return cli_usage_fail(&cli_command_data,
                          "import, manifest or info was expected, each with its operands");
}

static int run(int argc, char **argv) {
    return cli_fail(data(argc, argv));
}

static const cli_form forms[] = {{"import cifar|idx DIR", every_import},
                                 {"import folder DIR", NULL},
                                 {"manifest FILE...", every_import},
                                 {"info FILE", ""},
                                 {0}};

const cli_command cli_command_data = {
    .name = "data",
    .summary = "makes a dataset file of an official download or of a folder of pictures, or says "
               "what one holds",
    .forms = forms,
    .options = cli_import_options_table,
    .exits = cli_exits_importing,
    .run = run,
};
