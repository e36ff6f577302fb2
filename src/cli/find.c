/* gyre find: the LR range test of a config. Rank 0 prints and writes. */
#include "cli.h"

#include "arguments.h"
#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/find.h"
#include "gyre/log.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *config, *out, *write;
    gyre_cli_sets sets;
    gyre_find_options options;
    bool verify;
} arguments;

static gyre_status rate(const char *option, const char *text, double *out) {
    char *end = NULL;
    double x = strtod(text, &end);
    if (end == text || *end != '\0' || !(x > 0) || !isfinite(x)) {
        return gyre_fail(GYRE_EUSAGE, "%s: expected a rate above 0, found '%s'", option, text);
    }
    *out = x;
    return GYRE_OK;
}

static gyre_status scale(const char *text, bool *linear) {
    *linear = strcmp(text, "linear") == 0;
    if (*linear || strcmp(text, "exponential") == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--scale: expected exponential or linear, found '%s'", text);
}

static gyre_status take(int c, arguments *a) {
    int64_t repeats = 0;
    switch (c) {
    case 'f': return rate("--from", optarg, &a->options.from);
    case 't': return rate("--to", optarg, &a->options.to);
    case 'n': return gyre_cli_whole("--steps", optarg, 1, &a->options.steps);
    case 'l': a->options.linear = true; break;
    case 'c': return scale(optarg, &a->options.linear);
    case 'r':
        GYRE_TRY(gyre_cli_whole("--repeats", optarg, 1, &repeats));
        a->options.repeats = repeats < INT32_MAX ? (int)repeats : INT32_MAX;
        break;
    case 'k': return gyre_cli_whole("--every", optarg, 1, &a->options.every);
    case 'u': return gyre_cli_whole("--subset", optarg, 1, &a->options.subset);
    case 'o': a->out = optarg; break;
    case 'w': a->write = optarg; break;
    case 'v': a->verify = true; break;
    case 's': a->sets.items[a->sets.count++] = optarg; break;
    case 'q': a->options.quiet = true; break;
    default: break;
    }
    return GYRE_OK;
}

static gyre_status parse(int argc, char **argv, arguments *a) {
    static const struct option options[] = {{"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"steps", required_argument, NULL, 'n'},
                                            {"linear", no_argument, NULL, 'l'},
                                            {"scale", required_argument, NULL, 'c'},
                                            {"repeats", required_argument, NULL, 'r'},
                                            {"every", required_argument, NULL, 'k'},
                                            {"subset", required_argument, NULL, 'u'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"write", required_argument, NULL, 'w'},
                                            {"verify", no_argument, NULL, 'v'},
                                            {"set", required_argument, NULL, 's'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {0}};
    opterr = 0;
    GYRE_TRY(gyre_cli_sets_open(argc, &a->sets));
    for (int c; (c = getopt_long(argc, argv, ":o:q", options, NULL)) != -1;) {
        if (c == ':' || c == '?') return gyre_cli_bad_option(c, argv, &gyre_command_find);
        GYRE_TRY(take(c, a));
    }
    if (argc - optind != 1) {
        return gyre_fail(GYRE_EUSAGE, "one config was expected, found %d; usage: gyre %s",
                         argc - optind, gyre_command_find.usage);
    }
    a->config = argv[optind];
    return GYRE_OK;
}

static gyre_status find(int argc, char **argv, gyre_comm *comm) {
    arguments a = {0};
    gyre_settings *settings = NULL;
    gyre_find f = {0};
    gyre_status status = gyre_comm_agree(comm, parse(argc, argv, &a));
    if (status == GYRE_OK) {
        status = gyre_comm_agree(comm,
                                 gyre_config_open(a.config, a.sets.items, a.sets.count, &settings));
    }
    if (status == GYRE_OK) status = gyre_find_run(settings, &a.options, comm, &f);
    if (status == GYRE_OK && gyre_comm_rank(comm) == 0) {
        gyre_find_print(&f, stdout);
        status = gyre_dir_make(a.out);
        char *p = gyre_path_join(a.out, "find.h5");
        status = gyre_find_write(&f, p);
        free(p);
    }
    gyre_find_close(&f);
    if (settings != NULL) gyre_config_close(settings);
    free(a.sets.items);
    return status;
}

static int run(int argc, char **argv) {
    gyre_comm *comm = NULL;
    gyre_status status = gyre_comm_open(&argc, &argv, &comm);
    if (status != GYRE_OK) return gyre_cli_fail(status);
    if (gyre_comm_rank(comm) != 0) gyre_log_mute();
    status = find(argc, argv, comm);
    if (gyre_comm_rank(comm) == 0) gyre_cli_fail(status);
    gyre_comm_close(comm);
    return (int)status;
}

const gyre_command gyre_command_find = {
    "find",
    "find CONFIG [--out DIR] [--from RATE] [--to RATE] [--steps N] [--linear] [--repeats R] "
    "[--every K] [--subset N] [--verify] [--write NEW.json] [--set KEY=VALUE]... [--quiet]",
    "learning-rate range test: suggests base_lr, max_lr and a stepsize, with a figure",
    run,
};
