/* Rows of a table by the samples' labels, and the table's gradient. */
#include "act.h"
#include "cpu.h"
#include "gyre/diffusion.h"

static size_t row_of(const gyre_embedding_shape *s, gyre_i32 draws, gyre_i32 labels, int i) {
    const uint32_t *words = (const uint32_t *)(const void *)cpu_i32(draws);
    uint32_t place = words[GYRE_DRAW_FIRST] + s->first + (uint32_t)i;
    return (size_t)gyre_embedding_row(s, words, place, cpu_i32(labels)[i]);
}

gyre_status cpu_embedding(gyre_queue *q, const gyre_embedding_shape *s, gyre_i32 draws,
                          gyre_i32 labels, gyre_f32 w, gyre_act y) {
    size_t c = (size_t)s->c;
    for (int i = 0; i < s->n; i++) {
        const float *from = cpu_f32(w) + row_of(s, draws, labels, i) * c;
        void *to = cpu_act_at(q, y, (size_t)i * c);
        if (cpu_bf16(q))
            cpu_round(from, c, to);
        else
            memcpy(to, from, c * sizeof(float));
    }
    return GYRE_OK;
}

gyre_status cpu_embedding_dw(gyre_queue *q, const gyre_embedding_shape *s, gyre_i32 draws,
                             gyre_i32 labels, gyre_act dy, gyre_f32 dw) {
    size_t c = (size_t)s->c;
    bool bf16 = cpu_bf16(q);
    memset(cpu_f32(dw), 0, (size_t)s->rows * c * sizeof(float));
    for (int i = 0; i < s->n; i++) {
        float *to = cpu_f32(dw) + row_of(s, draws, labels, i) * c;
        const void *from = cpu_act_at(q, dy, (size_t)i * c);
        for (size_t k = 0; k < c; k++) to[k] += act_get(bf16, from, k);
    }
    return GYRE_OK;
}
