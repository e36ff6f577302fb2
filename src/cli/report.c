/* gyre report: what a study or a run shows, as a page and CSV files. */
#include "cli.h"

#include "arguments.h"
#include "gyre/log.h"
#include "gyre/report.h"
#include "gyre/text.h"
#include "holds.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static gyre_status percent(const char *text, double *out) {
    char *end = NULL;
    errno = 0;
    *out = strtod(text, &end);
    bool fits = errno == 0 && end != text && *end == '\0' && *out >= 0 && *out <= 100;
    if (fits && *out > 0 && *out <= 1) {
        gyre_warn("--target %s is %g %%; %g %% is --target %g", text, *out, 100 * *out, 100 * *out);
    }
    if (fits) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--target: expected an accuracy of 0 to 100 %%, found '%s'",
                     text);
}

typedef struct {
    const char *out;
    double target;
} arguments;

static gyre_status take(void *to, int id, char *value) {
    arguments *a = to;
    if (id == 't') return percent(value, &a->target);
    a->out = value;
    return GYRE_OK;
}

static gyre_status report(int argc, char **argv) {
    arguments a = {.target = NAN};
    GYRE_TRY(gyre_cli_options_read(argc, argv, &gyre_command_report, take, &a));
    GYRE_TRY(gyre_cli_one_operand(argc, &gyre_command_report, "folder"));
    GYRE_TRY(gyre_cli_other_kind(gyre_report_write(argv[optind], a.out, a.target), argv[optind],
                                 HOLDS_RUN | HOLDS_STUDY));
    if (a.out == NULL) {
        gyre_text_print(stdout, argv[optind], 0);
        puts("/report/index.html");
    } else {
        gyre_text_print(stdout, a.out, 0);
        puts("/index.html");
    }
    return gyre_cli_flush();
}

static int run(int argc, char **argv) {
    return gyre_cli_fail(report(argc, argv));
}

static const gyre_cli_form forms[] = {{"DIR", NULL}, {0}};

static const gyre_cli_option options[] = {
    {.name = "DIR", .words = "the folder of a study or of a run"},
    {.id = 'o',
     .name = "out",
     .letter = 'o',
     .value = "DIR",
     .words = "where the page goes; default DIR/report"},
    {.id = 't',
     .name = "target",
     .value = "PERCENT",
     .words = "the accuracy to which steps are counted, 0 to 100; default: the control's final "
              "mean"},
    {0}};

const gyre_command gyre_command_report = {
    .name = "report",
    .words = "what a study, or a run, shows: a page and CSV files",
    .forms = forms,
    .options = options,
    .more = "The page needs gnuplot; without it the CSV files are there and the code is 3.",
    .exits = gyre_cli_exits_reading,
    .run = run,
};
