/* Networks as JSON: every network of the zoo says the same as a list of nodes, and every kind of
 * mistake is refused with the node, what was found and what was expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/model/node.h"
#include "gyre/clock.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gyre_status open_layers(char *layers, int size, int channels, gyre_model **out) {
    const gyre_model_settings settings = {.layers = layers};
    *out = NULL;
    return gyre_model_open(&settings, size, size, channels, 10, out);
}

static gyre_model *opened(const char *layers) {
    char *copy = strdup(layers);
    gyre_model *m = NULL;
    if (open_layers(copy, 8, 1, &m) != GYRE_OK) fail_msg("%s", gyre_error_text());
    free(copy);
    return m;
}

static char *printed(const gyre_model *m) {
    char *text = NULL;
    if (gyre_model_print(m, &text) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return text;
}

/* ---- the zoo */

static void assert_same_params(const gyre_model *a, const gyre_model *b) {
    assert_int_equal(a->param_count, b->param_count);
    for (int i = 0; i < a->param_count; i++) {
        const gyre_param *p = &a->params[i], *q = &b->params[i];
        assert_string_equal(p->name, q->name);
        assert_memory_equal(p->dims, q->dims, sizeof p->dims);
        assert_memory_equal(p->picture, q->picture, sizeof p->picture);
        assert_true(p->offset == q->offset && p->count == q->count);
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

#define FC "{\"name\": \"fc\", \"type\": \"linear\", \"out\": \"classes\"}"
#define CONV "\"type\": \"conv\", \"channels\": 4, \"size\": 3"

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
    gyre_group_settings groups[] = {{norms, 3, 0}, {all, 0.5, 4}};
    gyre_model *m = NULL, *plain = NULL;
    assert_int_equal(open_groups(groups, 2, &m), GYRE_OK);
    const float lr[] = {0.5f, 3, 1.5f, 3, 0.5f, 3}, decay[] = {4, 0, 0, 0, 4, 0};
    for (int i = 0; i < 6; i++) { /* weight and bias of a, n and fc */
        if (m->params[i].lr_mult != lr[i] || m->params[i].decay_mult != decay[i]) {
            fail_msg("%s: %g, %g", m->params[i].name, (double)m->params[i].lr_mult,
                     (double)m->params[i].decay_mult);
        }
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

/* ---- what it may not */

typedef struct {
    const char *layers, *words;
} refusal;

#define NODE(rest) "[{\"name\": \"a\", " rest "}, " FC "]"
#define TOP(rest) "{" rest ", \"nodes\": [{\"name\": \"a\", " CONV "}, " FC "]}"

static const refusal refusals[] = {
    /* the list */
    {"{", "JSON syntax error"},
    {"[]", "expected a list of nodes, or an object with \"nodes\", found []"},
    {"{\"layers\": []}", "unknown key \"layers\" beside \"nodes\""},
    {"{\"node\": []}", "unknown key \"node\"; did you mean \"nodes\"?"},
    {"{\"nodes\": 3}", "expected a list of nodes, or an object with \"nodes\", found 3"},
    {"[" FC ", 4]", "nodes[1]: expected an object with \"name\" and \"type\", found 4"},
    /* names and types */
    {"[{\"type\": \"relu\"}]", "nodes[0] lacks \"name\": {\"type\":\"relu\"}"},
    {"[{\"name\": 7}]", "nodes[0]: \"name\": expected text, found 7"},
    {"[{\"name\": \"\", \"type\": \"relu\"}]", "the node name \"\": expected text in UTF-8"},
    {"[{\"name\": \"a/b\", \"type\": \"relu\"}]", "the node name \"a/b\": expected text"},
    {"[{\"name\": \"a\\nb\", \"type\": \"relu\"}]", "without \"/\" and control characters"},
    {"[{\"name\": \"images\", \"type\": \"relu\"}]", "\"images\": it is that of the input"},
    {"[{\"name\": \"loss\", \"type\": \"relu\"}]", "\"loss\": it is that of the loss, which is"},
    {"[{\"name\": \"a\"}]", "node a lacks \"type\""},
    {NODE("\"type\": 5"), "node a: \"type\": expected text, found 5"},
    {NODE("\"type\": \"con\""), "node a: there is no type \"con\"; did you mean \"conv\"?"},
    {NODE("\"type\": \"transformer\""), "node a: there is no type \"transformer\" (`gyre help"},
    {"[" FC ", {\"name\": \"l\", \"type\": \"cross_entropy\"}]",
     "node l: the loss cross_entropy is no node of the list: model.loss names it"},
    {"[" FC ", " FC "]", "two nodes have the name fc"},
    /* inputs */
    {NODE("\"type\": \"relu\", \"input\": \"b\""), "node a reads \"b\", but there is no such node"},
    {NODE("\"type\": \"relu\", \"input\": \"image\""), "did you mean \"images\"?"},
    {"[{\"name\": \"conv1\", " CONV "}, {\"name\": \"b\", \"type\": \"relu\", \"input\": "
     "\"conv2\"}, " FC "]",
     "node b reads \"conv2\", but there is no such node; did you mean \"conv1\"?"},
    {NODE("\"type\": \"relu\", \"input\": \"fc\""), "node a reads fc, which comes after it"},
    {NODE("\"type\": \"relu\", \"input\": \"a\""), "node a reads itself"},
    {NODE("\"type\": \"relu\", \"input\": 3"), "node a: expected the name of an input, found 3"},
    {NODE("\"type\": \"relu\", \"inputs\": \"images\""),
     "node a: \"inputs\": expected a list of names, found \"images\""},
    {NODE("\"type\": \"relu\", \"input\": \"images\", \"inputs\": []"),
     "node a has \"input\" and \"inputs\"; leave one out"},
    {NODE("\"type\": \"relu\", \"inputs\": []"),
     "node a of type relu reads 1 to 1 inputs, found 0"},
    {NODE("\"type\": \"relu\", \"inputs\": [\"images\", \"images\"]"), "1 to 1 inputs, found 2"},
    {"[{\"name\": \"a\", " CONV "}, {\"name\": \"b\", \"type\": \"relu\", \"input\": \"images\"}, "
     "{\"name\": \"fc\", \"type\": \"linear\", \"out\": 10}]",
     "network: no other node reads a"},
    /* options */
    {NODE("\"type\": \"conv\", \"channel\": 3"),
     "node a: type conv has no option \"channel\"; did you mean \"channels\"?"},
    {NODE("\"type\": \"relu\", \"imput\": \"images\""), "did you mean \"input\"?"},
    {NODE("\"type\": \"conv\", \"size\": 3"), "node a of type conv lacks \"channels\""},
    {NODE("\"type\": \"conv\", \"size\": 3, \"channels\": \"4\""),
     "node a: \"channels\": expected a whole number or \"classes\", found \"4\""},
    {NODE("\"type\": \"conv\", \"size\": 3, \"channels\": 4.5"),
     "node a: \"channels\": expected a whole number, found 4.5"},
    {NODE("\"type\": \"conv\", \"size\": 3, \"channels\": 0"),
     "node a: \"channels\": expected 1 to 2.14748e+09, found 0"},
    {NODE("\"type\": \"conv\", \"size\": 3, \"channels\": 1e999"), "a finite number was expected"},
    {NODE("\"type\": \"conv\", \"channels\": 4, \"size\": \"classes\""),
     "node a: \"size\": expected a whole number or a list of them, found \"classes\""},
    {NODE("\"type\": \"conv\", \"channels\": 4, \"size\": []"), "or a list of them, found []"},
    {NODE("\"type\": \"conv\", \"channels\": 4, \"size\": [3, 3, 3]"),
     "node a: \"size\": expected 1 or 2 numbers, found 3"},
    {NODE("\"type\": \"conv\", \"channels\": [4], \"size\": 3"),
     "node a: \"channels\": expected a whole number or \"classes\", found [4]"},
    {NODE(CONV ", \"pad\": [1, 1, 3, 1]"), "found 3 (bottom)"},
    {NODE(CONV ", \"relu\": 1"), "node a: \"relu\": expected true or false, found 1"},
    {NODE("\"type\": \"batch_norm\", \"eps\": true"),
     "node a: \"eps\": expected a number, found true"},
    {NODE("\"type\": \"batch_norm\", \"eps\": 2"), "node a: \"eps\": expected 0 to 1, found 2"},
    {NODE("\"type\": \"lrn\", \"size\": 3, \"alpha\": 1e39"),
     "node a: \"alpha\": expected 0 to 3."},
    {NODE(CONV ", \"pad\": [1, 1, 1]"), "node a: \"pad\": expected 1, 2 or 4 numbers, found 3"},
    {NODE(CONV ", \"pad\": [1, 1, 1, 1, 1]"), "expected 1, 2 or 4 numbers, found 5"},
    {NODE(CONV ", \"stride\": [1, true]"),
     "node a: \"stride\": expected a whole number or a list of them, found true"},
    {NODE(CONV ", \"stride\": []"), "expected a whole number or a list of them, found []"},
    {NODE(CONV ", \"groups\": [1, 1]"), "node a: \"groups\": expected a whole number or"},
    {NODE(CONV ", \"groups\": 3"), "node a: \"groups\": expected a divisor of the 1 channels"},
    {NODE(CONV ", \"size\": 3"), "key [].size is given twice"},
    /* sizes */
    {NODE("\"type\": \"conv\", \"channels\": 4, \"size\": 9"),
     "node a: \"size\": the filter covers 9x9 pixels, but the image has 8x8 with its padding"},
    {NODE(CONV ", \"pad\": [0, 3]"),
     "node a: \"pad\": expected less than the filter's 3 pixels, found 3 (left)"},
    {NODE("\"type\": \"max_pool\", \"size\": 9, \"stride\": 9"),
     "\"network\" needs larger images than 8x8: nothing is left at node a of the 8 x 8 x 1 that"},
    {NODE("\"type\": \"max_pool\", \"size\": 2, \"pad\": 2"),
     "node a: \"pad\": expected less than the window's 2 x 2 pixels, found 2 x 2"},
    {"[{\"name\": \"a\", " CONV
     "}, {\"name\": \"b\", \"type\": \"batch_norm\", \"inputs\": [\"a\", "
     "\"images\"]}, " FC "]",
     "node b: what is added has the size 8 x 8 x 1, its input 6 x 6 x 4"},
    {"[{\"name\": \"a\", \"type\": \"linear\", \"out\": 1000000}, {\"name\": \"b\", \"type\": "
     "\"linear\", \"out\": 1000000}, " FC "]",
     "node b: with it, parameters and the activations of one sample need more than 2^40 bytes"},
    {NODE("\"type\": \"conv\", \"channels\": 2147483647, \"size\": 1"), "fc"},
    {"[{\"name\": \"fc\", \"type\": \"linear\", \"out\": 9}]",
     "loss needs 1 x 1 x 10 outputs, one for each class; the last node before it gives 1 x 1 x 9"},
    {"[{\"name\": \"a\", \"type\": \"relu\"}]", "loss needs 1 x 1 x 10 outputs"},
    /* initial values and multipliers */
    {TOP("\"init\": \"caffe\""), "\"init\": expected \"he\", \"xavier\", \"torch\""},
    {TOP("\"init\": {\"normal\": -1}"),
     "{\"uniform\": half width} or {\"constant\": value}, found {\"normal\":-1}"},
    {TOP("\"init\": {\"wait\": \"he\"}"), "or these for \"weight\" and \"bias\", found \"wait\""},
    {TOP("\"init\": {\"bias\": 4}"), "\"init\": \"bias\": expected \"he\""},
    {TOP("\"lr_mult\": \"2\""), "\"lr_mult\": expected a number 0 to 1e+06, found \"2\""},
    {TOP("\"decay_mult\": {\"bias\": -1}"), "\"decay_mult\": \"bias\": expected a number 0 to"},
    {TOP("\"lr_mult\": {\"bais\": 2}"), "\"lr_mult\": no node has a parameter \"bais\""},
    {NODE(CONV ", \"init\": 3"), "node a: \"init\": expected \"he\", \"xavier\""},
    {NODE(CONV ", \"init\": {\"weigth\": \"he\"}"),
     "node a: \"init\": it has no parameter \"weigth\"; did you mean \"weight\"?"},
    {NODE(CONV ", \"init\": {\"bias\": \"he\"}"),
     "node a: \"init\": \"bias\" sums over no inputs that \"he\" could count"},
    {NODE("\"type\": \"batch_norm\", \"init\": \"he\""),
     "node a: \"init\": it has no weights that sum, which \"he\" is for"},
    {NODE("\"type\": \"batch_norm\", \"init\": 3"), "node a: \"init\": expected \"he\""},
    {NODE(CONV ", \"lr_mult\": {\"gain\": 2}"),
     "node a: \"lr_mult\": it has no parameter \"gain\""},
    {NODE(CONV ", \"lr_mult\": 1e7"), "node a: \"lr_mult\": expected a number 0 to 1e+06"},
};

static void every_mistake_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char *copy = strdup(refusals[i].layers);
        gyre_model *m = NULL;
        if (open_layers(copy, 8, 1, &m) != GYRE_EUSAGE) fail_msg("taken: %s", copy);
        if (strstr(gyre_error_text(), refusals[i].words) == NULL) {
            fail_msg("%s\nsaid: %s\nexpected: %s", copy, gyre_error_text(), refusals[i].words);
        }
        assert_null(strchr(gyre_error_text(), '\n'));
        free(copy);
    }
}

/* Parameters are what a network learns by. */
static void a_network_has_parameters(void **state) {
    (void)state;
    char text[] = "[{\"name\": \"p\", \"type\": \"average_pool\", \"global\": true}]";
    gyre_model *m = NULL;
    assert_int_equal(open_layers(text, 8, 10, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "no node has parameters"));
}

/* ---- help */

static void every_type_has_a_summary(void **state) {
    (void)state;
    for (int i = 0; node_type_at(i) != NULL; i++) {
        const gyre_node_type *t = node_type_at(i);
        if (!t->is_loss && gyre_node_type_summary(t->name) == NULL) {
            fail_msg("%s lacks a line in src/model/help.c", t->name);
        }
    }
}

/* ---- many nodes */

enum { MANY = 100000 };

/* A chain: 100,000 nodes take as many look-ups, not as many times as many. */
static void many_nodes_are_read(void **state) {
    (void)state;
    size_t room = (size_t)MANY * 48 + 1000, used = 0;
    char *text = malloc(room);
    used += (size_t)snprintf(text, room, "[");
    for (int i = 0; i < MANY; i++) {
        used += (size_t)snprintf(text + used, room - used,
                                 "{\"name\": \"node%d\", \"type\": \"relu\"},\n", i);
    }
    snprintf(text + used, room - used, FC "]");
    double begun = gyre_clock();
    gyre_model *m = opened(text);
    assert_int_equal(m->node_count, MANY + 2);
    char *again = printed(m);
    print_message("%d nodes: %.2f s\n", MANY, gyre_clock() - begun);
    assert_true(strlen(again) > (size_t)MANY * 40);
    gyre_model_close(m);
    free(again);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zoo_as_json),
        cmocka_unit_test(what_a_text_looks_like),
        cmocka_unit_test(equal_networks_have_equal_texts),
        cmocka_unit_test(convolutions_have_lists_of_numbers),
        cmocka_unit_test(parameters_begin_and_learn_as_they_are_told),
        cmocka_unit_test(groups_multiply_by_name),
        cmocka_unit_test(every_mistake_is_refused),
        cmocka_unit_test(a_network_has_parameters),
        cmocka_unit_test(every_type_has_a_summary),
        cmocka_unit_test(many_nodes_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
