/* The CPU backend's table: opening, memory, tickets, reductions. */
#include "cpu.h"

#include "gyre/control_groups.h"
#include "gyre/cores.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include <errno.h>
#include <malloc.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Under mpirun several ranks may be free to use the same cores; they divide them. */
static gyre_status default_threads(const gyre_comm *comm, int *out) {
    char cores[4096];
    gyre_cores_text(cores, sizeof cores);
    *out = gyre_cores_threads(comm != NULL ? gyre_comm_cores(comm) : gyre_cores_count(cores));
    if (*out <= GYRE_THREADS_MAX) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "OMP_NUM_THREADS=%d: a rank has 1 to %d threads; unset it, and each rank "
                     "takes the cores that it may use",
                     *out, GYRE_THREADS_MAX);
}

/* oneDNN 2.6 writes its kernels through a null pointer where their memory cannot be mapped. */
static void warn_of_limit(void) {
    const rlim_t low = 1 << 30;
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) != 0 || space.rlim_cur >= low) return;
    gyre_warn(
        "the address space is limited to %llu MiB (ulimit -v); where it ends, oneDNN may crash "
        "(exit code 139); `ulimit -v unlimited` lifts it",
        (unsigned long long)(space.rlim_cur >> 20));
}

static void cpu_close(gyre_backend *base) {
    cpu_backend *b = (cpu_backend *)(void *)base;
    if (b == NULL) return;
    cpu_workers_close(b->workers);
    for (int i = 0; b->queues != NULL && i < b->base.lanes + 1; i++) {
        cpu_queue *q = &b->queues[i];
        for (int k = 0; k < q->cache_count; k++) dnn_close(&q->cache[k].op);
        free(q->cache);
        free(q->scratch);
        if (q->stream != NULL) dnnl_stream_destroy(q->stream);
    }
    if (b->device.engine != NULL) dnnl_engine_destroy(b->device.engine);
    free(b->queues);
    free(b->reduce_work);
    free(b);
}

/* The processor's name, as Linux tells it. It becomes part of a run, so no passing shortage may
 * change it. */
static gyre_status read_processor(char *out, size_t size) {
    char line[256];
    snprintf(out, size, "unknown processor");
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (f == NULL && errno == ENOENT) return GYRE_OK;
    if (f == NULL) {
        return gyre_fail(GYRE_EDEVICE, "cannot open /proc/cpuinfo: %s", strerror(errno));
    }
    while (fgets(line, sizeof line, f) != NULL) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL) continue;
        value[strcspn(value, "\n")] = '\0';
        snprintf(out, size, "%s", value + 2);
        break;
    }
    fclose(f);
    return GYRE_OK;
}

static gyre_status describe(cpu_backend *b) {
    const dnnl_version_t *v = dnnl_version();
    char processor[128];
    GYRE_TRY(read_processor(processor, sizeof processor));
    snprintf(b->description, sizeof b->description,
             "oneDNN %d.%d.%d (%.12s), kernels for %s, %s, caches %ld/%ld/%ld KiB", v->major,
             v->minor, v->patch, v->hash, dnn_isa(), processor,
             sysconf(_SC_LEVEL1_DCACHE_SIZE) >> 10, sysconf(_SC_LEVEL2_CACHE_SIZE) >> 10,
             sysconf(_SC_LEVEL3_CACHE_SIZE) >> 10);
    return GYRE_OK;
}

static gyre_status check_bf16(dnnl_engine_t engine) {
    dnn_bf16 support = dnn_bf16_support(engine);
    const char *isa = dnn_isa();
    if (support == DNN_BF16_NONE) {
        return gyre_fail(GYRE_EDEVICE,
                         "precision: oneDNN has no bf16 kernels for %s; bf16 needs at least "
                         "avx512_core: take \"f32\"%s",
                         isa,
                         getenv("DNNL_MAX_CPU_ISA") == NULL ? "" : ", or unset DNNL_MAX_CPU_ISA");
    }
    if (support == DNN_BF16_EMULATED) {
        gyre_warn("precision: kernels for %s make bf16 out of f32 operations, about three times "
                  "slower than \"f32\"; fast bf16 needs avx512_core_bf16",
                  isa);
    }
    return GYRE_OK;
}

