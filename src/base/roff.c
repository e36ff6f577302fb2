/* Text as source of a manual page. */
#include "gyre/roff.h"

#include "gyre/version.h"
#include <ctype.h>
#include <stdbool.h>

/* A letter that roff would take for something else, or draw as another character. */
static void put(FILE *out, char c, bool line_begins) {
    switch (c) {
    case '\\': fputs("\\e", out); break;
    case '-': fputs("\\-", out); break;
    case '\'': fputs("\\(aq", out); break;
    case '"': fputs("\\(dq", out); break;
    case '~': fputs("\\(ti", out); break;
    case '^': fputs("\\(ha", out); break;
    case '.': fputs(line_begins ? "\\&." : ".", out); break;
    default: fputc(c, out);
    }
}

/* The newlines at `text`; returns where the next line begins. */
static const char *end_line(FILE *out, const char *text) {
    fputs(text[1] == '\n' ? "\n.PP\n" : "\n.br\n", out);
    return text + (text[1] == '\n' ? 2 : 1);
}

void gyre_roff_text(FILE *out, const char *text) {
    bool line_begins = true, code = false;
    while (*text != '\0') {
        if (*text == '\n') {
            text = end_line(out, text);
            line_begins = true;
            continue;
        }
        if (*text == '`') {
            code = !code;
            fputs(code ? "\\fB" : "\\fR", out);
        } else {
            put(out, *text, line_begins);
        }
        line_begins = false;
        text++;
    }
    fputs(code ? "\\fR\n" : "\n", out);
}

void gyre_roff_entry(FILE *out, const char *name) {
    fputs(".TP\n\\fB", out);
    for (; *name != '\0'; name++) put(out, *name, false);
    fputs("\\fR\n", out);
}

static void put_upper(FILE *out, const char *text) {
    for (; *text != '\0'; text++) put(out, (char)toupper((unsigned char)*text), false);
}

void gyre_roff_begin(FILE *out, const char *title, int section, const char *summary) {
    fputs(".TH \"", out);
    put_upper(out, title);
    /* Without a date: the same sources give the same page on any day. */
    fprintf(out, "\" %d \"\" \"gyre " GYRE_VERSION "\" \"gyre\"\n.SH NAME\n", section);
    for (const char *c = title; *c != '\0'; c++) put(out, *c, false);
    fputs(" \\- ", out);
    gyre_roff_text(out, summary);
}

void gyre_roff_heading(FILE *out, const char *name) {
    fputs(".SH ", out);
    put_upper(out, name);
    fputc('\n', out);
}
