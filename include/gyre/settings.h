/* The settings of a run as plain structs: what a config file says, after defaults.
 *
 * No functions here. src/config fills these from JSON through one table of fields; every other
 * module takes the part that concerns it. Strings are owned by the gyre_settings they sit in. */
#ifndef GYRE_SETTINGS_H
#define GYRE_SETTINGS_H

#include "gyre/contexts.h"
#include "gyre/element.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    GYRE_THREADS_MAX = 4096,    /* of a rank */
    GYRE_CLASSES_MAX = 1000000, /* of a dataset and of a model */
    GYRE_NODES_MAX = 10000,     /* of a network: the time of planning grows with their square */
    GYRE_TORCH_NAME_SIZE = 1024 /* bytes of a parameter's name in PyTorch, with the NUL */
};

/* A duration with its unit, as {"epochs": 10} in a config. */
typedef enum {
    GYRE_UNIT_NONE,
    GYRE_UNIT_STEPS,
    GYRE_UNIT_EPOCHS,
    GYRE_UNIT_CYCLES,
    GYRE_UNIT_MINUTES
} gyre_unit;
typedef struct {
    gyre_unit unit; /* NONE: not given */
    double value;   /* whole number for STEPS */
} gyre_length;

typedef enum { GYRE_REDUCE_EXACT, GYRE_REDUCE_FAST } gyre_reduce;
typedef enum { GYRE_BACKEND_AUTO, GYRE_BACKEND_CPU, GYRE_BACKEND_CUDA } gyre_backend_choice;
typedef enum { GYRE_PRECISION_F32, GYRE_PRECISION_BF16 } gyre_precision;

typedef enum { GYRE_ORDER_SHUFFLE, GYRE_ORDER_SEQUENTIAL } gyre_order;
typedef enum { GYRE_LAST_DROP, GYRE_LAST_WRAP } gyre_last_batch;
typedef enum {
    GYRE_VALIDATION_TEST,
    GYRE_VALIDATION_SPLIT,
    GYRE_VALIDATION_NONE,
    GYRE_VALIDATION_PART /* the dataset's own /validation */
} gyre_validation;
typedef enum {
    GYRE_NORMALIZE_CHANNEL,
    GYRE_NORMALIZE_MEAN_IMAGE,
    GYRE_NORMALIZE_RAW,
    GYRE_NORMALIZE_INIT_FROM, /* as the file of model.init_from has it */
    GYRE_NORMALIZE_GIVEN      /* by the mean and deviation of the config */
} gyre_normalize;

enum { GYRE_CHANNELS_MAX = 64 }; /* of explicit numbers: satellites' pictures have 13 */

/* (pixel / 255 - mean) / std for each channel, as pretrained networks name them; of other types
 * than u8, (value - mean) / std. */
typedef struct {
    int channels;
    double mean[GYRE_CHANNELS_MAX], std[GYRE_CHANNELS_MAX];
} gyre_normalization;

typedef enum { GYRE_ERASING_ZERO, GYRE_ERASING_NOISE } gyre_erasing_value;

/* Random erasing of a rectangle (gyre/augment.h). */
typedef struct {
    double probability;          /* 0: none */
    double scale_min, scale_max; /* of its area, of the image's */
    double ratio;                /* of its sides at most, in either direction */
    gyre_erasing_value value;    /* of its pixels, after normalisation */
} gyre_erasing_settings;

/* Greatest changes of colours (gyre/augment.h); 0: none. */
typedef struct {
    double brightness, contrast, saturation, hue;
} gyre_jitter_settings;

typedef struct {
    int ops;       /* operations on each image; 0: none */
    int magnitude; /* 0..30 */
} gyre_randaugment_settings;

typedef enum {
    GYRE_MIRROR_OFF,
    GYRE_MIRROR_RANDOM,   /* half of the images of each epoch */
    GYRE_MIRROR_ALTERNATE /* those of epoch 0, then the other half in every other epoch */
} gyre_mirror;

