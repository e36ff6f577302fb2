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
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gyre_comm;

typedef struct gyre_device_f32 *gyre_f32; /* float32 */
typedef struct gyre_device_act *gyre_act; /* the compute type */
typedef struct gyre_device_i32 *gyre_i32;
typedef struct gyre_device_raw *gyre_raw; /* bytes: packed weights, saved state */

typedef struct gyre_backend_ops gyre_backend_ops;
typedef struct gyre_queue gyre_queue;

/* First member of every implementation's struct. */
typedef struct gyre_backend {
    const gyre_backend_ops *ops;
    gyre_queue *main;
    int lanes;         /* queues that parallel() may use; a task sees its lane in queue->lane */
    size_t act_size;   /* bytes of one activation */
    char no_gpu[1024]; /* why "auto" took no GPU; "" where it took one or was not asked */
    char advice[2048]; /* rank 0: what was warned of at opening, a line each; doctor repeats it */
} gyre_backend;

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
    bool timed;                    /* mark() waits at a name's end, so that a clock sees its time */
    bool deterministic;            /* refuse kernels that may differ from call to call */
    double deadline_seconds;       /* longest wait for a device or a peer; 0: for ever */
    double first_deadline_seconds; /* the same until record() has run once; 0: no other */
} gyre_backend_options;

/* y(n, oh, ow, k) = x(n, h, w, c) * w(k, r, r, c) + bias(k); oh, ow: gyre_conv_out */
typedef struct {
    int n, h, w, c, k, r, stride, pad;
    bool bias, relu; /* relu: y = max(0, ...), NaN stays; the caller masks dy with relu_dx */
} gyre_conv_shape;

/* y(n, out) = x(n, in) * w(out, in)^T + bias(out) */
typedef struct {
    int n, in, out;
    bool bias, relu;
} gyre_linear_shape;

/* Batch norm over (n, h, w) for each of c channels; then + residual if add; then relu if relu. */
typedef struct {
    int n, h, w, c;
    float eps;
    bool relu, add;
    bool frozen; /* statistics are the running ones, and constants for the gradient */
} gyre_norm_shape;

/* Window r; gyre_pool_out() gives the output size. pad < r. The average's divisor counts the cells
 * of the window that lie inside the image; of equal maxima the first one gets the gradient. */
typedef struct {
    int n, h, w, c, r, stride, pad;
    bool max, ceil;
} gyre_pool_shape;

/* Local response normalisation within a channel (Caffe's WITHIN_CHANNEL): y = x s^-beta, s = 1 +
 * alpha / size^2 * (sum of x^2 over the size x size window around the pixel). Cells outside the
 * image are 0 and count in the divisor. size is odd; relu: x is max(0, x), and dx is masked. */
typedef struct {
    int n, h, w, c, size;
    float alpha, beta;
    bool relu;
} gyre_lrn_shape;

/* ResNet's option A shortcut (He et al. 2015, 3.3): every stride-th pixel, channels padded with
 * (k - c) / 2 zeros in front and the rest behind. */
typedef struct {
    int n, h, w, c, k, stride;
} gyre_shortcut_shape;

typedef struct {
    int n, h, w, c;
} gyre_image_shape;

typedef struct {
    int n, classes;
    float smoothing; /* label smoothing: target (1 - s) one-hot + s / classes */
    float scale;     /* of the loss sum and of dx: 1 / global batch in training */
} gyre_loss_shape;

/* Device scalars of a step, in one f32 buffer. */
enum {
    GYRE_SCALAR_LR,
    GYRE_SCALAR_MOMENTUM,                       /* or beta1 */
    GYRE_SCALAR_BIAS1,                          /* 1 - beta1(t)^(t+1) */
    GYRE_SCALAR_BIAS2,                          /* 1 - beta2^(t+1) */
    GYRE_SCALAR_FROM_HOST,                      /* those before this are uploaded each step */
    GYRE_SCALAR_FINITE = GYRE_SCALAR_FROM_HOST, /* 1, or 0 for ever after the first bad step */
    GYRE_SCALAR_LOSS,                           /* of the global batch */
    GYRE_SCALAR_CORRECT,                        /* right predictions in the global batch */
    GYRE_SCALAR_NORM,                           /* of the reduced gradient, before clipping */
    GYRE_SCALAR_SHRINK, /* factor on the gradient: min(1, clip_norm / norm) */
    GYRE_SCALAR_COUNT
};

typedef enum {
    GYRE_RULE_SGD,
    GYRE_RULE_ADAM,
    GYRE_RULE_RMSPROP,
    GYRE_RULE_ADAGRAD,
    GYRE_RULE_ADADELTA
} gyre_rule;

