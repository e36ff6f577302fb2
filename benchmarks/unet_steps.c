/* Steps of training of a U-Net, for unet_parity.py: reads x_0, (n, h, w, c) in f32, and labels, (n)
 * in i32, and contexts, (classes, tokens, channels) in f32 where there are tokens, from standard
 * input. Into FOLDER go draws, for each step t, (n) in i32, and the noise,
 * (n, h, w, c) in f32; gradient.safetensors of the first step; after.safetensors, the parameters
 * after the last one. Prints the loss of each step.
 *
 *     unet_steps CONFIG.json WEIGHTS.safetensors FOLDER STEPS RATE N H W C CLASSES TOKENS CHANNELS
 */
#include "gyre/checkpoint.h"
#include "gyre/diffusion.h"
#include "gyre/file.h"
#include "gyre/net.h"
#include "gyre/optimizer.h"
#include "gyre/random.h"
#include "gyre/safetensors.h"
#include "gyre/state_dict.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 1, TIMES = 1000 };

typedef struct {
    const char *config, *weights, *folder;
    int steps, n, h, w, c, classes, tokens, channels;
    double rate;
} arguments;

typedef struct {
    gyre_model *model;
    gyre_backend *backend;
    gyre_weights *weights;
    gyre_net *net;
    gyre_shards *shards;
    gyre_optimizer *optimizer;
    gyre_snapshot snapshot;
    float *x, *leaf, *table;
    int32_t *labels;
    gyre_contexts contexts;
} network;

static gyre_status open_model(const arguments *a, network *n) {
    char *text = NULL;
    size_t size = 0;
    GYRE_TRY(gyre_file_read(a->config, 1 << 20, &text, &size));
    const gyre_model_settings settings = {.unet = text,
                                          .contexts = a->tokens > 0 ? &n->contexts : NULL};
    gyre_status status = gyre_model_open(&settings, a->h, a->w, a->c, a->classes, &n->model);
    free(text);
    return status;
}

static gyre_status open_net(const arguments *a, network *n) {
    const gyre_backend_options options = {.threads = 2};
    const gyre_optimizer_settings adamw = {.name = GYRE_OPTIMIZER_ADAMW,
                                           .beta1 = 0.9,
                                           .beta2 = 0.999,
                                           .eps = 1e-8,
                                           .weight_decay = 0.01,
                                           .decoupled = true};
    const gyre_model *m = n->model;
    float *mean = calloc((size_t)(m->h * m->w * m->c), sizeof *mean), scale[64];
    for (int i = 0; i < 64; i++) scale[i] = 1;
    if (mean == NULL || m->c > 64) return gyre_no_memory("the input");
    gyre_status status = GYRE_OK;
    GYRE_GOTO(gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &n->backend));
    GYRE_GOTO(gyre_weights_open(m, n->backend, mean, scale, &n->weights));
    GYRE_GOTO(gyre_snapshot_open(m, 0, &n->snapshot));
    GYRE_GOTO(gyre_parameters_import(a->weights, m, GYRE_NEED_PARAMETERS, GYRE_WEIGHTS_ANY,
                                     &n->snapshot));
    GYRE_GOTO(n->backend->ops->upload(n->backend->main, n->weights->parameters,
                                      n->snapshot.parameters, m->parameters));
    GYRE_GOTO(gyre_weights_pack(n->weights));
    GYRE_GOTO(gyre_net_open(n->weights, a->n, 1, &n->net));
    GYRE_GOTO(gyre_shards_open(n->net, 1, a->n, &n->shards));
    status = gyre_optimizer_open(&adamw, n->weights, 1, &n->optimizer);
out:
    free(mean);
    return status;
}

/* What the step draws for its samples, in the way of gyre/diffusion.h. */
static void write_draws(const arguments *a, int step, FILE *out) {
    const gyre_random key = gyre_random_open(SEED, GYRE_RANDOM_DIFFUSION, (uint64_t)step, 0);
    const gyre_diffusion_shape shape = {.n = a->n, .range = TIMES};
    uint32_t words[GYRE_DRAW_WORDS] = {[GYRE_DRAW_NOISE_KEY] = key.key[0],
                                       [GYRE_DRAW_NOISE_KEY + 1] = key.key[1],
                                       [GYRE_DRAW_STRATUM] = GYRE_DRAW_SHUFFLED,
                                       [GYRE_DRAW_STRATA] = (uint32_t)a->n};
    const size_t values = (size_t)(a->h * a->w * a->c);
    for (uint32_t i = 0; i < (uint32_t)a->n; i++) {
        const uint32_t t = gyre_diffusion_time(&shape, words, i);
        fwrite(&t, sizeof t, 1, out);
    }
    for (uint32_t i = 0; i < (uint32_t)a->n; i++) {
        for (size_t k = 0; k < values; k += 4) {
            const gyre_diffusion_normals four =
                gyre_diffusion_four(words, (uint32_t)(k / 4), i, GYRE_DIFFUSION_NOISE);
            fwrite(four.v, sizeof *four.v, values - k < 4 ? values - k : 4, out);
        }
    }
}

