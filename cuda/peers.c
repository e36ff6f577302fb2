/* What the ranks' GPUs are to each other: rank 0 looks at all of them before NCCL starts, whose
 * own words for these troubles come late or are a crash. */
#include "peers.h"
#include "gpu.h"

#include <nccl.h>
#include <stdlib.h>
#include <string.h>

static const int NCCL_SHARES_GPUS = 23000; /* 2.30: NCCL_MULTI_RANK_GPU_ENABLE */

static bool one_host(const gpu_card *a, const gpu_card *b) {
    return strcmp(a->host, b->host) == 0;
}

/* ---- what ends a run */

static gyre_status compare_kinds(const gpu_card *cards, int ranks) {
    for (int i = 1; i < ranks; i++) {
        const gpu_card *a = &cards[0], *c = &cards[i];
        if (a->major == c->major && a->minor == c->minor) continue;
        return gyre_fail(GYRE_EDEVICE,
                         "rank 0 has a GPU of compute capability %d.%d (%s on %s), rank %d one of "
                         "%d.%d (%s on %s); they would not compute the same bits: use hosts of one "
                         "kind",
                         a->major, a->minor, a->name, a->host, i, c->major, c->minor, c->name,
                         c->host);
    }
    return GYRE_OK;
}

static bool known(const gpu_seen *g) {
    static const unsigned char unknown[sizeof g->uuid];
    return memcmp(g->uuid, unknown, sizeof unknown) != 0;
}

/* Ranks of one host have different GPUs; but containers of one host may be as many hosts to MPI. */
static gyre_status compare_owners(const gpu_card *cards, int ranks) {
    char name[GPU_NAME_TEXT];
    for (int i = 1; i < ranks; i++) {
        for (int k = 0; k < i; k++) {
            if (!known(&cards[i].gpu) || !gpu_same(&cards[i].gpu, &cards[k].gpu)) continue;
            return gyre_fail(GYRE_EDEVICE,
                             "ranks %d (on %s) and %d (on %s) have the same GPU, %s, and each "
                             "needs one of its own: give each container GPUs of its own (`docker "
                             "run --gpus device=...`), or start all ranks in one",
                             k, cards[k].host, i, cards[i].host,
                             gpu_name_text(&cards[i].gpu, name));
        }
    }
    return GYRE_OK;
}

/* NCCL tells GPUs apart by their PCI address, which the slices of one have in common. */
static gyre_status compare_slices(const gpu_card *cards, int ranks) {
    char nccl[16];
    int version = 0;
    if (ncclGetVersion(&version) != ncclSuccess) version = 0;
    bool shares = version >= NCCL_SHARES_GPUS && getenv("NCCL_MULTI_RANK_GPU_ENABLE") != NULL;
    for (int i = 1; i < ranks && !shares; i++) {
        for (int k = 0; k < i; k++) {
            const gpu_seen *a = &cards[k].gpu, *b = &cards[i].gpu;
            if (!one_host(&cards[k], &cards[i]) || !a->slice || !b->slice) continue;
            if (a->domain != b->domain || a->bus != b->bus || a->slot != b->slot) continue;
            return gyre_fail(GYRE_EDEVICE,
                             "ranks %d and %d on %s have slices (MIG) of one GPU, PCI "
                             "%04x:%02x:%02x, and NCCL %s takes no two ranks on one: start one "
                             "rank per GPU, switch MIG off (`nvidia-smi -mig 0`), or use NCCL 2.30 "
                             "and NCCL_MULTI_RANK_GPU_ENABLE=1; runs of one rank each may share it",
                             k, i, cards[i].host, (unsigned)a->domain, (unsigned)a->bus,
                             (unsigned)a->slot, gpu_nccl_version_text(nccl));
        }
    }
    return GYRE_OK;
}

/* ---- what makes it slow, or NCCL crash */

static int ranks_beside(const gpu_card *cards, int ranks, int of) {
    int count = 0;
    for (int i = 0; i < ranks; i++) count += one_host(&cards[i], &cards[of]);
    return count;
}

