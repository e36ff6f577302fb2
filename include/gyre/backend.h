/* A backend: one device per rank, the layer operations on it, and the collectives that work on its
 * memory. One table of function pointers, every slot mandatory, no queries, no fallback.
 *
 * Contract
 *  - Tensors are NHWC. Activations have the backend's compute type (f32 or bf16); parameters,
 *    gradients, statistics and optimizer state are f32.
 *  - Device memory is named by pointers to types that are never defined: the host cannot read
 *    through them, so code that would crash on a GPU does not compile.
 *  - Operations run in call order on their queue. Nothing is complete before sync() or download().
 *    Fresh memory has undefined content (tests poison it with NaN).
 *  - On the CPU a queue is one thread, so that the bits of a shard do not depend on the number of
 *    cores; queue `main` belongs to the caller and may cut elementwise loops over all threads.
 *  - Operations are stateless: shapes by pointer; a backend caches vendor objects by shape.
 *  - Errors are GYRE_EDEVICE. Functions marked Collective are called by every rank in one order. */
#ifndef GYRE_BACKEND_H
#define GYRE_BACKEND_H

#include "gyre/batch.h"
#include "gyre/ops.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gyre_comm;

typedef struct gyre_backend_ops gyre_backend_ops;

/* First member of every implementation's struct. */
struct gyre_backend {
    const gyre_backend_ops *ops;
    gyre_queue *main;
    int lanes;         /* queues that parallel() may use; a task sees its lane in queue->lane */
    size_t act_size;   /* bytes of one activation */
    char no_gpu[1024]; /* why "auto" took no GPU; "" where it took one or was not asked */
    char advice[2048]; /* rank 0: what was warned of at opening, a line each; doctor repeats it */
    char state[1024];  /* of the device at opening, for the run's record: what changes no bits */
    /* conv_pack and linear_pack do nothing but copy or round number by number: one of them can pack
     * the parameters of a whole network, which then lie as they do in f32. */
    bool packs_plainly;
};

struct gyre_queue {
    gyre_backend *backend;
    int lane; /* 0..lanes-1; main has -1 */
};

typedef struct {
    int threads; /* CPU worker threads; 0: the cores this rank may use */
    gyre_precision precision;
    gyre_reduce reduce;
    bool poison;                   /* tests: fill fresh memory and freed buffers with NaN */
    bool tf32;                     /* allow kernels that round f32 operands to fewer bits */
    bool graph;                    /* record() may replay instead of calling again */
    bool timed;                    /* range_pop() waits, so that a clock sees its time */
    bool deterministic;            /* refuse kernels that may differ from call to call */
    double deadline_seconds;       /* longest wait for a device or a peer; 0: for ever */
    double first_deadline_seconds; /* the same until record() has run once; 0: no other */
} gyre_backend_options;

typedef struct {
    int n, h, w, c;
} gyre_image_shape;

typedef struct {
    int slot;
} gyre_ticket;

/* Where images are read from: rows first..first+count-1, into `out`. */
typedef struct {
    gyre_status (*read)(const void *context, int64_t first, int64_t count, uint8_t *out);
    const void *context;
    size_t rows, row_bytes;
} gyre_row_reader;

/* A task of parallel(): work `index` on `queue`. */
typedef gyre_status (*gyre_task)(void *context, gyre_queue *queue, int index);
/* The body of record(). */
typedef gyre_status (*gyre_body)(void *context);

struct gyre_backend_ops {
    const char *name; /* "cpu" */
    /* Whether each rank has a device of its own on this host; where not, `why` says what is
     * missing. Collective. */
    bool (*available)(struct gyre_comm *comm, char *why, size_t size);
    /* For doctor, without opening: lines "label     text" about devices and libraries; those that
     * begin with "! " say what is wrong. */
    void (*list_devices)(char *out, size_t size);
    /* Collective. */
    gyre_status (*open)(const gyre_backend_options *options, struct gyre_comm *comm,
                        gyre_backend **out);
    void (*close)(gyre_backend *b);
    /* "oneDNN 2.6.3, avx512_core, ..." and what else may change bits; for doctor and the record */
    const char *(*describe)(const gyre_backend *b);

    /* memory; 64-byte aligned */
    gyre_status (*alloc)(gyre_backend *b, size_t bytes, gyre_raw *out);
    /* Work under way may still use p: it ends first. record() begins anew with every body. */
    void (*release)(gyre_backend *b, gyre_raw p);
    /* src may be reused on return */
    gyre_status (*upload)(gyre_queue *q, gyre_f32 dst, const float *src, size_t n);
    gyre_status (*download)(gyre_queue *q, float *dst, gyre_f32 src, size_t n); /* waits */
    gyre_status (*sync)(gyre_backend *b);
    /* Copies n <= 16 floats to the host some time later; read() waits for that ticket only. At
     * most 4 tickets may be open. */
    gyre_status (*read_later)(gyre_queue *q, gyre_f32 src, int n, gyre_ticket *out);
    gyre_status (*read)(gyre_backend *b, gyre_ticket ticket, float *dst);

    /* Runs task(context, queue, i) for i = 0..n-1, begun in that order, each whole on one lane.
     * Operations put on `main` afterwards see all results. The first failure, by index, wins. */
    gyre_status (*parallel)(gyre_backend *b, int n, gyre_task task, void *context);

