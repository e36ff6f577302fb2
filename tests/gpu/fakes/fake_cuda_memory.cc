/* Device memory that the host cannot touch, and pinned host memory.
 *
 * An arena of addresses is reserved at the start; an allocation is a piece of it, ending as near as
 * its 256-byte alignment allows to a page that stays closed, and no address is given twice. Pages
 * are open only while a task runs, so a host access faults and is named. Fresh memory is 0xff...,
 * which is NaN as f32 and as bf16.
 *
 *   FAKE_MEMORY=bytes   of one device (4 GiB)
 *   FAKE_FREE=at-once   cudaFree does not wait for the device first. CUDA says that it "may": a
 *                       program may neither rely on it nor mind it */
#include "fake.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

namespace fake {

namespace {
constexpr size_t PAGE = 4096, ALIGN = 256, ARENA = (size_t)1 << 36;
struct Block {
    char *base;           /* first page */
    size_t mapped, bytes; /* mapped: without the closed page behind */
};
struct Memory {
    char *arena = nullptr, *next = nullptr;
    std::map<char *, Block> blocks; /* by the address that the program got */
    std::map<char *, size_t> pinned;
    size_t used = 0, limit = 0;
    bool free_waits = true;
    bool open = false;
    bool watching = false;
    size_t pages_read = 0, pages_written = 0;
    const char *running = "";
};
Memory &memory() {
    static Memory *m = new Memory;
    return *m;
}
} // namespace

static size_t up(size_t n, size_t unit) {
    return (n + unit - 1) / unit * unit;
}

static const Block *block_at(const char *p) {
    auto &all = memory().blocks;
    auto it = all.upper_bound((char *)p);
    if (it == all.begin()) return nullptr;
    const Block &b = (--it)->second;
    return p >= b.base && p < b.base + b.mapped ? &b : nullptr;
}

/* A watched page is touched: it opens for reading, or for both. The map does not change meanwhile.
 */
static bool count_page(char *p, bool write) {
    Memory &m = memory();
    if (!m.watching || block_at(p) == nullptr) return false;
    char *page = (char *)((uintptr_t)p / PAGE * PAGE);
    (write ? m.pages_written : m.pages_read)++;
    return mprotect(page, PAGE, write ? PROT_READ | PROT_WRITE : PROT_READ) == 0;
}

static bool is_write(void *context) {
#ifdef __x86_64__
    return (((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
    (void)context;
    stop("FAKE_COUNT: only x86-64 says whether a page was read or written");
#endif
}

/* Only async-signal-safe calls. */
static void on_fault(int, siginfo_t *info, void *context) {
    Memory &m = memory();
    const char *p = (const char *)info->si_addr;
    if (m.watching && count_page((char *)info->si_addr, is_write(context))) return;
    bool device = m.arena != nullptr && p >= m.arena && p < m.arena + ARENA;
    const char *what = !device  ? "the program touches memory that is not there"
                       : m.open ? "device code touches memory outside every allocation"
                                : "the host touches device memory";
    char text[256];
    int n = snprintf(text, sizeof text, "fake: rank %d: %s at %p%s%s\n", rank(), what, (void *)p,
                     *m.running != '\0' ? ", in " : "", m.running);
    if (write(2, text, (size_t)n) < 0) _exit(EXIT_STOPPED);
    _exit(EXIT_STOPPED);
}

void install_fault_handler() {
    static char stack[64 * 1024];
    stack_t other = {};
    other.ss_sp = stack;
    other.ss_size = sizeof stack;
    sigaltstack(&other, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
}

static bool free_waits() {
    const char *text = getenv("FAKE_FREE");
    if (text == nullptr || strcmp(text, "waits") == 0) return true;
    if (strcmp(text, "at-once") == 0) return false;
    stop("FAKE_FREE=%s: expected waits or at-once", text);
}

static void reserve() {
    Memory &m = memory();
    void *p = mmap(nullptr, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) stop("cannot reserve %zu bytes of addresses", ARENA);
    m.arena = m.next = (char *)p;
    m.limit = (size_t)setting("FAKE_MEMORY", 4l << 30);
    m.free_waits = free_waits();
}

static void protect(const Block &b, int mode) {
    if (mprotect(b.base, b.mapped, mode) != 0) stop("mprotect failed for %zu bytes", b.mapped);
}

void memory_unlock() {
    Memory &m = memory();
    if (m.open) return;
    m.open = true;
    for (auto &entry : m.blocks) protect(entry.second, PROT_READ | PROT_WRITE);
}

void memory_lock() {
    Memory &m = memory();
    if (!m.open) return;
    m.open = m.watching = false;
    for (auto &entry : m.blocks) protect(entry.second, PROT_NONE);
}

void watch_pages() {
    Memory &m = memory();
    m.pages_read = m.pages_written = 0;
    m.watching = true;
    for (auto &entry : m.blocks) protect(entry.second, PROT_NONE);
}

void touched_pages(size_t *read, size_t *written) {
    *read = memory().pages_read * PAGE;
    *written = memory().pages_written * PAGE;
}

const char *running() {
    return memory().running;
}
void set_running(const char *what) {
    memory().running = what;
}

bool on_device(const void *p) {
    const Memory &m = memory();
    return m.arena != nullptr && (const char *)p >= m.arena && (const char *)p < m.arena + ARENA;
}

static bool pinned_range(const void *p, size_t bytes) {
    auto &all = memory().pinned;
    auto it = all.upper_bound((char *)p);
    if (it == all.begin()) return false;
    --it;
    return (char *)p + bytes <= it->first + it->second;
}

void check_device_range(const void *p, size_t bytes, const char *what) {
    auto &all = memory().blocks;
    if (!on_device(p)) {
        if (pinned_range(p, bytes)) return;
        stop("%s: %p is pageable host memory; expected device memory", what, p);
    }
    auto it = all.upper_bound((char *)p);
    if (it == all.begin()) stop("%s: %p is in no allocation", what, p);
    --it;
    const Block &b = it->second;
    if ((char *)p >= it->first + b.bytes) stop("%s: %p is in no allocation, or freed", what, p);
    if ((char *)p + bytes > it->first + b.bytes) {
        stop("%s: %zu bytes at offset %zu of an allocation of %zu bytes", what, bytes,
             (size_t)((char *)p - it->first), b.bytes);
    }
}

static cudaError_t take(void **out, size_t bytes) {
    Memory &m = memory();
    if (m.arena == nullptr) reserve();
    install_fault_handler(); /* MPI may have put its own in place */
    if (m.used + bytes > m.limit) return cudaErrorMemoryAllocation;
    size_t padded = up(bytes == 0 ? 1 : bytes, ALIGN), mapped = up(padded, PAGE);
    if (m.next + mapped + PAGE > m.arena + ARENA) stop("all addresses of the arena are used");
    Block b = {m.next, mapped, bytes};
    m.next += mapped + PAGE;
    protect(b, PROT_READ | PROT_WRITE);
    memset(b.base, 0xff, mapped);
    if (!m.open) protect(b, PROT_NONE);
    char *p = b.base + mapped - padded;
    m.blocks[p] = b;
    m.used += bytes;
    *out = p;
    return cudaSuccess;
}

/* The bytes between an allocation's end and the closed page, which nothing may write. */
static void check_slack(const char *p, const Block &b) {
    protect(b, PROT_READ);
    for (const char *at = p + b.bytes; at < b.base + b.mapped; at++) {
        if (*at == (char)0xff) continue;
        stop("%zu bytes behind an allocation of %zu bytes were written", (size_t)(at - p) - b.bytes,
             b.bytes);
    }
}

static cudaError_t give_back(void *p) {
    Memory &m = memory();
    auto it = m.blocks.find((char *)p);
    if (it == m.blocks.end()) return cudaErrorInvalidValue;
    check_slack(it->first, it->second);
    protect(it->second, PROT_NONE);
    madvise(it->second.base, it->second.mapped, MADV_DONTNEED);
    m.used -= it->second.bytes;
    m.blocks.erase(it);
    return cudaSuccess;
}

static cudaError_t take_pinned(void **out, size_t bytes) {
    size_t mapped = up(bytes == 0 ? 1 : bytes, PAGE);
    void *p = aligned_alloc(PAGE, mapped);
    if (p == nullptr) return cudaErrorMemoryAllocation;
    memset(p, 0xff, mapped);
    memory().pinned[(char *)p] = bytes;
    *out = p;
    return cudaSuccess;
}

void report_memory() {
    Memory &m = memory();
    if (!m.blocks.empty())
        note("leak: %zu bytes of device memory in %zu allocations", m.used, m.blocks.size());
    if (!m.pinned.empty()) note("leak: %zu pieces of pinned memory", m.pinned.size());
}

static void check_operand(const void *p, size_t bytes, bool device, const char *what) {
    if (device != on_device(p)) stop("%s: %p is on the other side than the copy says", what, p);
    if (device) return check_device_range(p, bytes, what);
    if (!pinned_range(p, bytes)) stop("%s: %p is pageable host memory; use pinned", what, p);
}

} // namespace fake

using namespace fake;

/* Allocation is forbidden while a stream is captured; queue.cc knows. */
namespace fake {
cudaError_t refuse_in_capture(cudaStream_t stream);
}

extern "C" {

cudaError_t cudaMalloc(void **out, size_t bytes) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    if (cudaError_t e = refuse_in_capture(nullptr)) return remember(e);
    return remember(take(out, bytes));
}

cudaError_t cudaFree(void *p) {
    cudaError_t error = entered(__func__, cudaErrorUnknown);
    if (p == nullptr) return error;
    if (cudaError_t e = refuse_in_capture(nullptr)) return remember(e);
    if (memory().free_waits) drain("cudaFree");
    cudaError_t freed = give_back(p); /* a spoilt context is freed with the process */
    return remember(error != cudaSuccess ? error : freed);
}

cudaError_t cudaMallocAsync(void **out, size_t bytes, cudaStream_t) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    return remember(take(out, bytes));
}

cudaError_t cudaFreeAsync(void *p, cudaStream_t stream) {
    FAKE_ENTER(cudaErrorUnknown);
    return issue(stream, plain("cudaFreeAsync", [p] {
                     if (give_back(p) != cudaSuccess) stop("cudaFreeAsync: %p is not allocated", p);
                 }));
}

cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    return remember(take_pinned(out, bytes));
}

cudaError_t cudaMallocHost(void **out, size_t bytes) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    return remember(take_pinned(out, bytes));
}

cudaError_t cudaFreeHost(void *p) {
    cudaError_t error = entered(__func__, cudaErrorUnknown);
    if (p == nullptr) return error;
    drain("cudaFreeHost");
    if (memory().pinned.erase((char *)p) == 0) return remember(cudaErrorInvalidValue);
    free(p);
    return error;
}

cudaError_t cudaHostRegister(void *p, size_t bytes, unsigned) {
    FAKE_ENTER(cudaErrorMemoryAllocation);
    memory().pinned[(char *)p] = bytes;
    return cudaSuccess;
}

cudaError_t cudaHostUnregister(void *p) {
    FAKE_ENTER(cudaErrorUnknown);
    drain("cudaHostUnregister");
    return remember(memory().pinned.erase((char *)p) == 1 ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
    FAKE_ENTER(cudaErrorUnknown);
    Memory &m = memory();
    if (m.arena == nullptr) reserve();
    *total = m.limit;
    *available = m.limit - m.used;
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    FAKE_ENTER(cudaErrorInvalidValue);
    if (kind == cudaMemcpyHostToHost) stop("cudaMemcpyAsync from host to host");
    if (kind != cudaMemcpyDefault) {
        check_operand(to, bytes, kind != cudaMemcpyDeviceToHost, "cudaMemcpyAsync, destination");
        check_operand(from, bytes, kind != cudaMemcpyHostToDevice, "cudaMemcpyAsync, source");
    }
    return issue(stream, plain("cudaMemcpyAsync", [=] { copy_bytes(to, from, bytes); }));
}

cudaError_t cudaMemsetAsync(void *p, int value, size_t bytes, cudaStream_t stream) {
    FAKE_ENTER(cudaErrorInvalidValue);
    check_device_range(p, bytes, "cudaMemsetAsync");
    return issue(stream, plain("cudaMemsetAsync", [=] { set_bytes(p, value, bytes); }));
}
}
