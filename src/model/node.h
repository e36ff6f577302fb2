/* What one kind of node is: a constant of this type in a file of nodes/, and a line in types.c.
 * Whatever builds, plans or runs a network asks these functions, and knows no kind by name.
 * Internal to src/model. */
#ifndef GYRE_MODEL_NODE_H
#define GYRE_MODEL_NODE_H

#include "gyre/backend.h"
#include "gyre/defaults.h"
#include "gyre/metric.h"
#include "gyre/model.h"
#include "gyre/size.h"
#include <math.h>
#include <string.h>

typedef struct builder builder; /* builder.h */

typedef enum {
    OPTION_INT,    /* int; in networks of users also "classes" */
    OPTION_COUNT,  /* int */
    OPTION_REAL,   /* float */
    OPTION_BOOL,   /* bool */
    OPTION_CHOICE, /* int, by its name's place in `choices`; lowest and highest are not read */
    OPTION_PAIR,   /* int[2]: height, width; or one number for both */
    OPTION_SIDES   /* int[4]: top, left, bottom, right; or vertical, horizontal; or one number */
} node_option_kind;
enum { OPTION_NUMBERS_MAX = 4 };

/* An option of a type: a member of the struct that gyre_node.options points to. */
typedef struct {
    const char *name;
    node_option_kind kind;
    size_t offset;
    double lowest, highest;
    double fallback;            /* NAN: it must be given */
    const char *const *choices; /* of a CHOICE; ends with NULL */
    const char *absent; /* for help: what holds where it is not given, which `fallback` tells from
                           every value in range; NULL: the fallback is a value */
} node_option;

enum { NODE_SIDE_MAX = 1 << 15 }; /* of windows, strides and outputs, in pixels */

/* The value of an INT that is the number of classes, which a network does not know. */
#define NODE_CLASSES ((double)-INFINITY)

/* The value of an option, whatever its kind (of a CHOICE: its place in the list); a list of them
 * ends with a NULL name. An option that is given several times has several numbers, in that order.
 */
typedef struct {
    const char *name;
    double value;
} node_value;

typedef struct {
    int h, w, c;
} node_size;

/* Device memory is handed out on boundaries of GYRE_ALIGNMENT, which device libraries need. */
static inline size_t node_align_bytes(size_t bytes) {
    return gyre_size_align(bytes, GYRE_ALIGNMENT);
}
static inline size_t node_align_floats(size_t floats) {
    return gyre_size_align(floats, GYRE_ALIGNMENT / sizeof(float));
}

static inline size_t node_elements(node_size s) { /* per sample */
    return (size_t)s.h * (size_t)s.w * (size_t)s.c;
}

/* One node at work on n samples: all that its functions may read and write. What a function does
 * not need, or a pass does not have, is NULL or 0. */
typedef struct {
    const gyre_model *model;
    const gyre_node *node;
    gyre_backend *backend;
    const gyre_backend_ops *ops; /* the backend's */
    gyre_queue *queue;
    int n;
    bool train;
    bool learns; /* backward: a parameter of the node is not frozen */
    node_size in[GYRE_NODE_INPUTS], out;
    gyre_act x[GYRE_NODE_INPUTS], y;
    gyre_act dy, dx[GYRE_NODE_INPUTS]; /* dx: NULL where it is not needed */
    gyre_f32 w[GYRE_NODE_PARAMS];
    gyre_f32 dw[GYRE_NODE_PARAMS]; /* also of frozen parameters: it is cleared afterwards */
    gyre_raw packed;
    gyre_raw saved;     /* also in evaluation, where nothing reads it */
    gyre_f32 constants; /* what the type's `constants` has made */
    gyre_f32 running;   /* the node's part of the buffers vector */
    gyre_f32 moments;   /* training: where this shard's statistics go, laid out as `running` */
    gyre_i32 targets;   /* (n, model->target); float32 where they are no classes */
    /* a node that draws */
    gyre_i32 draws; /* GYRE_DRAW_WORDS of the step, or of the pass of an evaluation */
    int64_t first;  /* place of the first sample in this rank's batch, or in what is evaluated */
    /* a loss */
    gyre_f32 class_weights; /* (classes), or NULL: all 1 */
    bool mixed;             /* mix(n, 2) of gyre_loss_shape lies behind the targets */
    float scale;            /* of the loss and of its gradient: 1 / global batch in training */
    gyre_f32 bands; /* (2, type->bands): sums of losses, and of how many; NULL: not wanted */
    gyre_f32 stats; /* (GYRE_LOSS_SUMS): scale times the losses, and its own */
} node_call;

struct gyre_node_type {
    const char *name;    /* "conv" */
    const char *summary; /* for help: a sentence; of a loss, what follows its name */
    int inputs_min, inputs_max;
    size_t options_size;
    const node_option *options; /* ends with a NULL name; NULL: none */

