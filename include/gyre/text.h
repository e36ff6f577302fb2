/* Text for a person: on a terminal, in a message, in a command line. */
#ifndef GYRE_TEXT_H
#define GYRE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* A text and what it is called, as files carry some beside their numbers. */
typedef struct {
    const char *key, *value;
} gyre_note;

/* The value of a macro as a string literal. */
#define GYRE_STRING(macro) GYRE_STRING_AS_WRITTEN(macro)
#define GYRE_STRING_AS_WRITTEN(x) #x

/* What others named (files, classes, keys) as text that a terminal shows as it is: control
 * characters, DEL, bytes that are not UTF-8, line separators and the characters that turn the order
 * of text round become \xHH for each byte, all others stay. Errors, warnings and plain lines
 * (gyre_fail, gyre_warn, gyre_say) pass through this; text for stdout through gyre_text_print.
 * Writes at most size - 1 bytes, never a part of a character, and a zero; returns the length that
 * the whole has. */
size_t gyre_text_visible(const char *bytes, char *out, size_t size);

/* "an" before a vowel, else "a". */
const char *gyre_text_article(const char *noun);

/* Prints `bytes` made visible, and spaces up to `width` columns. */
void gyre_text_print(FILE *out, const char *bytes, int width);

/* `text` as one word of a shell's command line, in single quotes where it needs them, for advice
 * that is to be typed. Where `out` has no room for it `otherwise` stands there, as "FILE": a path
 * that is cut would name another file. Returns `out`. */
char *gyre_text_word(const char *text, const char *otherwise, char *out, size_t size);

/* Appends to the string in `out`, of `size` bytes with its zero. What it has no room for is left
 * out, at a whole character. */
void gyre_text_add(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void gyre_text_add_list(char *out, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Takes the last character off that a cut left a part of. */
void gyre_text_cut(char *text);
/* Cuts what is longer than `most` bytes, at least 3, and ends it with "..."; returns the text. */
char *gyre_text_shorten(char *text, size_t most);

/* Prints `text` and a newline, broken at spaces into lines of at most `width` columns. The first
 * line begins in column `at`, where the cursor is; the others are indented by `indent`. A newline
 * in the text begins a line. */
void gyre_text_wrap(FILE *out, const char *text, int at, int indent, int width);

#endif
