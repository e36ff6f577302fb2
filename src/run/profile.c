/* Adding up phases, and the table; see profile.h. */
#include "profile.h"

#include "gyre/clock.h"

static const char *const titles[RUN_PHASE_COUNT] = {
    "between steps",       "waiting for data",
    "computing gradients", "adding gradients over ranks",
    "updating parameters", "agreeing with the other ranks",
};

const char *run_phase_name(run_phase phase) {
    return titles[phase];
}

gyre_status run_profile_begin(gyre_profile *p, gyre_net *net) {
    GYRE_TRY(gyre_net_profile(net));
    *p = (gyre_profile){
        .first = p->first, .on = true, .phase = RUN_PHASE_OUTSIDE, .since = gyre_clock()};
    return GYRE_OK;
}

void run_profile_enter(gyre_profile *p, run_phase phase) {
    if (p == NULL || !p->on) return;
    double now = gyre_clock();
    p->seconds[p->phase] += now - p->since;
    p->since = now;
    p->phase = phase;
    if (phase == RUN_PHASE_LOADER) p->steps++;
}

static double per_step(const gyre_profile *p, double seconds) {
    return 1000 * seconds / (double)(p->steps > 0 ? p->steps : 1);
}

static void print_phases(const gyre_profile *p, FILE *out) {
    double all = 0;
    for (int i = 1; i < RUN_PHASE_COUNT; i++) all += p->seconds[i];
    fprintf(out, "%-32s %10s %7s\n", "a step", "ms", "%");
    for (int i = 1; i < RUN_PHASE_COUNT; i++) {
        fprintf(out, "  %-30s %10.3f %7.1f\n", titles[i], per_step(p, p->seconds[i]),
                all > 0 ? 100 * p->seconds[i] / all : 0);
    }
    fprintf(out, "  %-30s %10.3f\n", "all", per_step(p, all));
    fprintf(out, "  %-30s %10.3f\n", titles[0], per_step(p, p->seconds[0]));
}

/* A line of the net's table: the three passes of a node, which are added to totals. */
static void print_node(const gyre_profile *p, const gyre_net *net, int node, const char *name,
                       double *totals, FILE *out) {
    fprintf(out, "  %-30s", name);
    double sum = 0;
    for (int pass = 0; pass < GYRE_PASS_COUNT; pass++) {
        double seconds = gyre_net_seconds(net, node, (gyre_pass)pass);
        totals[pass] += seconds;
        sum += seconds;
        if (seconds > 0)
            fprintf(out, " %10.3f", per_step(p, seconds));
        else
            fprintf(out, " %10s", "");
    }
    fprintf(out, " %10.3f\n", per_step(p, sum));
}

static void print_layers(const gyre_profile *p, const gyre_net *net, FILE *out) {
    const gyre_model *m = gyre_net_model(net);
    int lanes = gyre_net_lanes(net);
    double totals[GYRE_PASS_COUNT] = {0}, busy = 0;
    fprintf(out, "\n%-32s %10s %10s %10s %10s\n", "gradients, all threads, ms", "forward", "dx",
            "dw", "all");
    print_node(p, net, GYRE_NODE_INPUT, "(images)", totals, out);
    for (int i = 0; i < m->node_count; i++) {
        print_node(p, net, i, m->nodes[i].name, totals, out);
    }
    fprintf(out, "  %-30s", "all");
    for (int pass = 0; pass < GYRE_PASS_COUNT; pass++) {
        fprintf(out, " %10.3f", per_step(p, totals[pass]));
        busy += totals[pass];
    }
    double idle = lanes * p->seconds[RUN_PHASE_GRADIENTS] - busy;
    fprintf(out, " %10.3f\n", per_step(p, busy));
    fprintf(out, "  %-30s %10s %10s %10s %10.3f\n", "additions and idle threads", "", "", "",
            per_step(p, idle));
}

void run_profile_print(const gyre_profile *p, const gyre_net *net, FILE *out) {
    int lanes = gyre_net_lanes(net);
    fprintf(out, RUN_PROFILE_MARK "%lld steps, %d thread%s\n\n", (long long)p->steps, lanes,
            lanes == 1 ? "" : "s");
    print_phases(p, out);
    print_layers(p, net, out);
}
