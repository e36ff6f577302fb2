/* --write NEW.json of gyre find: the config with the bounds that were found. Internal to src/cli.
 */
#ifndef GYRE_CLI_BOUNDS_H
#define GYRE_CLI_BOUNDS_H

#include "cli.h"
#include "gyre/find.h"
#include "gyre/settings.h"

/* Before a long search: whether it can be written, and how. GYRE_EIO when `path` is there already,
 * or cannot be made; GYRE_EUSAGE when stages have rates of their own, which outer ones would not
 * reach, or when the schedule could not be run with any bounds. *anew: the config's text cannot be
 * edited, or there is some --set, so that every field will be written out; the former is warned of.
 */
gyre_status cli_bounds_check(const char *config, const cli_sets *sets, const gyre_settings *s,
                             const char *path, bool *anew);

/* Writes it: the config's own text, comments and all, or `anew` every field of the settings. Paths
 * stay right when `path` is in another folder. Says what its rates will not do. */
gyre_status cli_bounds_write(const char *config, bool anew, gyre_settings *s, const gyre_find *f,
                             const char *path);

#endif
