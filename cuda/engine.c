/* Which of cuDNN's engines may run a graph, and the first one that does. An engine says in
 * numerical notes what it does to numbers; the rules refuse by them. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numerical notes */

enum { BIT_STRICT_NAN = 1 << CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP };

static const struct {
    const char *name, *meaning, *remedy;
} notes[] = {
    [CUDNN_NUMERICAL_NOTE_TENSOR_CORE] = {"TENSOR_CORE", "use tensor cores",
                                          " (\"tf32\": true allows them)"},
    [CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS] = {"DOWN_CONVERT_INPUTS", "round operands",
                                                  " (\"tf32\": true allows them)"},
    [CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION] = {"REDUCED_PRECISION_REDUCTION",
                                                          "sum in less than f32", ""},
    [CUDNN_NUMERICAL_NOTE_FFT] = {"FFT", "work on Fourier transforms", ""},
    [CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC] = {"NONDETERMINISTIC", "may differ from call to call",
                                               " (\"deterministic\": false allows them)"},
    [CUDNN_NUMERICAL_NOTE_WINOGRAD] = {"WINOGRAD", "work on Winograd transforms", ""},
    [CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4] = {"TILE_4x4", "work on Winograd transforms", ""},
    [CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6] = {"TILE_6x6", "work on Winograd transforms", ""},
    [CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13] = {"TILE_13x13", "work on Winograd transforms", ""},
    [CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP] = {"STRICT_NAN_PROP", "", ""},
};
enum { NOTES = sizeof notes / sizeof notes[0], NOTES_MAX = 32, KNOBS_MAX = CUDNN_KNOB_TYPE_COUNTS };

/* TF32 keeps the bits of a bf16 number, so that tensor cores change nothing for widened operands;
 * "down-convert" does not say to what. Transforms (FFT, Winograd) lose accuracy that a sum of
 * products has, at every setting; so do sums below f32. A note that this cuDNN's header did not
 * know is no permission. */
uint32_t gpu_notes_refused(const gpu_rules *rules, gpu_math math, uint32_t given) {
    uint32_t allowed = BIT_STRICT_NAN;
    if (math != GPU_MATH_F32) allowed |= 1U << CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
    if (math == GPU_MATH_TF32) allowed |= 1U << CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
    if (!rules->deterministic) allowed |= 1U << CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    return given & ~allowed;
}

void gpu_notes_text(uint32_t given, char *out, size_t size) {
    size_t at = 0;
    snprintf(out, size, "-");
    for (uint32_t i = 0; i < NOTES_MAX && at < size; i++) {
        if ((given >> i & 1) == 0) continue;
        const char *space = at == 0 ? "" : " ";
        int wrote = i < NOTES ? snprintf(out + at, size - at, "%s%s", space, notes[i].name)
                              : snprintf(out + at, size - at, "%snote-%u", space, i);
        at += (size_t)wrote;
    }
}

/* ---- the engines that cuDNN offers */

static gyre_status read_notes(cudnnBackendDescriptor_t engine, gpu_engine *out) {
    cudnnBackendNumericalNote_t numerical[NOTES_MAX];
    cudnnBackendBehaviorNote_t behavior[NOTES_MAX];
    int64_t count = 0;
    GPU_CUDNN_TRY(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64,
                                           1, &count, &out->id));
    GPU_CUDNN_TRY(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                           CUDNN_TYPE_NUMERICAL_NOTE, NOTES_MAX, &count,
                                           numerical));
    for (int64_t i = 0; i < count; i++) {
        uint32_t bit = (uint32_t)numerical[i];
        out->notes |= 1U << (bit < NOTES_MAX ? bit : NOTES_MAX - 1);
    }
    GPU_CUDNN_TRY(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                                           CUDNN_TYPE_BEHAVIOR_NOTE, NOTES_MAX, &count, behavior));
    for (int64_t i = 0; i < count; i++) {
        if (behavior[i] == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) out->compiled = true;
    }
    return GYRE_OK;
}

static gyre_status read_engine(cudnnBackendDescriptor_t config, gpu_engine *out) {
    cudnnBackendDescriptor_t engine = NULL;
    int64_t count = 0;
    *out = (gpu_engine){.config = config};
    GPU_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine));
    cudnnStatus_t got = cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &engine);
    gyre_status status = got == CUDNN_STATUS_SUCCESS
                             ? read_notes(engine, out)
                             : gpu_cudnn_fail(got, "an engine's description");
    cudnnBackendDestroyDescriptor(engine);
    return status;
}

static gyre_status add_knob(cudnnBackendDescriptor_t knob, char *out, size_t *at) {
    cudnnBackendKnobType_t type;
    int64_t value = 0, count = 0;
    GPU_CUDNN_TRY(cudnnBackendGetAttribute(knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE,
                                           CUDNN_TYPE_KNOB_TYPE, 1, &count, &type));
    GPU_CUDNN_TRY(cudnnBackendGetAttribute(knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE,
                                           CUDNN_TYPE_INT64, 1, &count, &value));
    if (*at < GPU_ENGINE_TEXT) {
        *at += (size_t)snprintf(out + *at, GPU_ENGINE_TEXT - *at, ", knob %d = %lld", (int)type,
                                (long long)value);
    }
    return GYRE_OK;
}

