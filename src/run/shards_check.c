/* Which numbers of ranks and shards fit together, and what to say when they do not. */
#include "shards_check.h"

#include <stdbool.h>
#include <stdio.h>

static bool power_of_two(int n) {
    return n > 0 && (n & (n - 1)) == 0;
}

static bool allowed(gyre_reduce reduce, int batch, int shards) {
    return shards > 0 && batch % shards == 0 &&
           (reduce == GYRE_REDUCE_FAST || power_of_two(shards));
}

static bool ranks_fit(gyre_reduce reduce, int shards, int ranks) {
    return ranks > 0 && shards % ranks == 0 && (reduce == GYRE_REDUCE_FAST || power_of_two(ranks));
}

/* The least number of shards from `least` on that the ranks can share, or with `below` the greatest
 * up to it; 0: there is none. Divisors of a batch come in pairs. */
static int find_shards(gyre_reduce reduce, int batch, int ranks, int least, bool below) {
    int found = 0;
    for (int i = 1; i <= batch / i; i++) {
        const int pair[] = {i, batch / i};
        for (int k = 0; k < 2; k++) {
            int s = pair[k];
            if (!allowed(reduce, batch, s) || !ranks_fit(reduce, s, ranks)) continue;
            if (below ? s > least || s < found : s < least || (found > 0 && s > found)) continue;
            found = s;
        }
    }
    return found;
}

int run_shards_for(gyre_reduce reduce, int batch, int workers) {
    return find_shards(reduce, batch, 1, workers, false);
}

static gyre_status wrong_shards(gyre_reduce reduce, int batch, int shards) {
    int below = find_shards(reduce, batch, 1, shards, true);
    int above = find_shards(reduce, batch, 1, shards, false);
    char more[32] = "";
    if (above > 0) snprintf(more, sizeof more, " or %d", above);
    return gyre_fail(GYRE_EUSAGE,
                     "batch.shards: %d does not cut batches of %d samples into equal parts%s; the "
                     "nearest that fit are %d%s",
                     shards, batch,
                     reduce == GYRE_REDUCE_EXACT ? ", a power of two of them as reduce \"exact\" "
                                                   "needs"
                                                 : "",
                     below, more);
}

gyre_status run_shards_check(gyre_reduce reduce, int batch, int shards, int ranks) {
    if (!allowed(reduce, batch, shards)) return wrong_shards(reduce, batch, shards);
    if (ranks_fit(reduce, shards, ranks)) return GYRE_OK;
    int below = ranks, above = ranks;
    while (below > 1 && !ranks_fit(reduce, shards, below)) below--;
    while (above <= shards && !ranks_fit(reduce, shards, above)) above++;
    char counts[64], other[192] = "";
    if (above <= shards)
        snprintf(counts, sizeof counts, "%d or %d ranks", below, above);
    else
        snprintf(counts, sizeof counts, "at most %d rank%s", below, below == 1 ? "" : "s");
    int would = find_shards(reduce, batch, ranks, ranks, false);
    if (would > 0) {
        snprintf(
            other, sizeof other,
            ", or set batch.shards to %d (this changes the statistics of batch norm, should the "
            "network have any: they are of %d samples then)",
            would, batch / would);
    }
    return gyre_fail(GYRE_EUSAGE,
                     "%d ranks cannot share the %d shard%s of a batch equally%s; use %s%s", ranks,
                     shards, shards == 1 ? "" : "s",
                     reduce == GYRE_REDUCE_EXACT ? " (reduce \"exact\" needs a power of two of "
                                                   "ranks)"
                                                 : "",
                     counts, other);
}

int64_t run_shards_norm_values(const gyre_model *m, int samples, const char **layer) {
    int64_t least = 0;
    for (int i = 0; i < m->statistic_count; i++) {
        if (m->statistics[i].frozen) continue;
        const gyre_node *n = &m->nodes[m->statistics[i].node];
        int64_t values = (int64_t)samples * n->h * n->w;
        if (least > 0 && values >= least) continue;
        least = values;
        *layer = n->name;
    }
    return least;
}

gyre_status run_shards_check_norms(const gyre_model *m, gyre_reduce reduce, int batch, int shards) {
    const char *layer = NULL;
    char fewer[64] = "";
    if (run_shards_norm_values(m, batch / shards, &layer) != 1) return GYRE_OK;
    for (int s = shards - 1; s > 0 && fewer[0] == '\0'; s--) {
        int each = batch / s;
        if (!allowed(reduce, batch, s) || (s > 1 && each < 4)) continue;
        snprintf(fewer, sizeof fewer, "batch.shards %d (%d samples each), ", s, each);
    }
    return gyre_fail(GYRE_EUSAGE,
                     "batch norm %s of %s would take its statistics from one value: a shard has 1 "
                     "sample, and %d x %d images are 1 x 1 there, so that nothing before it is "
                     "trained; take %sa larger batch.size or larger images",
                     layer, m->name, m->h, m->w, fewer);
}
