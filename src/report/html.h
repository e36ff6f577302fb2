/* The bricks of a page: escaped text, tables, figures drawn into it. Internal to src/report.
 *
 * One file holds everything: style, figures as SVG, no script, nothing from elsewhere. */
#ifndef GYRE_REPORT_HTML_H
#define GYRE_REPORT_HTML_H

#include "gyre/statistics.h"
#include "gyre/status.h"
#include <stdio.h>

void report_html_begin(FILE *f, const char *title);
void report_html_end(FILE *f);

/* Text of any bytes, harmless in a page: markup escaped, control characters and what is not UTF-8
 * replaced. */
void report_html_text(FILE *f, const char *text);
/* <tag>text</tag>; the tag may carry attributes ("p class=\"verdict\""). */
void report_html_element(FILE *f, const char *tag, const char *text);

/* A table that scrolls sideways where it is too wide. `heads` are parted by '|'. */
void report_html_table_begin(FILE *f, const char *heads);
void report_html_table_end(FILE *f);
void report_html_row_begin(FILE *f, const char *kind); /* a class, "" for none */
void report_html_row_end(FILE *f);
void report_html_cell_text(FILE *f, const char *text);
/* Numbers stand right; "–" for NaN, "never" for infinite. `format` takes a double. */
void report_html_cell_number(FILE *f, const char *format, double value);
void report_html_cell_interval(FILE *f, const char *format, gyre_interval interval);

/* <figure> with the SVG file `path` that gnuplot made and a caption. Its ids get the prefix, since
 * those of all figures are the same. */
gyre_status report_html_figure(FILE *f, const char *path, const char *prefix, const char *caption);

/* The same with a PNG, as wide as the page has room for. */
void report_html_picture(FILE *f, const char *png, size_t size, const char *caption);

#endif
