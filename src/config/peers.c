/* What a wrong key, value or option was probably meant for: the names that other tools use, then
 * spelling. An unlikely guess is worse than none. */
#include "fields.h"

#include "gyre/names.h"
#include <string.h>
#include <strings.h>

enum { NAMES_MAX = 8 };

/* Names of keys elsewhere, without letter case, '-' as '_'. */
static const struct {
    const char *names[NAMES_MAX];
    const char *advice;
} keys[] = {
    {{"lr", "learning_rate", "initial_lr", "init_lr", "base_learning_rate"},
     "the rate is schedule.base_lr, and schedule.max_lr where it moves"},
    {{"eta_min", "min_lr", "lr_min"}, "the lowest rate is schedule.base_lr"},
    {{"eta_max", "peak_lr", "lr_max", "max_learning_rate"}, "the highest rate is schedule.max_lr"},
    {{"epochs", "num_epochs", "max_epochs", "n_epochs", "total_epochs", "num_train_epochs"},
     "the run's length is \"length\": {\"epochs\": 10}"},
    {{"steps", "max_steps", "num_steps", "total_steps", "iterations", "max_iter", "num_iterations"},
     "the run's length is \"length\": {\"steps\": 1000}"},
    {{"batch_size", "bs", "batchsize", "train_batch_size", "mini_batch_size",
      "per_device_train_batch_size"},
     "the samples of a step, over all ranks, are batch.size"},
    {{"grad_accum", "accumulation_steps", "gradient_accumulation_steps"},
     "the samples of a step are batch.size, computed in batch.shards parts"},
    {{"wd", "l2", "weightdecay"}, "weight decay is optimizer.weight_decay"},
    {{"betas"}, "they are optimizer.beta1 and optimizer.beta2"},
    {{"clip", "grad_clip", "max_norm", "max_grad_norm", "clip_grad_norm", "gradient_clip_val"},
     "clipping is optimizer.clip_norm"},
    {{"workers", "num_workers", "n_workers", "data_workers"},
     "worker threads of a rank, which read images too, are threads"},
    {{"early_stopping", "early_stop", "patience"},
     "there is no early stopping, since a schedule is made for its length; checkpoint.best keeps "
     "the "
     "best state"},
    {{"scheduler", "lr_scheduler", "lr_policy", "lr_schedule"}, "it is schedule.policy"},
    {{"warmup_steps", "num_warmup_steps"}, "the warm-up is \"schedule.warmup\": {\"steps\": 100}"},
    {{"warmup_epochs", "num_warmup_epochs"}, "the warm-up is \"schedule.warmup\": {\"epochs\": 1}"},
    {{"t_0", "t_max"}, "a period is schedule.t0"},
    {{"three_phase"}, "it is schedule.one_cycle.form \"pytorch3\""},
    {{"optim", "solver"}, "it is optimizer.name"},
    {{"ema", "use_ema", "model_ema", "ema_decay", "model_ema_decay", "ema_max_decay"},
     "it is \"average\": {\"kind\": \"ema\", \"decay\": 0.9999}"},
    {{"swa", "swa_start", "swa_epoch_start", "swa_freq"},
     "it is \"average\": {\"kind\": \"swa\", \"start\": {\"epochs\": 12}}"},
    {{"dataset", "data_path", "data_dir", "datadir", "dataset_path"}, "it is data.path"},
    {{"val_split", "validation_split", "valid_pct"}, "it is \"data.validation\": {\"split\": 0.1}"},
    {{"arch", "architecture", "network", "net", "backbone"}, "it is model.name"},
    {{"num_classes", "n_classes"}, "it is model.classes"},
    {{"pretrained", "weights", "init_weights", "checkpoint_path"}, "it is model.init_from"},
    {{"device", "gpu", "gpus", "accelerator", "cuda"}, "it is backend"},
    {{"amp", "fp16", "bf16", "mixed_precision", "dtype"}, "it is precision"},
    {{"hflip", "flip", "fliplr", "horizontal_flip", "random_flip", "random_horizontal_flip"},
     "it is data.augment.mirror"},
    {{"padding", "random_crop", "rand_crop", "crop_padding"}, "it is data.augment.crop"},
    {{"img_size", "image_size", "input_size", "random_resized_crop"},
     "it is data.augment.resized_crop.size"},
    {{"mixup_alpha", "mix_up"}, "it is data.augment.mixup.alpha"},
    {{"cutmix_alpha", "cut_mix"}, "it is data.augment.cutmix.alpha"},
    {{"rand_augment", "auto_augment", "aa", "randaug", "autoaugment"},
     "it is \"data.augment.randaugment\": {\"ops\": 2, \"magnitude\": 9}"},
    {{"jitter", "colour_jitter", "colorjitter"},
     "it is \"data.augment.color_jitter\": {\"brightness\": 0.4}"},
    {{"reprob", "random_erase", "randomerasing", "cutout", "erasing"},
     "it is data.augment.random_erasing.probability"},
    {{"mean", "std", "normalization", "normalisation"},
     "it is \"data.augment.normalize\": {\"mean\": [0.5], \"std\": [0.25]}"},
    {{"shuffle"}, "it is data.order"},
    {{"drop_last"}, "it is data.last_batch"},
    {{"val", "valid", "valid_split", "val_data", "validation_data"}, "it is data.validation"},
    {{"step_size_up", "stepsize_up", "step_size", "half_cycle"},
     "half a cycle is \"schedule.stepsize\": {\"steps\": 2000}"},
    {{"step_size_down"}, "the rise's share of a cycle is schedule.up_fraction"},
    {{"base_momentum", "cycle_momentum", "max_momentum"},
     "it is \"schedule.momentum\": {\"min\": 0.85, \"max\": 0.95}"},
    {{"anneal_strategy"}, "it is schedule.one_cycle.anneal"},
    {{"rho"}, "adadelta's decay is optimizer.momentum"},
    {{"alpha"}, "rmsprop's decay is optimizer.rms_decay"},
    {{"resume", "resume_from", "resume_from_checkpoint", "restart"},
     "the same command with the same --out resumes a run"},
    {{"base", "seeds", "arms", "controls", "policies", "stepsize_epochs"},
     "it is a key of a study, which `gyre study` runs"},
    {{"random_seed", "manual_seed"}, "it is seed"},
    {{"save_every", "save_freq", "save_steps"}, "it is checkpoint.every"},
    {{"eval_every", "eval_steps", "val_interval", "eval_freq"}, "it is evaluate.every"},
    {{"output_dir", "save_dir", "logdir", "log_dir", "outdir"}, "it is output.dir, or --out DIR"},
    {{"tensorboard", "report_to", "use_tensorboard"}, "it is output.tensorboard"},
};

