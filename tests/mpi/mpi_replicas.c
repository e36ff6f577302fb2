/* Whatever a result hangs on is compared over ranks, bit for bit, and the odd rank is named: one
 * value at a time is made wrong on one rank at a time. On any power of two of ranks. */
#include "check.h"
#include "gyre/trainer.h"

#include "../unit/config_text.h"
#include "gyre/log.h"
#include "noise.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) CHECK_ON(comm, condition)

enum { IMAGES = 40, SIDE = 8 };

static gyre_comm *comm;
static char scratch[] = "/tmp/gyre-replicas-XXXXXX";

static const char config[] =
    "{\"data\": {\"path\": \"%s/data.h5\"}, \"threads\": 1,\n"
    " \"model\": {\"name\": \"resnet20\"}, \"batch\": {\"size\": 8, \"shards\": 4},\n"
    " \"optimizer\": {\"name\": \"adam\"}, \"schedule\": {\"max_lr\": 0.01, \"cycles\": 1},\n"
    " \"average\": {\"kind\": \"ema\"}, \"length\": {\"steps\": 20}}";

typedef struct {
    gyre_resolved resolved;
    gyre_trainer trainer;
} rig;

static void open_rig(rig *r) {
    char text[1000];
    config_file file = {0};
    gyre_settings *s = NULL;
    snprintf(text, sizeof text, config, scratch);
    CHECK(config_file_make(&file) == 0);
    CHECK(config_open_bytes(&file, text, strlen(text), NULL, &s) == GYRE_OK);
    unlink(file.path);
    CHECK(gyre_resolve(s, comm, NULL, &r->resolved) == GYRE_OK);
    CHECK(gyre_trainer_open(&r->trainer, &r->resolved, comm, NULL, true) == GYRE_OK);
    gyre_config_close(s);
}

/* The comparison must name `rank` and what it holds. */
static void is_found(gyre_trainer *t, int rank, const char *what) {
    char odd[80], count[40];
    int size = gyre_comm_size(comm);
    CHECK(gyre_trainer_verify(t) == GYRE_EPEER);
    snprintf(odd, sizeof odd, "rank %d (", rank);
    snprintf(count, sizeof count, size > 2 ? "than the %d other ranks" : "hold different",
             size - 1);
    CHECK(strstr(gyre_error_text(), odd) != NULL && strstr(gyre_error_text(), count) != NULL);
    CHECK(strstr(gyre_error_text(), what) != NULL);
}

/* `x` gets the value of another bit pattern on one rank, then on the next. */
static void try_value(gyre_trainer *t, gyre_f32 x, const char *what, bool nan) {
    const gyre_backend_ops *ops = t->backend->ops;
    gyre_queue *q = t->backend->main;
    float good, wrong = NAN;
    CHECK(ops->download(q, &good, x, 1) == GYRE_OK);
    uint32_t bits;
    memcpy(&bits, &good, sizeof bits);
    bits ^= 1;
    if (!nan) memcpy(&wrong, &bits, sizeof bits);
    for (int rank = 0; rank < t->ranks; rank++) {
        if (t->rank == rank) CHECK(ops->upload(q, x, &wrong, 1) == GYRE_OK);
        is_found(t, rank, what);
        if (t->rank == rank) CHECK(ops->upload(q, x, &good, 1) == GYRE_OK);
    }
    CHECK(gyre_trainer_verify(t) == GYRE_OK);
}

static void every_part_is_compared(gyre_trainer *t) {
    gyre_f32 first, second;
    const gyre_model *m = t->resolved->model;
    gyre_optimizer_state(t->optimizer, 0, &first);
    gyre_optimizer_state(t->optimizer, 1, &second);
    const gyre_weights *average = gyre_average_weights(t->averages[GYRE_AVERAGE_EMA]);
    for (int nan = 0; nan < 2; nan++) {
        try_value(t, t->weights->parameters, "parameters after 0 steps", nan);
        try_value(t, gyre_f32_at(t->weights->parameters, m->parameters - 1), "parameters", nan);
        try_value(t, gyre_f32_at(t->weights->buffers, 3), "running statistics", nan);
        try_value(t, gyre_f32_at(t->weights->buffers, m->buffers - 1), "running statistics", nan);
        try_value(t, gyre_f32_at(first, 5), "optimizer state", nan);
        try_value(t, gyre_f32_at(second, m->parameters - 1), "optimizer state", nan);
        try_value(t, gyre_f32_at(average->parameters, 7), "averages of the weights", nan);
        try_value(t, gyre_f32_at(average->buffers, m->buffers - 1), "averages of the weights", nan);
        try_value(t, t->weights->mean, "means of the input", nan);
        try_value(t, t->weights->scale, "scales of the input", nan);
    }
    /* alike on all ranks: it is not for the comparison to find */
    CHECK(t->backend->ops->upload(t->backend->main, t->weights->buffers, &(float){NAN}, 1) ==
          GYRE_OK);
    CHECK(gyre_trainer_verify(t) == GYRE_OK);
}

/* ---- what is saved is what was compared */

static gyre_backend_ops damaged;
static const gyre_backend_ops *sound;

static gyre_status download_damaged(gyre_queue *q, float *dst, gyre_f32 src, size_t n) {
    GYRE_TRY(sound->download(q, dst, src, n));
    if (n > 1000) ((unsigned char *)dst)[4 * 700] ^= 1;
    return GYRE_OK;
}

static void a_damaged_copy_is_found(gyre_trainer *t) {
    sound = t->backend->ops;
    damaged = *sound;
    damaged.download = download_damaged;
    CHECK(gyre_trainer_save(t) == GYRE_OK && gyre_trainer_check_saved(t) == GYRE_OK);
    t->backend->ops = &damaged;
    CHECK(gyre_trainer_save(t) == GYRE_OK && gyre_trainer_check_saved(t) == GYRE_EDEVICE);
    CHECK(strstr(gyre_error_text(), "parameters after 0 steps came from the device with other "
                                    "bits") != NULL);
    t->backend->ops = sound;
    CHECK(gyre_trainer_save(t) == GYRE_OK && gyre_trainer_check_saved(t) == GYRE_OK);
}

int main(int argc, char **argv) {
    rig r;
    if (gyre_comm_open(&argc, &argv, &comm) != GYRE_OK) return 1;
    if (gyre_comm_rank(comm) == 0) {
        CHECK(mkdtemp(scratch) != NULL);
        CHECK(noise_write(scratch, IMAGES, SIDE, true) == GYRE_OK);
    }
    CHECK(gyre_comm_broadcast(comm, scratch, sizeof scratch, 0) == GYRE_OK);
    if (gyre_comm_rank(comm) > 0) gyre_log_mute(true);
    open_rig(&r);
    if (r.trainer.ranks > 1) every_part_is_compared(&r.trainer);
    a_damaged_copy_is_found(&r.trainer);
    gyre_trainer_close(&r.trainer);
    gyre_resolved_close(&r.resolved);
    if (gyre_comm_rank(comm) == 0) {
        char command[64];
        snprintf(command, sizeof command, "rm -rf %s", scratch);
        CHECK(system(command) == 0);
    }
    gyre_comm_close(comm);
    return 0;
}