static bool cpu_available(gyre_comm *comm, char *why, size_t size) {
    (void)comm;
    snprintf(why, size, "%s", "");
    return true;
}

/* doctor knows the machine without being told. */
static void cpu_list_devices(char *out, size_t size) {
    snprintf(out, size, "%s", "");
}

static gyre_status cpu_open(const gyre_backend_options *options, gyre_comm *comm,
                            gyre_backend **out) {
    gyre_status status = GYRE_OK;
    int lanes = options->threads;
    if (lanes == 0) GYRE_TRY(default_threads(comm, &lanes));
    warn_of_limit();
    cpu_backend *b = calloc(1, sizeof *b);
    if (b != NULL) b->queues = calloc((size_t)lanes + 1, sizeof *b->queues);
    if (b == NULL || b->queues == NULL) {
        free(b);
        return gyre_no_memory("opening the CPU backend");
    }
    bool bf16 = options->precision == GYRE_PRECISION_BF16;
    b->base = (gyre_backend){.ops = &gyre_cpu_ops,
                             .main = &b->queues[lanes].base,
                             .lanes = lanes,
                             .act_size = bf16 ? sizeof(uint16_t) : sizeof(float)};
    b->device.act = bf16 ? dnnl_bf16 : dnnl_f32;
    b->comm = comm;
    b->allowed = gyre_memory_allowed();
    b->reduce = options->reduce;
    b->poison = options->poison;
    omp_set_num_threads(1);
    if (dnnl_engine_create(&b->device.engine, dnnl_cpu, 0) != dnnl_success) {
        status = gyre_fail(GYRE_EDEVICE, "oneDNN has no CPU engine on this machine");
        goto out;
    }
    if (bf16) GYRE_GOTO(check_bf16(b->device.engine));
    for (int i = 0; i <= lanes; i++) {
        b->queues[i].base = (gyre_queue){&b->base, i < lanes ? i : -1};
        if (dnnl_stream_create(&b->queues[i].stream, b->device.engine, dnnl_stream_in_order) !=
            dnnl_success) {
            status = gyre_fail(GYRE_EDEVICE, "oneDNN cannot make a stream");
            goto out;
        }
    }
    GYRE_GOTO(describe(b));
    status = cpu_workers_open(b, lanes, &b->workers);
out:
    if (status == GYRE_OK)
        *out = &b->base;
    else
        cpu_close(&b->base);
    return status;
}

static const char *cpu_describe(const gyre_backend *base) {
    return ((const cpu_backend *)(const void *)base)->description;
}

/* Linux promises more memory than there is, and kills the process when it writes there. */
static gyre_status check_room(const cpu_backend *b, size_t bytes) {
    const double gib = 1 << 30, have = (double)b->allowed;
    if (b->allowed == 0 || (double)b->held + (double)bytes <= have) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%.1f GiB of memory are needed, beside %.1f GiB in use by this run; this "
                     "process may use %.1f GiB (memory of the machine, limit of its container or "
                     "job)",
                     (double)bytes / gib, (double)b->held / gib, have / gib);
}

static gyre_status cpu_alloc(gyre_backend *base, size_t bytes, gyre_raw *out) {
    cpu_backend *b = (cpu_backend *)(void *)base;
    void *p;
    GYRE_TRY(check_room(b, bytes));
    GYRE_TRY(cpu_allocate(b, bytes, &p));
    b->held += malloc_usable_size(p);
    *out = p;
    return GYRE_OK;
}

