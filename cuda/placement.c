/* Which GPU is this rank's. All ranks of a host tell each other what they see, since a launcher may
 * show each all GPUs, one, those beside its cores, or lists that overlap; from that each works out
 * the same assignment (gyre/assignment.h). */
#include "view.h"

#include "gyre/assignment.h"
#include <stdlib.h>
#include <string.h>

/* One placement per process: its GPUs do not change while it lives, and a part of a communicator
 * must not choose anew beside other parts. */
static struct {
    bool made;
    gyre_status status;
    char text[GYRE_ERROR_MAX]; /* where that is a failure */
    gpu_view view;
    int place;
    unsigned char near[GPU_CORES_MAX]; /* its GPU's, of the cores that it may use */
    int share;                         /* of them, beside ranks that have the same; 0: it stays */
} placed;

enum { CORES_LEAST = 2 }; /* for a rank: one computes, one reads */

/* All GPUs that some rank of the host sees, and how each rank sees them. */
typedef struct {
    int ranks, count;
    gpu_view *views;
    gpu_seen *gpus;
    gyre_sight *sights;
    int *taken;
    bool *short_of;
} host;

static void host_close(host *h) {
    free(h->views);
    free(h->gpus);
    free(h->sights);
    free(h->taken);
    free(h->short_of);
}

static gyre_status host_open(int ranks, host *h) {
    size_t n = (size_t)ranks, most = n * GPU_SEEN_MAX;
    *h = (host){.ranks = ranks};
    h->views = calloc(n, sizeof *h->views);
    h->gpus = calloc(most, sizeof *h->gpus);
    h->taken = calloc(n, sizeof *h->taken);
    h->short_of = calloc(n, sizeof *h->short_of);
    if (h->views != NULL && h->gpus != NULL && h->taken != NULL && h->short_of != NULL) {
        return GYRE_OK;
    }
    return gyre_no_memory("choosing GPUs for %d ranks", ranks);
}

static gyre_status unite(host *h) {
    for (int r = 0; r < h->ranks; r++) {
        for (int i = 0; i < h->views[r].count; i++) {
            bool known = false;
            for (int k = 0; k < h->count && !known; k++) {
                known = gpu_same(&h->gpus[k], &h->views[r].list[i]);
            }
            if (!known) h->gpus[h->count++] = h->views[r].list[i];
        }
    }
    h->sights = calloc((size_t)h->ranks * (size_t)h->count + 1, sizeof *h->sights);
    if (h->sights == NULL) {
        return gyre_no_memory("choosing GPUs for %d ranks", h->ranks);
    }
    for (int r = 0; r < h->ranks; r++) {
        for (int k = 0; k < h->count; k++) {
            int place = gpu_view_find(&h->views[r], &h->gpus[k]);
            int distance = place < 0 ? 0 : h->views[r].list[place].distance;
            h->sights[r * h->count + k] = (gyre_sight){place, distance};
        }
    }
    return GYRE_OK;
}

/* ---- what is said where there are too few */

static bool sees_alike(const gpu_view *a, const gpu_view *b) {
    if (a->count != b->count) return false;
    for (int i = 0; i < a->count; i++) {
        if (!gpu_same(&a->list[i], &b->list[i])) return false;
    }
    return true;
}

/* "ranks 0, 1, 4 see GPU-01010101, GPU-02020202": those of `first`'s kind from there on. */
static void name_group(gpu_page *page, const host *h, int first, bool *said) {
    const gpu_view *v = &h->views[first];
    char name[GPU_NAME_TEXT];
    int many = 0;
    for (int r = first; r < h->ranks; r++) {
        many += h->short_of[r] && !said[r] && sees_alike(v, &h->views[r]);
    }
    gpu_say(page, "%s", many > 1 ? "ranks" : "rank");
    for (int r = first, n = 0; r < h->ranks; r++) {
        if (!h->short_of[r] || said[r] || !sees_alike(v, &h->views[r])) continue;
        gpu_say(page, "%s %d", n++ > 0 ? "," : "", h->views[r].rank);
        said[r] = true;
    }
    gpu_say(page, many > 1 ? " see" : " sees");
    for (int i = 0; i < v->count; i++) {
        gpu_say(page, "%s %s", i > 0 ? "," : "", gpu_name_text(&v->list[i], name));
    }
}

