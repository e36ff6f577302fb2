/* Products and sums of rows; see dots.h. */
#include "dots.h"

#include "gyre/clones.h"
#include <stdint.h>
#include <string.h>

/* A tile of products at once, so that a value that is read serves several; LANES are added at the
 * end. RUN: terms of a lane's sum in f32, times LANES. */
enum { TILE_A = 2, TILE_B = 4, LANES = 16, RUN = 256 * LANES };

typedef struct {
    const float *a[TILE_A], *b[TILE_B];
} tile_rows;

GYRE_CLONES
static void tile_run(const tile_rows *t, size_t begin, size_t end, double sums[TILE_A][TILE_B]) {
    float lanes[TILE_A][TILE_B][LANES];
    memset(lanes, 0, sizeof lanes);
    size_t k = begin;
    for (; k + LANES <= end; k += LANES) {
        for (int i = 0; i < TILE_A; i++) {
            for (int j = 0; j < TILE_B; j++) {
                for (int l = 0; l < LANES; l++) {
                    lanes[i][j][l] += t->a[i][k + (size_t)l] * t->b[j][k + (size_t)l];
                }
            }
        }
    }
    for (int i = 0; i < TILE_A; i++) {
        for (int j = 0; j < TILE_B; j++) {
            double sum = 0;
            for (int l = 0; l < LANES; l++) sum += (double)lanes[i][j][l];
            for (size_t m = k; m < end; m++) sum += (double)t->a[i][m] * (double)t->b[j][m];
            sums[i][j] += sum;
        }
    }
}

void denoise_dots(const float *a, size_t a_rows, const float *b, size_t b_rows, size_t width,
                  double *out, size_t stride) {
    for (size_t j = 0; j < b_rows; j += TILE_B) {
        for (size_t i = 0; i < a_rows; i += TILE_A) {
            tile_rows t;
            double sums[TILE_A][TILE_B] = {{0}};
            /* a row that is not there is the last one again, and its products are left out */
            for (size_t p = 0; p < TILE_A; p++) {
                t.a[p] = a + (i + p < a_rows ? i + p : a_rows - 1) * width;
            }
            for (size_t p = 0; p < TILE_B; p++) {
                t.b[p] = b + (j + p < b_rows ? j + p : b_rows - 1) * width;
            }
            for (size_t k = 0; k < width; k += RUN) {
                tile_run(&t, k, k + RUN < width ? k + RUN : width, sums);
            }
            for (size_t p = 0; p < TILE_A && i + p < a_rows; p++) {
                for (size_t q = 0; q < TILE_B && j + q < b_rows; q++) {
                    out[(i + p) * stride + j + q] = sums[p][q];
                }
            }
        }
    }
}

GYRE_CLONES
void denoise_add(double *out, double factor, const float *row, size_t width) {
    for (size_t k = 0; k < width; k++) out[k] += factor * (double)row[k];
}