static void cpu_release(gyre_backend *base, gyre_raw p) {
    cpu_backend *b = (cpu_backend *)(void *)base;
    if (b->poison && p != NULL) memset(p, 0xff, malloc_usable_size(p));
    b->held -= malloc_usable_size(p); /* of NULL: 0 */
    free(p);
}

static gyre_status cpu_upload(gyre_queue *q, gyre_f32 dst, const float *src, size_t n) {
    (void)q;
    memcpy(dst, src, n * sizeof(float));
    return GYRE_OK;
}

static gyre_status cpu_download(gyre_queue *q, float *dst, gyre_f32 src, size_t n) {
    (void)q;
    memcpy(dst, src, n * sizeof(float));
    return GYRE_OK;
}

static gyre_status cpu_sync(gyre_backend *b) {
    (void)b;
    return GYRE_OK;
}

/* The copy is made now, in queue order; the host may see it only through read(). */
static gyre_status cpu_read_later(gyre_queue *q, gyre_f32 src, int n, gyre_ticket *out) {
    cpu_backend *b = cpu_of(q);
    for (int i = 0; i < CPU_TICKETS; i++) {
        cpu_ticket *t = &b->tickets[i];
        if (t->open) continue;
        *t = (cpu_ticket){.n = n, .open = true};
        memcpy(t->value, src, (size_t)n * sizeof(float));
        *out = (gyre_ticket){i};
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EDEVICE, "more than %d reads under way", CPU_TICKETS);
}

static gyre_status cpu_read(gyre_backend *base, gyre_ticket ticket, float *dst) {
    cpu_ticket *t = &((cpu_backend *)(void *)base)->tickets[ticket.slot];
    if (!t->open) return gyre_fail(GYRE_EDEVICE, "a result was read twice");
    memcpy(dst, t->value, (size_t)t->n * sizeof(float));
    t->open = false;
    return GYRE_OK;
}

/* The host's memory is the device's: nothing to keep, to send ahead, to replay. */
static gyre_status cpu_cache_images(gyre_backend *b, const gyre_row_reader *images, bool *kept) {
    (void)b;
    (void)images;
    *kept = false;
    return GYRE_OK;
}

/* The loader's threads do it. */
static gyre_status cpu_resize_crops(gyre_backend *b, const gyre_resizing *resizing, bool *taken) {
    (void)b;
    (void)resizing;
    *taken = false;
    return GYRE_OK;
}

static gyre_status cpu_prefetch_batch(gyre_backend *b, const gyre_image_shape *s,
                                      const gyre_batch *batch) {
    (void)b;
    (void)s;
    (void)batch;
    return GYRE_OK;
}

/* Its primitives are made at their first call. */
static gyre_status cpu_prepare(gyre_backend *b, gyre_body body, void *context) {
    (void)b, (void)body, (void)context;
    return GYRE_OK;
}

static gyre_status cpu_record(gyre_backend *b, gyre_body body, void *context) {
    (void)b;
    return body(context);
}

static void cpu_range_push(gyre_backend *b, const char *name) {
    (void)b;
    (void)name;
}

static void cpu_range_pop(gyre_backend *b) {
    (void)b;
}

/* Work is done when its call returns: side by side only lanes can be, which are threads. */
static gyre_status cpu_open_branches(gyre_backend *b, int wanted, size_t bytes, int *count) {
    (void)b;
    (void)wanted;
    (void)bytes;
    *count = 1;
    return GYRE_OK;
}

static gyre_queue *cpu_branch(gyre_backend *b, int index) {
    return &((cpu_backend *)(void *)b)->queues[index].base;
}

static gyre_status cpu_mark(gyre_queue *q, int number) {
    (void)q;
    (void)number;
    return GYRE_OK;
}

static gyre_status cpu_follow(gyre_queue *after, int number) {
    (void)after;
    (void)number;
    return GYRE_OK;
}

/* Nothing is reduced before reduce_end, so that a forgotten one fails here and not on a GPU.
 * Buckets that touch are therefore one: fewer messages, and a sum that does not depend on where
 * they were cut. */