typedef struct {
    char *path; /* as written; relative to the config file's folder */
    gyre_validation validation;
    double split; /* fraction of the training file, with VALIDATION_SPLIT */
    int readers;  /* threads of a rank that read batches; 0: the run chooses, the loader takes 1 */
    int subset;   /* training samples after the split that are used; 0: all */
    gyre_order order;
    gyre_last_batch last_batch;
    gyre_mirror mirror;
    int crop;          /* pixels of padding on each side before a random crop; 0: none */
    bool crop_reflect; /* they are the image's, reflected; else raw 0 */
    int crop_size;     /* side of the square that random resized crops become; 0: none */
    double crop_scale_min, crop_scale_max; /* of their area, of the image's */
    double crop_ratio; /* of their sides at most, width to height or height to width */
    gyre_jitter_settings jitter;
    gyre_randaugment_settings randaugment;
    gyre_erasing_settings erasing;
    double mixup, cutmix; /* alpha of each (gyre/augment.h); 0: none */
    gyre_normalize normalize;
    gyre_normalization given; /* with NORMALIZE_GIVEN */
} gyre_data_settings;

/* Parameters whose names match learn at another rate, decay otherwise, or learn for a while alone.
 */
typedef struct {
    char *match;                /* a POSIX extended regular expression */
    double lr_mult, decay_mult; /* times what the network says */
    gyre_length until;          /* they stay as they are from there on; NONE: they learn always */
} gyre_group_settings;

typedef enum { GYRE_NOISE_LINEAR, GYRE_NOISE_SCALED_LINEAR, GYRE_NOISE_COSINE } gyre_noise;
typedef enum { GYRE_PREDICT_EPSILON, GYRE_PREDICT_V } gyre_predict;
typedef enum { GYRE_DRAW_UNIFORM, GYRE_DRAW_STRATIFIED } gyre_draw;

/* What a network that denoises learns, in its node `diffuse`. 0 is the node's default everywhere.
 */
typedef struct {
    int steps; /* times t: 0 to steps - 1 */
    gyre_noise noise;
    double beta_start, beta_end;
    bool zero_snr;
    gyre_predict predict;
    gyre_draw draw;
    int from, to; /* times that training draws: from <= t < to */
    double offset, min_snr;
    double drop_condition; /* of its node `embedding` or `context`: the null class or context is
                              taken in the label's place with this probability */
} gyre_denoise_settings;

/* Which of the weights of a checkpoint that has an average of them besides (gyre/average.h). */
typedef enum {
    GYRE_WEIGHTS_ANY, /* the average where there is one, else the last ones */
    GYRE_WEIGHTS_AVERAGE,
    GYRE_WEIGHTS_LAST,
    GYRE_WEIGHTS_EMA, /* this kind of average, taken or beside; the others in the order of kinds */
    GYRE_WEIGHTS_SWA,
    GYRE_WEIGHTS_MINIMA
} gyre_weights_choice;

typedef struct {
    char *name;   /* of the zoo; NULL: layers, or unet */
    char *layers; /* the network as JSON (docs/networks.md), each node on a line */
    char *unet;   /* the config.json of a U-Net of diffusers */
    gyre_denoise_settings denoise;
    char *file;                    /* read when the config is: NULL then */
    int classes;                   /* 0: from the dataset */
    gyre_target target;            /* the dataset's */
    bool latents;                  /* the dataset's samples are: means, then deviations */
    const gyre_contexts *contexts; /* the dataset's; NULL: none, or no dataset is there */
    bool any_target; /* no dataset is there: what the network gives is taken for its targets */
    bool init_fresh; /* an ONNX file's own weights are not taken */
    char *init_from; /* NULL: keyed initialisation */
    gyre_weights_choice init_weights; /* of that file */
    char **freeze;                    /* names or prefixes of parameters ("conv1", "layer1.") */
    int freeze_count;
    bool batch_norm_frozen;
    char *loss;             /* NULL: cross_entropy */
    double label_smoothing; /* of the training loss */
    double *class_weights;  /* of the loss; NULL: none, or not counted yet */
    int class_weight_count;
    bool class_weights_balanced; /* from the training labels, when the settings are resolved */
    gyre_group_settings *groups;
    int group_count;
} gyre_model_settings;

typedef enum {
    GYRE_OPTIMIZER_SGD,
    GYRE_OPTIMIZER_ADAM,
    GYRE_OPTIMIZER_ADAMW,
    GYRE_OPTIMIZER_RMSPROP,
    GYRE_OPTIMIZER_ADAGRAD,
    GYRE_OPTIMIZER_ADADELTA
} gyre_optimizer_name;

/* gyre/lookahead.h */
typedef struct {
    int every; /* updates between two of its steps; 0: none */
    double decay;
    int power;
    gyre_length until; /* NONE until resolved: the run's end */
} gyre_lookahead_settings;

