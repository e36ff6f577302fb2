/* Schedules against numbers made elsewhere: 50-digit arithmetic, and PyTorch's own schedulers
 * (tests/data/schedule). */
#include "config_rig.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gyre/schedule.h"

static gyre_schedule *open_text(const char *text) {
    gyre_settings *set;
    gyre_schedule *s = NULL;
    gyre_status status = config_open_bytes(&file, text, strlen(text), NULL, &set);
    if (status == GYRE_OK) {
        status = gyre_schedule_open(&set->schedule, &set->length, set->optimizer.momentum, 0, &s);
        gyre_config_close(set);
    }
    if (status != GYRE_OK) fail_msg("%s: %s", text, gyre_error_text());
    return s;
}

/* Calls `check` for each row of a table; returns their number. */
static int each_row(const char *path, void (*check)(const gyre_schedule *s, double period,
                                                    const char *row, const char *config)) {
    FILE *f = fopen(path, "r");
    if (f == NULL) fail_msg("%s is missing; run the tests from the repository's root", path);
    char line[1024], config[1024] = "";
    gyre_schedule *s = NULL;
    double period = 0;
    int rows = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#') continue;
        if (strncmp(line, "config ", 7) == 0) {
            gyre_schedule_close(s);
            strcpy(config, line + 7);
            s = open_text(config);
        } else if (strncmp(line, "period ", 7) == 0) {
            period = strtod(line + 7, NULL);
        } else {
            check(s, period, line, config);
            rows++;
        }
    }
    gyre_schedule_close(s);
    fclose(f);
    return rows;
}

static int worst_ulp;

/* The reference is the nearest double to the true rate (half a unit away at most), so 3 units
 * between the two doubles keep the true error below the 4 that are promised. */
static void check_digits(const gyre_schedule *s, double period, const char *row,
                         const char *config) {
    (void)period;
    char *end;
    int64_t t = strtoll(row, &end, 10);
    double want = strtod(end, NULL), got = gyre_schedule_at(s, t).lr;
    double unit = nextafter(want, INFINITY) - want;
    double err = fabs(got - want) / unit;
    bool window = strstr(config, "\"max_lr\":1.0") != NULL; /* no other rounding than its own */
    if (!(err <= (window ? 1 : 3)))
        fail_msg("%s: step %" PRId64 ": %a, %a is %g units off", config, t, want, got, err);
    if (err > worst_ulp) worst_ulp = (int)err;
}

static void fifty_digits(void **state) {
    (void)state;
    assert_in_range(each_row("tests/data/schedule/reference.txt", check_digits), 1500, 5000);
    print_message("worst of 50 digits: %d units\n", worst_ulp);
}

/* PyTorch forms t / P in floating point: an error of 2^-52 t / P in the phase, which max_lr
 * multiplies; the other roundings of either side are some 2^-52 max_lr together. Momentum likewise,
 * of values below 1. */
static void check_torch(const gyre_schedule *s, double period, const char *row,
                        const char *config) {
    char *end;
    int64_t t = strtoll(row, &end, 10);
    double lr = strtod(end, &end), momentum = strtod(end, NULL);
    gyre_rate got = gyre_schedule_at(s, t);
    double max =
        strstr(config, "max_lr") != NULL ? strtod(strstr(config, "max_lr") + 8, NULL) : 0.1;
    double bound = 0x1p-50 * (1 + (double)t / period);
    if (!(fabs(got.lr - lr) <= bound * max)) {
        fail_msg("%s: step %" PRId64 ": lr %a, PyTorch has %a", config, t, got.lr, lr);
    }
    if (!(fabs(got.momentum - momentum) <= bound)) {
        fail_msg("%s: step %" PRId64 ": momentum %a, PyTorch has %a", config, t, got.momentum,
                 momentum);
    }
}

static void pytorch(void **state) {
    (void)state;
    assert_in_range(each_row("tests/data/schedule/torch.txt", check_torch), 2000, 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifty_digits),
        cmocka_unit_test(pytorch),
    };
    return cmocka_run_group_tests(tests, make_config_file, remove_config_file);
}
