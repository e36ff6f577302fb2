/* study.json. Internal to src/study. */
#ifndef GYRE_STUDY_JSON_H
#define GYRE_STUDY_JSON_H

#include "gyre/json.h"
#include "gyre/study.h"

char *study_file_path(const char *folder); /* DIR/study.json; free() it, NULL when out of memory */

/* What study.json says; close it. */
gyre_status study_print(const gyre_study *s, gyre_json_value **out);

#endif
