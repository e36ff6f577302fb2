/* A U-Net as diffusers' class UNet2DModel has it, by the fields of its config.json. Internal to
 * src/model. */
#ifndef GYRE_MODEL_UNET_H
#define GYRE_MODEL_UNET_H

#include "gyre/status.h"
#include <stdbool.h>

enum { UNET_LEVELS_MAX = 8, UNET_LAYERS_MAX = 16 };

/* Level 0 has the images' size, each further one half of the size before. */
typedef struct {
    int in, out; /* channels of the images; 0: as many as there are */
    int levels;
    int channels[UNET_LEVELS_MAX];
    bool down_attention[UNET_LEVELS_MAX], up_attention[UNET_LEVELS_MAX]; /* up: deepest first */
    int layers; /* resnets of a level on the way down; up it has one more */
    bool no_middle, middle_attention;
    int head;             /* channels of a head of attention; 0: all are one head */
    int groups;           /* of group norm */
    int attention_groups; /* of the group norm of the middle's attention; 0: groups */
    double eps;           /* of group norm */
    double dropout;
    int downsample_padding; /* 1: on each side; 0: one row and column behind the picture */
    int freq_shift;         /* 0 or 1 */
    bool cosine_first;
    int time_channels; /* 0: 4 x channels[0] */
    int classes;       /* rows of the class embedding; 0: none */
} unet_config;

/* Of diffusers' own signature: what a config.json leaves out. */
extern const unet_config unet_defaults;

/* From a config.json. GYRE_EUSAGE: a field that is wrong, unknown, or has a value that gyre builds
 * no network for; the message names it. */
gyre_status unet_read(const char *text, unet_config *out);

#endif
