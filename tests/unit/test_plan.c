/* Which buffer each node reads and writes: plays forward and backward with names of values in place
 * of values, for the zoo and for networks in which gradients meet, and checks that whatever a node
 * reads is still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/model/node.h"
#include "../../src/model/plan.h"
#include <stdio.h>
#include <stdlib.h>

/* What a slot holds: the output of a node, or its gradient, as far as so many readers gave it. */
typedef struct {
    int node;
    int shares; /* 0: the output */
} content;

typedef struct {
    const gyre_model *m;
    net_plan plan;
    content *slots;
} play;

static void expect(const play *p, int slot, int node, int shares, const char *what, int by) {
    if (slot >= 0 && p->slots[slot].node == node && p->slots[slot].shares == shares) return;
    fail_msg("%s: %s reads %s of %s in slot %d, which holds %d of node %d", p->m->name,
             p->m->nodes[by].name, what, p->m->nodes[node].name, slot,
             slot < 0 ? 0 : p->slots[slot].shares, slot < 0 ? -1 : p->slots[slot].node);
}

static void play_forward(play *p) {
    for (int i = 0; i < p->m->node_count; i++) {
        const gyre_node *n = &p->m->nodes[i];
        const node_plan *plan = &p->plan.nodes[i];
        for (int k = 0; k < n->input_count; k++) {
            int from = n->inputs[k];
            if (from >= 0) expect(p, p->plan.nodes[from].y, from, 0, "the output", i);
        }
        if (plan->y >= 0) p->slots[plan->y] = (content){i, 0};
        if (n->type->is_loss && plan->dx[0] >= 0)
            p->slots[plan->dx[0]] = (content){n->inputs[0], 1};
    }
}

/* How many nodes give a share of the gradient of node `i`. */
static int givers(const play *p, int i) {
    int count = 0;
    for (int r = i + 1; r < p->m->node_count; r++) {
        const gyre_node *n = &p->m->nodes[r];
        for (int k = 0; k < n->input_count; k++) count += n->inputs[k] == i;
    }
    return count;
}

static void check_kept(const play *p, int i) {
    const gyre_node *n = &p->m->nodes[i];
    if (n->type->keeps_y) expect(p, p->plan.nodes[i].y, i, 0, "the output", i);
    for (int k = 0; n->type->keeps_x && k < n->input_count; k++) {
        int from = n->inputs[k];
        if (from >= 0) expect(p, p->plan.nodes[from].y, from, 0, "the output", i);
    }
}

static void play_backward(play *p) {
    for (int i = p->m->node_count - 1; i >= 0; i--) {
        const gyre_node *n = &p->m->nodes[i];
        const node_plan *plan = &p->plan.nodes[i];
        if (!plan->wanted || n->type->is_loss) continue;
        expect(p, plan->dy, i, givers(p, i), "the gradient", i);
        check_kept(p, i);
        for (int k = 0; k < n->input_count; k++) {
            int from = n->inputs[k];
            if (from < 0 || !p->plan.nodes[from].wanted) continue;
            assert_true(plan->dx[k] >= 0);
            p->slots[plan->dx[k]] = (content){from, 1};
        }
        for (int k = 0; k < n->input_count; k++) {
            int total = plan->dx_total[k], from = n->inputs[k];
            if (total < 0) continue;
            expect(p, plan->dx[k], from, 1, "the gradient", i);
            assert_int_equal(p->slots[total].node, from);
            assert_true(p->slots[total].shares > 0 && total != plan->dx[k]);
            p->slots[total].shares++;
        }
    }
}

static int check_plan(const gyre_model *m, bool train) {
    play p = {.m = m};
    assert_int_equal(plan_open(m, train, &p.plan), GYRE_OK);
    p.slots = calloc((size_t)p.plan.slot_count, sizeof *p.slots);
    for (int i = 0; i < p.plan.slot_count; i++) p.slots[i].node = -1;
    play_forward(&p);
    if (train) play_backward(&p);
    int count = p.plan.slot_count;
    free(p.slots);
    plan_close(&p.plan);
    return count;
}

