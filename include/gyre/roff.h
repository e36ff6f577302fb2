/* Text as source of a manual page, for man(1). */
#ifndef GYRE_ROFF_H
#define GYRE_ROFF_H

#include <stdio.h>

/* Prints `text` and a newline so that man shows it letter by letter: hyphens can be copied, `code`
 * is bold. An empty line in the text begins a paragraph, a single newline a line. */
void gyre_roff_text(FILE *out, const char *text);

/* The head of an entry: `name` is bold. Its text follows. */
void gyre_roff_entry(FILE *out, const char *name);

/* The first lines of the page `title` of a section (1: commands, 5: files), and its one-line
 * summary. */
void gyre_roff_begin(FILE *out, const char *title, int section, const char *summary);

/* ".SH NAME". */
void gyre_roff_heading(FILE *out, const char *name);

#endif
