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

/* Sums over rows, in the order of the rows. */
typedef struct {
    double loss; /* of a mean over all pixels */
    double hits; /* in pixels of a whole sample */
} loss_sums;

static cpu_row_target target_of(const gyre_loss_shape *s, const int32_t *labels, int row) {
    cpu_row_target t = {labels[row], -1, 1};
    if (!s->mixed) return t;
    const int32_t *mix = labels + s->n + 2 * (size_t)row;
    float share;
    memcpy(&share, mix + 1, sizeof share);
    if (mix[0] == t.label) return t;
    t.second = mix[0];
    t.share = (double)share;
    return t;
}

/* One sample of `pixels` rows from row `first`. Its pixels share the weight of a whole sample, so
 * each labelled one counts pixels / labelled times. */
static void take_sample(gyre_queue *q, const gyre_loss_shape *s, int first, int pixels,
                        gyre_act logits, const int32_t *labels, const float *weights, gyre_act dx,
                        float *work, cpu_row_loss *row_loss, loss_sums *sums) {
    size_t classes = (size_t)s->classes;
    float *z_work = work, *dx_work = work + classes;
    int labelled = 0;
    int64_t right = 0;
    for (int i = first; i < first + pixels; i++) labelled += labels[i] >= 0;
    double share = (double)pixels / (labelled > 0 ? labelled : 1);
    for (int i = first; i < first + pixels; i++) {
        size_t at = (size_t)i * classes;
        void *to = dx == NULL ? NULL : cpu_act_at(q, dx, at);
        float *row = cpu_results(q, to, dx_work);
        const float *z = cpu_widened(q, cpu_act_at(q, logits, at), classes, z_work);
        int best = largest(z, s->classes), label = labels[i];
        if (label >= 0) {
            double scale = (double)s->scale * share;
            sums->loss +=
                share * row_loss(s, scale, weights, z, best, target_of(s, labels, i), row);
        } else if (row != NULL) {
            memset(row, 0, classes * sizeof *row);
        }
        cpu_finish(q, row, classes, to);
        right += best == label;
    }
    if (labelled > 0) sums->hits += (double)(pixels * right) / labelled;
}

gyre_status cpu_loss_of_rows(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_f32 weights, gyre_act dx, gyre_f32 stats,
                             cpu_row_loss *row_loss) {
    loss_sums sums = {0, 0};
    int pixels = s->pixels > 1 ? s->pixels : 1;
    void *work;
    size_t bytes = 2 * (size_t)s->classes * sizeof(float);
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, bytes, &work));
    for (int i = 0; i < s->n; i += pixels) {
        take_sample(q, s, i, pixels, logits, cpu_i32(labels), cpu_f32(weights), dx, work, row_loss,
                    &sums);
    }
    cpu_f32(stats)[0] = (float)((double)s->scale * sums.loss);
    cpu_f32(stats)[1] = (float)(sums.hits / pixels);
    return GYRE_OK;
}
