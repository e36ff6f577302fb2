/* Limits of control groups, read from made-up folders of both versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/control_groups.h"
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char root[PATH_MAX - 64];

static const char *in_root(const char *name) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void folder(const char *name) {
    assert_int_equal(mkdir(in_root(name), 0700), 0);
}

static void file(const char *name, const char *text) {
    FILE *f = fopen(in_root(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static uint64_t limit_of(const char *self) {
    char path[PATH_MAX];
    file("self", self);
    snprintf(path, sizeof path, "%s", in_root("self"));
    return gyre_control_groups_memory(path, root);
}

static int make_root(void **state) {
    (void)state;
    const char *scratch = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/gyre-groups-XXXXXX", scratch == NULL ? "/tmp" : scratch);
    if (mkdtemp(root) == NULL) return 1;
    static const char *const folders[] = {"job", "job/step", "memory", "memory/job", "open"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) folder(folders[i]);
    file("job/memory.max", "5000\n");
    file("job/step/memory.max", "max\n");
    file("open/memory.max", "max\n");
    file("memory/memory.limit_in_bytes", "9223372036854771712\n");
    file("memory/job/memory.limit_in_bytes", "3000\n");
    return 0;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *place) {
    (void)s, (void)kind, (void)place;
    return remove(path);
}

static int remove_root(void **state) {
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void a_limit_of_an_outer_group_holds(void **state) {
    (void)state;
    assert_int_equal(limit_of("0::/job/step\n"), 5000);
    assert_int_equal(limit_of("0::/job\n"), 5000);
}

static void no_limit_is_none(void **state) {
    (void)state;
    assert_int_equal(limit_of("0::/open\n"), 0);
    assert_int_equal(limit_of("0::/\n"), 0);
    assert_int_equal(limit_of("0::/gone\n"), 0);
    assert_int_equal(limit_of("nonsense\n"), 0);
    assert_int_equal(gyre_control_groups_memory("/nowhere", root), 0);
}

static void version_1_is_read_too(void **state) {
    (void)state;
    assert_int_equal(limit_of("12:cpuset:/job\n9:memory:/job\n0::/open\n"), 3000);
}

static void some_memory_is_allowed(void **state) {
    (void)state;
    assert_true(gyre_memory_allowed() > 1 << 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_of_an_outer_group_holds),
        cmocka_unit_test(no_limit_is_none),
        cmocka_unit_test(version_1_is_read_too),
        cmocka_unit_test(some_memory_is_allowed),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
