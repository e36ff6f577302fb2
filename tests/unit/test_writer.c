/* The checkpoint thread: what it writes, what it tells of failures, and that it can be asked,
 * waited for and closed at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/run/writer.h"
#include "dataset_rig.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

enum { SIZE = 3 << 20 }; /* bytes of an image */

/* An image that holds `completed` in every byte, for one or two places. */
static run_writer_job job_of(int64_t completed, const char *first, const char *second) {
    run_writer_job job = {.size = SIZE, .rows_fd = -1, .completed = completed};
    job.image = malloc(SIZE);
    job.paths[0] = strdup(first);
    job.paths[1] = second == NULL ? NULL : strdup(second);
    assert_true(job.image != NULL && job.paths[0] != NULL);
    memset(job.image, (int)completed, SIZE);
    return job;
}

static void holds(const char *path, int64_t completed) {
    char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(gyre_file_read(path, SIZE, &bytes, &size), GYRE_OK);
    assert_int_equal(size, SIZE);
    for (size_t i = 0; i < SIZE; i += 4095) assert_int_equal((char)completed, bytes[i]);
    free(bytes);
}

static run_writer *open_writer(void) {
    run_writer *w = NULL;
    assert_int_equal(run_writer_open(&w), GYRE_OK);
    return w;
}

static void writes_all_places(void **state) {
    (void)state;
    const char *a = in_scratch("a.h5"), *b = in_scratch("b.h5");
    run_writer *w = open_writer();
    run_writer_result r;
    assert_false(run_writer_take(w, false, &r));
    assert_false(run_writer_take(w, true, &r)); /* nothing to wait for */
    run_writer_job job = job_of(7, a, b);
    int rows = job.rows_fd = open(in_scratch("rows"), O_WRONLY | O_CREAT, 0600);
    run_writer_put(w, &job);
    assert_true(run_writer_take(w, true, &r));
    assert_true(r.status == GYRE_OK && r.completed == 7 && r.seconds >= 0);
    holds(a, 7);
    holds(b, 7);
    assert_false(run_writer_take(w, true, &r)); /* a result is taken once */
    run_writer_close(w);
    close(rows);
}

/* Jobs follow each other; a caller that does not wait gets each result some time. */
static void keeps_the_order(void **state) {
    (void)state;
    const char *path = in_scratch("order.h5");
    run_writer *w = open_writer();
    run_writer_result r;
    for (int64_t i = 0; i < 40; i++) {
        run_writer_job job = job_of(i, path, NULL);
        run_writer_put(w, &job);
        while (!run_writer_take(w, i % 2 == 0, &r)) usleep(100);
        assert_true(r.status == GYRE_OK && r.completed == i);
        holds(path, i);
    }
    run_writer_close(w);
}

static void a_failure_comes_back_in_words(void **state) {
    (void)state;
    const char *good = in_scratch("good.h5"), *bad = in_scratch("missing/bad.h5");
    run_writer *w = open_writer();
    run_writer_result r;
    for (int i = 0; i < 3; i++) {
        run_writer_job job =
            i == 0 ? job_of(1, bad, good) : job_of(1 + i, good, i == 1 ? bad : NULL);
        run_writer_put(w, &job);
        assert_true(run_writer_take(w, true, &r));
        assert_int_equal(r.completed, 1 + i);
        assert_int_equal(r.status, i == 2 ? GYRE_OK : GYRE_EIO);
        if (i < 2) assert_non_null(strstr(r.error, bad));
        if (i == 0)
            assert_false(gyre_file_exists(good)); /* the first place comes first */
        else
            holds(good, 1 + i);
    }
    /* rows that cannot be synced: the checkpoint must not be there before them */
    const char *early = in_scratch("early.h5");
    run_writer_job job = job_of(9, early, NULL);
    job.rows_fd = INT_MAX; /* no descriptor has this number */
    run_writer_put(w, &job);
    assert_true(run_writer_take(w, true, &r));
    assert_true(r.status == GYRE_EIO && strstr(r.error, "metrics.h5") != NULL);
    assert_false(gyre_file_exists(early));
    run_writer_close(w);
}

/* The temporary file is a pipe without a reader, so the job stands still until one comes. */
static void a_caller_need_not_wait(void **state) {
    (void)state;
    char fifo[300], byte;
    const char *path = in_scratch("slow.h5");
    run_writer *w = open_writer();
    run_writer_result r;
    snprintf(fifo, sizeof fifo, "%s.tmp.%ld", path, (long)getpid());
    assert_int_equal(mkfifo(fifo, 0600), 0);
    run_writer_job job = job_of(3, path, NULL);
    job.size = 1;
    run_writer_put(w, &job);
    for (int i = 0; i < 20; i++) {
        assert_false(run_writer_take(w, false, &r));
        usleep(1000);
    }
    int reader = open(fifo, O_RDONLY);
    assert_int_equal(read(reader, &byte, 1), 1);
    assert_int_equal(byte, 3);
    assert_true(run_writer_take(w, true, &r));
    assert_true(r.status == GYRE_OK && r.completed == 3); /* no failure, though no sync of a pipe */
    close(reader);
    run_writer_close(w);
}

static void close_ends_the_job_under_way(void **state) {
    (void)state;
    const char *path = in_scratch("closed.h5"), *bad = in_scratch("missing/closed.h5");
    for (int64_t i = 0; i < 30; i++) {
        run_writer *w = open_writer();
        run_writer_job job = i % 3 == 0 ? job_of(i, bad, NULL) : job_of(i, path, NULL);
        if (i % 5 != 0) run_writer_put(w, &job);
        if (i % 2 == 0) usleep((useconds_t)(i * 100));
        run_writer_close(w); /* with no job, one that was not begun, one under way, or a result */
        if (i % 5 == 0) {
            free(job.image);
            free(job.paths[0]);
        } else if (i % 3 != 0) {
            holds(path, i);
        }
    }
    run_writer_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_all_places),
        cmocka_unit_test(keeps_the_order),
        cmocka_unit_test(a_failure_comes_back_in_words),
        cmocka_unit_test(a_caller_need_not_wait),
        cmocka_unit_test(close_ends_the_job_under_way),
    };
    if (mkdtemp(scratch) == NULL) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_scratch();
    return failed;
}