/* A GPU that its rank's peers cannot see: NCCL assumes that it may map its memory. */
static void find_hidden(const gpu_card *cards, int ranks, gpu_page *out) {
    for (int i = 0; i < ranks; i++) {
        for (int k = 0; k < ranks; k++) {
            const gpu_card *a = &cards[i], *b = &cards[k];
            if (i == k || !one_host(a, b) || a->gpu.slice) continue;
            if (gpu_view_find(&a->view, &b->gpu) >= 0) continue;
            gpu_say(out,
                    "%s: rank %d sees %d GPU%s, but not the one of rank %d: NCCL may crash, or "
                    "send all sums through the host's memory; show every rank all GPUs: `srun "
                    "--gpus-per-node=%d --gpu-bind=none` (not --gpus-per-task, not "
                    "--gpu-bind=closest), the same CUDA_VISIBLE_DEVICES for all\n",
                    a->host, i, a->view.count, a->view.count == 1 ? "" : "s", k,
                    ranks_beside(cards, ranks, i));
            return;
        }
    }
}

/* More GPUs than the job has: where cgroups do not keep jobs apart, nothing hides the others'. */
static void find_foreign(const gpu_card *cards, int ranks, gpu_page *out) {
    for (int i = 0; i < ranks; i++) {
        const gpu_card *c = &cards[i];
        if (c->granted == 0 || c->view.count <= c->granted) continue;
        gpu_say(out,
                "%s: Slurm gave the job %d GPU%s here, but rank %d sees %d: it may take one of "
                "another job; leave `--gpu-bind=none` out, or set CUDA_VISIBLE_DEVICES to the "
                "job's own\n",
                c->host, c->granted, c->granted == 1 ? "" : "s", i, c->view.count);
        return;
    }
}

/* The GPUs of a NUMA node on the host of rank `of`, where they are spread evenly; else 1. */
static int gpus_per_node(const gpu_card *cards, int ranks, int of) {
    int nodes = 0, here = ranks_beside(cards, ranks, of);
    for (int i = 0; i < ranks; i++) {
        bool fresh = one_host(&cards[i], &cards[of]);
        for (int k = 0; k < i && fresh; k++) {
            fresh = !one_host(&cards[k], &cards[of]) || cards[k].gpu.node != cards[i].gpu.node;
        }
        nodes += fresh;
    }
    return nodes > 0 && here % nodes == 0 ? here / nodes : 1;
}

static void find_far(const gpu_card *cards, int ranks, gpu_page *out) {
    char name[GPU_NAME_TEXT];
    int far = 0, first = -1;
    for (int i = ranks - 1; i >= 0; i--) {
        if (cards[i].gpu.distance == 0) continue;
        far++;
        first = i;
    }
    if (far == 0) return;
    const gpu_card *c = &cards[first];
    gpu_say(out,
            "%s: rank %d may run on core%s %s only, but its GPU %s hangs on NUMA node %d (cores "
            "%s)",
            c->host, first, strpbrk(c->cores, ",-") != NULL ? "s" : "", c->cores,
            gpu_name_text(&c->gpu, name), c->gpu.node, c->beside);
    if (far > 1) gpu_say(out, ", and %d other ranks are as far from theirs", far - 1);
    gpu_say(out,
            ": every batch crosses over; start with `mpirun --map-by ppr:%d:numa`, `srun "
            "--distribution=block:cyclic`, or more cores for each rank\n",
            gpus_per_node(cards, ranks, first));
}

gyre_status gpu_cards_check(const gpu_card *cards, int ranks, gpu_page *out) {
    GYRE_TRY(compare_kinds(cards, ranks));
    GYRE_TRY(compare_slices(cards, ranks));
    GYRE_TRY(compare_owners(cards, ranks));
    find_hidden(cards, ranks, out);
    find_foreign(cards, ranks, out);
    find_far(cards, ranks, out);
    return GYRE_OK;
}
