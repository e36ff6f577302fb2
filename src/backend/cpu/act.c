/* Whole stretches of activations to f32 and back. */
#include "act.h"
#include "cpu.h"

CPU_CLONES
static void widen(const uint16_t *x, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = bf16_widen(x[i]);
}

CPU_CLONES
void cpu_round(const float *x, size_t n, uint16_t *y) {
    for (size_t i = 0; i < n; i++) y[i] = bf16_round(x[i]);
}

CPU_CLONES
void cpu_round_in_place(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = bf16_widen(bf16_round(x[i]));
}

const float *cpu_widened(const gyre_queue *q, const void *x, size_t n, float *work) {
    if (!cpu_bf16(q)) return x;
    widen(x, n, work);
    return work;
}

float *cpu_results(const gyre_queue *q, void *y, float *work) {
    return cpu_bf16(q) && y != NULL ? work : y;
}

void cpu_finish(const gyre_queue *q, const float *results, size_t n, void *y) {
    if (cpu_bf16(q) && y != NULL) cpu_round(results, n, y);
}