typedef struct {
    gyre_optimizer_name name;
    double momentum;
    bool nesterov;
    bool lr_in_momentum; /* v = m v + lr g; w -= v (Caffe) instead of v = m v + g; w -= lr v */
    double beta1, beta2, rms_decay, eps;
    double weight_decay;
    bool decoupled;   /* w -= lr wd w, instead of g += wd w; always so for adamw */
    double clip_norm; /* 0: off */
    gyre_lookahead_settings lookahead;
    bool schedule_free;
    int64_t warmup; /* steps of the schedule, which schedule_free looks at; 0 until resolved */
} gyre_optimizer_settings;

/* Averages of the weights, see gyre/average.h. */
#define GYRE_AVERAGES(KIND)                                                                        \
    KIND(none, NONE)                                                                               \
    KIND(ema, EMA)                                                                                 \
    KIND(swa, SWA)                                                                                 \
    KIND(minima, MINIMA)                                                                           \
        KIND(schedule_free, FREE) /* not chosen: it comes with optimizer.schedule_free */
#define GYRE_AVERAGE_VALUE(name, NAME) GYRE_AVERAGE_##NAME,
typedef enum { GYRE_AVERAGES(GYRE_AVERAGE_VALUE) GYRE_AVERAGE_COUNT } gyre_average_kind;

typedef struct {
    gyre_average_kind kind;          /* the one that is taken in the weights' place */
    bool beside[GYRE_AVERAGE_COUNT]; /* by their kind: kept and scored besides */
    double decay;                    /* of ema */
    bool warmup;                     /* its decay rises to that */
    gyre_length start, every;        /* of swa's members; NONE: the defaults */
    int first_minimum;               /* from 1, that minima takes; 0: the default */
    int statistics; /* samples that the running statistics of all but ema are made of */
} gyre_average_settings;

static inline bool gyre_average_is_kept(const gyre_average_settings *s, gyre_average_kind kind) {
    return kind != GYRE_AVERAGE_NONE && (s->kind == kind || s->beside[kind]);
}

/* How many kinds are. */
static inline int gyre_average_count(const gyre_average_settings *s) {
    int count = 0;
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++)
        count += gyre_average_is_kept(s, (gyre_average_kind)kind);
    return count;
}

/* "ema"; "" of none. */
static inline const char *gyre_average_name(gyre_average_kind kind) {
#define GYRE_AVERAGE_NAME(name, NAME) #name,
    static const char *const names[] = {GYRE_AVERAGES(GYRE_AVERAGE_NAME)};
    return kind == GYRE_AVERAGE_NONE ? "" : names[kind];
}

/* The same, but "last" of none: the last weights. */
static inline const char *gyre_average_or_last(gyre_average_kind kind) {
    return kind == GYRE_AVERAGE_NONE ? "last" : gyre_average_name(kind);
}

/* The kind of average that is meant by name; none of any, average and last. */
static inline gyre_average_kind gyre_weights_kind(gyre_weights_choice choice) {
    if (choice < GYRE_WEIGHTS_EMA) return GYRE_AVERAGE_NONE;
    return (gyre_average_kind)((int)choice - GYRE_WEIGHTS_EMA + GYRE_AVERAGE_EMA);
}

/* The policies of schedules: a new one is a line here and a file in src/schedule. */
#define GYRE_POLICIES(POLICY)                                                                      \
    POLICY(constant, CONSTANT)                                                                     \
    POLICY(linear, LINEAR)                                                                         \
    POLICY(wsd, WSD)                                                                               \
    POLICY(multistep, MULTISTEP)                                                                   \
    POLICY(exp, EXP)                                                                               \
    POLICY(triangular, TRIANGULAR)                                                                 \
    POLICY(triangular2, TRIANGULAR2)                                                               \
    POLICY(exp_range, EXP_RANGE)                                                                   \
    POLICY(exp_range_amplitude, EXP_RANGE_AMPLITUDE)                                               \
    POLICY(sgdr, SGDR)                                                                             \
    POLICY(one_cycle, ONE_CYCLE)                                                                   \
    POLICY(hf_cosine, HF_COSINE)
#define GYRE_POLICY_VALUE(name, NAME) GYRE_POLICY_##NAME,
typedef enum { GYRE_POLICIES(GYRE_POLICY_VALUE) GYRE_POLICY_COUNT } gyre_policy;
typedef enum { GYRE_SHAPE_LINEAR, GYRE_SHAPE_COSINE, GYRE_SHAPE_WELCH, GYRE_SHAPE_SQRT } gyre_shape;
typedef enum {
    GYRE_ONE_CYCLE_PYTORCH2,
    GYRE_ONE_CYCLE_PYTORCH3,
    GYRE_ONE_CYCLE_PAPER
} gyre_one_cycle_form;
typedef enum { GYRE_ANNEAL_COSINE, GYRE_ANNEAL_LINEAR } gyre_anneal;

