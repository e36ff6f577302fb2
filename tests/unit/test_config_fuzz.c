/* Damaged configs: whatever a text holds, it is read or refused in one line, never more; and what
 * is read can be echoed and read again. Mutations are keyed, so a failure names its round. Worth
 * most with SAN_FLAGS=-fsanitize=address,undefined. */
#include "config_rig.h"
#include "gyre/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 5000, ROOM = 4096 };

static const char whole[] =
    "{ // a config with something of everything\n"
    "\"seed\": 9007199254740991, \"reduce\": \"fast\", \"threads\": 2, \"graph\": false,\n"
    "\"data\": {\"path\": \"d\\u00e9.h5\", \"validation\": {\"split\": 0.1},\n"
    "         \"augment\": {\"crop\": 4, \"mirror\": true, \"normalize\": {\"mean\": "
    "[0.5], \"std\": [1e-1]}}},\n"
    "\"model\": {\"name\": \"lenet\", \"freeze\": [\"conv1\", \"a\\tb\"]}, /* and so\n on */\n"
    "\"batch\": {\"size\": 96, \"shards\": 3}, \"optimizer\": {\"name\": \"adamw\", \"eps\": "
    "1e-7},\n"
    "\"schedule\": {\"policy\": \"exp_range\", \"max_lr\": 0.1, \"gamma\": 0.999, \"form\": "
    "\"paper\",\n"
    "  \"warmup\": {\"steps\": 9, \"from\": 1e-3}, \"momentum\": {\"min\": 0.8, \"max\": 0.9},\n"
    "  \"milestones\": {\"epochs\": [1.5, 2]}, \"decay_steps\": 70, \"cycles\": 2.5,\n"
    "  \"stages\": [{\"length\": {\"cycles\": 2}, \"stepsize\": {\"steps\": 5}, \"momentum\": "
    "null},\n"
    "              {\"length\": {\"epochs\": 2}, \"policy\": \"triangular2\"}]},\n"
    "\"length\": {\"steps\": 100}, \"checkpoint\": {\"every\": {\"minutes\": 5}}}\n";

static const char *const pieces[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "//",
    "/*",
    "*/",
    "\\",
    "null",
    "true",
    "-1",
    "1e999",
    "0",
    "1e-320",
    "\n",
    "\\u0000",
    "\\ud800",
    "\"length\"",
    "\"stages\"",
    "\"schedule\"",
    "\"steps\": 3",
    "{}",
    "[[[[[[",
    "99999999999999999999999999999999999999999999999999999999999999999999999999",
    "\xff\xfe"};

/* Removes, repeats or puts in a few bytes. */
static size_t mutate(gyre_random *r, char *text, size_t size) {
    size_t at = gyre_random_below(r, (uint32_t)size), n = 1 + gyre_random_below(r, 24);
    const char *piece = pieces[gyre_random_below(r, sizeof pieces / sizeof *pieces)];
    if (at + n > size) n = size - at;
    switch (gyre_random_below(r, 5)) {
    case 0: text[at] = (char)gyre_random_u32(r); return size;
    case 1: memmove(text + at, text + at + n, size - at - n); return size - n + (size == n);
    case 2: return at + 1;
    case 3: memmove(text + at + n, text + at, size - at); return size + n;
    default:
        n = strlen(piece);
        memmove(text + at + n, text + at, size - at);
        memcpy(text + at, piece, n);
        return size + n;
    }
}

static void assert_echo_reads_back(const gyre_settings *s, int round) {
    char *echo, *again;
    gyre_settings *back;
    assert_int_equal(gyre_config_print(s, &echo), GYRE_OK);
    if (config_open_bytes(&file, echo, strlen(echo), NULL, &back) != GYRE_OK) {
        fail_msg("round %d: %s\n%s", round, gyre_error_text(), echo);
    }
    assert_int_equal(gyre_config_print(back, &again), GYRE_OK);
    if (strcmp(echo, again) != 0) fail_msg("round %d: the echo changes", round);
    free(echo);
    free(again);
    gyre_config_close(back);
}

static void damaged_configs_are_read_or_refused(void **state) {
    (void)state;
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char text[ROOM];
        size_t size = sizeof whole - 1;
        gyre_random r = gyre_random_open(3, GYRE_RANDOM_TEST, (uint64_t)round, 0);
        memcpy(text, whole, size);
        for (uint32_t i = 1 + gyre_random_below(&r, 3); i > 0 && round > 0; i--) {
            size = mutate(&r, text, size);
        }
        gyre_settings *s;
        gyre_status status = config_open_bytes(&file, text, size, NULL, &s);
        if (status == GYRE_OK) {
            assert_echo_reads_back(s, round);
            gyre_config_close(s);
            read++;
        } else if (status != GYRE_EUSAGE || gyre_error_text()[0] == '\0' ||
                   strpbrk(gyre_error_text(), "\n\r") != NULL) {
            fail_msg("round %d: status %d, '%s'", round, status, gyre_error_text());
        }
    }
    assert_in_range(read, ROUNDS / 100, ROUNDS - ROUNDS / 4); /* both happen often */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_configs_are_read_or_refused)};
    return cmocka_run_group_tests(tests, make_config_file, remove_config_file);
}
