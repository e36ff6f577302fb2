/* The files of a figure: names, quoting, data blocks, and the order in which they are written. */
#include "figure.h"

#include "gnuplot.h"
#include "gyre/file.h"
#include "gyre/overwrite.h"
#include "gyre/plot.h"
#include "gyre/text.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* First line of what gyre writes. */
#define MARK "# gyre figure"

static gyre_status check_name(const char *output, report_figure *f) {
    const char *name = strrchr(output, '/') == NULL ? output : strrchr(output, '/') + 1;
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name ||
        (strcasecmp(dot, ".svg") != 0 && strcasecmp(dot, ".png") != 0)) {
        return gyre_fail(GYRE_EUSAGE, "figure '%s': a name that ends in .svg or .png was expected",
                         output);
    }
    for (const char *c = output; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ') {
            return gyre_fail(GYRE_EUSAGE,
                             "figure '%s': control characters are not possible in its "
                             "name",
                             output);
        }
    }
    f->png = strcasecmp(dot, ".png") == 0;
    f->dir = gyre_path_dir(output);
    f->stem = strndup(name, (size_t)(dot - name));
    if (f->dir == NULL || f->stem == NULL ||
        asprintf(&f->script, "%s/%s.gp", f->dir, f->stem) < 0 ||
        asprintf(&f->data, "%s/%s.dat", f->dir, f->stem) < 0) {
        return gyre_no_memory("a figure");
    }
    return GYRE_OK;
}

gyre_status report_figure_open(const char *output, report_figure *f) {
    *f = (report_figure){.output = output};
    GYRE_TRY(check_name(output, f));
    if (access(f->dir, W_OK | X_OK) != 0) {
        return gyre_fail(GYRE_EIO, "figure '%s': cannot write into its folder '%s': %s", output,
                         f->dir, strerror(errno));
    }
    GYRE_TRY(gyre_overwrite_check_signed(output));
    GYRE_TRY(gyre_overwrite_check_signed(f->script));
    GYRE_TRY(gyre_overwrite_check_signed(f->data));
    f->gp = open_memstream(&f->script_text, &f->script_size);
    f->dat = open_memstream(&f->table, &f->table_size);
    if (f->gp == NULL || f->dat == NULL) return gyre_no_memory("a figure");
    fputs(MARK ": data of the script of the same name; blocks are parted by two empty lines\n",
          f->dat);
    return GYRE_OK;
}

gyre_status gyre_plot_check(const char *output) {
    report_figure f;
    gyre_status status = report_figure_open(output, &f);
    report_figure_close(&f);
    return status;
}

int report_figure_rows(report_figure *f, const char *comment, const double *values, size_t rows,
                       int columns) {
    fprintf(f->dat, "%s# %s\n", f->blocks == 0 ? "" : "\n\n", comment);
    for (size_t i = 0; i < rows; i++) {
        for (int k = 0; k < columns; k++) {
            double value = values[i * (size_t)columns + (size_t)k];
            if (k > 0) fputc(' ', f->dat);
            if (isfinite(value)) { /* gnuplot reads inf as a number and draws to it */
                fprintf(f->dat, k == 0 ? "%.17g" : "%.9g", value);
            } else {
                fputs("NaN", f->dat);
            }
        }
        fputc('\n', f->dat);
    }
    for (int k = 0; rows == 0 && k < columns; k++)
        fputs(k + 1 < columns ? "NaN " : "NaN\n", f->dat);
    return f->blocks++;
}

int report_figure_block(report_figure *f, const char *comment, const report_point *points,
                        size_t count) {
    _Static_assert(sizeof *points == 2 * sizeof(double), "a point is a row of two numbers");
    return report_figure_rows(f, comment, (const double *)points, count, 2);
}

static gyre_status close_streams(report_figure *f) {
    int failed = 0;
    if (f->gp != NULL) failed |= ferror(f->gp) | fclose(f->gp);
    if (f->dat != NULL) failed |= ferror(f->dat) | fclose(f->dat);
    f->gp = f->dat = NULL;
    return failed ? gyre_no_memory("a figure") : GYRE_OK;
}

/* What gnuplot has drawn, signed and in its place. */
static gyre_status put_picture(const report_figure *f, const char *drawn) {
    enum { LARGEST = 1 << 28 };
    char *image = NULL;
    size_t size = 0;
    GYRE_TRY(gyre_file_read(drawn, LARGEST, &image, &size));
    gyre_status status = f->png ? gyre_overwrite_sign_png(&image, &size)
                                : gyre_overwrite_sign(&image, &size, "<!-- ", " -->\n");
    if (status == GYRE_OK) status = gyre_file_write_atomic(f->output, image, size);
    free(image);
    return status;
}

gyre_status report_figure_finish(report_figure *f) {
    gyre_status status = GYRE_OK;
    char *relative = NULL, *temporary = NULL;
    GYRE_TRY(close_streams(f));
    if (asprintf(&relative, "./.%s.tmp.%ld", f->stem, (long)getpid()) < 0 ||
        asprintf(&temporary, "%s/%s", f->dir, relative) < 0) {
        status = gyre_no_memory("a figure");
        goto out;
    }
    GYRE_GOTO(gyre_overwrite_sign(&f->table, &f->table_size, "# ", "\n"));
    GYRE_GOTO(gyre_overwrite_sign(&f->script_text, &f->script_size, "# ", "\n"));
    GYRE_GOTO(gyre_file_write_atomic(f->data, f->table, f->table_size));
    GYRE_GOTO(gyre_file_write_atomic(f->script, f->script_text, f->script_size));
    status = report_gnuplot_run(f->dir, f->stem, relative);
    if (status == GYRE_OK) status = put_picture(f, temporary);
    unlink(temporary);
out:
    free(relative);
    free(temporary);
    return status;
}

void report_figure_close(report_figure *f) {
    close_streams(f);
    free(f->dir);
    free(f->stem);
    free(f->script);
    free(f->data);
    free(f->script_text);
    free(f->table);
    *f = (report_figure){0};
}
