#include "import_options.h"

#include "arguments.h"
#include <getopt.h>
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

enum { SIZE = 256, FIT, CHANNELS, LABELS, SPLIT, SEED, THREADS, STRICT, QUIET };

static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                        {"force", no_argument, NULL, 'f'},
                                        {"size", required_argument, NULL, SIZE},
                                        {"fit", required_argument, NULL, FIT},
                                        {"channels", required_argument, NULL, CHANNELS},
                                        {"labels", required_argument, NULL, LABELS},
                                        {"split", required_argument, NULL, SPLIT},
                                        {"seed", required_argument, NULL, SEED},
                                        {"threads", required_argument, NULL, THREADS},
                                        {"strict", no_argument, NULL, STRICT},
                                        {"quiet", no_argument, NULL, QUIET},
                                        {0}};

static gyre_status read_folder_option(int c, gyre_folder_options *o) {
    switch (c) {
    case SIZE: return read_size(optarg, o);
    case FIT: return read_fit(optarg, o);
    case CHANNELS: return read_int("--channels", optarg, 1, &o->c);
    case SPLIT: return read_split(optarg, o);
    case SEED: return read_seed(optarg, o);
    case THREADS: return read_int("--threads", optarg, 1, &o->threads);
    case LABELS: o->labels = optarg; break;
    case STRICT: o->strict = true; break;
    case QUIET: o->quiet = true; break;
    }
    return GYRE_OK;
}

gyre_status import_options_read(int argc, char **argv, import_options *out) {
    *out = (import_options){.folder = {.c = 3, .seed = 1}};
    opterr = 0;
    for (int c, at = 0; (c = getopt_long(argc, argv, ":o:", options, &at)) != -1;) {
        switch (c) {
        case 'o': out->output = optarg; break;
        case 'f': out->force = true; break;
        case ':':
        case '?': return gyre_cli_bad_option(c, argv, &gyre_command_data);
        default: out->folder_only = options[at].name; GYRE_TRY(read_folder_option(c, &out->folder));
        }
    }
    out->folder.force = out->force;
    return GYRE_OK;
}
