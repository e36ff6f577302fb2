/* What a path holds, told from its content, for the command that was given something else.
 * Internal to src/cli. */
#ifndef GYRE_CLI_HOLDS_H
#define GYRE_CLI_HOLDS_H

#include "gyre/status.h"

enum {
    HOLDS_OTHER = 0, /* nothing of gyre's, or nothing at all */
    HOLDS_RUN = 1 << 0,
    HOLDS_STUDY = 1 << 1,
    HOLDS_FIND_FOLDER = 1 << 2,
    HOLDS_CHECKPOINT = 1 << 3,
    HOLDS_DATASET = 1 << 4,
    HOLDS_METRICS = 1 << 5,
    HOLDS_FIND = 1 << 6,
    HOLDS_CONFIG = 1 << 7,
    HOLDS_STUDY_FILE = 1 << 8
};

int gyre_cli_holds(const char *path);

/* A failure with `path`: when that holds something of gyre's that is none of `expected`, the
 * message becomes what it is, and which command is for it. Everything else passes. */
gyre_status gyre_cli_other_kind(gyre_status status, const char *path, int expected);

#endif