/* One update rule for a segment of parameters with equal multipliers. lr is times lr_mult; g' =
 * shrink g (+ wd w unless decoupled); m is GYRE_SCALAR_MOMENTUM.
 *  SGD       s1 = v: v = m v + g', w -= lr (nesterov ? g' + m v : v); or with lr_in_momentum
 *            v = m v + lr g', w -= (nesterov ? (1 + m) v - m v_old : v)
 *  ADAM      s1, s2 = m, v of Kingma & Ba 2015, algorithm 1 (eps outside the corrected root)
 *  RMSPROP   s1 = h: h = decay h + (1 - decay) g'^2, w -= lr g' / (sqrt(h) + eps)
 *  ADAGRAD   s1 = h: h += g'^2, w -= lr g' / (sqrt(h) + eps)
 *  ADADELTA  s1, s2 = h, k: h = m h + (1 - m) g'^2, u = g' sqrt((eps + k) / (eps + h)),
 *            k = m k + (1 - m) u^2, w -= lr u
 * The last three as in Caffe's solvers. Decoupled: w -= lr wd w besides (Loshchilov & Hutter 2019,
 * with lr). */
typedef struct {
    gyre_rule rule;
    bool nesterov, lr_in_momentum, decoupled;
    float lr_mult;
    float weight_decay; /* times decay_mult */
    float square_decay; /* beta2 of ADAM, decay of RMSPROP */
    float eps;
} gyre_update_shape;

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
    /* Has every rank a device of its own here? Else `why` says what is missing. Collective. */
    bool (*present)(struct gyre_comm *comm, char *why, size_t size);
    /* For doctor, without opening: lines "label     text" about devices and libraries; those that
     * begin with "! " say what is wrong. */
    void (*survey)(char *out, size_t size);
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

    /* Offers the training images before the first batch that names rows of them. *kept: the device
     * has its own copy now, and such batches need no images. It goes when others are offered. */
    gyre_status (*keep)(gyre_backend *b, const gyre_row_reader *images, bool *kept);
    /* Says which batch the coming record() will load from, whole or in parts, so that it can be
     * sent ahead; s->n is batch->count. Its memory stays valid as the loader says (gyre/loader.h).
     * Outside record(). */
    gyre_status (*announce)(gyre_backend *b, const gyre_image_shape *s, const gyre_batch *batch);
    /* Calls body(context), a fixed sequence of operations whose pointers, sizes and host constants
     * are the same at every call with this body and context until memory is released: after two
     * calls a backend may replay what it recorded instead. What differs from step to step lies in
     * device memory: scalars uploaded, a batch announced before. No upload, download, ticket, sync
     * or alloc inside. */
    gyre_status (*record)(gyre_backend *b, gyre_body body, void *context);
    /* Names what follows, for profilers and messages, until the matching mark(NULL); nests. */
    void (*mark)(gyre_backend *b, const char *name);

    /* input: x = (pixel - mean(h, w, c)) * scale(c), augmented; s->n is batch->count; host memory
     * stays valid until the queue has passed.
     * Inside record() the batch is a part of the announced one, given by its place there: labels is
     * the announced labels + first, 0 <= first <= announced count - count, and images, rows and
     * augment are the announced ones from sample `first` on, or NULL where those are. So pointers
     * may differ from call to call; `first` and count are what stays the same.
     * Outside record() it is any batch, and its own pointers count. */
    gyre_status (*batch_load)(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                              gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 labels);

    /* layers. Forward writes y; _dx writes dx; _dw overwrites dw and db. Weights come packed: in
     * the layout and type that the kernels like, made once per step. */
    size_t (*conv_pack_size)(gyre_backend *b, const gyre_conv_shape *s); /* bytes */
    gyre_status (*conv_pack)(gyre_queue *q, const gyre_conv_shape *s, gyre_f32 w, gyre_raw packed);
    gyre_status (*conv)(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                        gyre_f32 bias, gyre_act y);
    gyre_status (*conv_dx)(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_raw packed,
                           gyre_act dx);
    gyre_status (*conv_dw)(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                           gyre_f32 dw, gyre_f32 db);
    size_t (*linear_pack_size)(gyre_backend *b, const gyre_linear_shape *s);
    gyre_status (*linear_pack)(gyre_queue *q, const gyre_linear_shape *s, gyre_f32 w,
                               gyre_raw packed);
    gyre_status (*linear)(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_raw packed,
                          gyre_f32 bias, gyre_act y);
    gyre_status (*linear_dx)(gyre_queue *q, const gyre_linear_shape *s, gyre_act dy,
                             gyre_raw packed, gyre_act dx);
    gyre_status (*linear_dw)(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_act dy,
                             gyre_f32 dw, gyre_f32 db);
    /* saved(2c): what norm_dx needs; moments(2c): mean and unbiased variance of this shard.
     * residual is read only when s->add. */
    gyre_status (*norm_train)(gyre_queue *q, const gyre_norm_shape *s, gyre_act x,
                              gyre_act residual, gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved,
                              gyre_f32 moments, gyre_act y);
    /* running(2c): mean and variance. With s->frozen it also writes saved (may be NULL else). */
    gyre_status (*norm_eval)(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act residual,
                             gyre_f32 gamma, gyre_f32 beta, gyre_f32 running, gyre_f32 saved,
                             gyre_act y);
    /* dx may be dy. With s->add, dresidual gets dy behind the relu; dresidual may be dy. */
    gyre_status (*norm_dx)(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act y,
                           gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                           gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta);
    gyre_status (*relu)(gyre_queue *q, size_t n, gyre_act x, gyre_act y);
    gyre_status (*relu_dx)(gyre_queue *q, size_t n, gyre_act y, gyre_act dy, gyre_act dx);
    size_t (*pool_saved_size)(gyre_backend *b, const gyre_pool_shape *s); /* bytes, 0 for average */
    gyre_status (*pool)(gyre_queue *q, const gyre_pool_shape *s, gyre_act x, gyre_raw saved,
                        gyre_act y);
    gyre_status (*pool_dx)(gyre_queue *q, const gyre_pool_shape *s, gyre_act dy, gyre_raw saved,
                           gyre_act dx);
    gyre_status (*lrn)(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act y);
    /* dx may be dy */
    gyre_status (*lrn_dx)(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act dy,
                          gyre_act dx);
    gyre_status (*shortcut)(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act x, gyre_act y);
    gyre_status (*shortcut_dx)(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act dy,
                               gyre_act dx);
    gyre_status (*accumulate)(gyre_queue *q, size_t n, gyre_act x, gyre_act y); /* y += x */
    /* stats(2) = {scale * sum of losses, right predictions}; dx may be NULL (evaluation) */
    gyre_status (*softmax_loss)(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                                gyre_i32 labels, gyre_act dx, gyre_f32 stats);

    /* flat f32 vectors */
    gyre_status (*fill)(gyre_queue *q, size_t n, float value, gyre_f32 x);
    gyre_status (*add)(gyre_queue *q, size_t n, gyre_f32 a, gyre_f32 b,
                       gyre_f32 y); /* y may be a */
    /* running = 0.9 running + 0.1 (inv_shards * moments) where the step is finite */
    gyre_status (*running)(gyre_queue *q, size_t n, float inv_shards, gyre_f32 moments,
                           gyre_f32 scalars, gyre_f32 running);
    /* From the reduced gradient g(n) and stats(2) = {loss, correct}: fills LOSS, CORRECT, NORM,
     * SHRINK and clears FINITE when loss or norm is not finite. Sums in a fixed tree. */
    gyre_status (*judge)(gyre_queue *q, size_t n, gyre_f32 g, gyre_f32 stats, float clip_norm,
                         gyre_f32 scalars);
    /* One segment. s2 is NULL where the rule has no second state. No-op when FINITE is 0. */
    gyre_status (*update)(gyre_queue *q, const gyre_update_shape *s, size_t n, gyre_f32 g,
                          gyre_f32 s1, gyre_f32 s2, gyre_f32 w, gyre_f32 scalars);

    /* Sum over ranks in place, exact or fast as opened. Results are usable after reduce_end. */
    gyre_status (*reduce_begin)(gyre_backend *b, gyre_f32 x, size_t n); /* Collective. */
    gyre_status (*reduce_end)(gyre_backend *b);                         /* Collective. */
};

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

