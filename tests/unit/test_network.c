/* Networks as JSON: every network of the zoo says the same as a list of nodes, equal networks have
 * equal texts, and parameters begin and learn as they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/clock.h"
#include "gyre/state_dict.h"
#include "network_rig.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the zoo */

static void assert_same_params(const gyre_model *a, const gyre_model *b) {
    assert_int_equal(a->param_count, b->param_count);
    for (int i = 0; i < a->param_count; i++) {
        const gyre_param *p = &a->params[i], *q = &b->params[i];
        assert_string_equal(p->name, q->name);
        assert_memory_equal(p->dims, q->dims, sizeof p->dims);
        assert_memory_equal(p->picture, q->picture, sizeof p->picture);
        assert_true(p->offset == q->offset && p->count == q->count);
        if (p->dense != q->dense)
            fail_msg("%s: %s has another shape for PyTorch", a->name, p->name);
        if (p->init != q->init || p->lr_mult != q->lr_mult || p->decay_mult != q->decay_mult) {
            fail_msg("%s: %s begins or learns otherwise", a->name, p->name);
        }
        bool drawn = p->init == GYRE_INIT_NORMAL || p->init == GYRE_INIT_UNIFORM;
        if (drawn && p->spread != q->spread) fail_msg("%s: another spread", p->name);
    }
}

static void assert_same_nodes(const gyre_model *a, const gyre_model *b) {
    assert_int_equal(a->node_count, b->node_count);
    for (int i = 0; i < a->node_count; i++) {
        const gyre_node *n = &a->nodes[i], *o = &b->nodes[i];
        assert_string_equal(n->name, o->name);
        assert_ptr_equal(n->type, o->type);
        assert_memory_equal(n->inputs, o->inputs, sizeof n->inputs);
        assert_memory_equal(n->params, o->params, sizeof n->params);
        assert_true(n->h == o->h && n->w == o->w && n->c == o->c);
        size_t size = n->type->options_size;
        if (size > 0 && memcmp(n->options, o->options, size) != 0) {
            fail_msg("%s: other options", n->name);
        }
    }
}

static void the_zoo_as_json(void **state) {
    (void)state;
    for (int i = 0; gyre_model_name(i) != NULL; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s", gyre_model_name(i));
        const gyre_model_settings settings = {.name = name};
        gyre_model *m = NULL, *again = NULL;
        assert_int_equal(gyre_model_open(&settings, 64, 64, 3, 10, &m), GYRE_OK);
        char *text = printed(m);
        if (open_layers(text, 64, 3, &again) != GYRE_OK) fail_msg("%s", gyre_error_text());
        assert_same_nodes(m, again);
        assert_same_params(m, again);
        char *twice = printed(again);
        assert_string_equal(text, twice);
        gyre_model_close(again);
        free(twice);
        free(text);
        gyre_model_close(m);
    }
}

/* A linear layer of each pixel is a matrix in PyTorch's state_dict; another convolution is none. */
static void dense_convolutions_are_matrices(void **state) {
    (void)state;
    gyre_model *m = opened(
        "[{\"name\": \"a\", \"type\": \"conv\", \"channels\": 4, \"size\": 1, \"dense\": "
        "true}, {\"name\": \"b\", \"type\": \"conv\", \"channels\": 4, \"size\": 1}, " FC "]");
    const gyre_state_array a = gyre_state_of_param(m, 0), b = gyre_state_of_param(m, 2);
    assert_string_equal(a.name, "a.weight");
    assert_int_equal(a.ndim, 2);
    assert_int_equal(a.dims[0], 4);
    assert_int_equal(a.dims[1], 1);
    assert_string_equal(b.name, "b.weight");
    assert_int_equal(b.ndim, 4);
    gyre_model_close(m);
}

