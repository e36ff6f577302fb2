/* A branch takes over what the steps that both runs have left behind; see branch.h. */
#include "branch.h"

#include "gyre/file.h"
#include <stdint.h>
#include <stdlib.h>

static gyre_status copy_file(const char *from, const char *to) {
    char *bytes = NULL;
    size_t size = 0;
    GYRE_TRY(gyre_file_read(from, SIZE_MAX, &bytes, &size));
    gyre_status status = gyre_file_write_atomic(to, bytes, size);
    free(bytes);
    return status;
}

/* The best state of the steps that both runs have. */
static gyre_status copy_best(const gyre_branch *b, const char *from, const char *to) {
    gyre_snapshot best;
    if (!gyre_file_exists(from)) return GYRE_OK;
    GYRE_TRY(gyre_checkpoint_scalars(from, &best));
    return best.completed <= b->completed ? copy_file(from, to) : GYRE_OK;
}

gyre_status run_branch_copy(const gyre_branch *b, const gyre_run_folder *to) {
    gyre_status status = GYRE_OK;
    char *metrics = gyre_path_join(b->folder, GYRE_METRICS_FILE);
    char *best = gyre_checkpoint_best_path(b->folder), *own = gyre_checkpoint_best_path(to->path);
    if (metrics == NULL || best == NULL || own == NULL)
        GYRE_GOTO(gyre_no_memory("the branch of '%s'", b->folder));
    if (gyre_file_exists(metrics)) GYRE_GOTO(copy_file(metrics, to->metrics));
    GYRE_GOTO(run_checkpoints_make(to->path));
    status = copy_best(b, best, own);
out:
    free(metrics);
    free(best);
    free(own);
    return status;
}

gyre_status run_branch_begin(const gyre_branch *b, gyre_trainer *t, run_files *files,
                             run_saver *saver) {
    const run_kept kept = {.regular = true, .needed = true};
    GYRE_TRY(gyre_trainer_verify(t));
    if (t->rank == 0) {
        gyre_json *line = gyre_event_begin(files->events, "branch");
        char *from = realpath(b->folder, NULL);
        gyre_json_add_text(line, "from", from == NULL ? b->folder : from);
        gyre_json_add_integer(line, "step", b->completed);
        free(from);
        GYRE_TRY(gyre_trainer_fatal(t, gyre_event_end(files->events, line)));
    }
    return run_saver_save(saver, t, &kept);
}
