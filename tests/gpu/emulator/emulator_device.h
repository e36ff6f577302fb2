/* What a kernel file sees in place of nvcc's language: cuda/port.h includes it in builds for the
 * CPU. Definitions are in emulator.cc and emulator_block.cc. */
#ifndef GYRE_TESTS_EMULATOR_DEVICE_H
#define GYRE_TESTS_EMULATOR_DEVICE_H

#include "emulator.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <cuda_runtime.h>
#include <tuple>
#include <typeinfo>
#include <utility>

#undef __global__
#define __global__
#undef __device__
#define __device__
#undef __host__
#define __host__
#undef __launch_bounds__
#define __launch_bounds__(...)
#undef __forceinline__
#define __forceinline__ inline

namespace emulator {

/* Of the thread that runs. */
extern uint3 thread_index, block_index;
extern dim3 block_size, grid_size;
extern unsigned lane;

enum collective { SHUFFLE, SYNC_WARP };
void barrier(const char *file, int line);
uint64_t meet(collective what, unsigned mask, uint64_t value, unsigned source, const char *file,
              int line);
void *shared_memory(size_t bytes, size_t alignment, const char *file, int line);

/* One instance of a kernel. */
struct kernel {
    const void *function;
    const char *mangled; /* of a type that has the function as its argument */
    void (*call)(const void *function, void **arguments);
    int count;
    const size_t *sizes;
    kernel *next;
};
void add(kernel *k);
cudaError_t run(const void *function, dim3 grid, dim3 block, size_t shared_bytes, void **arguments);

template <class... P, size_t... I>
void call_with(void (*f)(P...), void **arguments, std::index_sequence<I...>) {
    f(*static_cast<P *>(arguments[I])...);
}
template <class... P> void call(const void *function, void **arguments) {
    auto f = reinterpret_cast<void (*)(P...)>(const_cast<void *>(function));
    call_with(f, arguments, std::index_sequence_for<P...>{});
}

template <auto f> struct named {};

template <auto f> struct registration {
    kernel k;
    registration() noexcept { fill(f); }

  private:
    template <class... P> void fill(void (*function)(P...)) {
        static const size_t sizes[] = {sizeof(P)..., 0};
        k = {reinterpret_cast<const void *>(function),
             typeid(named<f>).name(),
             call<P...>,
             int(sizeof...(P)),
             sizes,
             nullptr};
        add(&k);
    }
};

template <class... P, class... A>
cudaError_t launch(void (*f)(P...), dim3 grid, dim3 block, size_t shared_bytes, A... arguments) {
    std::tuple<P...> values{static_cast<P>(arguments)...};
    return std::apply(
        [&](P &...p) {
            void *list[] = {const_cast<void *>(static_cast<const void *>(&p))...};
            return run(reinterpret_cast<const void *>(f), grid, block, shared_bytes, list);
        },
        values);
}

template <class T> T shuffle(unsigned mask, T value, unsigned source, const char *file, int line) {
    static_assert(sizeof(T) <= sizeof(uint64_t), "a shuffle moves 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = meet(SHUFFLE, mask, bits, source, file, line);
    memcpy(&value, &bits, sizeof value);
    return value;
}
inline unsigned lane_below(int delta) {
    return lane + unsigned(delta) < 32 ? lane + unsigned(delta) : lane;
}

template <class To, class From> To same_bits(From x) {
    static_assert(sizeof(To) == sizeof(From), "");
    To y;
    memcpy(&y, &x, sizeof y);
    return y;
}

} // namespace emulator

#define threadIdx (emulator::thread_index)
#define blockIdx (emulator::block_index)
#define blockDim (emulator::block_size)
#define gridDim (emulator::grid_size)

#define EMULATOR_JOIN_(a, b) a##b
#define EMULATOR_JOIN(a, b) EMULATOR_JOIN_(a, b)
#define KERNEL(...)                                                                                \
    static emulator::registration<&__VA_ARGS__> EMULATOR_JOIN(emulator_kernel_, __COUNTER__)
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                                     \
    ((void)(stream), (void)emulator::launch((kernel), (grid), (block), (shared_bytes), __VA_ARGS__))
#define SHARED(type, name, ...)                                                                    \
    auto &name = *static_cast<type(*) __VA_ARGS__>(                                                \
        emulator::shared_memory(sizeof(type __VA_ARGS__), alignof(type), __FILE__, __LINE__))

#define __syncthreads() emulator::barrier(__FILE__, __LINE__)
#define __syncwarp(...)                                                                            \
    ((void)emulator::meet(emulator::SYNC_WARP, 0xffffffffu, 0, 0, __FILE__, __LINE__))
#define __shfl_sync(mask, value, source)                                                           \
    emulator::shuffle((mask), (value), unsigned(source) & 31u, __FILE__, __LINE__)
#define __shfl_xor_sync(mask, value, bits)                                                         \
    emulator::shuffle((mask), (value), emulator::lane ^ unsigned(bits), __FILE__, __LINE__)
#define __shfl_down_sync(mask, value, delta)                                                       \
    emulator::shuffle((mask), (value), emulator::lane_below(delta), __FILE__, __LINE__)

inline unsigned __float_as_uint(float x) {
    return emulator::same_bits<unsigned>(x);
}
inline float __uint_as_float(unsigned x) {
    return emulator::same_bits<float>(x);
}
using std::max;
using std::min;

#endif