/* survey() of every backend in this program, one after the other; for doctor. */
void gyre_backend_survey(char *out, size_t size);

/* The oneDNN that this program was built with, "2.6.3"; describe() names the one that runs. */
const char *gyre_onednn_version(void);

/* Output rows of a convolution for `size` input rows (or columns); 0 where the filter is larger. */
static inline int gyre_conv_out(int size, int r, int stride, int pad) {
    return size + 2 * pad < r ? 0 : (size + 2 * pad - r) / stride + 1;
}

/* Output rows of pooling for `size` input rows (or columns): floor((size + 2 pad - r) / stride) +
 * 1; with `ceil` rounded up, but no window begins behind the image and its front padding (Caffe's
 * and PyTorch's rule, so that a window a bit larger than the image is cut). 0: nothing is left. */
static inline int gyre_pool_size(int size, int r, int stride, int pad, bool ceil) {
    int room = size + 2 * pad - r + (ceil ? stride - 1 : 0);
    int out = room < 0 ? 0 : room / stride + 1;
    return (out - 1) * stride >= size + pad ? out - 1 : out;
}
static inline int gyre_pool_out(const gyre_pool_shape *s, int size) {
    return gyre_pool_size(size, s->r, s->stride, s->pad, s->ceil);
}

/* Output rows of the shortcut, which takes every stride-th one. */
static inline int gyre_shortcut_out(int size, int stride) {
    return (size + stride - 1) / stride;
}

/* p + i elements */
static inline gyre_f32 gyre_f32_at(gyre_f32 p, size_t i) {
    return (gyre_f32)(void *)((char *)p + i * sizeof(float));
}

#ifdef __cplusplus
}
#endif
#endif
