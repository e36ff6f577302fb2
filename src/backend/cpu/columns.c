/* Sums over the columns of a matrix, such as pixels x channels. */
#include "act.h"
#include "cpu.h"

enum { RUN = 256 }; /* rows that are added in f32 */

/* Of up to RUN rows: b, or the product of both. */
ACT_LOOP void add_rows(bool bf16, bool product, size_t begin, size_t end, size_t columns,
                       const void *a, const void *b, float *run) {
    for (size_t row = begin; row < end; row++) {
        size_t at = row * columns;
        for (size_t j = 0; j < columns; j++) {
            float value = act_get(bf16, b, at + j);
            run[j] += product ? act_get(bf16, a, at + j) * value : value;
        }
    }
}

CPU_CLONES
static void add_run(bool bf16, size_t begin, size_t end, size_t columns, const void *a,
                    const void *b, float *run) {
    if (bf16 && a != NULL)
        add_rows(true, true, begin, end, columns, a, b, run);
    else if (bf16)
        add_rows(true, false, begin, end, columns, a, b, run);
    else if (a != NULL)
        add_rows(false, true, begin, end, columns, a, b, run);
    else
        add_rows(false, false, begin, end, columns, a, b, run);
}

gyre_status cpu_column_products(gyre_queue *q, size_t rows, size_t columns, const void *a,
                                const void *dy, double **out) {
    void *work;
    GYRE_TRY(
        cpu_scratch((cpu_queue *)(void *)q, columns * (sizeof(double) + sizeof(float)), &work));
    double *total = work;
    float *run = (float *)(void *)(total + columns);
    memset(total, 0, columns * sizeof *total);
    for (size_t row = 0; row < rows; row += RUN) {
        memset(run, 0, columns * sizeof *run);
        add_run(cpu_bf16(q), row, row + RUN < rows ? row + RUN : rows, columns, a, dy, run);
        for (size_t j = 0; j < columns; j++) total[j] += (double)run[j];
    }
    *out = total;
    return GYRE_OK;
}
