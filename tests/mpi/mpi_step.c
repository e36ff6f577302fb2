/* The training step as a device sees it: a whole run on a backend that checks what it is told, and
 * ends with the bits of a run on the CPU; how a backend is chosen. On any power of two of ranks. */
#ifndef GYRE_CUDA
#define GYRE_CUDA
#endif
#include "../../src/backend/registry.c" /* NOLINT(bugprone-suspicious-include) */
#include "check.h"

#include "../unit/config_text.h"
#include "gyre/checkpoint.h"
#include "gyre/log.h"
#include "gyre/run.h"
#include "noise.h"
#include "strict.h"
#include <sys/stat.h>

#define CHECK(condition) CHECK_ON(comm, condition)

enum { IMAGES = 60, SIDE = 8, STEPS = 7 };

static gyre_comm *comm;
static char scratch[] = "/tmp/gyre-step-XXXXXX";

static const char config[] =
    "{\"data\": {\"path\": \"%s/data.h5\", \"validation\": {\"split\": 0.2},\n"
    "   \"augment\": {\"mirror\": true, \"crop\": 2}},\n"
    " \"model\": {\"name\": \"resnet32\"}, \"batch\": {\"size\": 16, \"shards\": 8},\n"
    " \"threads\": 1, \"reduce\": \"%s\", \"optimizer\": {\"clip_norm\": 1},\n"
    " \"schedule\": {\"max_lr\": 0.01, \"cycles\": 1}, \"length\": {\"steps\": 7},\n"
    " \"watchdog\": {\"seconds\": 100}, \"evaluate\": {\"every\": {\"steps\": 3}}}";

/* Trains into scratch/name. */
static gyre_status run(const char *name, gyre_backend_choice choice, const char *reduce) {
    char text[1000], folder[64];
    config_file file = {0};
    gyre_settings *s = NULL;
    const gyre_train_options options = {.out = folder, .quiet = true};
    snprintf(folder, sizeof folder, "%s/%s", scratch, name);
    snprintf(text, sizeof text, config, scratch, reduce);
    CHECK(config_file_make(&file) == 0);
    CHECK(config_open_bytes(&file, text, strlen(text), NULL, &s) == GYRE_OK);
    unlink(file.path);
    s->backend = choice;
    strict.records = strict.calls = strict.loads_outside = 0;
    gyre_status status = gyre_train(s, &options, comm);
    gyre_config_close(s);
    return status;
}

/* The hash of the parameters that it ends with. */
static uint64_t train(const char *name, gyre_backend_choice choice, const char *reduce) {
    char folder[64];
    uint64_t hash = 0;
    CHECK(run(name, choice, reduce) == GYRE_OK);
    snprintf(folder, sizeof folder, "%s/%s", scratch, name);
    if (gyre_comm_rank(comm) == 0) CHECK(gyre_newest_hash(folder, &hash) == GYRE_OK);
    CHECK(gyre_comm_broadcast(comm, &hash, sizeof hash, 0) == GYRE_OK);
    return hash;
}

static void same_run_on_a_device(void) {
    uint64_t cpu = train("cpu", GYRE_BACKEND_CPU, "exact");
    CHECK(strict.records == 0);
    for (int keeps = 0; keeps < 2; keeps++) {
        strict.keeps = keeps == 1;
        CHECK(train(keeps ? "keeps" : "sends", GYRE_BACKEND_CUDA, "exact") == cpu);
        CHECK(strict.records == STEPS && strict.calls > 100);
        CHECK(strict.loads_outside > 0 || gyre_comm_rank(comm) > 0); /* evaluation, one batch */
        CHECK(strict.reductions > 1 && strict.reduced > 464154);     /* resnet32's parameters */
    }
    train("fast", GYRE_BACKEND_AUTO, "fast"); /* MPI adds in its own order */
    CHECK(strict.records == STEPS);
    strict.keeps = false;
    CHECK(strict.options.threads == 1 && strict.options.deterministic && strict.options.graph);
    CHECK(!strict.options.tf32 && strict.options.reduce == GYRE_REDUCE_FAST);
    CHECK(strict.options.deadline_seconds > 80 && strict.options.deadline_seconds < 100);
    CHECK(strict.options.first_deadline_seconds > strict.options.deadline_seconds);
}

/* Alike on all ranks, and the training loss is good: only the evaluation shows it. */
static void spoilt_statistics_are_no_result(void) {
    bool mute = gyre_log_mute(true);
    strict_spoils = true;
    for (int i = 0; i < 2; i++) { /* the same command ends as before */
        CHECK(run("spoilt", GYRE_BACKEND_CUDA, "exact") == GYRE_EDIVERGED);
        CHECK(strstr(gyre_error_text(), "running statistics of batch norm are not finite") != NULL);
    }
    strict_spoils = false;
    gyre_log_mute(mute);
}

static void the_gpu_is_taken_where_it_is(void) {
    const gyre_backend_options options = {.threads = 1};
    gyre_backend *b = NULL;
    char text[64], small[12];
    for (int i = 0; i < 2; i++) {
        strict.absent = i == 1;
        CHECK(gyre_backend_open(GYRE_BACKEND_AUTO, &options, comm, &b) == GYRE_OK);
        CHECK(strcmp(b->ops->name, i == 1 ? "cpu" : "cuda") == 0);
        CHECK((b->no_gpu[0] != '\0') == (i == 1));
        if (i == 1) CHECK(strstr(b->no_gpu, "rank 1 has none") != NULL);
        b->ops->close(b);
    }
    CHECK(gyre_backend_open(GYRE_BACKEND_CUDA, &options, comm, &b) == GYRE_EDEVICE);
    CHECK(strstr(gyre_error_text(), "rank 1 has none") != NULL);
    strict.absent = false;
    gyre_backend_list_devices(text, sizeof text);
    CHECK(strcmp(text, "gpu       strict\n! it is not one\n") == 0);
    gyre_backend_list_devices(small, sizeof small);
    CHECK(strcmp(small, "gpu       s") == 0);
}

int main(int argc, char **argv) {
    if (gyre_comm_open(&argc, &argv, &comm) != GYRE_OK) return 1;
    if (gyre_comm_rank(comm) == 0) {
        CHECK(mkdtemp(scratch) != NULL);
        CHECK(noise_write(scratch, IMAGES, SIDE, false) == GYRE_OK);
    }
    CHECK(gyre_comm_broadcast(comm, scratch, sizeof scratch, 0) == GYRE_OK);
    if (gyre_comm_rank(comm) > 0) gyre_log_mute(true);
    the_gpu_is_taken_where_it_is();
    same_run_on_a_device();
    spoilt_statistics_are_no_result();
    if (gyre_comm_rank(comm) == 0) {
        char command[64];
        snprintf(command, sizeof command, "rm -rf %s", scratch);
        CHECK(system(command) == 0);
    }
    gyre_comm_close(comm);
    return 0;
}
