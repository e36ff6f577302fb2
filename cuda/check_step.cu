/* The verdict on a step: the norm of the gradient, and whether it and the loss are finite.
 *
 * The CPU sums squares in double, which neither overflow nor vanish. Here numbers are kept in three
 * sums by size, the large ones scaled down and the small ones up before they are squared (Blue
 * 1978, as in BLAS's nrm2); the middle one, which alone matters as a rule, keeps what rounding
 * drops. */
#include "element.h"
#include "operation.h"
#include "sums.h"

constexpr int JUDGE_BLOCKS = 1024;
constexpr float LARGE = 0x1p40f, SMALL = 0x1p-40f; /* 2^30 squares of LARGE are below 2^111 */
constexpr float DOWN = 0x1p-80f, UP = 0x1p80f;

struct square_sums {
    gpu_two middle;
    float large, small; /* of numbers times DOWN and times UP */
};

__device__ __forceinline__ square_sums plus(square_sums a, square_sums b) {
    return {gpu_plus(a.middle, b.middle), a.large + b.large, a.small + b.small};
}

/* Over a block, by a tree; thread 0 gets the sum. */
__device__ __forceinline__ square_sums block_sum(square_sums x, square_sums (&shared)[GPU_BLOCK]) {
    shared[threadIdx.x] = x;
    __syncthreads();
    for (unsigned width = GPU_BLOCK / 2; width > 0; width /= 2) {
        if (threadIdx.x < width) {
            shared[threadIdx.x] = plus(shared[threadIdx.x], shared[threadIdx.x + width]);
        }
        __syncthreads();
    }
    return shared[0];
}

/* NaN goes to the middle. */
template <int W> __device__ __forceinline__ void add_squares(const float (&x)[W], square_sums &s) {
    float middle = 0.0f;
#pragma unroll
    for (int j = 0; j < W; j++) {
        float size = fabsf(x[j]), down = size * DOWN, up = size * UP;
        bool large = size > LARGE, small = size < SMALL;
        s.large += large ? down * down : 0.0f;
        s.small += small ? up * up : 0.0f;
        middle += large || small ? 0.0f : size * size;
    }
    s.middle = gpu_plus(s.middle, middle);
}

/* The order of the sums is that of 4 numbers at a time, whether they can be read at once or not. */
template <bool ALIGNED>
__global__ void __launch_bounds__(GPU_BLOCK)
    judge_squares_kernel(uint64_t n, const float *g, square_sums *work) {
    SHARED(square_sums, shared, [GPU_BLOCK]);
    square_sums s = {};
    for (uint64_t i = gpu_thread(); i < n / 4; i += gpu_threads()) {
        float x[4];
        if constexpr (ALIGNED)
            gpu_load<4>(g + 4 * i, x);
        else
            gpu_load_each<4>(g + 4 * i, x);
        add_squares<4>(x, s);
    }
    for (uint64_t i = n - n % 4 + gpu_thread(); i < n; i += gpu_threads()) {
        float x[1];
        gpu_load<1>(g + i, x);
        add_squares<1>(x, s);
    }
    s = block_sum(s, shared);
    if (threadIdx.x == 0) work[blockIdx.x] = s;
}
KERNEL(judge_squares_kernel<true>);
KERNEL(judge_squares_kernel<false>);

/* (1 / UP)^2 and DOWN^2 are below the range of f32: hence twice. */
__device__ __forceinline__ float norm_of(square_sums s) {
    float middle = gpu_value(s.middle);
    if (s.large > 0.0f) return sqrtf(s.large + middle * DOWN * DOWN) * UP;
    if (!(middle == 0.0f)) {
        s.middle = gpu_plus(s.middle, s.small * DOWN * DOWN);
        return sqrtf(gpu_value(s.middle));
    }
    return sqrtf(s.small) * DOWN;
}

/* One block. */
__global__ void __launch_bounds__(GPU_BLOCK)
    judge_verdict_kernel(unsigned blocks, const square_sums *work, const float *stats,
                         float clip_norm, float *scalars) {
    SHARED(square_sums, shared, [GPU_BLOCK]);
    square_sums s = {};
    for (unsigned i = threadIdx.x; i < blocks; i += GPU_BLOCK) s = plus(s, work[i]);
    s = block_sum(s, shared);
    if (threadIdx.x != 0) return;
    const float infinity = __uint_as_float(0x7f800000u);
    float loss = stats[0], norm = norm_of(s);
    scalars[GYRE_SCALAR_LOSS] = loss;
    scalars[GYRE_SCALAR_SUM] = stats[1];
    scalars[GYRE_SCALAR_NORM] = norm;
    scalars[GYRE_SCALAR_SHRINK] = clip_norm > 0.0f && norm > clip_norm ? clip_norm / norm : 1.0f;
    bool finite = fabsf(loss) < infinity && norm < infinity;
    if (!finite) scalars[GYRE_SCALAR_FINITE] = 0.0f;
}
KERNEL(judge_verdict_kernel);

gyre_status gpu_check_step(gyre_queue *q, size_t n, gyre_f32 g, gyre_f32 stats, float clip_norm,
                           gyre_f32 scalars) {
    uint64_t wanted = (n / 4 + GPU_BLOCK - 1) / GPU_BLOCK + 1;
    unsigned blocks = wanted < JUDGE_BLOCKS ? unsigned(wanted) : JUDGE_BLOCKS;
    void *work;
    GYRE_TRY(gpu_work(q, JUDGE_BLOCKS * sizeof(square_sums), &work));
    square_sums *sums = (square_sums *)work;
    auto kernel =
        gpu_behind(g, 16) == 0 ? &judge_squares_kernel<true> : &judge_squares_kernel<false>;
    LAUNCH(kernel, blocks, GPU_BLOCK, 0, gpu_stream(q), n, gpu_floats(g), sums);
    LAUNCH(judge_verdict_kernel, 1, GPU_BLOCK, 0, gpu_stream(q), blocks, (const square_sums *)sums,
           gpu_floats(stats), clip_norm, gpu_floats(scalars));
    return gpu_result(q, cudaGetLastError(), __func__);
}
