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

enum { PARTS = 3, MANY = 2000, CHANNELS_SHOWN = 16 };

static const char every_import[] = "of"; /* ids of the options that go with all of them */
static const char of_folders[] = "ofstclpknaxq";
static const char of_arrays[] = "ofve";

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
    for (int k = 0; k < channels && k < CHANNELS_SHOWN; k++) {
        printf("  channel %d    mean %.4f, deviation %.4f\n", k, (double)s->mean[k],
               (double)s->dev[k]);
    }
    if (channels > CHANNELS_SHOWN) printf("  and %d more channels\n", channels - CHANNELS_SHOWN);
}

/* Of latents, which are means and deviations; else of what is stored. */
static void print_samples(const gyre_images *train) {
    const bool bytes = train->element == GYRE_ELEMENT_U8;
    printf("  %-11s  %d x %d x %d (height, width, channels)%s%s%s\n",
           train->latents ? "latents" : gyre_element_noun(train->element, 2), train->h, train->w,
           train->latents ? train->c / 2 : train->c, bytes ? "" : " of ",
           bytes ? "" : gyre_element_name(train->element),
           train->latents ? ", means and deviations" : "");
}

static void print_contexts(const gyre_dataset *d) {
    const gyre_contexts *c = gyre_dataset_contexts(d);
    if (c == NULL) return;
    printf("  %-11s  %d of %d tokens x %d channels; context %d is that of no caption\n", "contexts",
           c->count, c->tokens, c->channels, GYRE_CONTEXT_NONE);
}

static void print_targets(const gyre_dataset *d) {
    const gyre_target *t = &gyre_dataset_train(d)->target;
    if (gyre_target_is_label(t)) return;
    printf("  %-11s  %d x %d x %d (height, width, %s)\n", "targets", t->h, t->w, t->c,
           t->classes ? "one class each" : "values");
}

static gyre_status print_classes(const gyre_dataset *d) {
    int classes = gyre_dataset_classes(d);
    int64_t *counts = calloc((size_t)classes * PARTS, sizeof *counts);
    if (counts == NULL) return gyre_no_memory("%d classes", classes);
    printf("  %7s  %-24s", gyre_dataset_contexts(d) == NULL ? "class" : "context", "name");
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
        printf("  %7d  ", k);
        gyre_text_print(stdout, gyre_dataset_class_name(d, k), 24);
        for (int part = 0; part < PARTS; part++) {
            if (part_of(d, part)->count > 0) printf(" %10" PRId64, counts[k * PARTS + part]);
        }
        printf("\n");
    }
    if (left_out > 0)
        printf("  and %d classes without any %s\n", left_out,
               gyre_element_noun(part_of(d, 0)->element, 1));
    free(counts);
    return GYRE_OK;
}

static gyre_status info(const char *path) {
    const gyre_data_settings settings = {.validation = GYRE_VALIDATION_NONE,
                                         .normalize = GYRE_NORMALIZE_RAW};
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
    const char *what = gyre_element_noun(train->element, 2);
    print_samples(train);
    print_targets(d);
    for (int part = 0; part < PARTS; part++) {
        const gyre_images *p = part_of(d, part);
        if (p->count > 0) printf("  %-11s  %" PRId64 " %s\n", part_names[part], p->count, what);
    }
    printf("  %-11s  %016" PRIx64 "\n", "content", gyre_dataset_hash(d));
    print_channels(&samples.stats, train->c);
    print_contexts(d);
    if (gyre_target_has_classes(&train->target) && gyre_dataset_contexts(d) == NULL) {
        printf("  %-11s  %d\n", "classes", gyre_dataset_classes(d));
    }
    if (train->labels != NULL) GYRE_GOTO(print_classes(d));
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
    printf(" and %" PRId64 " test %s of %d x %d x %d", gyre_dataset_test(d)->count,
           gyre_element_noun(train->element, 2), train->h, train->w, train->c);
    const gyre_target *t = &train->target;
    if (gyre_target_has_classes(t))
        printf(" in %d classes", gyre_dataset_classes(d));
    else
        printf(" with targets of %d x %d x %d", t->h, t->w, t->c);
    printf(", %.1f MB\n", megabytes(path));
    gyre_status status = cli_flush();
    if (status == GYRE_OK) warn(d);
    gyre_dataset_close(d);
    return status;
}

/* `from` are the operands behind the kind. */
static gyre_status import_cifar(char *const *from, const cli_import_options *o) {
    return gyre_import_cifar(from[0], o->output, o->force);
}

static gyre_status import_idx(char *const *from, const cli_import_options *o) {
    return gyre_import_idx(from[0], o->output, o->force);
}

static gyre_status import_folder(char *const *from, const cli_import_options *o) {
    return gyre_import_folder(from[0], o->output, &o->folder);
}

static gyre_status import_array(char *const *from, const cli_import_options *o) {
    const gyre_array_names train = {from[0], from[1]};
    return gyre_import_array(&train, &o->validation, &o->test, o->output, o->force);
}

