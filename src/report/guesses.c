/* Arms that learned nothing, by what the cells' log.jsonl says at the end of each. */
#include "guesses.h"

#include "gyre/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gyre_guesses_read(const char *folder, gyre_evidence_cell *c) {
    static const char share[] = "\"most_frequent_class\":",
                      beats[] = "\"beats_most_frequent_class\":";
    char *path = gyre_path_join(folder, "log.jsonl"), *line = NULL;
    size_t room = 0;
    FILE *f = NULL;
    if (path != NULL && gyre_file_stream(path, false, &f) != GYRE_OK) f = NULL; /* none is told */
    while (f != NULL && getline(&line, &room, f) > 0) {
        const char *found = strstr(line, share), *verdict = strstr(line, beats);
        if (found == NULL || verdict == NULL) continue;
        c->chance = strtod(found + strlen(share), NULL);
        c->guesses = strncmp(verdict + strlen(beats), "false", 5) == 0;
    }
    if (f != NULL) fclose(f);
    free(line);
    free(path);
}

bool gyre_arm_guesses(const gyre_evidence *e, int arm, double *chance) {
    int cells = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const gyre_evidence_cell *c = gyre_evidence_at(e, arm, seed);
        if (!gyre_cell_counts(c)) continue;
        if (!c->guesses) return false;
        *chance = 100 * c->chance;
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
