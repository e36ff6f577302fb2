/* Names that look alike. Internal to src/data. */
#ifndef GYRE_DATA_SPELLING_H
#define GYRE_DATA_SPELLING_H

/* A name with its letters in lower case and apart from their marks (as macOS writes file names),
 * and without blanks or characters of no width: equal for names that differ in nothing else.
 * Composed letters of Latin, Greek, Cyrillic, kana and Hangul; others, and bytes that are not
 * UTF-8, stay. free() it; NULL: out of memory.
 */
char *data_spelling_fold(const char *name);

#endif