/* A vector of the model's layout as a state_dict. */
static gyre_status write_vector(const network *n, const float *vector, const char *folder,
                                const char *name) {
    const gyre_model *m = n->model;
    const size_t count = (size_t)m->param_count;
    gyre_state_array *states = calloc(count, sizeof *states);
    gyre_safetensors_array *arrays = calloc(count, sizeof *arrays);
    float *values = calloc(m->parameters, sizeof *values);
    char *path = gyre_path_join(folder, name), *file = NULL;
    size_t size = 0;
    gyre_status status = states && arrays && values && path ? GYRE_OK : gyre_no_memory("a vector");
    for (size_t i = 0; i < count && status == GYRE_OK; i++) {
        const size_t at = m->params[i].offset;
        states[i] = gyre_state_of_param(m, (int)i);
        gyre_state_to_torch(&states[i], vector + at, values + at);
        arrays[i] =
            (gyre_safetensors_array){states[i].name, states[i].dims, states[i].ndim, values + at};
    }
    if (status == GYRE_OK) status = gyre_safetensors_image(arrays, count, NULL, 0, &file, &size);
    if (status == GYRE_OK) status = gyre_file_write_atomic(path, file, size);
    free(file);
    free(path);
    free(values);
    free(arrays);
    free(states);
    return status;
}

static gyre_status step(const arguments *a, network *n, const gyre_batch *batch, int k) {
    const gyre_backend_ops *ops = n->backend->ops;
    float scalars[GYRE_SCALAR_COUNT];
    gyre_f32 root;
    GYRE_TRY(gyre_net_begin_step(n->net, SEED, k, 0, a->n));
    GYRE_TRY(gyre_shards_run(n->shards, batch, 1.0f / (float)a->n, &root));
    GYRE_TRY(ops->reduce_end(n->backend));
    if (k == 0) {
        GYRE_TRY(ops->download(n->backend->main, n->leaf, root, gyre_leaf_size(n->model)));
        GYRE_TRY(write_vector(n, n->leaf, a->folder, "gradient.safetensors"));
    }
    GYRE_TRY(gyre_optimizer_begin(n->optimizer, k, (gyre_rate){.lr = a->rate, .momentum = 0.9}));
    GYRE_TRY(gyre_optimizer_apply(n->optimizer, k, root));
    GYRE_TRY(ops->download(n->backend->main, scalars, gyre_optimizer_scalars(n->optimizer),
                           GYRE_SCALAR_COUNT));
    printf("%.9g\n", (double)scalars[GYRE_SCALAR_LOSS]);
    return GYRE_OK;
}

static gyre_status read_input(const arguments *a, network *n) {
    const size_t all = (size_t)(a->n * a->h * a->w * a->c);
    const size_t contexts = (size_t)(a->classes * a->tokens * a->channels);
    n->x = malloc(all * sizeof *n->x);
    n->labels = malloc((size_t)a->n * sizeof *n->labels);
    n->table = malloc((contexts + 1) * sizeof *n->table);
    if (!n->x || !n->labels || !n->table) return gyre_no_memory("%d pictures", a->n);
    n->contexts = (gyre_contexts){a->classes, a->tokens, a->channels, n->table};
    if (fread(n->x, sizeof *n->x, all, stdin) == all &&
        fread(n->labels, sizeof *n->labels, (size_t)a->n, stdin) == (size_t)a->n &&
        fread(n->table, sizeof *n->table, contexts, stdin) == contexts) {
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EIO, "standard input is too short");
}

static gyre_status train(const arguments *a, network *n) {
    char *path = gyre_path_join(a->folder, "draws");
    FILE *draws = path == NULL ? NULL : fopen(path, "w");
    n->leaf = malloc(gyre_leaf_size(n->model) * sizeof *n->leaf);
    gyre_status status = GYRE_OK;
    if (draws == NULL || n->leaf == NULL) {
        status = gyre_fail(GYRE_EIO, "'%s' cannot be written, or memory is too short", a->folder);
    }
    const gyre_batch batch = {.count = a->n,
                              .element = GYRE_ELEMENT_F32,
                              .images = (const uint8_t *)n->x,
                              .targets = n->labels,
                              .target_values = 1};
    for (int k = 0; k < a->steps && status == GYRE_OK; k++) {
        write_draws(a, k, draws);
        status = step(a, n, &batch, k);
    }
    if (draws != NULL) fclose(draws);
    free(path);
    GYRE_TRY(status);
    GYRE_TRY(n->backend->ops->download(n->backend->main, n->snapshot.parameters,
                                       n->weights->parameters, n->model->parameters));
    return write_vector(n, n->snapshot.parameters, a->folder, "after.safetensors");
}

int main(int argc, char **argv) {
    network n = {0};
    if (argc != 13) {
        fprintf(stderr, "unet_steps CONFIG.json WEIGHTS.safetensors FOLDER STEPS RATE N H W C "
                        "CLASSES TOKENS CHANNELS\n");
        return 2;
    }
    arguments a = {.config = argv[1],
                   .weights = argv[2],
                   .folder = argv[3],
                   .steps = atoi(argv[4]),
                   .rate = atof(argv[5])};
    int *const to[] = {&a.n, &a.h, &a.w, &a.c, &a.classes, &a.tokens, &a.channels};
    for (int i = 0; i < 7; i++) *to[i] = atoi(argv[6 + i]);
    gyre_status status = read_input(&a, &n);
    if (status == GYRE_OK) status = open_model(&a, &n);
    if (status == GYRE_OK) status = open_net(&a, &n);
    if (status == GYRE_OK) status = train(&a, &n);
    if (status != GYRE_OK) fprintf(stderr, "%s\n", gyre_error_text());
    free(n.x);
    free(n.leaf);
    free(n.labels);
    free(n.table);
    return status == GYRE_OK ? 0 : 1;
}
