/* Fibers that sanitizers know: each has a stack of its own, and control passes between it and the
 * scheduler only. */
#ifndef GYRE_TESTS_EMULATOR_FIBER_H
#define GYRE_TESTS_EMULATOR_FIBER_H

namespace emulator {

struct fiber;

/* The fiber runs body() each time it is resumed after body() has returned; `finished` is then set
 * and control is back at the scheduler. `index`: under the thread sanitizer fibers with one index
 * are one thread, with one stack. */
fiber *fiber_take(unsigned index, void (*body)());
void fiber_give_back(fiber *f); /* after its body() has returned */
void fiber_resume(fiber *f);
void fiber_yield(); /* from inside: back to the scheduler */

/* Between a kernel's caller and its threads: for the thread sanitizer. */
void fibers_begin(bool threads); /* by the caller: what it wrote is seen by threads that enter */
void fibers_refresh(); /* by the caller, between blocks: the same for what it wrote since */
void fibers_end();     /* by the caller, after the last block: it sees what the threads wrote */
void thread_enter();
void thread_leave();
void barrier_arrive();
void barrier_leave();
void warp_arrive(unsigned warp);
void warp_leave(unsigned warp);

/* Memory without a history: what was at this address before is forgotten by the sanitizers. */
void *fresh_memory(void *old, unsigned long bytes);
void forbid(void *p, unsigned long bytes); /* for the address sanitizer */
void permit(void *p, unsigned long bytes);

} // namespace emulator
#endif
