/* Checkpoints: the state of a run after some number of completed updates, in one HDF5 file.
 *
 * /parameters/NAME f32, /optimizer/STATE/NAME f32, /average/NAME f32 where the run averages its
 * weights (of the parameters and, beside them, of the running statistics), /lookahead/NAME likewise
 * the slow weights of Lookahead, /state (fixed-type
 * attributes: completed updates, arithmetic config hash, data hash, model, versions that may change
 * bits), /state/buffers/LAYER.running_mean and .running_var f32, /state/input/mean and scale f32
 * (how images become numbers), /state/class_names where the classes have names, /state/network
 * where the network is a list of nodes: the text of model.layers; /state/config, the resolved
 * config. The user block is a seal
 * (gyre/seal.h), checked before HDF5 opens the file. Written atomically. Plain host data here, no
 * device, no MPI.
 */
#ifndef GYRE_CHECKPOINT_H
#define GYRE_CHECKPOINT_H

#include "gyre/dataset.h"
#include "gyre/model.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GYRE_STATES_MAX = 2, GYRE_MACHINE_SIZE = 512 };

/* The host image of a run's state; vectors are in the model's flat layout. */
typedef struct {
    int64_t completed;    /* updates */
    uint64_t config_hash; /* gyre_config_hash of the resolved config */
    uint64_t data_hash;
    uint64_t init_hash; /* of the file that the run was initialised from; 0: none */
    char model[40];     /* of the zoo, or "network" */
    char loss[40];      /* model.loss; "": the default one. A file has it where it is not */
    char element[8];    /* of the samples, "u8"; "": the file is of a gyre that wrote none */
    char average[16]; /* kind of the averages, "ema"; "": none. A file has it where there are any */
    int32_t classes;
    int32_t ranks;                   /* that wrote it; information only */
    int32_t finished;                /* 1: the run's last checkpoint */
    char machine[GYRE_MACHINE_SIZE]; /* what may change bits: processor, instruction set, libraries
                                      */
    int state_count;
    char state_names[GYRE_STATES_MAX][32];
    float *parameters;                 /* (model->parameters) */
    float *buffers;                    /* (model->buffers) */
    float *states[GYRE_STATES_MAX];    /* (model->parameters) each */
    float *averages;                   /* (model->parameters + model->buffers); NULL: none */
    float *beside[GYRE_AVERAGE_COUNT]; /* by their kind, those that nothing takes, likewise */
    float *slow;                       /* the slow weights of Lookahead, likewise; NULL: none */
    float *mean, *scale;               /* of the input: (h, w, c) and (c) */
    bool averaged;                     /* parameters and buffers are the averages; never saved */
    gyre_class_names names;            /* to be written, not owned; never read back */
    const char *network;               /* settings.model.layers, likewise; NULL: `model` names it */
    const char *config;                /* the resolved settings as text, likewise */
    char imported[1200]; /* what gyre_parameters_import() took, as text; never saved */
} gyre_snapshot;

/* Allocates the vectors for `m`. */
gyre_status gyre_snapshot_open(const gyre_model *m, int state_count, gyre_snapshot *out);
/* Adds room for averages, all 0; of those that nothing takes, for one kind. */
gyre_status gyre_snapshot_open_averages(const gyre_model *m, gyre_snapshot *s);
gyre_status gyre_snapshot_open_beside(const gyre_model *m, gyre_average_kind kind,
                                      gyre_snapshot *s);
gyre_status gyre_snapshot_open_slow(const gyre_model *m, gyre_snapshot *s);
void gyre_snapshot_close(gyre_snapshot *s);

/* The bytes of the file, seal included, made in memory; free() them. What is left to do is plain
 * writing, which another thread can do without HDF5. */
gyre_status gyre_checkpoint_image(const gyre_model *m, const gyre_snapshot *s, void **image,
                                  size_t *size);

/* Completed updates of the checkpoints of a run, most first; none when the folder is missing.
 * free() the list. */
gyre_status gyre_checkpoint_list(const char *run_dir, int64_t **completed, size_t *count);
/* checkpoints/step-000012000.h5 under `run_dir`; free() it, NULL if out of memory. */
char *gyre_checkpoint_path(const char *run_dir, int64_t completed);
char *gyre_checkpoint_best_path(const char *run_dir); /* checkpoints/best.h5, likewise */
/* Path of the checkpoint with the most completed updates (free() it), NULL when there is none. */
gyre_status gyre_checkpoint_newest(const char *run_dir, char **path);