gyre_status gpu_engine_text(const gpu_engine *engine, char out[GPU_ENGINE_TEXT]) {
    cudnnBackendDescriptor_t knobs[KNOBS_MAX] = {NULL};
    gyre_status status = GYRE_OK;
    cudnnStatus_t got = CUDNN_STATUS_SUCCESS;
    int64_t count = 0;
    size_t at = (size_t)snprintf(out, GPU_ENGINE_TEXT, "engine %lld", (long long)engine->id);
    for (int i = 0; i < KNOBS_MAX && got == CUDNN_STATUS_SUCCESS; i++) {
        got = cudnnBackendCreateDescriptor(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, &knobs[i]);
    }
    if (got == CUDNN_STATUS_SUCCESS) {
        got = cudnnBackendGetAttribute(engine->config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                                       CUDNN_TYPE_BACKEND_DESCRIPTOR, KNOBS_MAX, &count, knobs);
    }
    if (got != CUDNN_STATUS_SUCCESS) status = gpu_cudnn_fail(got, "an engine's knobs");
    for (int64_t i = 0; i < count && i < KNOBS_MAX && status == GYRE_OK; i++) {
        status = add_knob(knobs[i], out, &at);
    }
    for (int i = 0; i < KNOBS_MAX; i++) {
        if (knobs[i] != NULL) cudnnBackendDestroyDescriptor(knobs[i]);
    }
    return status;
}

static gyre_status show(cudnnBackendDescriptor_t *configs, int64_t count, gpu_engine_visit visit,
                        void *context, bool *taken) {
    for (int64_t i = 0; i < count && !*taken; i++) {
        gpu_engine engine;
        GYRE_TRY(read_engine(configs[i], &engine));
        GYRE_TRY(visit(context, &engine, taken));
        if (*taken) configs[i] = NULL;
    }
    return GYRE_OK;
}

/* The configurations that `heuristics` has, and what to do with them. */
static gyre_status show_results(cudnnBackendDescriptor_t heuristics, gpu_engine_visit visit,
                                void *context, bool *taken) {
    const cudnnBackendAttributeName_t results = CUDNN_ATTR_ENGINEHEUR_RESULTS;
    gyre_status status = GYRE_OK;
    int64_t room = 0, count = 0;
    GPU_CUDNN_TRY(cudnnBackendGetAttribute(heuristics, results, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
                                           &room, NULL));
    cudnnBackendDescriptor_t *configs = calloc((size_t)room + 1, sizeof *configs);
    if (configs == NULL) return gyre_no_memory("engines of cuDNN");
    cudnnStatus_t got = CUDNN_STATUS_SUCCESS;
    for (int64_t i = 0; i < room && got == CUDNN_STATUS_SUCCESS; i++) {
        got = cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &configs[i]);
    }
    if (got == CUDNN_STATUS_SUCCESS && room > 0) {
        got = cudnnBackendGetAttribute(heuristics, results, CUDNN_TYPE_BACKEND_DESCRIPTOR, room,
                                       &count, configs);
    }
    status = got == CUDNN_STATUS_SUCCESS ? show(configs, count, visit, context, taken)
                                         : gpu_cudnn_fail(got, "the heuristics' results");
    for (int64_t i = 0; i < room; i++) {
        if (configs[i] != NULL) cudnnBackendDestroyDescriptor(configs[i]);
    }
    free(configs);
    return status;
}

static bool unsupported(cudnnStatus_t status) {
    return CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED;
}

static gyre_status show_mode(const gpu_rules *rules, const gpu_graph *graph,
                             cudnnBackendHeurMode_t mode, gpu_engine_visit visit, void *context,
                             bool *taken) {
    cudnnBackendDescriptor_t h = NULL;
    GPU_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &h));
    gyre_status status = GYRE_OK;
    cudnnStatus_t got = cudnnBackendSetAttribute(h, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &graph->graph);
    if (got == CUDNN_STATUS_SUCCESS)
        got =
            cudnnBackendSetAttribute(h, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    if (got == CUDNN_STATUS_SUCCESS)
        got = cudnnBackendSetAttribute(h, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP,
                                       CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &rules->device);
    if (got == CUDNN_STATUS_SUCCESS) got = cudnnBackendFinalize(h);
    if (got == CUDNN_STATUS_SUCCESS)
        status = show_results(h, visit, context, taken);
    else if (!unsupported(got)) /* else another mode may know the operation */
        status = gpu_cudnn_fail(got, "the engine heuristics");
    cudnnBackendDestroyDescriptor(h);
    return status;
}

