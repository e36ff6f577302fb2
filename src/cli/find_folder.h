/* The folder that gyre find writes into: its name, whether it is free, and what is written there.
 * Internal to src/cli. */
#ifndef GYRE_CLI_FIND_FOLDER_H
#define GYRE_CLI_FIND_FOLDER_H

#include "gyre/find.h"
#include "gyre/status.h"

/* "fashion" of "configs/fashion.json"; NULL: no memory. free() it. */
char *cli_find_folder_stem(const char *config);
/* `asked`, what --out says, or where it is NULL STEM-find here; free() it. */
gyre_status cli_find_folder_choose(const char *asked, const char *stem, char **out);

/* GYRE_EIO unless the folder is empty or not there, but for what a search has left that this one
 * goes on with: *kept is that file's name, whether it is there or not; free() it. */
gyre_status cli_find_folder_check(const char *path, char **kept);
/* Removes what is kept of the search, which has ended, and the temporary files of it. */
void cli_find_folder_end(const char *path, const char *kept);
/* NEW.json in the folder must not have the name of what else is written there. */
gyre_status cli_find_folder_check_name(const char *write, const char *folder);

/* The result; *out gets its path, free() it. */
gyre_status cli_find_folder_write(const gyre_find *f, const char *folder, char **out);
/* The figure, beside the data and of the same name. */
gyre_status cli_find_folder_draw(const gyre_find *f, const char *data, const char *stem);

#endif