/* Names of values elsewhere, and gyre's. */
static const struct {
    const char *path, *names[NAMES_MAX], *value;
} values[] = {
    {"schedule.policy", {"OneCycleLR", "1cycle", "OneCycle"}, "one_cycle"},
    {"schedule.policy", {"CyclicLR", "cyclic", "clr", "cyclical"}, "triangular"},
    {"schedule.policy", {"CosineAnnealingWarmRestarts", "CosineAnnealingLR"}, "sgdr"},
    {"schedule.policy", {"cosine", "cosine_with_restarts"}, "hf_cosine"},
    {"schedule.policy", {"MultiStepLR", "StepLR", "step"}, "multistep"},
    {"schedule.policy", {"ExponentialLR", "exponential"}, "exp"},
    {"schedule.policy", {"LinearLR", "PolynomialLR"}, "linear"},
    {"schedule.policy", {"ConstantLR", "fixed", "none"}, "constant"},
    {"data.validation", {"val", "valid", "dev", "validate"}, "validation"},
    {"data.validation", {"no", "off", "false"}, "none"},
    {"backend", {"gpu"}, "cuda"},
    {"precision", {"fp32", "float32", "float", "32"}, "f32"},
    {"precision", {"bfloat16", "fp16", "float16", "half"}, "bf16"},
};

/* What a section holds where its name alone was given a value. */
static const char *const sections[][2] = {
    {"data", "data.path"},           {"model", "model.name"},         {"batch", "batch.size"},
    {"optimizer", "optimizer.name"}, {"schedule", "schedule.policy"}, {"output", "output.dir"},
    {"average", "average.kind"},
};

static const char *last_part(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot == NULL ? path : dot + 1;
}

static bool is_one_of(const char *name, const char *const names[NAMES_MAX]) {
    for (int i = 0; i < NAMES_MAX && names[i] != NULL; i++) {
        if (strcasecmp(name, names[i]) == 0) return true;
    }
    return false;
}

/* The only key of this name, in whatever section; NULL: there are none or several. */
static const char *same_name(const char *wrong) {
    const char *only = NULL;
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        if (strcmp(last_part(f->path), last_part(wrong)) != 0) continue;
        if (only != NULL) return NULL;
        only = f->path;
    }
    return only;
}

/* A spelling that is near, sections included. */
static const char *nearest_key(const char *wrong, char *out, size_t size) {
    int least = 1000;
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        for (const char *end = f->path; *end != '\0';) {
            end += 1 + strcspn(end + 1, "."); /* "schedule", "schedule.warmup", ... */
            char key[128];
            snprintf(key, sizeof key, "%.*s", (int)(end - f->path), f->path);
            int distance = gyre_name_distance(wrong, key);
            if (distance >= least || !gyre_name_is_near(wrong, key)) continue;
            least = distance;
            snprintf(out, size, "%s", key);
        }
    }
    return least < 1000 ? out : NULL;
}

bool gyre_config_suggest(const char *name, char *out, size_t size) {
    char wrong[128], key[128];
    snprintf(wrong, sizeof wrong, "%s", name);
    for (char *p = wrong; *p != '\0'; p++) {
        if (*p == '-') *p = '_';
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!is_one_of(last_part(wrong), keys[i].names)) continue;
        snprintf(out, size, "%s", keys[i].advice);
        return true;
    }
    const char *nearest = same_name(wrong);
    if (nearest == NULL) nearest = nearest_key(wrong, key, sizeof key);
    if (nearest == NULL) return false;
    snprintf(out, size, "the nearest is %s", nearest);
    return true;
}

const char *config_suggest_value(const char *path, const char *value, const char *const *choices) {
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(path, values[i].path) == 0 && is_one_of(value, values[i].names)) {
            return values[i].value;
        }
    }
    return gyre_name_nearest(value, choices);
}

const char *config_section_key(const char *section) {
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strcmp(section, sections[i][0]) == 0) return sections[i][1];
    }
    return NULL;
}
