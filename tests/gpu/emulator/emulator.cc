/* Kernels by name, grids block by block. */
#include "emulator_block.h"
#include "emulator_fiber.h"
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <numeric>
#include <string>
#include <unordered_map>

namespace emulator {

enum { MAX_THREADS = 1024, MAX_SHARED_BYTES = 48 << 10 };

struct named_kernel {
    const kernel *k;
    std::string name;
};

static kernel *registered; /* by constructors, before any table exists */
static std::unordered_map<std::string, named_kernel> by_name;
static std::unordered_map<const void *, const named_kernel *> by_function;
static uint64_t seed, first_block, last_block = UINT64_MAX, launches;
static bool sanitize_threads = true;
static bool busy;

void add(kernel *k) {
    k->next = registered;
    registered = k;
}

static std::string demangled(const char *name) {
    int status = 0;
    char *text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
    std::string result = status == 0 ? text : name;
    free(text);
    return result;
}

/* "void relu<float, 4>(void const*, void*)" becomes "relu<float, 4>": up to the first parenthesis
 * outside of template arguments, which may hold "(int)4" themselves. */
static std::string plain_name(const char *given) {
    std::string name = given[0] == '_' && given[1] == 'Z' ? demangled(given) : given;
    int depth = 0;
    for (size_t i = 0; i < name.size(); i++) {
        if (name[i] == '<') depth++;
        if (name[i] == '>') depth--;
        if (name[i] == '(' && depth == 0) {
            name.resize(i);
            break;
        }
    }
    return name.compare(0, 5, "void ") == 0 ? name.substr(5) : name;
}

/* From "emulator::named<&(void relu<float, 4>(void const*, void*))>"; a function that is no
 * template stands there as "&(fill(unsigned long, float*))". */
static std::string name_of(const kernel *k) {
    std::string name = demangled(k->mangled);
    size_t begin = name.find('&') + 1, end = name.rfind('>');
    if (begin == 0 || end == std::string::npos) {
        fprintf(stderr, "emulator: can't read the name of a kernel in %s\n", name.c_str());
        abort();
    }
    if (name[begin] == '(') begin++, end--;
    return plain_name(name.substr(begin, end - begin).c_str());
}

static void take_in(void) {
    for (; registered != nullptr; registered = registered->next) {
        std::string name = name_of(registered);
        auto [at, fresh] = by_name.insert({name, {registered, name}});
        if (!fresh && at->second.k->function != registered->function) {
            fprintf(stderr, "emulator: two kernels are named %s\n", name.c_str());
            abort();
        }
        by_function[registered->function] = &at->second;
    }
}

static const named_kernel *find(const char *name) {
    take_in();
    auto at = by_name.find(plain_name(name));
    return at == by_name.end() ? nullptr : &at->second;
}

static uint64_t count_of(dim3 x) {
    return uint64_t(x.x) * x.y * x.z;
}

/* A walk over all numbers below n, each once: start + k * step, the step coprime to n. */
struct walk {
    uint64_t n, start, step;
    uint64_t at(uint64_t k) const { return uint64_t((__uint128_t(k) * step + start) % n); }
};

static walk walk_over(uint64_t n, uint64_t *random) {
    if (seed == 0) return {n, 0, 1};
    if (seed == 1) return {n, n - 1, n - 1};
    walk w = {n, random_next(random) % n, random_next(random) % n};
    while (std::gcd(w.step, n) != 1) w.step++;
    return w;
}

static void run_grid(const named_kernel *k, dim3 grid, dim3 block, void **arguments) {
    launch_state state = {};
    state.k = k->k;
    state.name = k->name.c_str();
    state.arguments = arguments;
    state.threads = unsigned(count_of(block));
    state.threads_order = seed == 0 ? ASCENDING : seed == 1 ? DESCENDING : SHUFFLED;
    state.random = seed + launches;
    grid_size = grid;
    block_size = block;
    uint64_t last = std::min(count_of(grid) - 1, last_block);
    if (first_block > last) return;
    walk order = walk_over(last - first_block + 1, &state.random);
    fibers_begin(sanitize_threads);
    for (uint64_t k_th = 0; k_th < order.n; k_th++) {
        uint64_t at = first_block + order.at(k_th);
        block_index.x = unsigned(at % grid.x);
        block_index.y = unsigned(at / grid.x % grid.y);
        block_index.z = unsigned(at / grid.x / grid.y);
        run_block(&state);
    }
    fibers_end();
}

static cudaError_t start(const named_kernel *k, dim3 grid, dim3 block, size_t shared_bytes,
                         void **arguments) {
    bool fits = grid.x - 1 < 0x7fffffffu && grid.y - 1 < 65535 && grid.z - 1 < 65535 &&
                count_of(block) - 1 < MAX_THREADS && shared_bytes <= MAX_SHARED_BYTES;
    if (k == nullptr) return cudaErrorInvalidDeviceFunction;
    if (!fits) return cudaErrorInvalidConfiguration;
    if (busy) {
        fprintf(stderr, "emulator: kernel %s started inside another\n", k->name.c_str());
        abort();
    }
    busy = true;
    run_grid(k, grid, block, arguments);
    busy = false;
    launches++;
    return cudaSuccess;
}

/* From a launcher of the build for the CPU: there an error has no caller to return to. */
cudaError_t run(const void *function, dim3 grid, dim3 block, size_t shared_bytes,
                void **arguments) {
    take_in();
    auto at = by_function.find(function);
    cudaError_t error =
        start(at == by_function.end() ? nullptr : at->second, grid, block, shared_bytes, arguments);
    if (error != cudaSuccess) {
        fprintf(stderr, "emulator: launch of %s, grid %u x %u x %u, block %u x %u x %u: error %d\n",
                at == by_function.end() ? "a kernel without KERNEL()" : at->second->name.c_str(),
                grid.x, grid.y, grid.z, block.x, block.y, block.z, int(error));
        abort();
    }
    return error;
}

} // namespace emulator

using namespace emulator;

cudaError_t emulator_launch(const char *name, dim3 grid, dim3 block, size_t shared_bytes,
                            void **args) {
    return start(find(name), grid, block, shared_bytes, args);
}

int emulator_arguments(const char *name, const size_t **sizes) {
    const named_kernel *k = find(name);
    if (k == nullptr) return -1;
    if (sizes != nullptr) *sizes = k->k->sizes;
    return k->k->count;
}

void emulator_each(void (*f)(void *context, const char *name), void *context) {
    take_in();
    for (const auto &entry : by_name) f(context, entry.first.c_str());
}

void emulator_seed(uint64_t value) {
    seed = value;
}

void emulator_blocks(uint64_t first, uint64_t last) {
    first_block = first;
    last_block = last;
}

void emulator_sanitize_threads(bool each) {
    sanitize_threads = each;
}

uint64_t emulator_launches(void) {
    return launches;
}
