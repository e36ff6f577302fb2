/* Every config field: this table drives parsing, ranges, defaults, --set, help, docs and echo. */
#include "fields.h"

#include "gyre/defaults.h"
#include "gyre/text.h"
#include <stddef.h>

#define DEFAULT(name) GYRE_STRING(GYRE_DEFAULT_##name)
#define SHARDS_MAX DEFAULT(SHARDS_MAX)
#define SHARD_SAMPLES DEFAULT(SHARD_SAMPLES_MIN)
#define PEAK_DECAY DEFAULT(PEAK_DECAY)
#define PEAK_DECAY_2 DEFAULT(PEAK_DECAY_TRIANGULAR2)
#define START_SECONDS DEFAULT(START_SECONDS)
#define AT(member) offsetof(gyre_settings, member)
#define ARITHMETIC GYRE_FIELD_ARITHMETIC
#define RECORDED GYRE_FIELD_RECORDED
#define FREE GYRE_FIELD_FREE
#define INT_TOP 2147483647.0
#define POLICY_NAME(name, NAME) "|" #name
#define POLICY_NAMES &(GYRE_POLICIES(POLICY_NAME))[1]
#define AVERAGE_NAMES &(GYRE_AVERAGES(POLICY_NAME))[1]
#define STEPS_TOP 9007199254740991.0 /* 2^53 - 1 */

