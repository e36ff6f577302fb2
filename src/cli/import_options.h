/* The words of `gyre data` that begin with a dash. Internal to src/cli. */
#ifndef GYRE_CLI_IMPORT_OPTIONS_H
#define GYRE_CLI_IMPORT_OPTIONS_H

#include "gyre/import.h"
#include "options.h"

typedef struct {
    const char *output; /* NULL: not given */
    bool force;
    gyre_folder_options folder;
    const char *folder_only; /* one that was given and is for `import folder` alone; NULL: none */
} import_options;

/* All options of `gyre data`. */
extern const gyre_cli_option import_option_rows[];

/* Leaves the other words at argv[optind] and on. GYRE_EUSAGE. */
gyre_status import_options_read(int argc, char **argv, import_options *out);

#endif