    /* Branches: queues that one thread fills one after the other, and whose work a device does side
     * by side. Opens as many as `wanted` tasks, which need so many bytes each, are to have: 1 where
     * there are none, and parallel() is to be used. It allocates nothing for the tasks. */
    gyre_status (*open_branches)(gyre_backend *b, int wanted, size_t bytes, int *count);
    gyre_queue *(*branch)(gyre_backend *b, int index); /* its lane is the index */
    /* Order between `main` and branches: what is put on `after` behind follow() sees all that was
     * put on q before mark() with this number, which may be used again. At the end `main` must
     * have followed every branch that followed it. */
    gyre_status (*mark)(gyre_queue *q, int number);
    gyre_status (*follow)(gyre_queue *after, int number);

    /* Offers the training images before the first batch that names rows of them. *kept: the device
     * has its own copy now, and such batches need no images. It goes when others are offered. */
    gyre_status (*cache_images)(gyre_backend *b, const gyre_row_reader *images, bool *kept);
    /* Offers to leave resizing to the device, before the first batch with crops. *taken: it has its
     * own copy of the weights now, and takes such batches. NULL: would it? The same sizes again cost
     * nothing. */
    gyre_status (*resize_crops)(gyre_backend *b, const gyre_resizing *resizing, bool *taken);
    /* Says which batch the coming record() will load from, whole or in parts, so that it can be
     * sent ahead; s->n is batch->count. Its memory stays valid as the loader says (gyre/loader.h).
     * Outside record(). */
    gyre_status (*prefetch_batch)(gyre_backend *b, const gyre_image_shape *s,
                                  const gyre_batch *batch);
    /* Makes ahead what the operations of a body of record() need, and computes none of them: it is
     * called once, before its first batch. describe() tells afterwards what was chosen. */
    gyre_status (*prepare)(gyre_backend *b, gyre_body body, void *context);
    /* Calls body(context), a fixed sequence of operations whose pointers, sizes and host constants
     * are the same at every call with this body and context until memory is released: after two
     * calls a backend may replay what it recorded instead. What differs from step to step lies in
     * device memory: scalars uploaded, a batch prefetched before. No upload, download, ticket, sync
     * or alloc inside. */
    gyre_status (*record)(gyre_backend *b, gyre_body body, void *context);
    /* Names what follows, for profilers and messages, until the matching range_pop(); nests. The
     * name is a string that stays. */
    void (*range_push)(gyre_backend *b, const char *name);
    void (*range_pop)(gyre_backend *b);

    /* input: x = (value - mean(h, w, c)) * scale(c), augmented; targets are copied as they are,
     * and where the batch is mixed, mix(n, 2) of softmax_loss goes behind them;
     * s->n is batch->count; host memory stays valid until the queue has passed.
     * Inside record() the batch is samples first..first+count-1 of the one that prefetch_batch()
     * was given last, and its pointers are those of that batch from sample `first` on, or NULL
     * where those are. They may differ from call to call; `first` and count stay the same.
     * Outside record() it is any batch, and its own pointers count. */
    gyre_status (*batch_load)(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                              gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 targets);

    /* the operations of gyre/ops.h */
#define SLOT_SHAPED(op, ...) GYRE_SHAPED_HEAD((*op), __VA_ARGS__);
#define SLOT_SIZED(op, ...) GYRE_SIZED_HEAD((*op), __VA_ARGS__);
#define SLOT_SIZE(op, shape) GYRE_SIZE_HEAD((*op), shape);
    GYRE_OPS(SLOT_SHAPED, SLOT_SIZED)
    GYRE_OP_SIZES(SLOT_SIZE)
#undef SLOT_SHAPED
#undef SLOT_SIZED
#undef SLOT_SIZE

    /* Sum over ranks in place, exact or fast as opened. Results are usable after reduce_end. */
    gyre_status (*reduce_begin)(gyre_backend *b, gyre_f32 x, size_t n); /* Collective. */
    gyre_status (*reduce_end)(gyre_backend *b);                         /* Collective. */
};

/* The tables of the backends: src/backend/cpu, and cuda/ in a program built with CUDA=1. */
extern const gyre_backend_ops gyre_cpu_ops, gyre_cuda_ops;

/* What the settings ask of a backend. */
gyre_backend_options gyre_backend_options_of(const gyre_settings *settings);

/* Opens the backend that the settings choose; "auto" takes a GPU when every rank has one, and else
 * keeps in no_gpu why not. Collective. */
gyre_status gyre_backend_open(gyre_backend_choice choice, const gyre_backend_options *options,
                              struct gyre_comm *comm, gyre_backend **out);

/* Has each host's GPUs assigned to all its ranks: before these are cut into parts
 * (gyre_comm_split), which could not agree on it. Where there are none nothing happens. Collective.
 */
void gyre_backend_assign(struct gyre_comm *comm);

/* list_devices() of every backend in this program, one after the other; for doctor. */
void gyre_backend_list_devices(char *out, size_t size);

/* The oneDNN that this program was built with, "2.6.3"; describe() names the one that runs. */
const char *gyre_onednn_version(void);

#ifdef __cplusplus
}
#endif
#endif