static void what_a_text_looks_like(void **state) {
    (void)state;
    char name[] = "cifar10_quick";
    const gyre_model_settings settings = {.name = name};
    gyre_model *m = NULL;
    assert_int_equal(gyre_model_open(&settings, 32, 32, 3, 10, &m), GYRE_OK);
    char *text = printed(m);
    assert_string_equal(text,
                        "{\n"
                        "    \"init\": {\"normal\": 0.0001},\n"
                        "    \"lr_mult\": {\"bias\": 2},\n"
                        "    \"nodes\": [\n"
                        "        {\"name\": \"conv1\", \"type\": \"conv\", \"channels\": 32, "
                        "\"size\": 5, \"pad\": 2},\n"
                        "        {\"name\": \"pool1\", \"type\": \"max_pool\", \"size\": 3, "
                        "\"stride\": 2, \"ceil\": true},\n"
                        "        {\"name\": \"relu1\", \"type\": \"relu\"},\n"
                        "        {\"name\": \"conv2\", \"type\": \"conv\", \"channels\": 32, "
                        "\"size\": 5, \"pad\": 2, \"relu\": true, \"init\": {\"normal\": 0.01}},\n"
                        "        {\"name\": \"pool2\", \"type\": \"average_pool\", \"size\": 3, "
                        "\"stride\": 2, \"ceil\": true},\n"
                        "        {\"name\": \"conv3\", \"type\": \"conv\", \"channels\": 64, "
                        "\"size\": 5, \"pad\": 2, \"relu\": true, \"init\": {\"normal\": 0.01}},\n"
                        "        {\"name\": \"pool3\", \"type\": \"average_pool\", \"size\": 3, "
                        "\"stride\": 2, \"ceil\": true},\n"
                        "        {\"name\": \"ip1\", \"type\": \"linear\", \"out\": 64, \"init\": "
                        "{\"normal\": 0.1}},\n"
                        "        {\"name\": \"ip2\", \"type\": \"linear\", \"out\": \"classes\", "
                        "\"init\": {\"normal\": 0.1}}\n"
                        "    ]\n"
                        "}");
    free(text);
    gyre_model_close(m);
}

/* ---- what a list may say */

/* However it is written, the same network has the same text. */
static void equal_networks_have_equal_texts(void **state) {
    (void)state;
    static const char *const ways[] = {
        "[{\"name\": \"a\", " CONV "}, {\"name\": \"b\", \"type\": \"relu\"}, " FC "]",
        "{\"nodes\": [{" CONV ", \"bias\": true, \"name\": \"a\", \"input\": \"images\"},"
        "{\"type\": \"relu\", \"inputs\": [\"a\"], \"name\": \"b\"}, " FC "]}",
        "{\"init\": \"he\", \"lr_mult\": 1, \"nodes\": [{\"name\": \"a\", " CONV
        ", \"init\": {\"bias\": \"zeros\"}, \"decay_mult\": 1}, "
        "{\"name\": \"b\", \"type\": \"relu\"}, " FC "]}",
        "{\"init\": {\"weight\": \"torch\"}, \"nodes\": [{\"name\": \"a\", " CONV
        ", \"init\": \"he\"}, {\"name\": \"b\", \"type\": \"relu\"}, {\"name\": \"fc\", "
        "\"type\": \"linear\", \"out\": \"classes\", \"init\": {\"weight\": \"he\"}}]}",
    };
    gyre_model *m = opened(ways[0]);
    char *text = printed(m);
    for (size_t i = 1; i < sizeof ways / sizeof *ways; i++) {
        gyre_model *other = opened(ways[i]);
        char *again = printed(other);
        assert_string_equal(text, again);
        assert_same_params(m, other);
        free(again);
        gyre_model_close(other);
    }
    free(text);
    gyre_model_close(m);
}

