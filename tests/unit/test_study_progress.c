/* What a study says of its cells in a log, and the time that is left. The clock is the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/study/progress.h"
#include "gyre/clock.h"
#include "gyre/metric.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static double now;

double gyre_clock(void) {
    return now;
}

/* Trains the steps after `done` of a cell of 100, a second each, and gives what is said. */
static void run_cell(study_progress *t, gyre_study_cell c, int64_t left, int64_t done, char *said,
                     size_t size) {
    const gyre_cell_result result = {.state = GYRE_CELL_DONE, .metric = 0.5};
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    assert_true(file != NULL && kept >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    study_progress_begin(t, c, left);
    for (int64_t k = done + 1; k <= 100; k++) {
        now += 1;
        study_progress_step(t, k, 100, 0.5);
    }
    study_progress_end(t, &result);
    fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    rewind(file);
    said[fread(said, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void a_resumed_cell_counts_as_its_rest(void **state) {
    (void)state;
    gyre_study_arm arm = {.name = (char[]){"one"}, .metric = gyre_metric_of_loss(NULL)};
    uint64_t seeds[3] = {1, 2, 3};
    const gyre_study s = {.name = (char[]){"study"},
                          .folder = (char[]){"no such folder"},
                          .arms = &arm,
                          .arm_count = 1,
                          .seeds = seeds,
                          .seed_count = 3};
    char said[512];
    study_progress *t;
    assert_int_equal(study_progress_open(&s, false, false, &t), GYRE_OK);
    run_cell(t, (gyre_study_cell){0, 0}, 3, 90, said, sizeof said);
    assert_non_null(strstr(said, "one, seed 1: resumes at step 91 of 100; 3 of 3 cells to go\n"));
    assert_non_null(strstr(said, "10 s; 2 of 3 cells to go, about 3 min 20 s left"));
    run_cell(t, (gyre_study_cell){0, 1}, 2, 0, said, sizeof said);
    assert_non_null(strstr(said, "one, seed 2: begins, 100 steps; 2 of 3 cells to go, about 3"));
    assert_non_null(strstr(said, "1 min 40 s; 1 of 3 cells to go, about 1 min 40 s left"));
    study_progress_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_resumed_cell_counts_as_its_rest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
