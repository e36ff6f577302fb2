/* Runs a program's tests in f32 and again in bf16. Included after cmocka. */
#ifndef GYRE_TESTS_PRECISION_H
#define GYRE_TESTS_PRECISION_H

#include "gyre/backend.h"
#include <stdio.h>

static gyre_precision precision = GYRE_PRECISION_F32; /* of backends that are opened */

/* False where oneDNN has no bf16 kernels for this processor. */
static inline bool switch_to_bf16(void) {
    gyre_backend *b = NULL;
    gyre_backend_options options = {.threads = 1, .precision = GYRE_PRECISION_BF16};
    if (gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &b) != GYRE_OK) {
        printf("not in bf16: %s\n", gyre_error_text());
        return false;
    }
    b->ops->close(b);
    precision = GYRE_PRECISION_BF16;
    return true;
}

#define RUN_IN_BOTH(tests, set_up, tear_down)                                                      \
    (cmocka_run_group_tests_name("f32", tests, set_up, tear_down) +                                \
     (switch_to_bf16() ? cmocka_run_group_tests_name("bf16", tests, set_up, tear_down) : 0))

#endif