/* A node that uses another's parameters has none of its own, also when it names one that does. */
static void nodes_share_parameters(void **state) {
    (void)state;
#define TIED(owner)                                                                                \
    "[{\"name\": \"a.b\", \"type\": \"linear\", \"out\": 64, \"init\": \"torch\"}, {\"name\": "    \
    "\"a\", \"type\": \"linear\", \"out\": 64, \"parameters\": \"a.b\"}, {\"name\": \"c\", "       \
    "\"type\": \"linear\", \"out\": 64, \"parameters\": \"" owner "\"}, " FC "]"
    gyre_model *m = opened(TIED("a.b")), *other = opened(TIED("a"));
    char *text = printed(m), *again = printed(other);
    assert_string_equal(text, again);
    assert_int_equal(m->param_count, 4);
    for (int i = 0; i < 2; i++) assert_int_equal(m->nodes[2].params[i], m->nodes[0].params[i]);
    assert_int_equal(gyre_model_node(m, 0).parameters, 64 * 65);
    assert_int_equal(gyre_model_node(m, 1).parameters, 0);
    gyre_model_close(other);
    other = opened(text);
    assert_same_nodes(m, other);
    assert_same_params(m, other);
    gyre_model_close(other);
    gyre_model_close(m);
    free(again);
    free(text);
}

/* One number is for all sides; a list has height and width, or the four sides. */
static void convolutions_have_lists_of_numbers(void **state) {
    (void)state;
    static const char text[] =
        "[{\"name\": \"a\", \"type\": \"conv\", \"channels\": 4, \"size\": [3, 2], \"stride\": "
        "[1, 1], \"pad\": [2, 0]}, {\"name\": \"b\", \"type\": \"conv\", \"channels\": 8, "
        "\"size\": "
        "[2, 2], \"stride\": [2, 1], \"pad\": [0, 0, 1, 1], \"dilation\": 2, \"groups\": 4}, " FC
        "]";
    gyre_model *m = opened(text);
    assert_true(m->nodes[0].h == 10 && m->nodes[0].w == 7);
    assert_true(m->nodes[1].h == 5 && m->nodes[1].w == 6);
    char *again = printed(m);
    assert_non_null(strstr(again, "\"size\": [3, 2], \"pad\": [2, 0, 2, 0]}"));
    assert_non_null(strstr(again, "\"size\": 2, \"stride\": [2, 1], \"pad\": [0, 0, 1, 1], "
                                  "\"dilation\": 2, \"groups\": 4}"));
    gyre_model *same = opened(again);
    assert_same_nodes(m, same);
    gyre_model_close(same);
    gyre_model_close(m);
    free(again);
}

static void parameters_begin_and_learn_as_they_are_told(void **state) {
    (void)state;
    gyre_model *m =
        opened("{\"init\": {\"weight\": {\"uniform\": 0.5}, \"bias\": \"ones\"},"
               " \"decay_mult\": {\"bias\": 0}, \"lr_mult\": 3,"
               " \"nodes\": [{\"name\": \"a\", " CONV ", \"lr_mult\": {\"bias\": 4}},"
               " {\"name\": \"n\", \"type\": \"batch_norm\", \"init\": {\"weight\": \"zeros\"}},"
               " {\"name\": \"fc\", \"type\": \"linear\", \"out\": 10, \"init\": \"torch\"}]}");
    const gyre_param *p = m->params; /* a, n, fc: weight and bias each */
    assert_true(p[0].init == GYRE_INIT_UNIFORM && p[0].spread == 0.5 && p[1].init == GYRE_INIT_ONE);
    assert_true(p[2].init == GYRE_INIT_ZERO && p[3].init == GYRE_INIT_ZERO);
    assert_true(p[4].init == GYRE_INIT_UNIFORM && p[4].spread == 1.0 / sqrt(6 * 6 * 4));
    assert_true(p[5].init == GYRE_INIT_UNIFORM && p[5].spread == p[4].spread);
    assert_true(p[0].lr_mult == 3 && p[1].lr_mult == 4 && p[2].lr_mult == 3 && p[3].lr_mult == 3);
    assert_true(p[0].decay_mult == 1 && p[1].decay_mult == 0 && p[3].decay_mult == 0);
    char *text = printed(m);
    gyre_model *again = opened(text);
    assert_same_params(m, again);
    gyre_model_close(again);
    gyre_model_close(m);
    free(text);
    m = opened("{\"init\": \"xavier\", \"nodes\": [{\"name\": \"a\", " CONV "}, {\"name\": \"fc\", "
               "\"type\": \"linear\", \"out\": 10, \"init\": \"he\"}]}");
    assert_true(m->params[0].init == GYRE_INIT_UNIFORM && m->params[2].init == GYRE_INIT_NORMAL);
    assert_true(fabs(m->params[0].spread - sqrt(3.0 / 9)) < 1e-12);
    assert_true(fabs(m->params[2].spread - sqrt(2.0 / 10)) < 1e-12);
    assert_true(m->params[1].init == GYRE_INIT_ZERO && m->params[3].init == GYRE_INIT_ZERO);
    gyre_model_close(m);
}

