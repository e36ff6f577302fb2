/* Finds the run that a checkpoint belongs to; see own_config.h. */
#include "own_config.h"

#include "extend.h"
#include "gyre/checkpoint.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
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

/* The one in the folder above, or NULL. */
static gyre_status read_known(const char *config, uint64_t hash, gyre_settings **out) {
    bool known = false;
    gyre_status status = gyre_config_open(config, NULL, 0, out);
    if (status == GYRE_OK) status = run_extend_knows(*out, hash, &known);
    if (status == GYRE_EDEVICE) return status;
    if (known) return GYRE_OK;
    gyre_config_close(*out);
    *out = NULL;
    return GYRE_OK;
}

/* Paths in it are seen from where its config was. A config that this gyre cannot read is none. */
static gyre_status read_held(const char *checkpoint, const char *config, gyre_settings **out) {
    char *text = NULL;
    gyre_json_value *tree = NULL;
    GYRE_TRY(gyre_checkpoint_config(checkpoint, &text));
    if (text == NULL) return GYRE_OK;
    gyre_status status = gyre_json_parse(text, checkpoint, &tree);
    if (status == GYRE_OK) status = gyre_config_build(tree, config, NULL, 0, out);
    gyre_json_close(tree);
    free(text);
    return status == GYRE_EDEVICE ? status : GYRE_OK;
}

gyre_status run_own_config(const char *config, const char *checkpoint, uint64_t hash,
                           gyre_settings **out) {
    const bool there = gyre_file_exists(config);
    *out = NULL;
    if (there) GYRE_TRY(read_known(config, hash, out));
    if (*out != NULL) return GYRE_OK;
    GYRE_TRY(read_held(checkpoint, config, out));
    if (there && *out != NULL) {
        gyre_say("'%s' is not the config that the checkpoint was trained with; the one that the "
                 "checkpoint holds is taken",
                 config);
    }
    return GYRE_OK;
}
