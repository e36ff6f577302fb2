/* What a path holds, told from its content, for the command that was given something else.
 * Internal to src/cli. */
#ifndef GYRE_CLI_HOLDS_H
#define GYRE_CLI_HOLDS_H

#include "gyre/status.h"

enum {
    CLI_HOLDS_OTHER = 0, /* nothing of gyre's, or nothing at all */
    CLI_HOLDS_RUN = 1 << 0,
    CLI_HOLDS_STUDY = 1 << 1,
    CLI_HOLDS_FIND_FOLDER = 1 << 2,
    CLI_HOLDS_CHECKPOINT = 1 << 3,
    CLI_HOLDS_DATASET = 1 << 4,
    CLI_HOLDS_METRICS = 1 << 5,
    CLI_HOLDS_FIND = 1 << 6,
    CLI_HOLDS_CONFIG = 1 << 7,
    CLI_HOLDS_STUDY_FILE = 1 << 8,
    CLI_HOLDS_TENSORS = 1 << 9
};

int cli_holds(const char *path);

/* A failure with `path`: when that holds something of gyre's that is none of `expected`, the
 * message becomes what it is, and which command is for it. Everything else passes. */
gyre_status cli_other_kind(gyre_status status, const char *path, int expected);

#endif
