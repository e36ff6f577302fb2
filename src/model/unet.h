/* A U-Net as diffusers' classes UNet2DModel and UNet2DConditionModel have it, by the fields of
 * their config.json. Internal to src/model. */
#ifndef GYRE_MODEL_UNET_H
#define GYRE_MODEL_UNET_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>

enum { UNET_LEVELS_MAX = 8, UNET_LAYERS_MAX = 16 };

/* A number for each level. */
typedef struct {
    int count; /* 0: one number for all, in every place */
    int of[UNET_LEVELS_MAX];
} unet_numbers;

/* Level 0 has the images' size, each further one half of the size before. */
typedef struct {
    bool condition; /* UNet2DConditionModel: attention is a transformer that reads a context */
    int in, out;    /* channels of the images; 0: as many as there are */
    int levels;
    int channels[UNET_LEVELS_MAX];
    bool down_attention[UNET_LEVELS_MAX], up_attention[UNET_LEVELS_MAX]; /* up: deepest first */
    int layers; /* resnets of a level on the way down; up it has one more */
    bool no_middle, middle_attention;
    int groups; /* of group norm */
    double eps; /* of group norm */
    double dropout;
    int downsample_padding; /* 1: on each side; 0: one row and column behind the picture */
    int freq_shift;         /* 0 or 1 */
    bool cosine_first;
    int time_channels; /* 0: 4 x channels[0] */
    /* UNet2DModel */
    int head;             /* channels of a head of attention; 0: all are one head */
    int attention_groups; /* of the group norm of the middle's attention; 0: groups */
    int classes;          /* rows of the class embedding; 0: none */
    /* UNet2DConditionModel; the middle has the deepest level's numbers */
    int context_channels;
    unet_numbers heads;  /* of attention */
    unet_numbers blocks; /* of a transformer */
    bool linear;         /* a transformer begins and ends with linear layers, not convolutions */
} unet_config;

/* From a config.json. GYRE_EUSAGE: a field that is wrong, unknown, or has a value that gyre builds
 * no network for; the message names it. */
gyre_status unet_read(const char *text, unet_config *out);

/* ---- unet_classes.c: what the two classes have of their own */

typedef struct unet_field unet_field;
typedef struct {
    const char *name;
    unet_config defaults;        /* of diffusers' own signature: what a config.json leaves out */
    const unet_field *fields;    /* ends with a NULL name */
    const char *down[2], *up[2]; /* types of blocks, without and with attention */
} unet_class;
extern const unet_class unet_plain, unet_conditional;

typedef enum {
    UNET_COUNT,   /* int */
    UNET_SOME,    /* int, or null for 0 */
    UNET_NUMBERS, /* unet_numbers: one number, or a list of one for each level */
    UNET_REAL,    /* double */
    UNET_FLAG,    /* bool */
    UNET_ONE_OF,  /* bool: the second of `values` */
    UNET_ONLY,    /* one of `values`; nothing is kept */
    UNET_NOTHING  /* means nothing for what the network computes */
} unet_field_kind;

struct unet_field {
    const char *name;
    unet_field_kind kind;
    size_t offset; /* in unet_config */
    double lowest, highest;
    const char *values; /* one or two, as JSON: "a|b" */
};

#endif
