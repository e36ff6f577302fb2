/* What a study file specifies: its base config and its arms, not yet resolved. Internal to
 * src/study. */
#ifndef GYRE_STUDY_SPEC_H
#define GYRE_STUDY_SPEC_H

#include "gyre/json.h"
#include "gyre/study.h"

/* An arm as the file specifies it, before it is laid over the base config. */
typedef struct {
    const char *key; /* of the study file, which asked for it: "cycles", "arms", "controls" */
    char *name, *sentence;
    bool control;
    gyre_json_value *layer; /* an object of config keys; owned */
    char *where;            /* "study.json: arms[2]", for messages */
} study_arm_spec;

typedef struct {
    gyre_length length;
    double from;
} study_warmup;

/* What is needed of a dataset. */
typedef struct {
    char *path;
    int64_t images, validation; /* of the training part; of the validation part */
    uint64_t hash;
    bool has_test;
    int h, w, c, classes; /* of a sample */
    gyre_target target;
} study_data;

typedef struct {
    const char *path;             /* the study file */
    gyre_json_value *tree, *base; /* it, and its base config (a value of `tree` when inline) */
    char *base_path;              /* the file that the base's relative paths go by */
    gyre_settings *settings;      /* the base */
    study_warmup warmup;          /* the base's where it is implied; else none, of length 0 */
    study_arm_spec *arms;
    int arm_count;
    int64_t *sizes; /* data.subset of each group; one of 0: the base's */
    int size_count;
} study_spec;

/* study_file.c: reads the file and its base; *out gets name, seeds and split. */
gyre_status study_spec_read(study_spec *p, const char *path, gyre_study *out);
void study_spec_close(study_spec *p);

/* "FILE: PLACE: expected EXPECTED, found ..." */
gyre_status study_expected(const study_spec *p, const char *place, const char *expected,
                           const gyre_json_value *found);
/* A whole number in low..high; `v` NULL: the fallback. */
gyre_status study_whole(const study_spec *p, const char *key, double low, double high,
                        int64_t fallback, int64_t *out);

/* Rates are numbers: "find" would have each cell look for its own. GYRE_EUSAGE. */
gyre_status study_check_rates(const char *where, const gyre_schedule_settings *s);

/* arms.c: the arms that cycles, stepsize_epochs, policies, arms and controls ask for. `budget` is
 * the steps of each. */
gyre_status study_spec_add_arms(study_spec *p, int64_t budget);

/* arm_network.c: finds the arm's metric; whether its cells can do what the study asks for. */
gyre_status study_arm_network(const gyre_study *study, const study_data *d, gyre_study_arm *arm);

/* budget.c: lays each arm over the base for each size, at one budget and on one grid. */
gyre_status study_spec_resolve(study_spec *p, gyre_study *out);

#endif