static void the_zoo_keeps_what_it_reads(void **state) {
    (void)state;
    char frozen[] = "conv1", *freeze[] = {frozen};
    for (int i = 0; gyre_model_name(i) != NULL; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s", gyre_model_name(i));
        for (int count = 0; count < 2; count++) {
            gyre_model_settings settings = {.name = name, .freeze = freeze, .freeze_count = count};
            gyre_model *m = NULL;
            if (gyre_model_open(&settings, 32, 32, 3, 10, &m) != GYRE_OK) continue; /* no conv1 */
            check_plan(m, true);
            check_plan(m, false);
            gyre_model_close(m);
        }
    }
}

/* ---- nodes of three inputs, of a type that only this test has */

static gyre_model *hand_made(gyre_node *nodes, int count, gyre_param *param) {
    static gyre_model m;
    m = (gyre_model){.name = "by hand", .nodes = nodes, .node_count = count, .params = param};
    m.param_count = 1;
    m.h = m.w = m.c = 1;
    for (int i = 0; i < count; i++) {
        nodes[i].h = nodes[i].w = nodes[i].c = 1;
        for (int k = 0; k < GYRE_NODE_PARAMS; k++) nodes[i].params[k] = -1;
        snprintf(nodes[i].name, sizeof nodes[i].name, "n%d", i);
    }
    nodes[0].params[0] = 0; /* so that all behind it want a gradient */
    return &m;
}

static void three_inputs_meet(void **state) {
    (void)state;
    for (int flags = 0; flags < 8; flags++) {
        gyre_node_type one = {.name = "one", .inputs_min = 1, .inputs_max = 1};
        gyre_node_type three = {.name = "three", .inputs_min = 3, .inputs_max = 3};
        gyre_node_type loss = {.name = "loss", .is_loss = true, .keeps_x = true};
        one.keeps_x = three.keeps_x = flags & 1;
        one.keeps_y = flags & 2;
        one.dx_may_be_dy = three.dx_may_be_dy = flags & 4;
        gyre_param param = {.count = 1};
        gyre_node nodes[] = {
            {.type = &one, .inputs = {-1}, .input_count = 1},
            {.type = &one, .inputs = {0}, .input_count = 1},
            {.type = &three, .inputs = {0, 1, 0}, .input_count = 3}, /* one of them twice */
            {.type = &three, .inputs = {2, 1, 0}, .input_count = 3},
            {.type = &three, .inputs = {-1, 3, 2}, .input_count = 3},
            {.type = &loss, .inputs = {4}, .input_count = 1},
        };
        const gyre_model *m = hand_made(nodes, 6, &param);
        check_plan(m, true);
        check_plan(m, false);
    }
}

/* Average pooling reads nothing of forward again, so a chain of it needs two buffers, not one a
 * node. */
static void outputs_that_nobody_reads_again_share(void **state) {
    (void)state;
    gyre_node_type one = {.name = "one", .inputs_min = 1, .inputs_max = 1};
    gyre_node_type loss = {.name = "loss", .is_loss = true, .keeps_x = true};
    gyre_param param = {.count = 1};
    gyre_node nodes[10];
    for (int i = 0; i < 10; i++) {
        nodes[i] = (gyre_node){.type = &one, .inputs = {i - 1}, .input_count = 1};
    }
    nodes[9].type = &loss;
    const gyre_model *m = hand_made(nodes, 10, &param);
    assert_true(check_plan(m, true) <= 4);
    one.keeps_y = true;
    assert_true(check_plan(m, true) >= 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zoo_keeps_what_it_reads),
        cmocka_unit_test(three_inputs_meet),
        cmocka_unit_test(outputs_that_nobody_reads_again_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