gyre_status gpu_engines_each(const gpu_rules *rules, const gpu_graph *graph, gpu_engine_visit visit,
                             void *context) {
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B,
                                                   CUDNN_HEUR_MODE_FALLBACK};
    bool taken = false;
    for (int i = 0; i < 3 && !taken; i++) {
        GYRE_TRY(show_mode(rules, graph, modes[i], visit, context, &taken));
    }
    return GYRE_OK;
}

/* ---- the choice */

typedef struct {
    const gpu_rules *rules;
    gpu_math math;
    bool compiled; /* looks at engines that compile at run time, else at the others */
    bool found;
    gpu_choice choice;
    int seen, unfit, large, by_note[NOTES_MAX];
    char reason[128]; /* why the first unfit one is */
} chooser;

/* Engines may turn out unfit when their plan is finalised, or fail to compile; any other status
 * is a mistake here or a broken device. */
static gyre_status finalise(chooser *c, const gpu_engine *engine, cudnnBackendDescriptor_t plan,
                            bool *fits) {
    int64_t bytes = 0, count = 0;
    GPU_CUDNN_TRY(cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                           CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &engine->config));
    GPU_CUDNN_TRY(cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                                           CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &c->rules->device));
    cudnnStatus_t got = cudnnBackendFinalize(plan);
    if (unsupported(got) || CUDNN_STATUS_CATEGORY(got) == CUDNN_STATUS_INTERNAL_ERROR) {
        if (c->unfit++ == 0) snprintf(c->reason, sizeof c->reason, "%s", cudnnGetErrorString(got));
        return GYRE_OK;
    }
    if (got != CUDNN_STATUS_SUCCESS) return gpu_cudnn_fail(got, "an execution plan");
    GPU_CUDNN_TRY(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                           CUDNN_TYPE_INT64, 1, &count, &bytes));
    c->choice = (gpu_choice){.engine = *engine, .plan = plan, .workspace = (size_t)bytes};
    *fits = (size_t)bytes <= c->rules->workspace_limit;
    if (!*fits) c->large++;
    return GYRE_OK;
}

static gyre_status consider(void *context, const gpu_engine *engine, bool *take) {
    chooser *c = context;
    if (engine->compiled != c->compiled) return GYRE_OK;
    c->seen++;
    uint32_t refused = gpu_notes_refused(c->rules, c->math, engine->notes);
    for (int i = 0; i < NOTES_MAX; i++) {
        if (refused >> i & 1) {
            c->by_note[i]++;
            return GYRE_OK;
        }
    }
    cudnnBackendDescriptor_t plan = NULL;
    GPU_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan));
    gyre_status status = finalise(c, engine, plan, take);
    if (!*take) cudnnBackendDestroyDescriptor(plan);
    c->found = *take;
    return status;
}

/* "12 use tensor cores ("tf32": true allows them), 1 needs more than 1024 MiB" */
static gyre_status fail_none(const chooser *c, const gpu_operation *op) {
    char what[GPU_OPERATION_TEXT], list[640] = "";
    size_t at = 0;
    gpu_operation_text(op, what, sizeof what);
    for (int i = 0; i < NOTES_MAX && at < sizeof list; i++) {
        if (c->by_note[i] == 0) continue;
        at += (size_t)snprintf(list + at, sizeof list - at, ", %d %s%s", c->by_note[i],
                               i < NOTES ? notes[i].meaning : "have a note unknown here",
                               i < NOTES ? notes[i].remedy : "");
    }
    if (c->large > 0 && at < sizeof list)
        at += (size_t)snprintf(list + at, sizeof list - at,
                               ", %d need more workspace than %zu MiB (a smaller batch needs less)",
                               c->large, c->rules->workspace_limit >> 20);
    if (c->unfit > 0 && at < sizeof list)
        snprintf(list + at, sizeof list - at, ", %d do not fit (%s)", c->unfit, c->reason);
    return gyre_fail(GYRE_EDEVICE, "cuDNN has no engine left for %s: of %d configurations%s", what,
                     c->seen, c->seen == 0 ? " none was offered" : list + 1);
}

gyre_status gpu_choose(const gpu_rules *rules, const gpu_operation *op, const gpu_graph *graph,
                       gpu_choice *out) {
    chooser c = {.rules = rules, .math = op->math};
    GYRE_TRY(gpu_engines_each(rules, graph, consider, &c));
    if (!c.found) {
        c.compiled = true;
        GYRE_TRY(gpu_engines_each(rules, graph, consider, &c));
    }
    if (!c.found) return fail_none(&c, op);
    *out = c.choice;
    return GYRE_OK;
}

void gpu_choice_close(gpu_choice *c) {
    if (c->plan != NULL) cudnnBackendDestroyDescriptor(c->plan);
    if (c->engine.config != NULL) cudnnBackendDestroyDescriptor(c->engine.config);
    *c = (gpu_choice){0};
}