    /* dx of the first input may be written over dy. Then it is always there. */
    bool dx_may_be_dy;
    /* backward reads these values of forward; outputs that no node keeps share their memory */
    bool keeps_x, keeps_y;
    bool draws;               /* its training is random: it reads the call's draws */
    bool draws_in_evaluation; /* evaluation is as well: of each sample, some passes are made */
    /* A loss has no output and no dx of its own: forward writes dx when it is there. */
    bool is_loss;
    bool smooths_labels; /* of a loss: it reads the model's label_smoothing */
    bool weighs_classes; /* of a loss: it reads the call's class_weights */
    bool mixes_labels;   /* of a loss: it reads the call's `mixed` */
    bool yes_or_no;      /* of a loss: its targets are 0 to 1 */
    int bands; /* of a loss: in evaluation it adds up its samples' losses in so many bands as well
                */
    const gyre_metric *metric; /* of a loss: what people judge it by besides the loss itself */
    const char *loss_unit;     /* "nats" */

    /* From options and the sizes of the inputs: the size of the output, parameters, statistics. */
    gyre_status (*define)(builder *b, gyre_node *n, const node_size *in);
    /* Bytes that forward keeps for backward (NULL: none), and that pack writes (NULL: nothing is
     * packed; 0 is an error that the backend has recorded). */
    size_t (*saved_size)(const node_call *c);
    size_t (*packed_size)(const node_call *c);
    /* Numbers that follow from the options and never change: how many, and what they are. NULL:
     * none. */
    size_t (*constants_size)(const gyre_model *m, const gyre_node *n);
    gyre_status (*constants)(const gyre_model *m, const gyre_node *n, float *out);
    /* The weights' working copy for the kernels, after each change of the parameters. */
    gyre_status (*pack)(const node_call *c);

    /* Of forward on one sample, a multiply-add counted as 2; NULL: 0, for what has no weights to
     * multiply by. */
    double (*flop)(const node_call *c);

    gyre_status (*forward)(const node_call *c);
    /* Overwrites dw. Called before dx, even where all parameters are frozen; may write into dy what
     * dx needs there. NULL: dx computes dw too, and is called when either gradient is needed. */
    gyre_status (*dw)(const node_call *c);
    /* Overwrites every dx that is there. */
    gyre_status (*dx)(const node_call *c);
};

#define NODE_DEFAULT_LOSS GYRE_DEFAULT_LOSS

/* The type of the node that draws samples of latents. */
#define NODE_LATENT "latent"

/* The type of the node that gives the dataset's contexts. */
#define NODE_CONTEXT "context"

/* The type of the node that adds noise, and the loss of networks that have one, where none is
 * named.
 */
#define NODE_NOISE "diffuse"
#define NODE_NOISE_LOSS "denoise"

/* summary.c: `flop` of a type whose every weight is used once for each pixel of its output. */
double node_weight_flop(const node_call *c);

/* types.c: NULL when there is none of this name, or past the end. */
const gyre_node_type *node_type_named(const char *name);
const gyre_node_type *node_type_at(int index);

/* options.c: sets each option to what is given, or to its default. Errors: GYRE_EUSAGE for one that
 * is unknown, missing or out of its range. */
gyre_status node_set_options(gyre_node *n, const node_value *given, int classes);
/* A hash of the node's name, for draws that are its own. */
uint64_t node_name_hash(const gyre_node *n);
/* NULL when the type has none of this name. */
const node_option *node_option_named(const gyre_node_type *type, const char *name);
/* The value of a CHOICE by its name; -1: there is none of this name. */
int node_option_choice(const node_option *o, const char *name);
/* The value of an option, of a pair or of sides the first one; NAN when the type has none of this
 * name. */
double node_option_value(const gyre_node *n, const char *name);
/* Number i of an option that has several; NAN when there is no such number. */
double node_option_number(const gyre_node *n, const char *name, int i);

static inline node_size node_output(const gyre_model *m, int node) { /* -1: the images */
    if (node < 0) return (node_size){m->h, m->w, m->c};
    return (node_size){m->nodes[node].h, m->nodes[node].w, m->nodes[node].c};
}

/* A parameter belongs to its first user: the node whose name it has. */
static inline bool node_owns(const gyre_node *n, const gyre_param *p) {
    size_t length = strlen(n->name);
    return strncmp(p->name, n->name, length) == 0 && strrchr(p->name, '.') == p->name + length;
}

static inline bool node_uses(const gyre_node *n, int param) {
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] == param) return true;
    }
    return false;
}

/* A call for node `index` with its sizes; everything else is for the caller to fill in. */
static inline node_call node_call_of(const gyre_model *m, int index, gyre_backend *b, int n) {
    const gyre_node *node = &m->nodes[index];
    node_call c = {.model = m, .node = node, .backend = b, .n = n};
    if (b != NULL) c.ops = b->ops;
    c.out = node_output(m, index);
    for (int i = 0; i < node->input_count; i++) c.in[i] = node_output(m, node->inputs[i]);
    return c;
}

#endif
