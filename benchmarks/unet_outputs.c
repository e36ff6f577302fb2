/* What a U-Net gives for noised pictures of one time, for unet_parity.py: reads x_t, (n, h, w, c)
 * in f32, labels, (n) in i32, and contexts, (classes, tokens, channels) in f32, from standard
 * input, and writes outputs, (n, h, w, c) in f32. With 0 tokens there are no contexts.
 *
 *     unet_outputs CONFIG.json WEIGHTS.safetensors N H W C CLASSES TOKENS CHANNELS TIME
 */
#include "gyre/checkpoint.h"
#include "gyre/file.h"
#include "gyre/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int n, h, w, c, classes, tokens, channels, time;
} numbers;

typedef struct {
    gyre_model *model;
    gyre_backend *backend;
    gyre_weights *weights;
    gyre_net *net;
    gyre_snapshot snapshot;
    float *x, *table;
    int32_t *labels;
    gyre_contexts contexts;
} network;

static gyre_status open_model(char *config, const numbers *o, network *n) {
    char *text = NULL;
    size_t size = 0;
    GYRE_TRY(gyre_file_read(config, 1 << 20, &text, &size));
    const gyre_model_settings settings = {.unet = text,
                                          .contexts = o->tokens > 0 ? &n->contexts : NULL};
    gyre_status status = gyre_model_open(&settings, o->h, o->w, o->c, o->classes, &n->model);
    free(text);
    return status;
}

/* Weights on the device; x_t is taken as it is. */
static gyre_status open_net(const char *weights, const numbers *o, network *n) {
    const gyre_backend_options options = {.threads = 2};
    const gyre_model *m = n->model;
    float *mean = calloc((size_t)(m->h * m->w * m->c), sizeof *mean), scale[64];
    for (int i = 0; i < 64; i++) scale[i] = 1;
    if (mean == NULL || m->c > 64) return gyre_no_memory("the input");
    gyre_status status = GYRE_OK;
    GYRE_GOTO(gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &n->backend));
    GYRE_GOTO(gyre_weights_open(m, n->backend, mean, scale, &n->weights));
    GYRE_GOTO(gyre_snapshot_open(m, 0, &n->snapshot));
    GYRE_GOTO(
        gyre_parameters_import(weights, m, GYRE_NEED_PARAMETERS, GYRE_WEIGHTS_ANY, &n->snapshot));
    GYRE_GOTO(n->backend->ops->upload(n->backend->main, n->weights->parameters,
                                      n->snapshot.parameters, m->parameters));
    GYRE_GOTO(gyre_weights_pack(n->weights));
    GYRE_GOTO(gyre_net_open(n->weights, o->n, 0, &n->net));
    status = gyre_net_fix_time(n->net, o->time);
out:
    free(mean);
    return status;
}

static gyre_status read_input(const numbers *o, network *n) {
    const size_t all = (size_t)(o->n * o->h * o->w * o->c);
    const size_t contexts = (size_t)(o->classes * o->tokens * o->channels);
    n->x = malloc(all * sizeof *n->x);
    n->labels = malloc((size_t)o->n * sizeof *n->labels);
    n->table = malloc((contexts + 1) * sizeof *n->table);
    if (!n->x || !n->labels || !n->table) return gyre_no_memory("%d pictures", o->n);
    n->contexts = (gyre_contexts){o->classes, o->tokens, o->channels, n->table};
    if (fread(n->x, sizeof *n->x, all, stdin) == all &&
        fread(n->labels, sizeof *n->labels, (size_t)o->n, stdin) == (size_t)o->n &&
        fread(n->table, sizeof *n->table, contexts, stdin) == contexts) {
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EIO, "standard input is too short");
}

static gyre_status evaluate(const numbers *o, network *n) {
    const size_t all = (size_t)(o->n * o->h * o->w * o->c);
    const gyre_backend_ops *ops = n->backend->ops;
    gyre_raw stats = NULL;
    const gyre_batch batch = {.count = o->n,
                              .element = GYRE_ELEMENT_F32,
                              .images = (const uint8_t *)n->x,
                              .targets = n->labels,
                              .target_values = 1};
    const size_t sums = GYRE_LOSS_SUMS + 2 * (size_t)n->model->bands;
    GYRE_TRY(ops->alloc(n->backend, sums * sizeof(float), &stats));
    gyre_status status =
        gyre_net_evaluate(n->net, n->backend->main, &batch, (gyre_f32)(void *)stats);
    if (status == GYRE_OK) status = gyre_net_logits(n->net, n->backend->main, n->x);
    if (status == GYRE_OK) fwrite(n->x, sizeof *n->x, all, stdout);
    ops->release(n->backend, stats);
    return status;
}

int main(int argc, char **argv) {
    numbers o;
    network n = {0};
    if (argc != 11) {
        fprintf(stderr, "unet_outputs CONFIG.json WEIGHTS.safetensors N H W C CLASSES TOKENS "
                        "CHANNELS TIME\n");
        return 2;
    }
    int *const to[] = {&o.n, &o.h, &o.w, &o.c, &o.classes, &o.tokens, &o.channels, &o.time};
    for (int i = 0; i < 8; i++) *to[i] = atoi(argv[3 + i]);
    gyre_status status = read_input(&o, &n);
    if (status == GYRE_OK) status = open_model(argv[1], &o, &n);
    if (status == GYRE_OK) status = open_net(argv[2], &o, &n);
    if (status == GYRE_OK) status = evaluate(&o, &n);
    if (status != GYRE_OK) fprintf(stderr, "%s\n", gyre_error_text());
    gyre_snapshot_close(&n.snapshot);
    free(n.x);
    free(n.labels);
    free(n.table);
    gyre_net_close(n.net);
    gyre_weights_close(n.weights);
    if (n.backend != NULL) n.backend->ops->close(n.backend);
    gyre_model_close(n.model);
    return status == GYRE_OK ? 0 : 1;
}
