/* JSON as other modules read it, and configs with objects laid over them. */
#include "gyre/config.h"
#include "gyre/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static gyre_json_value *parse(const char *text) {
    gyre_json_value *v = NULL;
    if (gyre_json_parse(text, "x.json", &v) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return v;
}

static void values_are_read(void **state) {
    (void)state;
    gyre_json_value *v = parse("{\"a\": [1.5, \"two\", null, true], /* no */ \"b\": {\"c\": 3}}");
    assert_int_equal(gyre_json_kind_of(v), GYRE_JSON_OBJECT);
    const gyre_json_value *a = gyre_json_get(v, "a"), *item = gyre_json_first(a);
    assert_int_equal(gyre_json_kind_of(a), GYRE_JSON_LIST);
    assert_string_equal(gyre_json_key(a), "a");
    assert_true(gyre_json_number(item) == 1.5 && gyre_json_text(item) == NULL);
    item = gyre_json_next(item);
    assert_string_equal(gyre_json_text(item), "two");
    assert_true(isnan(gyre_json_number(item)));
    item = gyre_json_next(item);
    assert_int_equal(gyre_json_kind_of(item), GYRE_JSON_NULL);
    item = gyre_json_next(item);
    assert_true(gyre_json_is_true(item) && gyre_json_next(item) == NULL);
    assert_true(gyre_json_number(gyre_json_get(gyre_json_get(v, "b"), "c")) == 3);
    assert_null(gyre_json_get(v, "B"));
    assert_null(gyre_json_get(item, "a"));
    gyre_json_close(v);
    assert_int_equal(gyre_json_parse("{\"a\": 1, \"a\": 2}", "x.json", &v), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "x.json: key a is given twice"));
    assert_int_equal(gyre_json_read("/no/such.json", &v), GYRE_EIO);
}

/* cJSON alone prints the first of these one bit off. */
static void numbers_come_back_as_they_were(void **state) {
    (void)state;
    static const double numbers[] = {0.1 + 0.2, 1.0 / 3, 9007199254740991.0, -5e-324, 1e23};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[96];
        snprintf(text, sizeof text, "{\"a\": [{\"b\": %.17g}], \"c\": %.17g}", numbers[i],
                 numbers[i]);
        gyre_json_value *v = parse(text);
        for (int pretty = 0; pretty < 2; pretty++) {
            char *printed = gyre_json_print(v, pretty);
            assert_non_null(printed);
            gyre_json_value *again = parse(printed);
            const gyre_json_value *inner = gyre_json_first(gyre_json_get(again, "a"));
            assert_true(gyre_json_number(gyre_json_get(inner, "b")) == numbers[i]);
            assert_true(gyre_json_number(gyre_json_get(again, "c")) == numbers[i]);
            gyre_json_close(again);
            free(printed);
        }
        gyre_json_close(v);
    }
}

/* A row each for the members of an object and the items of its lists. */
static void rows_are_printed(void **state) {
    (void)state;
    const char *text =
        "{\"a\": {\"b\": [1, 2]}, \"rows\": [{\"n\": 1}, [0.1], \"x\\\",:\"], \"none\": []}";
    gyre_json_value *v = parse(text);
    char *printed = gyre_json_print_rows(v);
    assert_string_equal(printed, "{\n"
                                 "    \"a\": {\"b\": [1, 2]},\n"
                                 "    \"rows\": [\n"
                                 "        {\"n\": 1},\n"
                                 "        [0.1],\n"
                                 "        \"x\\\",:\"\n"
                                 "    ],\n"
                                 "    \"none\": [\n"
                                 "    ]\n"
                                 "}\n");
    free(printed);
    gyre_json_close(v);
}

static void layers_lie_over_a_config(void **state) {
    (void)state;
    gyre_json_value *tree = parse("{\"schedule\": {\"stepsize\": {\"steps\": 9}, \"max_lr\": 1}}");
    gyre_json_value *first = parse("{\"schedule.cycles\": 3, \"schedule\": {\"stepsize\": null}}");
    gyre_json_value *second = parse("{\"schedule.cycles\": 4}"), *wrong = parse("{\"seeed\": 1}");
    const gyre_config_layer layers[] = {{first, "a"}, {second, "b"}, {wrong, "arms[0]"}};
    gyre_settings *s = NULL;
    assert_int_equal(gyre_config_build(tree, "dir/x.json", layers, 2, &s), GYRE_OK);
    assert_true(s->schedule.cycles == 4 && s->schedule.max_lr == 1);
    assert_int_equal(s->schedule.stepsize.unit, GYRE_UNIT_NONE);
    assert_string_equal(s->dir, "dir");
    gyre_config_close(s);
    s = NULL;
    assert_int_equal(gyre_config_build(tree, "dir/x.json", layers, 3, &s), GYRE_EUSAGE);
    assert_null(s);
    assert_string_equal(gyre_error_text(), "arms[0]: unknown key seeed; the nearest is seed (`gyre "
                                           "help config` lists all)");
    gyre_json_close(tree);
    gyre_json_close(first);
    gyre_json_close(second);
    gyre_json_close(wrong);
}

static void objects_and_lists_are_built(void **state) {
    (void)state;
    gyre_json *j = gyre_json_begin();
    gyre_json_add_integer(j, "whole", -1000000000000000000);
    gyre_json_enter_list(j, "list");
    gyre_json_add_number(j, NULL, 0.1 + 0.2);
    gyre_json_add_number(j, NULL, INFINITY);
    gyre_json_enter_object(j, NULL);
    gyre_json_add_text(j, "a", "\"b\"");
    gyre_json_leave(j);
    gyre_json_enter_list(j, NULL);
    gyre_json_leave(j);
    gyre_json_leave(j);
    gyre_json_add_null(j, "none");
    gyre_json_value *v = gyre_json_end_value(j);
    assert_true(gyre_json_number(gyre_json_first(gyre_json_get(v, "list"))) == 0.1 + 0.2);
    j = gyre_json_begin();
    gyre_json_add_value(j, "v", v);
    gyre_json_add_flag(j, "last", true);
    char *text = gyre_json_end(j);
    assert_string_equal(text,
                        "{\"v\":{\"whole\":-1000000000000000000,\"list\":[0.30000000000000004,"
                        "null,{\"a\":\"\\\"b\\\"\"},[]],\"none\":null},\"last\":true}");
    free(text);
    gyre_json_close(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(numbers_come_back_as_they_were),
        cmocka_unit_test(objects_and_lists_are_built),
        cmocka_unit_test(rows_are_printed),
        cmocka_unit_test(layers_lie_over_a_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
