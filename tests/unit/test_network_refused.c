/* Networks as JSON that are refused: every kind of mistake names the node, what was found and what
 * was expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "network_rig.h"

typedef struct {
    const char *layers, *words;
} refusal;

#define NODE(rest) "[{\"name\": \"a\", " rest "}, " FC "]"
#define TOP(rest) "{" rest ", \"nodes\": [{\"name\": \"a\", " CONV "}, " FC "]}"

static const refusal refusals[] = {
    /* the list */
    {"{", "JSON syntax error"},
    {"[]", "expected a list of nodes, or an object with \"nodes\", found []"},
    {"{\"layers\": []}", "unknown key \"layers\"; the keys of a network are \"nodes\", "},
    {"{\"node\": []}", "unknown key \"node\"; the keys of a network are \"nodes\", "},
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
    {NODE("\"type\": \"relu\", \"inputs\": []"), "node a of type relu reads 1 input, found 0"},
    {NODE("\"type\": \"relu\", \"inputs\": [\"images\", \"images\"]"), "reads 1 input, found 2"},
    {"[{\"name\": \"a\", " CONV "}, {\"name\": \"b\", \"type\": \"relu\", \"input\": \"images\"}, "
     "{\"name\": \"fc\", \"type\": \"linear\", \"out\": 10}]",
     "network: no other node reads a"},
    {NODE("\"type\": \"add\", \"inputs\": [\"images\", \"images\", \"images\", \"images\"]"),
     "node a of type add reads 2 to 3 inputs, found 4; chain several of them"},
    /* options */
    {NODE("\"type\": \"max_pool\""), "node a of type max_pool lacks \"size\"; \"global\": true"},
    {NODE("\"type\": \"max_pool\", \"size\": 0"), "\"size\": expected 1 to 32768, found 0"},
    {NODE("\"type\": \"max_pool\", \"size\": 2, \"stride\": 0"),
     "\"stride\": expected 1 to 32768, found 0"},
    {NODE("\"type\": \"max_pool\", \"global\": true, \"size\": 3"),
     "node a: \"global\" pools the whole picture, so it goes without \"size\""},
    {NODE("\"type\": \"average_pool\", \"global\": true, \"stride\": 3"),
     "node a: \"global\" pools the whole picture"},
    {NODE("\"type\": \"max_pool\", \"kernel_size\": 3"), "did you mean \"size\"?"},
    {NODE("\"type\": \"batch_norm\", \"epsilon\": 3"), "did you mean \"eps\"?"},
    {NODE("\"type\": \"dropout\", \"rate\": 0.5"), "did you mean \"p\"?"},
    {NODE("\"type\": \"conv\", \"channel\": 3"),
     "node a: type conv has no option \"channel\"; did you mean \"channels\"?"},
    {NODE("\"type\": \"relu\", \"imput\": \"images\""), "did you mean \"input\"?"},
    {NODE("\"type\": \"conv\", \"size\": 3"), "node a of type conv lacks \"channels\""},
    {NODE("\"type\": \"conv\", \"size\": 3, \"channels\": \"4\""),
     "node a: \"channels\": expected a whole number or \"classes\", found \"4\""},
    {NODE("\"type\": \"conv\", \"size\": 3, \"channels\": 4.5"),
     "node a: \"channels\": expected a whole number, found 4.5"},
    {NODE("\"type\": \"conv\", \"size\": 3, \"channels\": 0"),
     "node a: \"channels\": expected 1 or more, found 0"},
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
    {NODE("\"type\": \"lrn\", \"size\": 4"), "node a: \"size\": an odd number was expected"},
    {NODE("\"type\": \"max_pool\", \"size\": 2, \"count_pad\": true"), "no option \"count_pad\""},
    {NODE("\"type\": \"lrn\", \"size\": 3, \"alpha\": 1e39"),
     "node a: \"alpha\": expected 0 to 3."},
    {NODE(CONV ", \"pad\": [1, 1, 1]"), "node a: \"pad\": expected 1, 2 or 4 numbers, found 3"},
    {NODE(CONV ", \"pad\": [1, 1, 1, 1, 1]"), "expected 1, 2 or 4 numbers, found 5"},
    {NODE(CONV ", \"stride\": [1, true]"),
     "node a: \"stride\": expected a whole number or a list of them, found true"},
    {NODE(CONV ", \"stride\": []"), "expected a whole number or a list of them, found []"},
    {NODE(CONV ", \"groups\": [1, 1]"), "node a: \"groups\": expected a whole number, found [1,1]"},
    {NODE(CONV ", \"groups\": 3"), "node a: \"groups\": expected a divisor of the 1 channels"},
    {NODE("\"type\": \"group_norm\", \"groups\": 3"),
     "node a: \"groups\": expected a divisor of the 1 channels it reads, found 3"},
    {NODE("\"type\": \"group_norm\", \"groups\": \"classes\""),
     "node a: \"groups\": expected a whole number, found \"classes\""},
    {NODE("\"type\": \"group_norm\""), "node a of type group_norm lacks \"groups\""},
    {NODE(
         "\"type\": \"attention\", \"inputs\": [\"images\", \"images\", \"images\"], \"heads\": 2"),
     "node a: \"heads\": expected a divisor of the 1 channels it reads, found 2"},
    {NODE("\"type\": \"attention\", \"heads\": 1"), "node a"},
    {NODE("\"type\": \"geglu\""),
     "node a: expected an even number of channels, of which the second half gates the first, "
     "found 1"},
    {NODE(CONV "}, {\"name\": \"b\", \"type\": \"attention\", \"heads\": 1, \"inputs\": [\"a\", "
               "\"images\", \"a\"]"),
     "node b: expected keys and values, inputs 2 and 3, with the same pixels and with the 4 "
     "channels of the queries, found 8 x 8 x 1 and 6 x 6 x 4"},
    {NODE("\"type\": \"max_pool\", \"size\": 2, \"stride\": 2}, {\"name\": \"b\", \"type\": "
          "\"attention\", \"heads\": 1, \"causal\": true, \"inputs\": [\"images\", \"a\", \"a\"]"),
     "node b: \"causal\": expected as many keys as queries, found 64 queries and 16 keys"},
    {NODE(CONV ", \"size\": 3"), "key [].size is given twice"},
    /* sizes */
    {NODE("\"type\": \"conv\", \"channels\": 4, \"size\": 3, \"dense\": true"),
     "of size 1 and 1 group, found size 3 x 3 and 1 groups"},
    {NODE("\"type\": \"conv\", \"channels\": 4, \"size\": 9"),
     "node a: \"size\": the filter covers 9x9 pixels, but its input has 8x8 with its padding"},
    {NODE(CONV ", \"pad\": [0, 3]"),
     "node a: \"pad\": expected less than the filter's 3 pixels, found 3 (left)"},
    {NODE("\"type\": \"max_pool\", \"size\": 9, \"stride\": 9"),
     "network needs larger images than 8x8: nothing is left at node a of the 8 x 8 x 1 that"},
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
     "model.loss: cross_entropy needs 1 x 1 x 10 outputs, one for each class; node fc before it "
     "gives 1 x 1 x 9"},
    {"[{\"name\": \"a\", \"type\": \"relu\"}]", "cross_entropy needs 1 x 1 x 10 outputs, one for "
                                                "each class; node a before it gives 8 x 8 x 1"},
    /* parameters of another node */
    {"[" FC ", {\"name\": \"b\", \"type\": \"linear\", \"out\": 10, \"parameters\": \"cf\"}]",
     "node b: \"parameters\": expected the name of a node before it, found \"cf\""},
    {"[{\"name\": \"a\", " CONV ", \"parameters\": \"a\"}, " FC "]",
     "node a: \"parameters\": expected the name of a node before it, found \"a\""},
    {"[" FC ", {\"name\": \"b\", \"type\": \"linear\", \"out\": 10, \"parameters\": 1}]",
     "node b: \"parameters\": expected the name of a node before it, found 1"},
    {"[{\"name\": \"a\", \"type\": \"linear\", \"out\": 64}, {\"name\": \"b\", \"type\": "
     "\"linear\", \"out\": 10, \"parameters\": \"a\"}]",
     "b cannot use a.weight: its own would have another shape"},
    {"[{\"name\": \"a\", \"type\": \"linear\", \"out\": 10, \"bias\": false}, {\"name\": \"b\", "
     "\"type\": \"linear\", \"out\": 10, \"input\": \"images\", \"parameters\": \"a\"}]",
     "node b of type linear cannot use the parameters of a of type linear: both need the same"},
    {"[{\"name\": \"a\", \"type\": \"layer_norm\"}, {\"name\": \"b\", \"type\": \"scale\", "
     "\"parameters\": \"a\"}, " FC "]",
     "node b of type scale cannot use the parameters of a of type layer_norm"},
    {"[{\"name\": \"a\", \"type\": \"relu\"}, {\"name\": \"b\", \"type\": \"relu\", "
     "\"parameters\": \"a\"}, " FC "]",
     "node b of type relu cannot use the parameters of a of type relu"},
    {"[{\"name\": \"a\", \"type\": \"layer_norm\"}, {\"name\": \"b\", \"type\": \"layer_norm\", "
     "\"parameters\": \"a\", \"lr_mult\": 2}, " FC "]",
     "node b uses the parameters of a, so \"lr_mult\" stands there; leave it out"},
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
    {NODE("\"type\": \"relu\", \"decay_mult\": 0"),
     "node a: \"decay_mult\": it has no parameters to multiply for; leave it out"},
    {NODE("\"type\": \"upsample\", \"factor\": \"classes\""),
     "node a: \"factor\": expected a whole number, found \"classes\""},
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

/* A message stays short, whatever a name is. */
static void a_long_name_is_not_echoed(void **state) {
    (void)state;
    enum { LONG = 5000 };
    char *layers = malloc(LONG + 100), *name = malloc(LONG + 1);
    memset(name, 'n', LONG);
    name[LONG] = '\0';
    gyre_model *m;
    snprintf(layers, LONG + 100, "[{\"name\": \"%s\", \"type\": \"relu\"}]", name);
    assert_int_equal(open_layers(layers, 8, 1, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "at most 127 bytes, found 5000: \"nnn"));
    assert_true(strlen(gyre_error_text()) < 200);
    free(layers);
    free(name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_refused),
        cmocka_unit_test(a_network_has_parameters),
        cmocka_unit_test(a_long_name_is_not_echoed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
