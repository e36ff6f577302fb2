/* Going on with a search; see kept.h. */
#include "kept.h"

#include "gyre/config.h"
#include <stdlib.h>
#include <string.h>

static bool same_search(const gyre_find *f, const gyre_find *k) {
    const gyre_find_options *a = &f->options, *b = &k->options;
    return f->config_hash == k->config_hash && a->from == b->from && a->to == b->to &&
           a->steps == b->steps && a->linear == b->linear && a->repeats == b->repeats &&
           a->every == b->every && a->subset == b->subset && a->budget == b->budget &&
           f->run_steps == k->run_steps && f->scored == k->scored && f->samples == k->samples;
}

static void take(gyre_find *f, gyre_find *k) {
    memcpy(f->rows, k->rows, k->row_count * sizeof *k->rows);
    memcpy(f->scores, k->scores, k->score_count * sizeof *k->scores);
    f->row_count = k->row_count;
    f->score_count = k->score_count;
    f->whole = k->whole;
    f->cycles = k->cycles;
    f->cycle_count = k->cycle_count;
    k->cycles = NULL;
}

/* Rows of whole repeats, as many as there is room for. */
static bool fits(const gyre_find *f, const gyre_find *k) {
    size_t steps = (size_t)f->options.steps, whole = (size_t)k->whole;
    return k->whole <= f->options.repeats && k->row_count <= whole * steps &&
           k->score_count <= whole * (steps / (size_t)f->options.every + 1);
}

gyre_status find_take_kept(const gyre_find_keeper *keeper, const gyre_settings *s, gyre_find *f) {
    gyre_find kept = {0};
    uint64_t hash = 0;
    GYRE_TRY(gyre_config_hash(s, &hash));
    f->config_hash = (int64_t)hash;
    if (keeper == NULL || keeper->kept == NULL) return GYRE_OK;
    gyre_status status = gyre_find_read(keeper->kept, &kept);
    if (status == GYRE_OK && !(same_search(f, &kept) && fits(f, &kept))) {
        status = gyre_fail(GYRE_EUSAGE,
                           "'%s' was left by a range test of another config or with other options; "
                           "give those again to go on with it, or take another --out",
                           keeper->kept);
    }
    if (status == GYRE_OK) take(f, &kept);
    gyre_find_close(&kept);
    return status;
}
