/* What the tests of cuDNN's plans share: plans for devices that are not here. Run from the top of
 * the source tree. */
#ifndef GYRE_TESTS_GPU_PLANS_RIG_H
#define GYRE_TESTS_GPU_PLANS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../cuda/plan.h"
#include <stdio.h>

#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != GYRE_OK) fail_msg("%s: %s", #call, gyre_error_text());                       \
    } while (0)

/* "h100": a device of tests/gpu/devices */
static inline gyre_status open_device(const char *name, gpu_plans **out) {
    char path[64], json[2048];
    snprintf(path, sizeof path, "tests/gpu/devices/%s.json", name);
    FILE *file = fopen(path, "r");
    if (file == NULL) return gyre_fail(GYRE_EIO, "%s: not here; run from the source tree", path);
    json[fread(json, 1, sizeof json - 1, file)] = '\0';
    fclose(file);
    return gpu_plans_open_json(json, true, out);
}

#endif