/* Verifies the user block, then reads. The model's layout must match: GYRE_EIO naming the first
 * parameter that differs in name or shape. `out` was opened for the model; where it has room for
 * averages, the file must have them. */
gyre_status gyre_checkpoint_load(const char *path, const gyre_model *m, gyre_snapshot *out);

/* The same for who evaluates or exports: `out` was opened without states and averages, and its
 * parameters and running statistics become those that are meant; out->averaged says which that
 * are. GYRE_EIO: an average is meant, and there is none. */
gyre_status gyre_checkpoint_load_weights(const char *path, const gyre_model *m,
                                         gyre_weights_choice choice, gyre_snapshot *out);

/* The scalars alone, for a file of any model; the vectors of `out` stay NULL. Verifies it first. */
gyre_status gyre_checkpoint_scalars(const char *path, gyre_snapshot *out);

/* The names of the classes that a checkpoint was trained on; count 0: they have none, or it is of a
 * gyre that wrote none. free() the names. Verifies the file first. */
gyre_status gyre_checkpoint_class_names(const char *path, gyre_class_names *out);

/* The network of a checkpoint as model.layers has it; NULL: one of the zoo, which its scalars name.
 * free() it. Verifies the file first. */
gyre_status gyre_checkpoint_network(const char *path, char **out);
/* The config of its run, resolved; NULL: the file is of a gyre that wrote none. free() it. */
gyre_status gyre_checkpoint_config(const char *path, char **out);

/* Height, width and channels of the images that a checkpoint was trained on; *known: it tells. */
gyre_status gyre_checkpoint_input_size(const char *path, uint64_t size[3], bool *known);

/* What a file of weights must have all of. */
enum { GYRE_NEED_PARAMETERS = 1, GYRE_NEED_STATISTICS = 2 };

/* Takes weights by name from any HDF5 file, for init_from and for scores: /parameters/NAME, and the
 * running statistics from /state/buffers/NODE.running_mean or, as PyTorch names them, from
 * /parameters/NODE.running_mean; of averages, where `weights` means those, both from /average/NAME.
 * What the file lacks, or has in another shape, keeps its values in
 * `s`; this, and what the file holds besides, is said on stderr. GYRE_EIO: nothing fits; something
 * of `needs` is missing (running statistics are always needed where the model's batch norm is
 * frozen); an average is meant, and there is none; an array has its axes in another order; a value
 * is not finite. */
gyre_status gyre_parameters_import(const char *path, const gyre_model *m, unsigned needs,
                                   gyre_weights_choice weights, gyre_snapshot *s);

/* How the network of a file reads its input, x = (value - mean) * scale, for samples of this type:
 * of a checkpoint its run's, of an ONNX file what its first operators do. mean (h, w, c) and scale
 * (c) of the model. GYRE_EUSAGE: the file tells nothing, or is for samples of another size. */
gyre_status gyre_input_import(const char *path, const gyre_model *m, gyre_element element,
                              float *mean, float *scale);

/* The identity of a file of weights of any kind, with the files that it is spread over. Never 0.
 * GYRE_EIO. */
gyre_status gyre_weights_hash(const char *path, uint64_t *out);

/* XXH3-64 over the parameters in layer order, each seeded with the hash so far: the identity of a
 * trained network. From a checkpoint file alone, without knowing its model; verifies it first. */
gyre_status gyre_checkpoint_hash(const char *path, uint64_t *out, int64_t *completed);
/* The hash of all that a result depends on: completed updates, parameters, optimizer states,
 * running statistics, averages, normalisation of the input. Verifies the file first. */
gyre_status gyre_checkpoint_state_hash(const char *path, uint64_t *out);
/* The same of the averages alone, as of the parameters. GYRE_EIO: there are none. */
gyre_status gyre_checkpoint_average_hash(const char *path, uint64_t *out);
/* The hashes for a checkpoint or for a run folder, which means its newest one. */
gyre_status gyre_newest_hash(const char *path, uint64_t *out);
gyre_status gyre_newest_state_hash(const char *path, uint64_t *out);
gyre_status gyre_newest_average_hash(const char *path, uint64_t *out);

#endif