/* torch.nn.init.dirac_ on the first filters; those beyond the channels are drawn. */
static void filters_may_pass_channels_on(void **state) {
    (void)state;
    enum { K = 5, R = 2, S = 3, C = 3, ALL = K * R * S * C + K };
    gyre_model *m = opened("[{\"name\": \"first\", \"type\": \"conv\", \"channels\": 3, \"size\": 1}, "
                           "{\"name\": \"a\", \"type\": \"conv\", \"channels\": 5, \"size\": [2, 3], "
                           "\"init\": \"dirac\"}, " FC "]");
    const gyre_param *p = &m->params[2];
    assert_int_equal(p->count, ALL - K);
    float *values = calloc(m->parameters, sizeof *values);
    gyre_model_init(m, 1, values, NULL);
    const float *w = values + p->offset;
    const float widest = (float)(1 / sqrt(R * S * C));
    int drawn = 0;
    for (int i = 0; i < ALL - K; i++) {
        int c = i % C, s = i / C % S, r = i / C / S % R, k = i / C / S / R;
        if (k < C) assert_true(w[i] == (float)(c == k && s == 1 && r == 1));
        if (k >= C) assert_true(fabsf(w[i]) <= widest);
        drawn += k >= C && w[i] != 0 && fabsf(w[i]) < 1;
    }
    assert_true(drawn == (K - C) * R * S * C);
    for (int i = 0; i < K; i++) assert_true(values[m->params[3].offset + (size_t)i] == 0);
    char *text = printed(m);
    assert_non_null(strstr(text, "\"init\": \"dirac\""));
    gyre_model *again = opened(text);
    assert_same_params(m, again);
    gyre_model_close(again);
    gyre_model_close(m);
    free(values);
    free(text);
}

/* ---- optimizer.groups */

static gyre_status open_groups(gyre_group_settings *groups, int count, gyre_model **out) {
    char layers[] = "{\"lr_mult\": {\"bias\": 2}, \"nodes\": [{\"name\": \"a\", " CONV
                    "}, {\"name\": \"n\", \"type\": \"batch_norm\"}, " FC "]}";
    const gyre_model_settings settings = {.layers = layers, .groups = groups, .group_count = count};
    return gyre_model_open(&settings, 8, 8, 1, 10, out);
}