/* base_lr or max_lr that a range test before the run is to find: no number yet. */
enum { GYRE_RATE_FIND = -1 };

enum { GYRE_MILESTONES_MAX = 64, GYRE_STAGES_MAX = 64 };

typedef struct gyre_stage_settings gyre_stage_settings;

/* The keys of "schedule"; their meaning is SPEC'd in gyre/schedule.h. */
typedef struct {
    gyre_policy policy;
    double base_lr, max_lr;
    double gamma;
    gyre_length stepsize;
    double cycles; /* 0: not given */
    gyre_shape shape;
    bool start_high;
    bool end_low; /* "end": "low" */
    double up_fraction;
    double peak_decay; /* 1, or 0.5 for triangular2 unless given */
    gyre_length warmup;
    double warmup_from;
    bool cycle_momentum; /* "momentum" given */
    double momentum_min, momentum_max;
    gyre_length t0;
    int t_mult;
    bool closed;
    gyre_length milestones[GYRE_MILESTONES_MAX];
    int milestone_count;
    gyre_length decay_steps;
    double hf_cycles; /* hf_cosine's num_cycles, 0.5 */
    gyre_one_cycle_form one_cycle_form;
    double pct_start, div_factor, final_div_factor;
    gyre_anneal anneal;
    gyre_stage_settings *stages; /* stage_count of them, NULL when 0 */
    int stage_count;
} gyre_schedule_settings;

/* A stage has every schedule key (missing ones taken from the outer schedule), and a length. With a
 * cut it ends after so many of its steps, with the rates that it would have had, as a run that was
 * left there. */
struct gyre_stage_settings {
    gyre_length length, cut;         /* cut: NONE, or steps, fewer than length */
    gyre_schedule_settings schedule; /* stages == NULL: no nesting */
};

/* Of each picture: itself; mirrored besides; both moved by a pixel besides. */
typedef enum { GYRE_VIEWS_NONE, GYRE_VIEWS_MIRROR, GYRE_VIEWS_MIRROR_SHIFT } gyre_views;

typedef struct {
    gyre_length every; /* NONE: once per epoch */
    bool minima;       /* also at each minimum of the LR */
    gyre_views views;  /* whose outputs are averaged */
    int batch;
    int pairs;      /* times and noises of each sample, of networks that denoise; 0: the default */
    int test_pairs; /* of the part test, at the end; 0: as many */
    uint64_t seed;  /* of both */
} gyre_evaluate_settings;

typedef enum { GYRE_SAMPLING_DDIM, GYRE_SAMPLING_DDPM } gyre_sampling_method;

/* Samples that a run of a network that denoises makes while it trains, or `gyre sample` of it. */
typedef struct {
    gyre_length every; /* NONE: at none but minima */
    bool minima;       /* at each minimum of the LR */
    char *seeds;       /* "0..7" or "3,5"; NULL: the default */
    int steps;         /* 0: the method's default */
    gyre_sampling_method method;
    double eta;
    char *condition; /* name or number of a class; NULL: none */
    double guidance;
} gyre_sample_settings;

typedef struct {
    gyre_length every; /* NONE: only at the end */
    int keep;
    bool best, minima, required;
} gyre_checkpoint_settings;

typedef struct {
    char *source; /* the config file as given, for messages */
    char *dir;    /* its folder, which data.path is relative to */
    uint64_t seed;
    gyre_reduce reduce;
    gyre_backend_choice backend;
    gyre_precision precision;
    bool tf32, graph, deterministic;
    int threads; /* worker threads per rank; 0: the cores the rank may use */
    gyre_data_settings data;
    gyre_model_settings model;
    int batch_size;
    int shards; /* 0 until resolved */
    gyre_optimizer_settings optimizer;
    gyre_average_settings average;
    gyre_schedule_settings schedule;
    gyre_length length;
    gyre_evaluate_settings evaluate;
    gyre_checkpoint_settings checkpoint;
    gyre_sample_settings sample;
    int verify_replicas; /* steps between parameter checksums over ranks; 0: never */
    double watchdog_seconds, watchdog_first_step_seconds;
    char *output_dir; /* NULL: --out is required */
    bool tensorboard; /* event files, see gyre/tensorboard.h */
} gyre_settings;

#endif
