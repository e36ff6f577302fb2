/* Values of a config replaced as text: what is around them stays, and the result is a config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "config_text.h"
#include <string.h>

static void becomes(const char *text, gyre_config_change change, const char *expected) {
    config_file file;
    gyre_settings *s = NULL;
    char *out = NULL;
    assert_int_equal(config_file_make(&file), 0);
    assert_int_equal(config_open_bytes(&file, text, strlen(text), NULL, &s), GYRE_OK);
    gyre_config_close(s);
    assert_int_equal(gyre_config_edit(file.path, &change, 1, &out), GYRE_OK);
    assert_string_equal(out, expected);
    assert_int_equal(config_open_bytes(&file, out, strlen(out), NULL, &s), GYRE_OK);
    gyre_config_close(s);
    unlink(file.path);
    free(out);
}

#define BASE(value) ((gyre_config_change){"schedule.base_lr", value})

static void values_are_replaced_in_place(void **state) {
    (void)state;
    becomes("{\"schedule\": {\"base_lr\": 0.5 , \"max_lr\": 1}}", BASE("0.25"),
            "{\"schedule\": {\"base_lr\": 0.25 , \"max_lr\": 1}}");
    becomes("{\"schedule\": {\"max_lr\":1,\"base_lr\":\"find\"}}", BASE("1e-3"),
            "{\"schedule\": {\"max_lr\":1,\"base_lr\":1e-3}}");
    becomes("{\"seed\": 3}", (gyre_config_change){"seed", "4"}, "{\"seed\": 4}");
    becomes("{\"length\": {\"steps\": 3}}", (gyre_config_change){"length", "{\"epochs\": 1}"},
            "{\"length\": {\"epochs\": 1}}");
}

static void missing_keys_come_first(void **state) {
    (void)state;
    becomes("{\"seed\": 3}", BASE("2"), "{\"schedule\": {\"base_lr\": 2}, \"seed\": 3}");
    becomes("{}", BASE("2"), "{\"schedule\": {\"base_lr\": 2}}");
    becomes("{\"schedule\": {}}", BASE("2"), "{\"schedule\": {\"base_lr\": 2}}");
    becomes("{\"schedule\": {\"max_lr\": 3}}", BASE("2"),
            "{\"schedule\": {\"base_lr\": 2, \"max_lr\": 3}}");
}

/* Comments, strings and stages that look like the key are none. */
static void only_the_key_itself_is_found(void **state) {
    (void)state;
    becomes("{ // \"schedule\": {\"base_lr\": 7}\n\"data\": {\"path\": \"\\\"base_lr\\\": 8\"},\n"
            "\"schedule\": { /* \"base_lr\": 9, */ \"stages\": [{\"base_lr\": 1, \"length\": "
            "{\"steps\": 9}}], \"base_lr\": 5 /*here*/ }}",
            BASE("6"),
            "{ // \"schedule\": {\"base_lr\": 7}\n\"data\": {\"path\": \"\\\"base_lr\\\": 8\"},\n"
            "\"schedule\": { /* \"base_lr\": 9, */ \"stages\": [{\"base_lr\": 1, \"length\": "
            "{\"steps\": 9}}], \"base_lr\": 6 /*here*/ }}");
}

static void a_missing_file_is_named(void **state) {
    (void)state;
    char *out = NULL;
    assert_int_equal(gyre_config_edit("/nowhere/a.json", NULL, 0, &out), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "/nowhere/a.json"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_replaced_in_place),
        cmocka_unit_test(missing_keys_come_first),
        cmocka_unit_test(only_the_key_itself_is_found),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
