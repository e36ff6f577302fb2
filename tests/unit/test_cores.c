/* Lists of cores: reading them, and that this process's own is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gyre/cores.h"
#include <sched.h>
#include <string.h>

static void lists_are_counted(void **state) {
    (void)state;
    assert_int_equal(gyre_cores_count("0"), 1);
    assert_int_equal(gyre_cores_count("0-3,8"), 5);
    assert_int_equal(gyre_cores_count("1,3,5-6,100-227"), 132);
    assert_int_equal(gyre_cores_count("?"), 1);
    assert_int_equal(gyre_cores_count(""), 1);
    assert_int_equal(gyre_cores_count("5-2"), 1);
}

static void lists_are_marked(void **state) {
    (void)state;
    unsigned char used[6] = {0};
    gyre_cores_mark("1,3-9", used, 5);
    const unsigned char want[6] = {0, 1, 0, 1, 1, 0}; /* the sixth lies behind n */
    assert_memory_equal(used, want, sizeof used);
}

static void own_cores_are_told(void **state) {
    (void)state;
    cpu_set_t all, one;
    char text[256];
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    gyre_cores_text(text, sizeof text);
    assert_int_equal(gyre_cores_count(text), CPU_COUNT(&all));
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    gyre_cores_text(text, sizeof text);
    assert_null(strpbrk(text, "-,?"));
    assert_int_equal(gyre_cores_count(text), 1);
    char little[3];
    gyre_cores_text(little, sizeof little);
    assert_true(strlen(little) < sizeof little);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_counted),
        cmocka_unit_test(lists_are_marked),
        cmocka_unit_test(own_cores_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
