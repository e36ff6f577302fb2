/* Rows of logits, one after the other: they are few, so one thread takes them all. */
#include "loss.h"

#include <string.h>

/* The first of the largest. */
static int largest(const float *z, int classes) {
    int best = 0;
    for (int j = 1; j < classes; j++) {
        if (z[j] > z[best]) best = j;
    }
    return best;
}

gyre_status cpu_loss_of_rows(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_f32 weights, gyre_act dx, gyre_f32 stats,
                             cpu_row_loss *row_loss) {
    double loss = 0;
    int64_t hits = 0;
    size_t classes = (size_t)s->classes;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, 2 * classes * sizeof(float), &work));
    float *z_work = work, *dx_work = z_work + classes;
    for (int i = 0; i < s->n; i++) {
        size_t at = (size_t)i * classes;
        void *to = dx == NULL ? NULL : cpu_act_at(q, dx, at);
        float *row = cpu_results(q, to, dx_work);
        const float *z = cpu_widened(q, cpu_act_at(q, logits, at), classes, z_work);
        int best = largest(z, s->classes), label = cpu_i32(labels)[i];
        if (label >= 0)
            loss += row_loss(s, cpu_f32(weights), z, best, label, row);
        else if (row != NULL)
            memset(row, 0, classes * sizeof *row);
        cpu_finish(q, row, classes, to);
        hits += best == label;
    }
    cpu_f32(stats)[0] = (float)((double)s->scale * loss);
    cpu_f32(stats)[1] = (float)((double)hits / (s->pixels > 1 ? s->pixels : 1));
    return GYRE_OK;
}
