/* The backend as a whole: tasks on lanes, tickets, memory, errors. */
#include "ops.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* ---- lanes */

typedef struct {
    atomic_int seen[100];
    atomic_int lanes[8];
    atomic_int signals; /* tasks on threads to which a signal may come */
    int fail_from;
} tally;

static bool takes_signals(void) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    return !sigismember(&blocked, SIGXCPU) || !sigismember(&blocked, SIGUSR1);
}

static gyre_status count_task(void *context, gyre_queue *q, int index) {
    tally *t = context;
    t->seen[index]++;
    t->lanes[q->lane]++;
    if (q->lane > 0) t->signals += takes_signals();
    if (index >= t->fail_from) return gyre_fail(GYRE_EIO, "task %d", index);
    return GYRE_OK;
}

static void every_task_runs_once(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        gyre_backend *b = open_backend(threads);
        assert_int_equal(b->lanes, threads);
        assert_int_equal(b->main->lane, -1);
        for (int round = 0; round < 200; round++) {
            int n = round % 100;
            tally t = {.fail_from = 100};
            OK(b->ops->parallel(b, n, count_task, &t));
            for (int i = 0; i < 100; i++) assert_int_equal(t.seen[i], i < n);
            assert_int_equal(t.signals, 0);
            /* every lane gets a task while there are enough: it meets its shapes in step one */
            for (int i = 0; i < 8; i++) assert_int_equal(t.lanes[i] > 0, i < threads && i < n);
        }
        b->ops->close(b);
    }
}

static void the_first_failure_by_index_wins(void **state) {
    (void)state;
    gyre_backend *b = open_backend(3);
    for (int round = 0; round < 100; round++) {
        tally t = {.fail_from = 20};
        assert_int_equal(b->ops->parallel(b, 60, count_task, &t), GYRE_EIO);
        assert_string_equal(gyre_error_text(), "task 20");
    }
    tally t = {.fail_from = 100};
    OK(b->ops->parallel(b, 60, count_task, &t)); /* and is forgotten afterwards */
    b->ops->close(b);
}

/* ---- memory, tickets, opening */

static void memory_is_aligned_and_poisoned(void **state) {
    (void)state;
    gyre_backend *b = open_backend(1);
    assert_int_equal(b->act_size, precision == GYRE_PRECISION_BF16 ? 2 : 4);
    for (size_t bytes = 0; bytes < 300; bytes += 4) {
        gyre_raw p;
        float content[75];
        OK(b->ops->alloc(b, bytes, &p));
        assert_int_equal((uintptr_t)p % 64, 0);
        OK(b->ops->download(b->main, content, (gyre_f32)(void *)p, bytes / 4));
        for (size_t i = 0; i < bytes / 4; i++) assert_true(isnan(content[i]));
        b->ops->release(b, p);
    }
    b->ops->release(b, NULL);
    b->ops->close(b);
}

static void tickets_keep_the_value_of_their_moment(void **state) {
    (void)state;
    gyre_backend *b = open_backend(1);
    buffer x = buffer_new(b, 2);
    gyre_ticket tickets[5];
    float got[2];
    for (int i = 0; i < 4; i++) {
        OK(b->ops->fill(b->main, 2, (float)i, F(x)));
        OK(b->ops->read_later(b->main, F(x), 2, &tickets[i]));
    }
    assert_int_equal(b->ops->read_later(b->main, F(x), 2, &tickets[4]), GYRE_EDEVICE);
    for (int i = 3; i >= 0; i--) {
        OK(b->ops->read(b, tickets[i], got));
        assert_true(got[0] == (float)i && got[1] == (float)i);
        assert_int_equal(b->ops->read(b, tickets[i], got), GYRE_EDEVICE);
    }
    buffer_free(x);
    b->ops->close(b);
}

static void what_is_not_there_is_refused(void **state) {
    (void)state;
    gyre_backend *b = NULL;
    gyre_backend_options options = {.threads = 1};
    assert_int_equal(gyre_backend_open(GYRE_BACKEND_CUDA, &options, NULL, &b), GYRE_EDEVICE);
    assert_non_null(strcasestr(gyre_error_text(), "cuda"));
    OK(gyre_backend_open(GYRE_BACKEND_AUTO, &options, NULL, &b));
    assert_string_equal(b->ops->name, "cpu");
    assert_int_equal(b->act_size, sizeof(float));
    assert_non_null(strstr(b->ops->describe(b), "oneDNN"));
    b->ops->close(b);
}

/* Also what only all requests together do not leave room for. */
static void more_than_the_machine_has_is_refused(void **state) {
    (void)state;
    gyre_backend *b = NULL;
    gyre_backend_options options = {.threads = 1}; /* without poison, which would write */
    gyre_raw p, more;
    OK(gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &b));
    assert_int_equal(b->ops->alloc(b, (size_t)1 << 46, &p), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "65536.0 GiB of memory are needed, beside 0.0 GiB"));
    size_t most = (size_t)sysconf(_SC_PHYS_PAGES) / 8 * 5 * (size_t)sysconf(_SC_PAGESIZE);
    if (b->ops->alloc(b, most, &p) == GYRE_OK) {
        assert_int_equal(b->ops->alloc(b, most, &more), GYRE_EUSAGE);
        b->ops->release(b, p);
        OK(b->ops->alloc(b, most, &p)); /* which has given it back */
        b->ops->release(b, p);
    }
    b->ops->close(b);
}

static void the_default_is_one_thread_per_core(void **state) {
    (void)state;
    cpu_set_t cores;
    assert_int_equal(sched_getaffinity(0, sizeof cores, &cores), 0);
    unsetenv("OMP_NUM_THREADS");
    gyre_backend *b = open_backend(0);
    assert_int_equal(b->lanes, CPU_COUNT(&cores));
    b->ops->close(b);
    setenv("OMP_NUM_THREADS", "3", 1);
    b = open_backend(0);
    assert_int_equal(b->lanes, 3);
    b->ops->close(b);
    unsetenv("OMP_NUM_THREADS");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),
        cmocka_unit_test(the_first_failure_by_index_wins),
        cmocka_unit_test(memory_is_aligned_and_poisoned),
        cmocka_unit_test(tickets_keep_the_value_of_their_moment),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(more_than_the_machine_has_is_refused),
        cmocka_unit_test(the_default_is_one_thread_per_core),
    };
    return RUN_IN_BOTH(tests, NULL, NULL);
}