static gyre_status too_few(const host *h, const char *name) {
    enum { LISTED = 400 }; /* bytes */
    char text[LISTED];
    bool *said = calloc((size_t)h->ranks, sizeof *said);
    gpu_page page = {text, sizeof text};
    int ranks = 0, gpus = 0;
    if (said == NULL) return gyre_no_memory("naming GPUs");
    for (int r = 0; r < h->ranks; r++) {
        if (!h->short_of[r]) continue;
        ranks++;
        if (said[r]) continue;
        if (r > 0 && page.text != text) gpu_say(&page, "; ");
        name_group(&page, h, r, said);
    }
    free(said);
    for (int k = 0; k < h->count; k++) {
        bool seen = false;
        for (int r = 0; r < h->ranks; r++) {
            seen = seen || (h->short_of[r] && h->sights[r * h->count + k].place >= 0);
        }
        gpus += seen;
    }
    return gyre_fail(GYRE_EDEVICE,
                     "more ranks than GPUs: %d ranks on %s see %d GPU%s, and each needs one of its "
                     "own (%s%s); start fewer ranks per host, or show every rank all GPUs: `srun "
                     "--gpus-per-node=%d --gpu-bind=none`, the same CUDA_VISIBLE_DEVICES for all",
                     ranks, name, gpus, gpus == 1 ? "" : "s", text, page.size == 1 ? "..." : "",
                     h->ranks);
}

/* ---- the assignment */

/* Collective. */
static gyre_status assign(gyre_comm *comm, const gpu_view *mine, int *place) {
    host h = {0};
    bool whole = false;
    int local = gyre_comm_local_rank(comm);
    gyre_status status = host_open(gyre_comm_local_size(comm), &h);
    GYRE_GOTO(gyre_comm_agree(comm, status));
    GYRE_GOTO(gyre_comm_gather_local(comm, mine, sizeof *mine, h.views));
    status = unite(&h);
    if (status == GYRE_OK) {
        status = gyre_assign_devices(h.ranks, h.count, h.sights, h.taken, h.short_of, &whole);
    }
    if (status == GYRE_OK && !whole) status = too_few(&h, gyre_comm_host(comm));
    if (status == GYRE_OK) *place = h.sights[local * h.count + h.taken[local]].place;
    status = gyre_comm_agree(comm, status);
out:
    host_close(&h);
    return status;
}

/* Divides the near cores among the ranks that have the same ones. Collective. */
static gyre_status share_cores(gyre_comm *comm) {
    const int ranks = gyre_comm_local_size(comm);
    const int count = gpu_numa_near(placed.view.list[placed.place].node, placed.near);
    unsigned char *all = calloc((size_t)ranks, GPU_CORES_MAX);
    gyre_status status = all != NULL ? GYRE_OK : gyre_no_memory("listing the cores");
    int alike = 0;
    GYRE_GOTO(gyre_comm_agree(comm, status));
    GYRE_GOTO(gyre_comm_gather_local(comm, placed.near, GPU_CORES_MAX, all));
    for (int r = 0; r < ranks; r++) {
        alike += memcmp(all + (size_t)r * GPU_CORES_MAX, placed.near, GPU_CORES_MAX) == 0;
    }
    placed.share = count / alike >= CORES_LEAST ? count / alike : 0;
out:
    free(all);
    return status;
}

/* Collective. */
static gyre_status place_all(gyre_comm *comm) {
    gyre_status status = gpu_view_read(gyre_comm_rank(comm), &placed.view);
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(assign(comm, &placed.view, &placed.place));
    return share_cores(comm);
}

gyre_status gpu_place(gyre_comm *comm, gpu_view *view, int *place) {
    if (comm == NULL) {
        *place = 0;
        return gpu_view_read(0, view);
    }
    if (!placed.made) {
        placed.status = place_all(comm);
        snprintf(placed.text, sizeof placed.text, "%s", gyre_error_text());
        placed.made = true;
    }
    if (placed.status != GYRE_OK) return gyre_fail(placed.status, "%s", placed.text);
    *view = placed.view;
    *place = placed.place;
    return GYRE_OK;
}

void gpu_place_bind(gyre_comm *comm) {
    if (comm == NULL || placed.share == 0 || !gpu_numa_bind(placed.near)) return;
    gyre_comm_set_cores(comm, placed.share);
}
