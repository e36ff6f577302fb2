/* The study folder. Internal to src/study. */
#ifndef GYRE_STUDY_FOLDER_H
#define GYRE_STUDY_FOLDER_H

#include "gyre/study.h"

/* Makes `folder` the study's: writes its study.json, or finds it there, by this study or by one
 * that says the same. Errors: GYRE_EIO when the folder holds something else, GYRE_EUSAGE with the
 * differences when it holds another study. Any number of processes may do this at once. */
gyre_status study_folder_claim(gyre_study *s, const char *folder);

#endif
