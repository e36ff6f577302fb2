/* gyre report: what a study or a run shows, as a page and CSV files. */
#include "cli.h"

#include "gyre/report.h"
#include "gyre/text.h"
#include "holds.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const char *dir, *out;
    double target;
} arguments;

static gyre_status read_target(const char *text, void *to) {
    double *out = &((arguments *)to)->target;
    char *end = NULL;
    errno = 0;
    *out = strtod(text, &end);
    if (errno == 0 && end != text && *end == '\0' && isfinite(*out)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--target: expected a number in the unit of the metric, found '%s'", text);
}

static gyre_status report(int argc, char **argv) {
    arguments a = {.target = NAN};
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_report, &a, NULL));
    GYRE_TRY(cli_one_operand(argc, argv, &cli_command_report, "folder", &a.dir));
    GYRE_TRY(cli_other_kind(gyre_report_write(a.dir, a.out, a.target), a.dir,
                            CLI_HOLDS_RUN | CLI_HOLDS_STUDY));
    if (a.out == NULL) {
        gyre_text_print(stdout, a.dir, 0);
        puts("/report/index.html");
    } else {
        gyre_text_print(stdout, a.out, 0);
        puts("/index.html");
    }
    return cli_flush();
}

static int run(int argc, char **argv) {
    return cli_fail(report(argc, argv));
}

static const cli_form forms[] = {{"DIR", NULL}, {0}};

static const cli_option options[] = {
    {.name = "DIR", .help = "the folder of a study or of a run"},
    {.id = 'o',
     .name = "out",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, out),
     .letter = 'o',
     .value = "DIR",
     .help = "where the page goes; default DIR/report"},
    {.id = 't',
     .name = "target",
     .kind = CLI_OWN,
     .read = read_target,
     .value = "VALUE",
     .help = "the value of the metric to which steps are counted, in the unit that the report "
             "has; default: the control's final mean"},
    {0}};

const cli_command cli_command_report = {
    .name = "report",
    .summary = "what a study, or a run, shows: a page and CSV files",
    .forms = forms,
    .options = options,
    .notes = "The page needs gnuplot; without it the CSV files are there and the code is 3.",
    .exits = cli_exits_reading,
    .run = run,
};
