/* Rows of a table by the samples' times: gyre/diffusion.h says what is drawn. */
#include "noise.h"

gyre_status cpu_time_rows(gyre_queue *q, const gyre_diffusion_shape *s, gyre_i32 draws,
                          gyre_f32 table, gyre_act y) {
    for (int i = 0; i < s->n; i++) {
        size_t time = cpu_noised_sample(s, draws, i).time;
        void *to = cpu_act_at(q, y, (size_t)i * s->c);
        const float *from = cpu_f32(table) + time * s->c;
        if (cpu_bf16(q))
            cpu_round(from, s->c, to);
        else
            memcpy(to, from, s->c * sizeof(float));
    }
    return GYRE_OK;
}