const config_field config_fields[] = {
    {"seed", FIELD_SEED, ARITHMETIC, AT(seed), 0, STEPS_TOP, 0, NULL, "1",
     "Key of initial weights, sample order, augmentation and split."},
    {"reduce", FIELD_CHOICE, ARITHMETIC, AT(reduce), 0, 0, 0, "exact|fast", "\"exact\"",
     "Gradient sums: a fixed tree with the same bits on any number of ranks, or the library's own "
     "all-reduce."},
    {"backend", FIELD_CHOICE, RECORDED, AT(backend), 0, 0, 0, "auto|cpu|cuda", "\"auto\"",
     "Where layers are computed; auto takes the GPU when each rank has one."},
    {"precision", FIELD_CHOICE, ARITHMETIC, AT(precision), 0, 0, 0, "f32|bf16", "\"f32\"",
     "Type of activations and working weights; master weights and sums are always f32. On the CPU, "
     "bf16 needs AVX-512, and is fast with AVX512-BF16 or AMX."},
    {"tf32", FIELD_FLAG, ARITHMETIC, AT(tf32), 0, 0, 0, NULL, "false",
     "Allow TF32 tensor cores in f32 (GPU)."},
    {"graph", FIELD_FLAG, FREE, AT(graph), 0, 0, 0, NULL, "true",
     "Run the step as a CUDA graph (GPU)."},
    {"deterministic", FIELD_FLAG, ARITHMETIC, AT(deterministic), 0, 0, 0, NULL, "true",
     "Refuse kernels whose bits may differ from call to call (GPU)."},
    {"threads", FIELD_INTEGER, FREE, AT(threads), 0, GYRE_THREADS_MAX, 0, NULL, "0",
     "Worker threads of a rank, or shards that its GPU computes at a time; 0: OMP_NUM_THREADS, "
     "else "
     "the cores it may use; on a GPU as many as memory allows. Changes speed only."},
    {"verify_replicas", FIELD_INTEGER, FREE, AT(verify_replicas), 0, INT_TOP, 0, NULL, "100",
     "Steps between comparisons of all state over ranks, bit for bit; it is compared before each "
     "evaluation and checkpoint besides. 0: only then."},
    {"length", FIELD_LENGTH, ARITHMETIC, AT(length), 1, STEPS_TOP,
     UNIT_STEPS | UNIT_EPOCHS | UNIT_CYCLES, NULL, NULL,
     "Length of the run. Required unless stages give it."},

#include "fields_data.h"

    {"model.name", FIELD_TEXT, ARITHMETIC, AT(model.name), 0, 0, 0, NULL, NULL,
     "Model of the zoo; `gyre help models` lists them. This, model.layers, model.file or "
     "model.config is required."},
    {"model.layers", FIELD_NETWORK, ARITHMETIC, AT(model.layers), 0, 0, 0, NULL, NULL,
     "A network of your own: its nodes, as docs/networks.md explains them."},
    {"model.file", FIELD_TEXT, FREE, AT(model.file), 0, 0, 0, NULL, NULL,
     "The same from a JSON file, or a network from an ONNX file with its weights (docs/onnx.md), "
     "relative to the config file. The run keeps its content as model.layers."},
    {"model.config", FIELD_UNET, ARITHMETIC, AT(model.unet), 0, 0, 0, NULL, NULL,
     "A U-Net by a config.json of diffusers' (docs/unet.md): a file or its folder, "
     "relative to the config file, or the object itself, which the run keeps."},
    {"model.init", FIELD_SIDE, FREE, AT(model.init_fresh), 0, 0, 0, "file|fresh", "\"file\"",
     "Weights of an ONNX file in model.file: the file's, or new ones by the seed."},
    {"model.classes", FIELD_INTEGER, ARITHMETIC, AT(model.classes), 0, GYRE_CLASSES_MAX, 0, NULL,
     "0", "Number of classes; 0: the dataset's."},
    {"model.loss", FIELD_TEXT, ARITHMETIC, AT(model.loss), 0, 0, 0, NULL, NULL,
     "The loss that training minimises; without it, \"" GYRE_DEFAULT_LOSS
     "\". `gyre help models` lists "
     "them."},
    {"model.class_weights", FIELD_WEIGHTS, ARITHMETIC, AT(model.class_weights), 0, 1e15, 0,
     "balanced", NULL,
     "Factors on the loss of each class, of cross_entropy, in the order of the classes; balanced: "
     "samples / (classes * samples of the class), of the training samples."},
    {"model.init_from", FIELD_TEXT, FREE, AT(model.init_from), 0, 0, 0, NULL, NULL,
     "A file of weights to start from, relative to the config file: HDF5 with /parameters/NAME, or "
     "a state_dict in safetensors (docs/formats.md), or diffusers' folder of one. Its content is "
     "part of the run."},
    {"model.init_weights", FIELD_CHOICE, ARITHMETIC, AT(model.init_weights), 0, 0, 0,
     "any|average|last|ema|swa|minima", "\"any\"",
     "Of a checkpoint in model.init_from that has an average of its weights: the average, or the "
     "last weights; any: the average where there is one; ema, swa, minima: this one of several."},
    {"model.freeze", FIELD_NAMES, ARITHMETIC, AT(model.freeze), 0, 0, 0, NULL, "[]",
     "Parameters to leave as they are: names, or their beginnings up to a dot, as [\"conv1\", "
     "\"layer1\"]. Running statistics still follow the data: model.batch_norm holds them."},
    {"model.batch_norm", FIELD_SIDE, ARITHMETIC, AT(model.batch_norm_frozen), 0, 0, 0,
     "train|frozen", "\"train\"",
     "Batch norm uses each shard's statistics, or the running ones as constants."},

    {"denoise.steps", FIELD_INTEGER, ARITHMETIC, AT(model.denoise.steps), 2, 10000, 0, NULL,
     DEFAULT(DENOISE_STEPS), "Times t of noised images: 0 to steps - 1. These keys are for unet."},
    {"denoise.noise", FIELD_CHOICE, ARITHMETIC, AT(model.denoise.noise), 0, 0, 0,
     "linear|scaled_linear|cosine", "\"linear\"",
     "How noise grows with t: beta linear in t, its root linear in t (Stable Diffusion's), or "
     "alpha_bar a squared cosine."},
    {"denoise.beta_start", FIELD_REAL, ARITHMETIC, AT(model.denoise.beta_start), 0, 0.999, 0, NULL,
     "0", "beta of the first t; 0: 1e-4, of scaled_linear 0.00085."},
    {"denoise.beta_end", FIELD_REAL, ARITHMETIC, AT(model.denoise.beta_end), 0, 0.999, 0, NULL, "0",
     "beta of the last t; 0: 0.02, of scaled_linear 0.012."},
    {"denoise.zero_snr", FIELD_FLAG, ARITHMETIC, AT(model.denoise.zero_snr), 0, 0, 0, NULL, "false",
     "Nothing of the image is left at the last t; needs predict \"v\"."},
    {"denoise.predict", FIELD_CHOICE, ARITHMETIC, AT(model.denoise.predict), 0, 0, 0, "epsilon|v",
     "\"epsilon\"", "What the network tells: the noise, or v = a noise - s image."},
    {"denoise.draw", FIELD_CHOICE, ARITHMETIC, AT(model.denoise.draw), 0, 0, 0,
     "uniform|stratified", "\"uniform\"",
     "t of a batch's samples in training: each drawn by itself, or one in each of as many equal "
     "parts as samples, so that losses of batches can be compared."},
    {"denoise.from", FIELD_INTEGER, ARITHMETIC, AT(model.denoise.from), 0, 10000, 0, NULL, "0",
     "Lowest t that training draws."},
    {"denoise.to", FIELD_INTEGER, ARITHMETIC, AT(model.denoise.to), 0, 10000, 0, NULL, "0",
     "t that training draws are below this; 0: steps."},
    {"denoise.offset", FIELD_REAL, ARITHMETIC, AT(model.denoise.offset), 0, 1, 0, NULL, "0",
     "Offset noise: this times one more normal number for each channel of a sample."},
    {"denoise.min_snr", FIELD_REAL, ARITHMETIC, AT(model.denoise.min_snr), 0, 1000, 0, NULL, "0",
     "Weights of the loss by the signal-to-noise ratio, cut at this; 0: all t weigh alike."},
    {"denoise.drop_condition", FIELD_REAL, ARITHMETIC, AT(model.denoise.drop_condition), 0, 1, 0,
     NULL, "0",
     "Probability that training takes the null class, the last row of num_class_embeds, in place "
     "of a sample's class."},

    {"batch.size", FIELD_INTEGER, ARITHMETIC, AT(batch_size), 1, INT_TOP, 0, NULL, NULL,
     "Samples of one step, over all ranks. Required."},
    {"batch.shards", FIELD_INTEGER, ARITHMETIC, AT(shards), 0, 65536, 0, NULL, "0",
     "Equal parts of the batch that are computed alone; 0: the largest power of two up "
     "to " SHARDS_MAX " with at least " SHARD_SAMPLES
     " samples each; where that is 1 and the network has no batch norm, the largest up "
     "to " SHARDS_MAX " that divides the batch. Most ranks that can share the work. More than "
     "ranks: gradient accumulation, each rank computes its shards in turn or a few at once, and "
     "memory holds these alone."},

    {"optimizer.name", FIELD_CHOICE, ARITHMETIC, AT(optimizer.name), 0, 0, 0,
     "sgd|adam|adamw|rmsprop|adagrad|adadelta", "\"sgd\"",
     "Update rule; the last three as Caffe's solvers."},
    {"optimizer.momentum", FIELD_REAL, ARITHMETIC, AT(optimizer.momentum), 0, 0.999999, 0, NULL,
     "0.9", "Momentum of sgd; decay of both averages of adadelta."},
    {"optimizer.nesterov", FIELD_FLAG, ARITHMETIC, AT(optimizer.nesterov), 0, 0, 0, NULL, "false",
     "Nesterov's form of sgd."},
    {"optimizer.lr_in_momentum", FIELD_FLAG, ARITHMETIC, AT(optimizer.lr_in_momentum), 0, 0, 0,
     NULL, "false",
     "v = m v + lr g, w -= v (Caffe) instead of v = m v + g, w -= lr v (PyTorch). They differ "
     "whenever the rate moves."},
    {"optimizer.beta1", FIELD_REAL, ARITHMETIC, AT(optimizer.beta1), 0, 0.999999, 0, NULL, "0.9",
     "First moment's decay of adam."},
    {"optimizer.beta2", FIELD_REAL, ARITHMETIC, AT(optimizer.beta2), 0, 0.9999999, 0, NULL, "0.999",
     "Second moment's decay of adam."},
    {"optimizer.rms_decay", FIELD_REAL, ARITHMETIC, AT(optimizer.rms_decay), 0, 0.9999999, 0, NULL,
     "0.99", "Decay of rmsprop's mean square."},
    {"optimizer.eps", FIELD_REAL, ARITHMETIC, AT(optimizer.eps), 1e-30, 1, 0, NULL, "1e-8",
     "Added to the root that adam, rmsprop and adagrad divide by, and to both squares of adadelta "
     "(Caffe's delta)."},
    {"optimizer.weight_decay", FIELD_REAL, ARITHMETIC, AT(optimizer.weight_decay), 0, 1e6, 0, NULL,
     "0", "Weight decay."},
    {"optimizer.decoupled", FIELD_FLAG, ARITHMETIC, AT(optimizer.decoupled), 0, 0, 0, NULL, "false",
     "Weight decay beside the gradient, w -= lr wd w; always so for adamw."},
    {"optimizer.clip_norm", FIELD_REAL, ARITHMETIC, AT(optimizer.clip_norm), 0, 1e30, 0, NULL, "0",
     "Largest global norm of the gradient; 0: no clipping."},
    {"optimizer.label_smoothing", FIELD_REAL, ARITHMETIC, AT(model.label_smoothing), 0, 1, 0, NULL,
     "0", "Share of the target that is spread over all classes (training loss only)."},
    {"optimizer.schedule_free", FIELD_FLAG, ARITHMETIC, AT(optimizer.schedule_free), 0, 0, 0, NULL,
     "false",
     "Schedule-free sgd, adam or adamw (docs/average.md), for a rate that stays constant."},
    {"optimizer.lookahead.every", FIELD_INTEGER, ARITHMETIC, AT(optimizer.lookahead.every), 1,
     INT_TOP, 0, NULL, NULL,
     "Lookahead (docs/average.md): after so many updates, and then again and again, slow weights "
     "move towards the weights, which become the slow ones. Without it there are none."},
    {"optimizer.lookahead.decay", FIELD_REAL, ARITHMETIC, AT(optimizer.lookahead.decay), 0,
     0.9999999, 0, NULL, NULL,
     "What stays of the slow weights each time: slow = decay slow + (1 - decay) weights; 0.5 where "
     "it is not given."},
    {"optimizer.lookahead.power", FIELD_INTEGER, ARITHMETIC, AT(optimizer.lookahead.power), 1, 100,
     0, NULL, NULL,
     "The decay rises with this power of the updates so far, up to the end of Lookahead; without "
     "it, it is the same from the first on."},
    {"optimizer.lookahead.until", FIELD_LENGTH, ARITHMETIC, AT(optimizer.lookahead.until), 1,
     STEPS_TOP, UNIT_STEPS | UNIT_EPOCHS, NULL, NULL,
     "Where Lookahead ends, and the weights become the slow ones; the run's end where it is not "
     "given."},
    {"optimizer.groups", FIELD_GROUPS, ARITHMETIC, AT(model.groups), 0, 1e6, 0, NULL, NULL,
     "Parameters that learn otherwise, as [{\"match\": \"bias|bn\", \"decay_mult\": 0}]: "
     "\"lr_mult\" and \"decay_mult\" multiply the rate and the decay of those whose names match a "
     "POSIX extended regular expression; with \"until\": {\"epochs\": 3} they learn for so long, "
     "and "
     "stay as they are from then on. Groups that match the same one multiply together, and the "
     "first end counts."},

#include "fields_schedule.h"

    {"average.kind", FIELD_CHOICE, ARITHMETIC, AT(average.kind), 0, 0, 0, AVERAGE_NAMES, "\"none\"",
     "Keep an average of the weights beside them, which evaluation, exports and samples take "
     "(docs/average.md): ema, exponential; swa, the mean of weights at equal distances from "
     "average.start on; minima, over the minima of the rate; schedule_free, of such an optimizer."},
    {"average.beside.ema", FIELD_FLAG, ARITHMETIC, AT(average.beside[GYRE_AVERAGE_EMA]), 0, 0, 0,
     NULL, "false", "Keep ema besides: each evaluation scores it, too, and nothing else takes it."},
    {"average.beside.swa", FIELD_FLAG, ARITHMETIC, AT(average.beside[GYRE_AVERAGE_SWA]), 0, 0, 0,
     NULL, "false", "The same of swa."},
    {"average.beside.minima", FIELD_FLAG, ARITHMETIC, AT(average.beside[GYRE_AVERAGE_MINIMA]), 0, 0,
     0, NULL, "false", "The same of minima."},
    {"average.decay", FIELD_REAL, ARITHMETIC, AT(average.decay), 0, 0.9999999, 0, NULL,
     DEFAULT(AVERAGE_DECAY), "Of ema: average = decay average + (1 - decay) weights in each step."},
    {"average.warmup", FIELD_FLAG, ARITHMETIC, AT(average.warmup), 0, 0, 0, NULL, "true",
     "Begin ema with a lower decay, 1 - (k + 1)^(-3/4) in step k from 0, until that is higher than "
     "average.decay."},
    {"average.start", FIELD_LENGTH, ARITHMETIC, AT(average.start), 1, STEPS_TOP,
     UNIT_STEPS | UNIT_EPOCHS, NULL, NULL,
     "The first weights that swa takes are those after so many steps; without it, after " DEFAULT(
         AVERAGE_START) " of the run's or a little more, so that its last weights are taken."},
    {"average.every", FIELD_LENGTH, ARITHMETIC, AT(average.every), 1, STEPS_TOP,
     UNIT_STEPS | UNIT_EPOCHS, NULL, NULL,
     "From one of the weights that swa takes to the next; without it, an epoch."},
    {"average.first_minimum", FIELD_INTEGER, ARITHMETIC, AT(average.first_minimum), 1, INT_TOP, 0,
     NULL, NULL,
     "The first minimum of the rate that minima takes, from 1; without it, the first one in the "
     "second half of the run."},
    {"average.statistics", FIELD_INTEGER, ARITHMETIC, AT(average.statistics), 1, INT_TOP, 0, NULL,
     DEFAULT(AVERAGE_STATISTICS),
     "Training samples, in whole batches and at most an epoch's, of which swa and minima make "
     "their running statistics of batch norm."},

    {"evaluate.every", FIELD_LENGTH, RECORDED, AT(evaluate.every), 1, STEPS_TOP,
     UNIT_STEPS | UNIT_EPOCHS, NULL, "{\"epochs\":1}", "How often to evaluate."},
    {"evaluate.minima", FIELD_FLAG, RECORDED, AT(evaluate.minima), 0, 0, 0, NULL, "true",
     "Evaluate at each minimum of the rate."},
    {"evaluate.views", FIELD_CHOICE, RECORDED, AT(evaluate.views), 0, 0, 0,
     "none|mirror|mirror_shift", "\"none\"",
     "Views of each picture whose outputs are averaged, of classifiers: mirror, itself and "
     "mirrored; mirror_shift, both moved by a pixel in two directions besides, six in all, which "
     "takes six times as long (docs/data.md). Exports give one view's outputs."},
    {"evaluate.batch", FIELD_INTEGER, RECORDED, AT(evaluate.batch), 1, 1000000, 0, NULL,
     DEFAULT(EVALUATE_BATCH), "Samples evaluated at once."},
    {"evaluate.pairs", FIELD_INTEGER, RECORDED, AT(evaluate.pairs), 1, 1000, 0, NULL, NULL,
     "Times and noises that each sample is evaluated at, of a network with a node of type "
     "diffuse; " DEFAULT(EVALUATE_PAIRS) " where it is not given."},
    {"evaluate.test_pairs", FIELD_INTEGER, RECORDED, AT(evaluate.test_pairs), 1, 1000, 0, NULL,
     NULL,
     "The same for the part test, where it is evaluated at the end alone; evaluate.pairs "
     "where it is not given."},
    {"evaluate.seed", FIELD_SEED, RECORDED, AT(evaluate.seed), 0, STEPS_TOP, 0, NULL, "0",
     "Which times and noises these are: the same for all runs with this number."},

    {"checkpoint.every", FIELD_LENGTH, FREE, AT(checkpoint.every), 1, STEPS_TOP,
     UNIT_STEPS | UNIT_EPOCHS | UNIT_MINUTES, NULL, "{\"minutes\":10}",
     "How often to checkpoint, besides at the end."},
    {"checkpoint.keep", FIELD_INTEGER, FREE, AT(checkpoint.keep), 1, 1000000, 0, NULL, "3",
     "Newest checkpoints to keep."},
    {"checkpoint.best", FIELD_FLAG, FREE, AT(checkpoint.best), 0, 0, 0, NULL, "false",
     "Keep the checkpoint of the best validation score besides."},
    {"checkpoint.minima", FIELD_FLAG, FREE, AT(checkpoint.minima), 0, 0, 0, NULL, "false",
     "Checkpoint at each minimum of the rate, and keep those."},
    {"checkpoint.required", FIELD_FLAG, FREE, AT(checkpoint.required), 0, 0, 0, NULL, "false",
     "A checkpoint that cannot be written ends the run instead of warning."},

    {"sample.every", FIELD_LENGTH, FREE, AT(sample.every), 1, STEPS_TOP, UNIT_STEPS | UNIT_EPOCHS,
     NULL, NULL,
     "How often to make samples/step-*.png (.h5 of latents), besides at the end, of a network that "
     "denoises."},
    {"sample.minima", FIELD_FLAG, FREE, AT(sample.minima), 0, 0, 0, NULL, "false",
     "Make samples at each minimum of the rate."},
    {"sample.seeds", FIELD_TEXT, FREE, AT(sample.seeds), 0, 0, 0, NULL, NULL,
     "A sample for each: \"0..7\", which they are where this is not given, or \"3,5,8\"."},
    {"sample.method", FIELD_CHOICE, FREE, AT(sample.method), 0, 0, 0, "ddim|ddpm", "\"ddim\"",
     "How samples are made: docs/sample.md."},
    {"sample.steps", FIELD_INTEGER, FREE, AT(sample.steps), 1, 10000, 0, NULL, NULL,
     "Times that are visited; where it is not given " DEFAULT(SAMPLE_STEPS) ", of ddpm all."},
    {"sample.eta", FIELD_REAL, FREE, AT(sample.eta), 0, 1, 0, NULL, "0", "Noise that ddim adds."},
    {"sample.class", FIELD_TEXT, FREE, AT(sample.condition), 0, 0, 0, NULL, NULL,
     "Name or number of the class to make."},
    {"sample.guidance", FIELD_REAL, FREE, AT(sample.guidance), 0, 1000, 0, NULL, "1",
     "How far the class leads: out(none) + w (out(class) - out(none))."},

    {"watchdog.seconds", FIELD_REAL, FREE, AT(watchdog_seconds), 1, 1e9, 0, NULL,
     DEFAULT(WATCHDOG_SECONDS),
     "A rank that stands still for longer is named, and ends the run with exit code 5."},
    {"watchdog.first_step_seconds", FIELD_REAL, FREE, AT(watchdog_first_step_seconds), 1, 1e9, 0,
     NULL, "1800",
     "The same until the second step. Before the config is read: " START_SECONDS
     ", or GYRE_START_SECONDS in the "
     "environment."},

    {"output.dir", FIELD_TEXT, FREE, AT(output_dir), 0, 0, 0, NULL, NULL,
     "Run folder, relative to the config file; --out wins. One of the two is required."},
    {"output.tensorboard", FIELD_FLAG, FREE, AT(tensorboard), 0, 0, 0, NULL, "false",
     "Write event files into the run folder, for TensorBoard; `gyre export tensorboard` makes them "
     "of a run without."},
    {NULL, FIELD_FLAG, FREE, 0, 0, 0, 0, NULL, NULL, NULL},
};

const char *const config_aliases[][2] = {
    {"schedule.form", "schedule.one_cycle.form"},
    {NULL, NULL},
};
