/* The table of fields for people: on a terminal, and as docs/config.md. */
#include "fields.h"

#include "gyre/roff.h"
#include "gyre/text.h"
#include <string.h>

enum { WIDTH = 80 };

static const char *tag_text(gyre_field_tag tag) {
    return tag == GYRE_FIELD_ARITHMETIC ? "must agree"
           : tag == GYRE_FIELD_RECORDED ? "is recorded"
                                        : "may differ";
}

static const char *fallback_text(const config_field *f) {
    return f->fallback == NULL ? "none" : f->fallback;
}

static const char introduction[] =
    "A config is JSON with comments. Keys with their range and default; those marked * must be the "
    "same when a run is resumed. --set KEY=VALUE overrides one, null resets it.";

/* The key with its mark, and what it may be. */
static void describe(const config_field *f, char name[128], char value[512]) {
    char range[256];
    config_field_range(f, range, sizeof range);
    snprintf(name, 128, "%s%s", f->path, f->tag == GYRE_FIELD_ARITHMETIC ? " *" : "");
    snprintf(value, 512, "%s; default %s", range, fallback_text(f));
}

void gyre_config_help(FILE *out) {
    gyre_text_wrap(out, introduction, 0, 0, WIDTH);
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        char name[128], value[512];
        describe(f, name, value);
        fprintf(out, "\n%s\n    ", name);
        gyre_text_wrap(out, value, 4, 4, WIDTH);
        fputs("    ", out);
        gyre_text_wrap(out, f->help, 4, 4, WIDTH);
    }
}

void gyre_config_help_man(FILE *out) {
    gyre_roff_begin(out, "gyre-config", 5, "config of a run of gyre");
    gyre_roff_heading(out, "description");
    gyre_roff_text(out, introduction);
    gyre_roff_heading(out, "keys");
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        char name[128], value[512];
        describe(f, name, value);
        gyre_roff_entry(out, name);
        gyre_roff_text(out, value);
        fputs(".br\n", out);
        gyre_roff_text(out, f->help);
    }
    gyre_roff_heading(out, "see also");
    fputs(".BR gyre (1)\n", out);
}

static void print_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '|') fputc('\\', out);
        fputc(*text, out);
    }
}

/* "schedule" of "schedule.base_lr", "top" for keys without a section. */
static size_t section_length(const char *path) {
    const char *dot = strchr(path, '.');
    return dot == NULL ? 0 : (size_t)(dot - path);
}

void gyre_config_help_markdown(FILE *out) {
    fprintf(
        out,
        "# Config fields\n\n"
        "Made by `make docs` from the table in src/config/fields.c; do not edit.\n\n"
        "A config is one JSON object, complete in itself. `//` and `/* */` comments are allowed. "
        "An unknown, repeated or misspelled key is an error, and so is a value out of range. "
        "`--set KEY=VALUE` overrides a key: the value is JSON or a bare word, "
        "`--set length.epochs=5` is short for `--set 'length={\"epochs\": 5}'`, and `null` "
        "brings the default back. When a run is resumed, keys that decide its arithmetic must "
        "agree with the run's.\n");
    const char *section = NULL;
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        char range[256];
        size_t n = section_length(f->path);
        if (section == NULL || section_length(section) != n || strncmp(section, f->path, n) != 0) {
            fprintf(out, "\n## %.*s\n\n", n == 0 ? 9 : (int)n, n == 0 ? "top level" : f->path);
            fprintf(out,
                    "| key | value | default | meaning | on resume |\n|---|---|---|---|---|\n");
        }
        section = f->path;
        config_field_range(f, range, sizeof range);
        fprintf(out, "| `%s` | ", f->path);
        print_cell(out, range);
        fprintf(out, " | %s%s%s | ", f->fallback == NULL ? "" : "`", fallback_text(f),
                f->fallback == NULL ? "" : "`");
        print_cell(out, f->help);
        fprintf(out, " | %s |\n", tag_text(f->tag));
    }
}
