/* The options of `gyre data`. Internal to src/cli. */
#ifndef GYRE_CLI_IMPORT_OPTIONS_H
#define GYRE_CLI_IMPORT_OPTIONS_H

#include "gyre/import.h"
#include "options.h"

typedef struct {
    const char *output; /* NULL: not given */
    bool force;
    gyre_folder_options folder;
    gyre_array_names validation, test; /* of `import array`; their memory stays */
    char *array_memory[2];
} cli_import_options;

extern const cli_option cli_import_options_table[];

#endif