static const struct {
    const char *kind;
    gyre_status (*import)(char *const *from, const cli_import_options *o);
    int operands;
    const char *ids; /* of the options that it takes */
} importers[] = {{"cifar", import_cifar, 1, every_import},
                 {"idx", import_idx, 1, every_import},
                 {"folder", import_folder, 1, of_folders},
                 {"array", import_array, 2, of_arrays}};
enum { IMPORTERS = sizeof importers / sizeof *importers };

/* One of the options that were given and are not among `ids`; NULL: there is none. */
static const cli_option *other_option(const char *given, const char *ids) {
    const cli_option *other = NULL;
    for (const cli_option *o = cli_import_options_table; o->name != NULL; o++) {
        bool was_given = o->id != 0 && strchr(given, o->id) != NULL;
        if (was_given && strchr(ids, o->id) == NULL) other = o;
    }
    return other;
}

/* `other` goes with one importer. */
static gyre_status refuse(const cli_option *other, const char *kind) {
    size_t i = 0;
    while (i < IMPORTERS - 1 && strchr(importers[i].ids, other->id) == NULL) i++;
    return gyre_fail(GYRE_EUSAGE, "--%s is for `gyre data import %s`, not for %s", other->name,
                     importers[i].kind, kind);
}

static gyre_status refuse_kind(const char *kind) {
    char kinds[128] = "";
    for (size_t i = 0; i < IMPORTERS; i++) {
        const char *before = i == 0 ? "" : i == IMPORTERS - 1 ? " and " : ", ";
        gyre_text_add(kinds, sizeof kinds, "%s%s", before, importers[i].kind);
    }
    return gyre_fail(GYRE_EUSAGE, "data import '%s' is unknown; the kinds are %s", kind, kinds);
}

static gyre_status import(char *const *operands, int count, const cli_import_options *o,
                          const char *given) {
    for (size_t i = 0; i < IMPORTERS; i++) {
        if (strcmp(operands[0], importers[i].kind) != 0) continue;
        const cli_option *other = other_option(given, importers[i].ids);
        if (other != NULL) return refuse(other, operands[0]);
        if (count - 1 != importers[i].operands) {
            return gyre_fail(GYRE_EUSAGE,
                             "`gyre data import %s` takes %d operand%s, found %d; `gyre data "
                             "--help` names them",
                             operands[0], importers[i].operands,
                             importers[i].operands == 1 ? "" : "s", count - 1);
        }
        GYRE_TRY(importers[i].import(operands + 1, o));
        return report(o->output);
    }
    return refuse_kind(operands[0]);
}

/* ---- manifest */

static gyre_status manifest(char *const *files, int count, const cli_import_options *o) {
    gyre_dataset *d = NULL;
    GYRE_TRY(gyre_manifest_write(o->output, files, count, o->force));
    GYRE_TRY(gyre_dataset_open(o->output, &d));
    gyre_text_print(stdout, o->output, 0);
    printf(": %" PRId64 " training, %" PRId64 " validation and %" PRId64 " test %s in %d "
           "files\n",
           gyre_dataset_train(d)->count, gyre_dataset_validation(d)->count,
           gyre_dataset_test(d)->count, gyre_element_noun(gyre_dataset_train(d)->element, 2),
           gyre_dataset_files(d));
    gyre_dataset_close(d);
    return cli_flush();
}

/* ---- the operands after `gyre data` */

static gyre_status dispatch(char **operands, int count, const cli_import_options *o,
                            const char *given) {
    if (count == 2 && strcmp(operands[0], "info") == 0 && given[0] == '\0') {
        return cli_other_kind(info(operands[1]), operands[1], CLI_HOLDS_DATASET);
    }
    if (count >= 3 && strcmp(operands[0], "import") == 0 && o->output != NULL) {
        return import(operands + 1, count - 1, o, given);
    }
    if (count >= 2 && strcmp(operands[0], "manifest") == 0 && o->output != NULL &&
        other_option(given, every_import) == NULL) {
        return manifest(operands + 1, count - 1, o);
    }
    return cli_usage_fail(&cli_command_data,
                          "import, manifest or info was expected, each with its operands");
}

static gyre_status data(int argc, char **argv) {
    cli_import_options o = {.folder = {.c = 3, .seed = 1}};
    char given[CLI_OPTIONS_MAX + 1];
    gyre_status status = cli_options_read(argc, argv, &cli_command_data, &o, given);
    o.folder.force = o.force;
    if (status == GYRE_OK) status = dispatch(argv + optind, argc - optind, &o, given);
    for (int i = 0; i < 2; i++) free(o.array_memory[i]);
    return status;
}

static int run(int argc, char **argv) {
    return cli_fail(data(argc, argv));
}

static const cli_form forms[] = {{"import cifar|idx DIR", every_import},
                                 {"import folder DIR", of_folders},
                                 {"import array X Y", of_arrays},
                                 {"manifest FILE...", every_import},
                                 {"info FILE", ""},
                                 {0}};

const cli_command cli_command_data = {
    .name = "data",
    .summary =
        "makes a dataset file of an official download, a folder of pictures or arrays, or says "
        "what one holds",
    .forms = forms,
    .options = cli_import_options_table,
    .exits = cli_exits_importing,
    .run = run,
};
