/* Writing checkpoints during a run, and which old ones may go. Internal to src/run. */
#ifndef GYRE_RUN_SAVE_H
#define GYRE_RUN_SAVE_H

#include "files.h"
#include "gyre/trainer.h"
#include "timing.h"
#include "writer.h"

/* The saver of a run. On ranks other than 0 nothing is open. */
typedef struct {
    const gyre_checkpoint_settings *settings;
    const gyre_schedule *schedule;
    run_files *files;
    run_timing *timing;
    run_writer *writer;
    double saved;               /* clock: when the last checkpoint was made */
    bool failed;                /* a checkpoint that checkpoint.required asks for */
    char error[GYRE_ERROR_MAX]; /* why */
} run_saver;

/* Makes the folder of checkpoints where it is missing, but none above it: where they are missing
 * the run was moved. */
gyre_status run_checkpoints_make(const char *run_dir);

gyre_status run_saver_open(run_saver *s);
void run_saver_close(run_saver *s);

/* What of the present state is kept, and how surely. */
typedef struct {
    bool regular;  /* under the step's name */
    bool best;     /* as best.h5 */
    bool finished; /* it is the run's last one */
    bool needed; /* written when run_saver_save() returns; else rank 0 writes it in the background,
                    and a failure is a warning (or ends the run a step later, with
                    checkpoint.required) */
} run_kept;
/* Collective when it is needed. */
gyre_status run_saver_save(run_saver *s, gyre_trainer *t, const run_kept *kept);
/* Takes the result of a checkpoint in the background, if it is there; with `wait`, when it is. */
void run_saver_collect(run_saver *s, bool wait);

#endif
