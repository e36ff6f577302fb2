/* A condition of a test of several ranks: where it does not hold, all of them end with a message.
 */
#ifndef GYRE_TESTS_MPI_CHECK_H
#define GYRE_TESTS_MPI_CHECK_H

#include "gyre/comm.h"
#include <stdio.h>

#define CHECK_ON(comm_, condition)                                                                 \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: rank %d: %s (%s)\n", __FILE__, __LINE__,                       \
                    gyre_comm_rank(comm_), #condition, gyre_error_text());                         \
            gyre_fail(GYRE_EPEER, "test failed");                                                  \
            gyre_comm_abort(comm_, GYRE_EPEER);                                                    \
        }                                                                                          \
    } while (0)

#endif
