/* Switching stacks, and telling the sanitizers. On x86-64 by hand, 20 times as fast as swapcontext,
 * which asks the kernel about signals each time; elsewhere by swapcontext.
 *
 * Built without the thread sanitizer's instrumentation, with EMULATOR_TSAN, in programs that use
 * it: the scheduler is no part of what is examined. */
#include "emulator_fiber.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define ASAN(...) __VA_ARGS__
#else
#define ASAN(...)
#endif

#if defined(EMULATOR_TSAN)
extern "C" {
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *address);
void __tsan_release(void *address);
}
#define TSAN(...) __VA_ARGS__
#else
#define TSAN(...)
#endif

#if defined(__x86_64__) && !defined(EMULATOR_UCONTEXT)
/* Saves what a call must keep on the stack, and leaves by the other one. */
extern "C" void emulator_switch(void **save, void *to);
asm(R"(.text
.globl emulator_switch
.type emulator_switch,@function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulator_switch, .-emulator_switch
.section .note.GNU-stack,"",@progbits
.text
)");
#define BY_HAND 1
#else
#include <ucontext.h>
#define BY_HAND 0
#endif

namespace emulator {

static const size_t STACK = 256 << 10, PAGE = 4096;

struct context {
#if BY_HAND
    void *top;
#else
    ucontext_t u;
#endif
};

struct fiber {
    context at;
    char *stack;
    void (*body)();
    ASAN(void *fake;)
    TSAN(void *thread;)
};

static context scheduler;
static fiber *running;
/* never freed: they are used until the program's very end */
static std::vector<fiber *> &idle = *new std::vector<fiber *>, &indexed = *new std::vector<fiber *>;
static bool each_a_thread;
ASAN(static void *scheduler_fake; static const void *scheduler_bottom;
     static size_t scheduler_size;)
TSAN(static void *caller; static char begin_clock, end_clock, barrier_clock, warp_clock[32];)

static void swap(context *from, context *to) {
#if BY_HAND
    emulator_switch(&from->top, to->top);
#else
    if (swapcontext(&from->u, &to->u) != 0) abort();
#endif
}

static void fiber_main() {
    ASAN(__sanitizer_finish_switch_fiber(nullptr, &scheduler_bottom, &scheduler_size);)
    for (;;) {
        running->body();
        fiber_yield();
    }
}

static fiber *fiber_new(void (*body)()) {
    fiber *f = new fiber();
    void *memory = mmap(nullptr, STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, PAGE, PROT_NONE) != 0) {
        perror("emulator: no memory for the stack of a CUDA thread");
        abort();
    }
    f->stack = static_cast<char *>(memory);
    f->body = body;
#if BY_HAND
    /* as if emulator_switch had been called at the beginning of fiber_main, which has no caller */
    void **top = reinterpret_cast<void **>(f->stack + STACK - 64);
    *--top = nullptr;
    *--top = reinterpret_cast<void *>(fiber_main);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    f->at.top = top;
#else
    getcontext(&f->at.u);
    f->at.u.uc_stack.ss_sp = f->stack;
    f->at.u.uc_stack.ss_size = STACK;
    makecontext(&f->at.u, fiber_main, 0);
#endif
    return f;
}

fiber *fiber_take(unsigned index, void (*body)()) {
    if (each_a_thread) {
        if (indexed.size() <= index) indexed.resize(index + 1);
        fiber *&f = indexed[index];
        if (f == nullptr) {
            f = fiber_new(body);
            TSAN(f->thread = __tsan_create_fiber(0);)
        }
        return f;
    }
    if (idle.empty()) return fiber_new(body);
    fiber *f = idle.back();
    idle.pop_back();
    return f;
}

void fiber_give_back(fiber *f) {
    if (!each_a_thread) idle.push_back(f);
}

void fiber_resume(fiber *f) {
    running = f;
    TSAN(if (each_a_thread) __tsan_switch_to_fiber(f->thread, 1);) /* 1: orders nothing */
    ASAN(__sanitizer_start_switch_fiber(&scheduler_fake, f->stack, STACK);)
    swap(&scheduler, &f->at);
    ASAN(__sanitizer_finish_switch_fiber(scheduler_fake, nullptr, nullptr);)
}

void fiber_yield() {
    fiber *f = running;
    TSAN(if (each_a_thread) __tsan_switch_to_fiber(caller, 1);)
    ASAN(__sanitizer_start_switch_fiber(&f->fake, scheduler_bottom, scheduler_size);)
    swap(&f->at, &scheduler);
    ASAN(__sanitizer_finish_switch_fiber(f->fake, &scheduler_bottom, &scheduler_size);)
}

#if defined(EMULATOR_TSAN)
static void release(void *clock) {
    if (each_a_thread) __tsan_release(clock);
}
static void acquire(void *clock) {
    if (each_a_thread) __tsan_acquire(clock);
}
void fibers_begin(bool threads) {
    each_a_thread = threads;
    caller = __tsan_get_current_fiber();
    release(&begin_clock);
}
void fibers_refresh() {
    release(&begin_clock);
}
void fibers_end() {
    acquire(&end_clock);
}
void thread_enter() {
    acquire(&begin_clock);
}
void thread_leave() {
    release(&end_clock);
}
void barrier_arrive() {
    release(&barrier_clock);
}
void barrier_leave() {
    acquire(&barrier_clock);
}
void warp_arrive(unsigned warp) {
    release(&warp_clock[warp]);
}
void warp_leave(unsigned warp) {
    acquire(&warp_clock[warp]);
}
#else
void fibers_begin(bool) {}
void fibers_refresh() {}
void fibers_end() {}
void thread_enter() {}
void thread_leave() {}
void barrier_arrive() {}
void barrier_leave() {}
void warp_arrive(unsigned) {}
void warp_leave(unsigned) {}
#endif

void *fresh_memory(void *old, unsigned long bytes) {
    TSAN(if (old != nullptr) munmap(old, bytes); old = nullptr;)
    if (old != nullptr) return old;
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("emulator: no shared memory");
        abort();
    }
    return memory;
}

void forbid(void *p, unsigned long bytes) {
    ASAN(ASAN_POISON_MEMORY_REGION(p, bytes);)
    (void)p;
    (void)bytes;
}

void permit(void *p, unsigned long bytes) {
    ASAN(ASAN_UNPOISON_MEMORY_REGION(p, bytes);)
    (void)p;
    (void)bytes;
}

} // namespace emulator
