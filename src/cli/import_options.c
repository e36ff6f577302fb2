/* The options of `gyre data`, and how the values of those for pictures are read. */
#include "import_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 32767 };

static bool read_side(const char **text, int *out) {
    char *end;
    if (**text < '1' || **text > '9') return false;
    long side = strtol(*text, &end, 10);
    *text = end;
    *out = (int)side;
    return side <= SIDE_MAX;
}

/* "224" or "HxW" */
static gyre_status read_size(const char *text, void *to) {
    gyre_folder_options *o = &((cli_import_options *)to)->folder;
    const char *at = text;
    bool ok = read_side(&at, &o->h);
    o->w = o->h;
    if (ok && *at == 'x') {
        at++;
        ok = read_side(&at, &o->w);
    }
    if (ok && *at == '\0') return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--size '%s': a side in pixels or HEIGHTxWIDTH was expected, 1 to %d each",
                     text, SIDE_MAX);
}

static gyre_status read_fit(const char *text, void *to) {
    gyre_folder_options *o = &((cli_import_options *)to)->folder;
    static const char *const names[] = {
        [GYRE_FIT_CROP] = "crop", [GYRE_FIT_PAD] = "pad", [GYRE_FIT_STRETCH] = "stretch"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        o->fit = (gyre_fit)i;
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "--fit '%s': crop, pad or stretch was expected", text);
}

static gyre_status read_split(const char *text, void *to) {
    gyre_folder_options *o = &((cli_import_options *)to)->folder;
    char *end;
    o->split = strtod(text, &end);
    if (end != text && *end == '\0' && o->split > 0 && o->split < 1) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--split '%s': a number above 0 and below 1 was expected, 0.2 for "
                     "a fifth",
                     text);
}

/* "X.npy,Y.npy" */
static gyre_status read_pair(const char *name, const char *text, char **memory,
                             gyre_array_names *out) {
    const char *comma = strchr(text, ',');
    if (comma == NULL || comma == text || comma[1] == '\0' || strchr(comma + 1, ',') != NULL) {
        return gyre_fail(GYRE_EUSAGE, "--%s '%s': two files were expected, SAMPLES,TARGETS", name,
                         text);
    }
    free(*memory);
    *memory = strdup(text);
    if (*memory == NULL) return gyre_no_memory("--%s", name);
    (*memory)[comma - text] = '\0';
    *out = (gyre_array_names){*memory, *memory + (comma - text) + 1};
    return GYRE_OK;
}

static gyre_status read_validation(const char *text, void *to) {
    cli_import_options *o = to;
    return read_pair("validation", text, &o->array_memory[0], &o->validation);
}

static gyre_status read_test(const char *text, void *to) {
    cli_import_options *o = to;
    return read_pair("test", text, &o->array_memory[1], &o->test);
}

const cli_option cli_import_options_table[] = {
    {.name = "import cifar DIR", .help = "CIFAR-10 or CIFAR-100, the binary version"},
    {.name = "import idx DIR", .help = "MNIST and its family, plain or .gz"},
    {.name = "import folder DIR",
     .help = "JPEG and PNG files in a folder for each class, or for each part and class; "
             "docs/data.md has the layouts"},
    {.name = "import array X Y",
     .help = "samples and their targets, each a .npy file or FILE.h5:/path of an HDF5 dataset"},
    {.name = "manifest FILE...", .help = "several dataset files as one"},
    {.name = "info FILE", .help = "what a dataset holds; verifies checksums"},
    {.id = 'o',
     .name = "output",
     .kind = CLI_TEXT,
     .at = offsetof(cli_import_options, output),
     .letter = 'o',
     .value = "FILE",
     .required = true,
     .help = "the dataset file that is written, or the manifest, NAME.json"},
    {.id = 'f',
     .name = "force",
     .at = offsetof(cli_import_options, force),
     .help = "replaces FILE when it is there, but never a file that is to be read"},
    {.id = 'v',
     .name = "validation",
     .kind = CLI_OWN,
     .read = read_validation,
     .value = "PAIR",
     .help = "arrays of the part validation, X.npy,Y.npy"},
    {.id = 'e',
     .name = "test",
     .kind = CLI_OWN,
     .read = read_test,
     .value = "PAIR",
     .help = "arrays of the part test, X.npy,Y.npy"},
    {.id = 's',
     .name = "size",
     .kind = CLI_OWN,
     .read = read_size,
     .value = "N|HxW",
     .help = "the images' size in pixels, height first; without it all pictures must have one"},
    {.id = 't',
     .name = "fit",
     .kind = CLI_OWN,
     .read = read_fit,
     .value = "crop|pad|stretch",
     .help = "crop (the default) cuts out the middle, pad adds white bars, stretch distorts"},
    {.id = 'c',
     .name = "channels",
     .kind = CLI_INTEGER,
     .at = offsetof(cli_import_options, folder.c),
     .least = 1,
     .value = "3|1",
     .help = "RGB (the default) or gray"},
    {.id = 'l',
     .name = "labels",
     .kind = CLI_TEXT,
     .at = offsetof(cli_import_options, folder.labels),
     .value = "FILE.csv",
     .help = "names a class for each picture, a line `1.jpg,cat` each, instead of folders"},
    {.id = 'p',
     .name = "split",
     .kind = CLI_OWN,
     .read = read_split,
     .value = "FRACTION",
     .help = "sets so much of each class aside: as the part test, or as validation where there "
             "is a test part"},
    {.id = 'k',
     .name = "seed",
     .kind = CLI_WHOLE,
     .at = offsetof(cli_import_options, folder.seed),
     .value = "N",
     .help = "decides what the split takes; default 1"},
    {.id = 'n',
     .name = "threads",
     .kind = CLI_INTEGER,
     .at = offsetof(cli_import_options, folder.threads),
     .least = 1,
     .value = "N",
     .help = "threads that read pictures; default: one for each core"},
    {.id = 'a',
     .name = "no-parts",
     .at = offsetof(cli_import_options, folder.no_parts),
     .help = "every folder is a class, also one that is called train, val or test"},
    {.id = 'x',
     .name = "strict",
     .at = offsetof(cli_import_options, folder.strict),
     .help = "a picture that cannot be read is an error"},
    {.id = 'q',
     .name = "quiet",
     .at = offsetof(cli_import_options, folder.quiet),
     .letter = 'q',
     .help = "no progress on stderr"},
    {0}};
