/* The scheduler of a block: runs the lanes of a warp until all wait, resolves what they wait for,
 * goes to the next warp, and opens the block's barrier when all threads are there. */
#include "emulator_block.h"
#include "emulator_fiber.h"
#include <cstdio>
#include <cstdlib>

namespace emulator {

uint3 thread_index, block_index;
dim3 block_size, grid_size;
unsigned lane;

enum { WARP = 32, MAX_THREADS = 1024, ARENA = 96 << 10, GAP = 32, MAX_SHARED = 64 };

enum condition { NEW, READY, AT_BARRIER, AT_COLLECTIVE, DONE };

struct thread {
    condition is;
    fiber *f;
    const char *file; /* where it waits */
    int line;
    collective what;
    unsigned mask, source;
    uint64_t in, out;
    unsigned shared_count; /* SHARED declarations passed */
};

struct shared_variable {
    size_t offset, bytes;
    const char *file;
    int line;
};

static thread threads[MAX_THREADS];
static launch_state *now;
static unsigned current;
static void *arena;
static size_t arena_used;
static shared_variable variables[MAX_SHARED];
static unsigned variable_count;

uint64_t random_next(uint64_t *state) {
    uint64_t x = *state += 0x9e3779b97f4a7c15; /* splitmix64 (Steele, Lea & Flood 2014) */
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

[[noreturn]] static void die(unsigned t, const char *what) {
    fprintf(stderr, "emulator: kernel %s, block (%u, %u, %u), thread %u, at %s:%d: %s\n", now->name,
            block_index.x, block_index.y, block_index.z, t,
            threads[t].file == nullptr ? "its beginning" : threads[t].file, threads[t].line, what);
    abort();
}

/* ---- called by kernels */

static void wait(condition what, const char *file, int line) {
    thread &t = threads[current];
    t.is = what;
    t.file = file;
    t.line = line;
    fiber_yield();
}

void barrier(const char *file, int line) {
    barrier_arrive();
    wait(AT_BARRIER, file, line);
    barrier_leave();
}

/* A shuffle orders no memory accesses; __syncwarp does. */
uint64_t meet(collective what, unsigned mask, uint64_t value, unsigned source, const char *file,
              int line) {
    thread &t = threads[current];
    unsigned warp = current / WARP;
    t.what = what;
    t.mask = mask;
    t.in = value;
    t.source = source;
    if (what == SYNC_WARP) warp_arrive(warp);
    wait(AT_COLLECTIVE, file, line);
    if (what == SYNC_WARP) warp_leave(warp);
    return t.out;
}

/* Makes it accessible, and NaN. Not by memset, which the thread sanitizer would watch. */
static void open_variable(const shared_variable &v) {
    volatile unsigned char *bytes = static_cast<unsigned char *>(arena) + v.offset;
    permit(static_cast<char *>(arena) + v.offset, v.bytes);
    for (size_t i = 0; i < v.bytes; i++) bytes[i] = 0xff;
}

/* The i-th declaration that a thread passes is the i-th of all threads. */
void *shared_memory(size_t bytes, size_t alignment, const char *file, int line) {
    thread &t = threads[current];
    unsigned i = t.shared_count++;
    if (i == MAX_SHARED) die(current, "too many SHARED variables, or one inside a loop");
    if (i == variable_count) {
        size_t offset = (arena_used + alignment - 1) / alignment * alignment;
        if (offset + bytes > ARENA) die(current, "more shared memory than the emulator has");
        variables[variable_count++] = {offset, bytes, file, line};
        arena_used = offset + bytes + GAP;
        open_variable(variables[i]);
    }
    const shared_variable &v = variables[i];
    if (v.line != line || v.bytes != bytes) {
        t.file = file;
        t.line = line;
        die(current, "threads pass SHARED declarations in different orders");
    }
    return static_cast<char *>(arena) + v.offset;
}

/* ---- the scheduler */

static void thread_body() {
    thread_enter();
    now->k->call(now->k->function, now->arguments);
    thread_leave();
    threads[current].is = DONE;
}

static void resume(unsigned t) {
    thread &h = threads[t];
    current = t;
    lane = t % WARP;
    thread_index.x = t % block_size.x;
    thread_index.y = t / block_size.x % block_size.y;
    thread_index.z = t / block_size.x / block_size.y;
    if (h.is == NEW) h.f = fiber_take(t, thread_body);
    h.is = READY;
    fiber_resume(h.f);
    if (h.is == DONE) fiber_give_back(h.f);
}

static void arrange(unsigned *list, unsigned n) {
    for (unsigned i = 0; i < n; i++) list[i] = now->threads_order == DESCENDING ? n - 1 - i : i;
    if (now->threads_order != SHUFFLED) return;
    for (unsigned i = n; i > 1; i--) {
        std::swap(list[i - 1], list[random_next(&now->random) % i]);
    }
}

/* Do all lanes that `first`'s mask names wait at the same place? Ends the program where they never
 * will. */
static bool all_met(const thread *warp, unsigned lanes, unsigned first, unsigned base) {
    const thread &a = warp[first];
    if (!(a.mask >> first & 1)) die(base + first, "a lane outside its own mask");
    for (unsigned j = 0; j < WARP; j++) {
        if (!(a.mask >> j & 1)) continue;
        if (j >= lanes) die(base + first, "the mask names a lane that the block doesn't have");
        const thread &b = warp[j];
        if (b.is == DONE) die(base + first, "waits for a lane that has ended");
        if (b.is != AT_COLLECTIVE || b.line != a.line || b.what != a.what || b.mask != a.mask) {
            return false;
        }
    }
    return true;
}

static void exchange(thread *warp, unsigned mask, unsigned base) {
    for (unsigned j = 0; j < WARP; j++) {
        if (!(mask >> j & 1)) continue;
        thread &b = warp[j];
        if (b.what == SHUFFLE && !(mask >> b.source & 1)) {
            die(base + j, "a shuffle from a lane outside the mask");
        }
        b.out = warp[b.source].in;
    }
    for (unsigned j = 0; j < WARP; j++) {
        if (mask >> j & 1) warp[j].is = READY;
    }
}

/* Lets those lanes go that all others have met; false when there are none. */
static bool release_some(unsigned base, unsigned lanes) {
    thread *warp = threads + base;
    for (unsigned i = 0; i < lanes; i++) {
        if (warp[i].is == AT_COLLECTIVE && all_met(warp, lanes, i, base)) {
            exchange(warp, warp[i].mask, base);
            return true;
        }
    }
    return false;
}

/* Until every lane has ended or waits at the block's barrier. */
static void run_warp(unsigned base) {
    unsigned lanes = std::min(unsigned(WARP), now->threads - base), list[WARP];
    do {
        arrange(list, lanes);
        for (unsigned i = 0; i < lanes; i++) {
            if (threads[base + list[i]].is <= READY) resume(base + list[i]);
        }
    } while (release_some(base, lanes));
    for (unsigned i = 0; i < lanes; i++) {
        if (threads[base + i].is == AT_COLLECTIVE) {
            die(base + i, "the lanes of its mask don't meet here: they wait elsewhere");
        }
    }
}

/* All wait at one barrier, or all have ended (true). */
static bool open_barrier() {
    unsigned done = 0, at = 0;
    for (unsigned t = 0; t < now->threads; t++) {
        if (threads[t].is == DONE) done++;
        if (threads[t].is == AT_BARRIER) at = t;
    }
    if (done == now->threads) return true;
    if (done > 0) die(at, "waits at a barrier that other threads of the block never reach");
    for (unsigned t = 0; t < now->threads; t++) {
        if (threads[t].line != threads[at].line) die(t, "threads wait at different barriers");
    }
    for (unsigned t = 0; t < now->threads; t++) threads[t].is = READY;
    return false;
}

static void prepare(void) {
    if (now->blocks++ == 0) variable_count = 0, arena_used = GAP;
    arena = fresh_memory(arena, ARENA);
    forbid(arena, ARENA);
    for (unsigned i = 0; i < variable_count; i++) open_variable(variables[i]);
    for (unsigned t = 0; t < now->threads; t++) threads[t] = thread();
}

void run_block(launch_state *launch) {
    unsigned warps[MAX_THREADS / WARP], count = (launch->threads + WARP - 1) / WARP;
    now = launch;
    prepare();
    fibers_refresh();
    do {
        arrange(warps, count);
        for (unsigned i = 0; i < count; i++) run_warp(warps[i] * WARP);
    } while (!open_barrier());
}

} // namespace emulator