static gyre_status cpu_reduce_begin(gyre_backend *base, gyre_f32 x, size_t n) {
    cpu_backend *b = (cpu_backend *)(void *)base;
    if (b->reduction_count > 0) {
        float **last = &b->reductions[b->reduction_count - 1].x;
        size_t *length = &b->reductions[b->reduction_count - 1].n;
        bool before = cpu_f32(x) + n == *last, behind = cpu_f32(x) == *last + *length;
        if (before) *last = cpu_f32(x);
        if (before || behind) {
            *length += n;
            return GYRE_OK;
        }
    }
    if (b->reduction_count == CPU_REDUCTIONS) {
        return gyre_fail(GYRE_EDEVICE, "more than %d reductions begun at once", CPU_REDUCTIONS);
    }
    b->reductions[b->reduction_count].x = cpu_f32(x);
    b->reductions[b->reduction_count++].n = n;
    return GYRE_OK;
}

static gyre_status reduce_work(cpu_backend *b, size_t n) {
    if (n <= b->reduce_room) return GYRE_OK;
    void *fresh;
    GYRE_TRY(cpu_allocate(b, n * sizeof(float), &fresh));
    free(b->reduce_work);
    b->reduce_work = fresh;
    b->reduce_room = n;
    return GYRE_OK;
}

static gyre_status cpu_reduce_end(gyre_backend *base) {
    cpu_backend *b = (cpu_backend *)(void *)base;
    int count = b->reduction_count;
    b->reduction_count = 0;
    if (b->comm == NULL || gyre_comm_size(b->comm) == 1) return GYRE_OK;
    for (int i = 0; i < count; i++) {
        float *x = b->reductions[i].x;
        size_t n = b->reductions[i].n;
        if (b->reduce == GYRE_REDUCE_EXACT) {
            GYRE_TRY(reduce_work(b, n));
            GYRE_TRY(gyre_comm_reduce_exact(b->comm, x, n, b->reduce_work));
        } else {
            GYRE_TRY(gyre_comm_reduce_fast_begin(b->comm, x, n));
        }
    }
    return b->reduce == GYRE_REDUCE_EXACT ? GYRE_OK : gyre_comm_reduce_fast_wait(b->comm);
}

int64_t cpu_allocations(const gyre_backend *b) {
    return ((const cpu_backend *)(const void *)b)->allocations;
}

const char *gyre_onednn_version(void) {
    return GYRE_STRING(DNNL_VERSION_MAJOR) "." GYRE_STRING(DNNL_VERSION_MINOR) "." GYRE_STRING(
        DNNL_VERSION_PATCH);
}

#define CPU_ROW(op, ...) , .op = cpu_##op
const gyre_backend_ops gyre_cpu_ops = {
    .name = "cpu",
    .available = cpu_available,
    .list_devices = cpu_list_devices,
    .open = cpu_open,
    .close = cpu_close,
    .describe = cpu_describe,
    .alloc = cpu_alloc,
    .release = cpu_release,
    .upload = cpu_upload,
    .download = cpu_download,
    .sync = cpu_sync,
    .read_later = cpu_read_later,
    .read = cpu_read,
    .parallel = cpu_parallel,
    .open_branches = cpu_open_branches,
    .branch = cpu_branch,
    .mark = cpu_mark,
    .follow = cpu_follow,
    .cache_images = cpu_cache_images,
    .resize_crops = cpu_resize_crops,
    .prefetch_batch = cpu_prefetch_batch,
    .prepare = cpu_prepare,
    .record = cpu_record,
    .range_push = cpu_range_push,
    .range_pop = cpu_range_pop,
    .batch_load = cpu_batch_load,
    .reduce_begin = cpu_reduce_begin,
    .reduce_end = cpu_reduce_end GYRE_OPS(CPU_ROW, CPU_ROW) GYRE_OP_SIZES(CPU_ROW),
};
