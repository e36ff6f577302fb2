/* --write NEW.json of gyre find: the config with the bounds that were found. Internal to src/cli.
 */
#ifndef GYRE_CLI_BOUNDS_H
#define GYRE_CLI_BOUNDS_H

#include "arguments.h"
#include "gyre/find.h"
#include "gyre/settings.h"

/* Before a long search: whether it can be written. GYRE_EIO when `path` is there already, or when
 * its folder is missing or read-only, unless that is `made`, which is made by then (NULL: none);
 * GYRE_EUSAGE when stages have rates of their own, which outer ones would not reach. */
gyre_status gyre_cli_bounds_check(const gyre_settings *s, const char *path, const char *made);

/* Writes it. Without --set the config's own text, comments and all; with some, every field of the
 * settings. Paths stay right when `path` is in another folder. */
gyre_status gyre_cli_bounds_write(const char *config, const gyre_cli_sets *sets, gyre_settings *s,
                                  const gyre_find_verdict *v, const char *path);

#endif
