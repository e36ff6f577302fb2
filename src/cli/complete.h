/* What may stand at the cursor, for a shell that completes command lines. Internal to src/cli. */
#ifndef GYRE_CLI_COMPLETE_H
#define GYRE_CLI_COMPLETE_H

/* Prints what may replace the last of `words`, those of a command line behind "gyre" (count >= 1;
 * the last one may be empty): a line each. A word that ends with '=' or '/' is not finished. The
 * lines ":files", ":files json" (of this suffix) and ":folders" ask the shell for names of files.
 */
void cli_complete(int count, const char *const *words);

#endif
