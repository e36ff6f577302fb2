/* gyre eval --ensemble: each snapshot at a minimum of the rate, and the ensembles of the last ones.
 */
#include "ensemble.h"

#include "cli.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include <inttypes.h>
#include <stdio.h>

static void print_members(const gyre_ensemble *e) {
    printf("  after step      loss   accuracy     last   loss of them   accuracy\n");
    for (int i = 0; i < e->count; i++) {
        const gyre_ensemble_member *m = &e->members[i];
        printf("  %10" PRId64 "  %8.4f   %6.2f %%  %7d       %8.4f   %6.2f %%\n", m->completed,
               m->score.loss, 100 * m->score.metric, i + 1, m->ensemble_loss,
               100 * m->ensemble_accuracy);
    }
}

gyre_status cli_ensemble(const gyre_evaluated *what, gyre_comm *comm) {
    gyre_ensemble e;
    gyre_evaluated snapshots = *what;
    gyre_status status = GYRE_OK;
    if (what->weights == GYRE_WEIGHTS_ANY) snapshots.weights = GYRE_WEIGHTS_LAST;
    GYRE_TRY(gyre_evaluate_ensemble(&snapshots, comm, &e));
    if (gyre_comm_rank(comm) == 0) {
        if (e.count < e.minima) {
            gyre_warn("%d of %d minima so far have no checkpoint; checkpoint.minima keeps them",
                      e.minima - e.count, e.minima);
        }
        gyre_say("%d snapshot%s of '%s' at minima of the rate, %s", e.count,
                 e.count == 1 ? "" : "s", what->file,
                 e.averaged ? "the average of their weights" : "their last weights");
        gyre_text_print(stdout, what->part, 0);
        printf(": %" PRId64
               " samples; an ensemble's probabilities are the mean of its snapshots'\n",
               e.samples);
        print_members(&e);
        status = cli_flush();
    }
    gyre_ensemble_close(&e);
    return gyre_comm_agree(comm, status);
}
