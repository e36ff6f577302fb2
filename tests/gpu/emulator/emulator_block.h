/* One block of a kernel: its threads, from start to end. */
#ifndef GYRE_TESTS_EMULATOR_BLOCK_H
#define GYRE_TESTS_EMULATOR_BLOCK_H

#include "emulator_device.h"

namespace emulator {

enum order { ASCENDING, DESCENDING, SHUFFLED };

/* What all blocks of a launch have in common. */
struct launch_state {
    const kernel *k;
    const char *name;
    void **arguments;
    unsigned threads;
    order threads_order;
    uint64_t random; /* state of the generator */
    uint64_t blocks; /* begun so far */
};

uint64_t random_next(uint64_t *state);
/* block_index, block_size and grid_size are set. */
void run_block(launch_state *launch);

} // namespace emulator
#endif
