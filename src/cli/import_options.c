#include "import_options.h"

#include "arguments.h"
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
static gyre_status read_size(const char *text, gyre_folder_options *o) {
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

static gyre_status read_fit(const char *text, gyre_folder_options *o) {
    static const char *const names[] = {
        [GYRE_FIT_CROP] = "crop", [GYRE_FIT_PAD] = "pad", [GYRE_FIT_STRETCH] = "stretch"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        o->fit = (gyre_fit)i;
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "--fit '%s': crop, pad or stretch was expected", text);
}

static gyre_status read_split(const char *text, gyre_folder_options *o) {
    char *end;
    o->split = strtod(text, &end);
    if (end != text && *end == '\0' && o->split > 0 && o->split < 1) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--split '%s': a number above 0 and below 1 was expected, 0.2 for "
                     "a fifth",
                     text);
}

/* A whole number of `least` to 2^31 - 1. */
static gyre_status read_int(const char *option, const char *text, int least, int *out) {
    int64_t value;
    GYRE_TRY(gyre_cli_whole(option, text, least, &value));
    if (value > INT32_MAX) {
        return gyre_fail(GYRE_EUSAGE, "%s %s: at most %d was expected", option, text, INT32_MAX);
    }
    *out = (int)value;
    return GYRE_OK;
}

static gyre_status read_seed(const char *text, gyre_folder_options *o) {
    int64_t seed;
    GYRE_TRY(gyre_cli_whole("--seed", text, 0, &seed));
    o->seed = (uint64_t)seed;
    return GYRE_OK;
}

static gyre_status take_of_folder(int id, char *value, gyre_folder_options *o) {
    switch (id) {
    case 's': return read_size(value, o);
    case 't': return read_fit(value, o);
    case 'c': return read_int("--channels", value, 1, &o->c);
    case 'p': return read_split(value, o);
    case 'k': return read_seed(value, o);
    case 'n': return read_int("--threads", value, 1, &o->threads);
    case 'l': o->labels = value; break;
    case 'x': o->strict = true; break;
    case 'a': o->no_parts = true; break;
    case 'q': o->quiet = true; break;
    default: break;
    }
    return GYRE_OK;
}

static gyre_status take(void *to, int id, char *value) {
    import_options *out = to;
    if (id == 'o') out->output = value;
    if (id == 'f') out->force = true;
    if (id == 'o' || id == 'f') return GYRE_OK;
    for (const gyre_cli_option *o = import_option_rows; o->name != NULL; o++) {
        if (o->id == id) out->folder_only = o->name;
    }
    return take_of_folder(id, value, &out->folder);
}

const gyre_cli_option import_option_rows[] = {
    {.name = "import cifar DIR", .words = "CIFAR-10 or CIFAR-100, the binary version"},
    {.name = "import idx DIR", .words = "MNIST and its family, plain or .gz"},
    {.name = "import folder DIR",
     .words = "JPEG and PNG files in a folder for each class, or for each part and class; "
              "docs/data.md has the layouts"},
    {.name = "manifest FILE...", .words = "several dataset files as one"},
    {.name = "info FILE", .words = "what a dataset holds; verifies checksums"},
    {.id = 'o',
     .name = "output",
     .letter = 'o',
     .value = "FILE",
     .required = true,
     .words = "the dataset file that is written, or the manifest, NAME.json"},
    {.id = 'f',
     .name = "force",
     .words = "replaces FILE when it is there, but never a file that is to be read"},
    {.id = 's',
     .name = "size",
     .value = "N|HxW",
     .words = "the images' size in pixels, height first; without it all pictures must have one"},
    {.id = 't',
     .name = "fit",
     .value = "HOW",
     .words = "crop (the default) cuts out the middle, pad adds white bars, stretch distorts"},
    {.id = 'c', .name = "channels", .value = "3|1", .words = "RGB (the default) or gray"},
    {.id = 'l',
     .name = "labels",
     .value = "FILE.csv",
     .words = "names a class for each picture, a line `1.jpg,cat` each, instead of folders"},
    {.id = 'p',
     .name = "split",
     .value = "FRACTION",
     .words = "sets so much of each class aside: as the part test, or as validation where there "
              "is a test part"},
    {.id = 'k', .name = "seed", .value = "N", .words = "decides what the split takes; default 1"},
    {.id = 'n',
     .name = "threads",
     .value = "N",
     .words = "threads that read pictures; default: one for each core"},
    {.id = 'a',
     .name = "no-parts",
     .words = "every folder is a class, also one that is called train, val or test"},
    {.id = 'x', .name = "strict", .words = "a picture that cannot be read is an error"},
    {.id = 'q', .name = "quiet", .letter = 'q', .words = "no progress on stderr"},
    {0}};

gyre_status import_options_read(int argc, char **argv, import_options *out) {
    *out = (import_options){.folder = {.c = 3, .seed = 1}};
    GYRE_TRY(gyre_cli_options_read(argc, argv, &gyre_command_data, take, out));
    out->folder.force = out->force;
    return GYRE_OK;
}
