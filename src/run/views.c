/* Views of pictures; see views.h. They are the moves that training makes (gyre_augment), so the
 * backend makes them while it loads a batch. */
#include "views.h"

#include "gyre/size.h"
#include <stdlib.h>

typedef struct {
    gyre_augment move;
    float weight;
} picture_view;

#define MOVE(dy_, dx_, mirror_)                                                                    \
    { .dy = dy_, .dx = dx_, .mirror = mirror_, .reflect = 1 }

static const picture_view mirrored[] = {{MOVE(0, 0, 0), 0.5f}, {MOVE(0, 0, 1), 0.5f}};

/* As airbench94 evaluates (KellerJordan/cifar10-airbench): of the four diagonal moves the two that
 * lie opposite, together as much as the picture in its place. */
static const picture_view moved[] = {{MOVE(0, 0, 0), 0.25f},    {MOVE(0, 0, 1), 0.25f},
                                     {MOVE(-1, -1, 0), 0.125f}, {MOVE(-1, -1, 1), 0.125f},
                                     {MOVE(1, 1, 0), 0.125f},   {MOVE(1, 1, 1), 0.125f}};

#define COUNT(list) (int)(sizeof(list) / sizeof *(list))

static const picture_view *views_of(gyre_views kind, int *count) {
    *count = kind == GYRE_VIEWS_MIRROR ? COUNT(mirrored) : COUNT(moved);
    return kind == GYRE_VIEWS_MIRROR ? mirrored : moved;
}

int run_views_count(gyre_views kind) {
    int count = 1;
    if (kind != GYRE_VIEWS_NONE) views_of(kind, &count);
    return count;
}

gyre_status run_views_open(int64_t batch, size_t outputs, run_views_room *out) {
    const size_t values = gyre_size_of((size_t)batch, outputs);
    out->moves = malloc((size_t)batch * sizeof *out->moves);
    out->sum = malloc(gyre_size_of(values, sizeof *out->sum));
    out->one = malloc(gyre_size_of(values, sizeof *out->one));
    if (out->moves && out->sum && out->one) return GYRE_OK;
    return gyre_no_memory("the views of evaluation batches of %lld samples; lower evaluate.batch",
                          (long long)batch);
}

void run_views_close(run_views_room *room) {
    free(room->moves);
    free(room->sum);
    free(room->one);
    *room = (run_views_room){0};
}

gyre_status run_views_evaluate(gyre_views kind, const run_views_room *room, gyre_net *net,
                               gyre_queue *q, gyre_batch *batch, gyre_f32 stats) {
    int count = 0;
    const picture_view *views = views_of(kind, &count);
    const size_t values = (size_t)batch->count * gyre_model_outputs(gyre_net_model(net));
    for (int v = 0; v < count; v++) {
        for (int64_t i = 0; i < batch->count; i++) room->moves[i] = views[v].move;
        batch->augment = room->moves;
        GYRE_TRY(gyre_net_forward(net, q, batch));
        GYRE_TRY(gyre_net_logits(net, q, room->one));
        for (size_t k = 0; k < values; k++)
            room->sum[k] = (v == 0 ? 0 : room->sum[k]) + views[v].weight * room->one[k];
    }
    return gyre_net_score(net, q, room->sum, stats);
}