static void groups_multiply_by_name(void **state) {
    (void)state;
    char norms[] = "bias|^n\\.", all[] = ".", anchored[] = "^bias$", near[] = "fc.weigt",
         open[] = "(";
    gyre_group_settings groups[] = {{norms, 3, 0, {GYRE_UNIT_STEPS, 7}},
                                    {all, 0.5, 4, {GYRE_UNIT_STEPS, 9}}};
    gyre_model *m = NULL, *plain = NULL;
    assert_int_equal(open_groups(groups, 2, &m), GYRE_OK);
    const float lr[] = {0.5f, 3, 1.5f, 3, 0.5f, 3}, decay[] = {4, 0, 0, 0, 4, 0};
    for (int i = 0; i < 6; i++) { /* weight and bias of a, n and fc */
        if (m->params[i].lr_mult != lr[i] || m->params[i].decay_mult != decay[i]) {
            fail_msg("%s: %g, %g", m->params[i].name, (double)m->params[i].lr_mult,
                     (double)m->params[i].decay_mult);
        }
        assert_int_equal(m->params[i].until, lr[i] < 1 ? 9 : 7); /* the first end */
    }
    assert_int_equal(open_groups(NULL, 0, &plain), GYRE_OK); /* the network itself is the same */
    char *text = printed(m), *other = printed(plain);
    assert_string_equal(text, other);
    free(text);
    free(other);
    gyre_model_close(m);
    gyre_model_close(plain);
    groups[0].match = anchored;
    assert_int_equal(open_groups(groups, 1, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(),
                           "optimizer.groups[0]: \"^bias$\" matches no parameter "
                           "of network; its first is \"a.weight\""));
    groups[0].match = near;
    assert_int_equal(open_groups(groups, 1, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "the nearest is \"fc.weight\""));
    groups[0].match = open;
    assert_int_equal(open_groups(groups, 1, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "\"(\" is no extended regular expression: "));
}

/* ---- help */

static void every_type_has_a_summary(void **state) {
    (void)state;
    for (int i = 0; node_type_at(i) != NULL; i++) {
        const gyre_node_type *t = node_type_at(i);
        if (t->summary == NULL) fail_msg("%s lacks a summary", t->name);
    }
}

/* ---- many nodes */

enum { MANY = 10000 };

/* A chain: 100,000 nodes take as many look-ups, not as many times as many. */
/* `count` nodes, the last one a linear layer; free() it. */
static char *chain(int count) {
    size_t room = (size_t)count * 48 + 1000, used = 0;
    char *text = malloc(room);
    used += (size_t)snprintf(text, room, "[");
    for (int i = 1; i < count; i++) {
        used += (size_t)snprintf(text + used, room - used,
                                 "{\"name\": \"node%d\", \"type\": \"relu\"},\n", i);
    }
    snprintf(text + used, room - used, FC "]");
    return text;
}

static void many_nodes_are_read(void **state) {
    (void)state;
    char *text = chain(MANY);
    double begun = gyre_clock();
    gyre_model *m = opened(text);
    assert_int_equal(m->node_count, MANY + 1);
    char *again = printed(m);
    print_message("%d nodes: %.2f s\n", MANY, gyre_clock() - begun);
    assert_true(strlen(again) > (size_t)MANY * 40);
    gyre_model_close(m);
    free(again);
    free(text);
}

/* A pool's windows lie side by side unless a stride says otherwise, as in PyTorch and Keras. */
static void a_pool_strides_by_its_size(void **state) {
    (void)state;
    gyre_model *m = opened("[{\"name\": \"p\", \"type\": \"max_pool\", \"size\": [2, 4]}, " FC "]");
    assert_true(m->nodes[0].h == 4 && m->nodes[0].w == 2);
    gyre_model_close(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zoo_as_json),
        cmocka_unit_test(what_a_text_looks_like),
        cmocka_unit_test(dense_convolutions_are_matrices),
        cmocka_unit_test(equal_networks_have_equal_texts),
        cmocka_unit_test(nodes_share_parameters),
        cmocka_unit_test(convolutions_have_lists_of_numbers),
        cmocka_unit_test(parameters_begin_and_learn_as_they_are_told),
        cmocka_unit_test(filters_may_pass_channels_on),
        cmocka_unit_test(groups_multiply_by_name),
        cmocka_unit_test(a_pool_strides_by_its_size),
        cmocka_unit_test(every_type_has_a_summary),
        cmocka_unit_test(many_nodes_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
