/* Arms that learned nothing, by what their cells' logs say. */
#include "guesses.h"

bool gyre_arm_guesses(const gyre_evidence *e, int arm, double *chance) {
    int cells = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const gyre_evidence_cell *c = gyre_evidence_at(e, arm, seed);
        if (!gyre_cell_counts(c)) continue;
        if (!c->log.guesses) return false;
        *chance = 100 * c->log.chance;
        cells++;
    }
    return cells > 0;
}

static void tell_arm(const gyre_evidence *e, int arm, char *out) {
    char name[GYRE_NAME_MAX];
    gyre_words_arm(e, arm, name);
    gyre_words_add(out, "%s%s: %.2f %%", *out == '\0' ? "No better than a guess: " : "; ", name,
                   e->arms[arm].final.mean);
}

void gyre_words_guesses(const gyre_evidence *e, char out[GYRE_SENTENCE_MAX]) {
    int guessing = 0, known = 0;
    double chance = 0, shown = 0;
    *out = '\0';
    for (int arm = 0; arm < e->study->arm_count; arm++) {
        known += e->arms[arm].done > 0;
        if (!gyre_arm_guesses(e, arm, &chance)) continue;
        tell_arm(e, arm, out);
        shown = chance;
        guessing++;
    }
    if (guessing == 0) return;
    gyre_words_add(out, ". The most frequent class is %.2f %% of the samples.", shown);
    if (guessing == known && !e->single) gyre_words_add(out, " No arm learns.");
}
