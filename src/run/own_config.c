/* Finds the run that a checkpoint belongs to; see own_config.h. */
#include "own_config.h"

#include "extend.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/run_folder.h"
#include "gyre/trained.h"
#include <stdlib.h>
#include <sys/stat.h>

gyre_status run_locate(const char *given, char **checkpoint, char **config) {
    struct stat st;
    GYRE_TRY(gyre_trained_checkpoint(given, checkpoint));
    if (stat(given, &st) == 0 && S_ISDIR(st.st_mode)) {
        *config = gyre_path_join(given, GYRE_CONFIG_FILE);
    } else {
        char *folder = gyre_path_dir(given);
        if (folder != NULL) *config = gyre_path_join(folder, "../" GYRE_CONFIG_FILE);
        free(folder);
    }
    if (*config != NULL) return GYRE_OK;
    return gyre_no_memory("finding the checkpoint of '%s'", given);
}

gyre_status run_own_config(const char *config, uint64_t hash, gyre_settings **out) {
    bool known = false;
    gyre_status status = gyre_config_open(config, NULL, 0, out);
    if (status == GYRE_OK) status = run_extend_knows(*out, hash, &known);
    if (status == GYRE_EDEVICE) return status;
    if (known) return GYRE_OK;
    gyre_config_close(*out);
    *out = NULL;
    return GYRE_OK;
}
