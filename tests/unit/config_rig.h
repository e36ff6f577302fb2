/* The one file that all tests of a program write their configs into. */
#ifndef CONFIG_RIG_H
#define CONFIG_RIG_H

#include "config_text.h"

static config_file file;

static int make_config_file(void **state) {
    (void)state;
    return config_file_make(&file);
}

static int remove_config_file(void **state) {
    (void)state;
    return unlink(file.path);
}

#endif
