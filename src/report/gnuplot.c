/* gnuplot as a child process, without start-up files of the user. */
#include "gnuplot.h"

#include "gyre/text.h"
#include "program.h"
#include <stdlib.h>

/* In single quotes gnuplot runs no backquotes and reads no backslashes. */
void report_quote_path(FILE *gp, const char *path) {
    fputc('\'', gp);
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '\'') fputc('\'', gp);
        fputc(*c, gp);
    }
    fputc('\'', gp);
}

void report_quote(FILE *gp, const char *text) {
    char shown[REPORT_FIGURE_TEXT];
    gyre_text_visible(text, shown, sizeof shown);
    report_quote_path(gp, shown);
}

static const report_program gnuplot = {"gnuplot", "figures need it: apt-get install gnuplot-nox"};

gyre_status report_gnuplot_run(const char *dir, const char *stem, const char *output) {
    gyre_status status = GYRE_OK;
    char *setting = NULL, *script = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&setting, &size);
    if (f == NULL || asprintf(&script, "./%s.gp", stem) < 0) {
        status = gyre_no_memory("starting gnuplot");
        if (f != NULL) fclose(f);
        goto out;
    }
    fputs("output = ", f);
    report_quote_path(f, output);
    fclose(f);
    char name[] = "gnuplot", defaults[] = "-d", run[] = "-e";
    char *const arguments[] = {name, defaults, run, setting, script, NULL};
    status = report_program_run(&gnuplot, dir, arguments, script + 2);
out:
    free(setting);
    free(script);
    return status;
}
