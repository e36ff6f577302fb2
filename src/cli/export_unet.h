/* A U-Net as diffusers' folder of a network. Internal to src/cli. */
#ifndef GYRE_CLI_EXPORT_UNET_H
#define GYRE_CLI_EXPORT_UNET_H

#include "gyre/trained.h"
#include <stdbool.h>

/* `output` is a folder, or ends as one. */
bool export_is_folder(const char *output);

typedef struct {
    char *weights, *config; /* the paths of the files in it */
} export_unet;

/* Makes the folder where it is missing. GYRE_EIO: a config.json is there that is not gyre's. Close
 * `out`, which is zeroed before, in any case. */
gyre_status export_unet_open(const char *folder, export_unet *out);
void export_unet_close(export_unet *u);

/* Writes config.json and prints its path. GYRE_EUSAGE: the network is no U-Net of diffusers. */
gyre_status export_unet_write(const export_unet *u, const gyre_trained *t);

#endif
