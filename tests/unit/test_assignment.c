/* Devices for the ranks of a host, against all assignments there are, on small hosts. */
#include "gyre/assignment.h"
#include "gyre/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 8, ROUNDS = 3000, UNSEEN = -1 };

typedef struct {
    int ranks, devices;
    gyre_sight sights[MOST * MOST];
    int taken[MOST];
    bool short_of[MOST], whole;
} host;

static const gyre_sight *sight(const host *h, int rank, int device) {
    return &h->sights[rank * h->devices + device];
}

static void assign(host *h) {
    assert_int_equal(
        gyre_assign_devices(h->ranks, h->devices, h->sights, h->taken, h->short_of, &h->whole),
        GYRE_OK);
}

/* The least sum of distances over all assignments of ranks from `rank` on; -1: there is none. */
static int least_sum(const host *h, int rank, unsigned used) {
    int best = -1;
    if (rank == h->ranks) return 0;
    for (int d = 0; d < h->devices; d++) {
        if ((used >> d & 1) != 0 || sight(h, rank, d)->place < 0) continue;
        int rest = least_sum(h, rank + 1, used | 1u << d);
        if (rest < 0) continue;
        int sum = rest + sight(h, rank, d)->distance;
        if (best < 0 || sum < best) best = sum;
    }
    return best;
}

static void check_whole(const host *h, int least) {
    unsigned used = 0;
    int sum = 0;
    for (int r = 0; r < h->ranks; r++) {
        int d = h->taken[r];
        assert_in_range(d, 0, h->devices - 1);
        assert_int_equal(used >> d & 1, 0);
        assert_true(sight(h, r, d)->place >= 0);
        used |= 1u << d;
        sum += sight(h, r, d)->distance;
        assert_false(h->short_of[r]);
    }
    assert_int_equal(sum, least);
}

/* The ranks that are named do see fewer devices than they are many. */
static void check_short(const host *h) {
    int ranks = 0, devices = 0;
    for (int r = 0; r < h->ranks; r++) ranks += h->short_of[r];
    for (int d = 0; d < h->devices; d++) {
        bool seen = false;
        for (int r = 0; r < h->ranks; r++) {
            seen = seen || (h->short_of[r] && sight(h, r, d)->place >= 0);
        }
        devices += seen;
    }
    assert_true(ranks > devices);
}

/* Any subset of the devices, in any order, at distances of a few kinds. */
static void look_around(host *h, gyre_random *random) {
    h->ranks = 1 + (int)gyre_random_below(random, 5);
    h->devices = (int)gyre_random_below(random, 7);
    for (int r = 0; r < h->ranks; r++) {
        int place = 0;
        unsigned reversed = (unsigned)gyre_random_below(random, 2);
        for (int k = 0; k < h->devices; k++) {
            int d = reversed ? h->devices - 1 - k : k;
            bool seen = gyre_random_below(random, 5) < 3;
            h->sights[r * h->devices + d] =
                (gyre_sight){.place = seen ? place++ : UNSEEN,
                             .distance = (int)gyre_random_below(random, 4) * 85};
        }
    }
}

static void as_good_as_any(void **state) {
    gyre_random random = gyre_random_open(3, GYRE_RANDOM_TEST, 0, 0);
    int found = 0;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        host h = {0};
        look_around(&h, &random);
        int least = least_sum(&h, 0, 0);
        assign(&h);
        assert_int_equal(h.whole, least >= 0);
        found += h.whole;
        if (h.whole)
            check_whole(&h, least);
        else
            check_short(&h);
    }
    assert_in_range(found, ROUNDS / 4, ROUNDS * 3 / 4); /* both kinds were there */
}

/* taken[]: the list, in each rank's own order, of what it sees; a rank's list ends with -1. */
static void expect(int ranks, int devices, const int (*lists)[MOST], const int *taken) {
    host h = {.ranks = ranks, .devices = devices};
    for (int i = 0; i < ranks * devices; i++) h.sights[i].place = UNSEEN;
    for (int r = 0; r < ranks; r++) {
        for (int k = 0; k < MOST && lists[r][k] >= 0; k++) {
            h.sights[r * devices + lists[r][k]].place = k;
        }
    }
    assign(&h);
    assert_true(h.whole);
    assert_memory_equal(h.taken, taken, (size_t)ranks * sizeof *taken);
}

static void keeps_order(void **state) {
    const int all[][MOST] = {{0, 1, 2, -1}, {0, 1, 2, -1}, {0, 1, 2, -1}};
    const int reversed[][MOST] = {{2, 1, 0, -1}, {2, 1, 0, -1}, {2, 1, 0, -1}};
    const int halves[][MOST] = {{0, 1, -1}, {0, 1, -1}, {2, 3, -1}, {2, 3, -1}};
    const int dealt[][MOST] = {{0, 1, -1}, {2, 3, -1}, {0, 1, -1}, {2, 3, -1}};
    const int one_each[][MOST] = {{2, -1}, {0, -1}, {1, -1}};
    const int overlapping[][MOST] = {{0, 1, 2, -1}, {0, 1, -1}, {0, -1}};
    (void)state;
    expect(2, 3, all, (const int[]){0, 1});
    expect(3, 3, all, (const int[]){0, 1, 2});
    expect(3, 3, reversed, (const int[]){2, 1, 0});
    expect(4, 4, halves, (const int[]){0, 1, 2, 3});
    expect(4, 4, dealt, (const int[]){0, 2, 1, 3});
    expect(3, 3, one_each, (const int[]){2, 0, 1});
    expect(3, 3, overlapping, (const int[]){2, 1, 0});
}

/* Two ranks on the far side take the far devices, although their numbers would be others. */
static void nearest_first(void **state) {
    host h = {.ranks = 4, .devices = 4};
    (void)state;
    for (int r = 0; r < 4; r++) {
        for (int d = 0; d < 4; d++) {
            h.sights[r * 4 + d] = (gyre_sight){d, r % 2 == d / 2 ? 0 : 21};
        }
    }
    assign(&h);
    assert_true(h.whole);
    assert_memory_equal(h.taken, ((const int[]){0, 2, 1, 3}), sizeof(int[4]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_good_as_any),
        cmocka_unit_test(keeps_order),
        cmocka_unit_test(nearest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
