/* What was taken of a file of weights, as text. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_IMPORT_SUMMARY_H
#define GYRE_RUNFILE_IMPORT_SUMMARY_H

#include "import_file.h"

/* GYRE_EIO naming what is missing of what must be there. */
gyre_status import_check_needs(const import_file *f, unsigned needs);
/* How much was taken, and what was not: one text. */
void import_summary(const import_file *f, char *out, size_t size);
/* What was taken, what was not, and what the file holds besides: lines for a person. */
void import_say(const import_file *f);

#endif
