/* Text as source of a manual page: nothing in it is taken for a request of roff. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/roff.h"
#include <stdlib.h>
#include <string.h>

/* What one of the functions prints. */
static void assert_source(void (*print)(FILE *out, const char *text), const char *text,
                          const char *source) {
    char *got = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&got, &size);
    assert_non_null(f);
    print(f, text);
    fclose(f);
    assert_string_equal(got, source);
    free(got);
}

static void test_text(void **state) {
    (void)state;
    assert_source(gyre_roff_text, "plain words", "plain words\n");
    assert_source(gyre_roff_text, "--set a-b", "\\-\\-set a\\-b\n");
    assert_source(gyre_roff_text, ".hidden a.b", "\\&.hidden a.b\n");
    assert_source(gyre_roff_text, "'{\"a\": 1}'", "\\(aq{\\(dqa\\(dq: 1}\\(aq\n");
    assert_source(gyre_roff_text, "a\\b ~ ^", "a\\eb \\(ti \\(ha\n");
    assert_source(gyre_roff_text, "see `gyre help` now", "see \\fBgyre help\\fR now\n");
    assert_source(gyre_roff_text, "an open `quote", "an open \\fBquote\\fR\n");
    assert_source(gyre_roff_text, "one\n.two\n\nthree", "one\n.br\n\\&.two\n.PP\nthree\n");
}

static void test_entry(void **state) {
    (void)state;
    assert_source(gyre_roff_entry, "--out DIR, -o", ".TP\n\\fB\\-\\-out DIR, \\-o\\fR\n");
    assert_source(gyre_roff_heading, "see also", ".SH SEE ALSO\n");
}

static void test_begin(void **state) {
    (void)state;
    char *got = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&got, &size);
    assert_non_null(f);
    gyre_roff_begin(f, "gyre-train", 1, "trains");
    fclose(f);
    assert_ptr_equal(strstr(got, ".TH \"GYRE\\-TRAIN\" 1 \"\" \"gyre "), got);
    assert_non_null(strstr(got, "\n.SH NAME\ngyre\\-train \\- trains\n"));
    free(got);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_entry),
        cmocka_unit_test(test_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
