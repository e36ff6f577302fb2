/* What nodes, losses and their metrics may be called, and which networks are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/model/node.h"
#include "../../src/model/zoo.h"
#include <string.h>

static void a_loss_is_named(void **state) {
    (void)state;
    char name[] = "mlp", loss[] = "cross_entropy", near[] = "cross_entropi", layer[] = "conv";
    gyre_model_settings settings = {.name = name, .loss = loss, .label_smoothing = 0.25};
    gyre_model *m = NULL;
    assert_int_equal(gyre_model_open(&settings, 8, 8, 1, 3, &m), GYRE_OK);
    assert_string_equal(m->metric->name, "accuracy");
    assert_true(m->label_smoothing == 0.25f);
    gyre_model_close(m);
    settings.loss = near;
    assert_int_equal(gyre_model_open(&settings, 8, 8, 1, 3, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "model.loss: unknown loss \"cross_entropi\"; did you "
                                              "mean \"cross_entropy\"?"));
    settings.loss = layer; /* a node type, but no loss */
    assert_int_equal(gyre_model_open(&settings, 8, 8, 1, 3, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "there are cross_entropy"));
}

static void metrics_have_names_for_files(void **state) {
    (void)state;
    const gyre_metric *m;
    for (int i = 0; (m = gyre_metric_at(i)) != NULL; i++) {
        assert_int_equal(strspn(m->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(m->name));
        assert_non_null(m->plural);
        assert_non_null(m->unit);
        assert_non_null(m->column_unit);
        assert_non_null(m->difference_unit);
    }
}

/* What networks in C or JSON may say, and what their nodes cannot be. */
static int broken;
static void build_broken(builder *b, int variant) {
    (void)variant;
    int a = builder_node_of(b, "conv", "a", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 4}, {"size", 3}));
    int fc = -1, both[] = {BUILDER_IMAGES, a};
    switch (broken) {
    case 0: builder_node(b, "batch_norm", "n", both, 2, NULL); break;
    case 1: builder_node_of(b, "shortcut", "s", a, BUILDER_OPTIONS({"channels", 2})); break;
    case 2: builder_node_of(b, "relu", "a", a, NULL); break;
    case 3:
        builder_node_of(b, "conv", "c", a, BUILDER_OPTIONS({"channels", 2.5}, {"size", 1}));
        break;
    case 4: builder_node_of(b, "conv", "c", a, BUILDER_OPTIONS({"size", 1})); break;
    case 5:
        builder_node_of(b, "conv", "c", a,
                        BUILDER_OPTIONS({"channels", 1}, {"size", 1}, {"wide", 1}));
        break;
    case 6:
        builder_share(b, 0, 7);
        builder_node_of(b, "linear", "c", a, BUILDER_OPTIONS({"out", 3}));
        break;
    case 7: builder_node_of(b, "cross_entropy", "c", a, NULL); break;
    case 8: builder_node_of(b, "nothing", "c", a, NULL); break;
    case 9: builder_node_of(b, "linear", "c", a, BUILDER_OPTIONS({"out", 4})); break;
    case 10:
        builder_node_of(b, "relu", "unread", a, NULL);
        fc = a;
        break;
    default: break;
    }
    if (fc >= 0) builder_node_of(b, "linear", "fc", fc, BUILDER_OPTIONS({"out", 3}));
}

static void what_nodes_cannot_be(void **state) {
    (void)state;
    static const char *const words[] = {
        "node n: what is added has the size 6 x 6 x 4, its input 8 x 8 x 1",
        "node s: expected at least the 4 channels of its input, found 2",
        "two nodes have the name a",
        "node c: \"channels\": expected a whole number, found 2.5",
        "node c of type conv lacks \"channels\"",
        "type conv has no option \"wide\"",
        "c: there is no parameter 7 to use",
        "needs 1 x 1 x 3 outputs, one for each class; node a before it gives 6 x 6 x 4",
        "there is no type \"nothing\"",
        "needs 1 x 1 x 3 outputs, one for each class; node c before it gives 1 x 1 x 4",
        "no other node reads unread",
    };
    const zoo_entry entry = {.name = "broken", .build = build_broken};
    gyre_model_settings settings = {0};
    for (broken = 0; broken < (int)(sizeof words / sizeof *words); broken++) {
        gyre_model *m = NULL;
        assert_int_equal(zoo_model_open(&entry, &settings, 8, 8, 1, 3, &m), GYRE_EUSAGE);
        if (strstr(gyre_error_text(), words[broken]) == NULL) {
            fail_msg("%s\nexpected: %s", gyre_error_text(), words[broken]);
        }
    }
}

/* One number of an option is for all places, two are for height and width, four for the sides. */
static int numbers;
static void build_numbers(builder *b, int variant) {
    static const node_value all[][9] = {
        {{"channels", 6}, {"size", 3}, {"pad", 1}, {"groups", 2}},
        {{"channels", 6}, {"size", 3}, {"size", 5}, {"pad", 1}, {"pad", 2}, {"stride", 2}},
        {{"channels", 6},
         {"size", 2},
         {"pad", 0},
         {"pad", 1},
         {"pad", 1},
         {"pad", 0},
         {"stride", 1},
         {"stride", 3}},
        {{"channels", 6}, {"size", 3}, {"dilation", 2}, {"dilation", 1}},
        {{"channels", 1}, {"size", 3}, {"size", 3}, {"size", 3}},
        {{"channels", 1}, {"size", 3}, {"pad", 1}, {"pad", 1}, {"pad", 1}},
        {{"channels", 1}, {"size", 3}, {"pad", 0}, {"pad", 0}, {"pad", 0}, {"pad", 0}, {"pad", 0}},
        {{"channels", 1}, {"channels", 1}, {"size", 3}},
        {{"channels", 1}, {"size", 3}, {"stride", 1}, {"stride", 0}},
        {{"channels", 6}, {"size", 3}, {"groups", 4}},
        {{"channels", 3}, {"size", 3}, {"groups", 2}},
        {{"channels", 1}, {"size", 3}, {"size", 1}, {"pad", 0}, {"pad", 0}, {"pad", 3}, {"pad", 0}},
        {{"channels", 1}, {"size", 3}, {"size", 2}, {"dilation", 4}},
        {{"channels", 1}, {"size", 3}, {"size", 12}, {"pad", 0}, {"pad", 1}},
        {{"channels", 3000}, {"size", 1 << 10}, {"pad", 1023}},
    };
    (void)variant;
    int x = builder_node_of(b, "conv", "c", BUILDER_IMAGES, all[numbers]);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 3}));
}

static gyre_status open_numbers(int which, gyre_model **out) {
    const zoo_entry entry = {.name = "numbers", .build = build_numbers};
    gyre_model_settings settings = {0};
    numbers = which;
    return zoo_model_open(&entry, &settings, 8, 9, 4, 3, out);
}

static void convolutions_have_numbers_for_each_side(void **state) {
    (void)state;
    static const struct {
        int h, w, dims[4];
    } expected[] = {
        {8, 9, {6, 3, 3, 2}}, {4, 5, {6, 3, 5, 4}}, {8, 3, {6, 2, 2, 4}}, {4, 7, {6, 3, 3, 4}}};
    for (int i = 0; i < 4; i++) {
        gyre_model *m = NULL;
        assert_int_equal(open_numbers(i, &m), GYRE_OK);
        assert_int_equal(m->nodes[0].h, expected[i].h);
        assert_int_equal(m->nodes[0].w, expected[i].w);
        assert_memory_equal(m->params[0].dims, expected[i].dims, sizeof expected[i].dims);
        gyre_model_close(m);
    }
    static const char *const refused[] = {
        "node c: \"size\": expected 1 or 2 numbers, found 3",
        "node c: \"pad\": expected 1, 2 or 4 numbers, found 3",
        "node c: \"pad\": expected 1, 2 or 4 numbers, found 5",
        "node c: \"channels\": expected 1 number, found 2",
        "node c: \"stride\": expected 1 to 32768, found 0",
        "node c: \"groups\": expected a divisor of the 4 channels it reads and of the 6 it writes, "
        "found 4",
        "node c: \"groups\": expected a divisor of the 4 channels it reads and of the 3 it writes, "
        "found 2",
        "node c: \"pad\": expected less than the filter's 3 pixels, found 3 (bottom)",
        "node c: \"size\": the filter covers 9x5 pixels, but its input has 8x9",
        "node c: \"size\": the filter covers 3x12 pixels, but its input has 8x11 with its padding "
        "(8x9 without)",
        "node c: \"size\": expected at most 2147483647 weights",
    };
    for (int i = 0; i < (int)(sizeof refused / sizeof *refused); i++) {
        gyre_model *m = NULL;
        assert_int_equal(open_numbers(4 + i, &m), GYRE_EUSAGE);
        if (strstr(gyre_error_text(), refused[i]) == NULL) {
            fail_msg("%s\nexpected: %s", gyre_error_text(), refused[i]);
        }
    }
}

/* 120 bytes and ".weight" are 127, the longest name; one more is refused, not cut. */
static int name_length;
static void build_long(builder *b, int variant) {
    char name[GYRE_NODE_NAME_SIZE] = "";
    (void)variant;
    memset(name, 'n', (size_t)name_length);
    builder_node_of(b, "linear", name, BUILDER_IMAGES, BUILDER_OPTIONS({"out", 3}));
}

static void names_have_room(void **state) {
    (void)state;
    const zoo_entry entry = {.name = "long", .build = build_long};
    gyre_model_settings settings = {0};
    gyre_model *m = NULL;
    name_length = 120;
    assert_int_equal(zoo_model_open(&entry, &settings, 2, 2, 1, 3, &m), GYRE_OK);
    assert_int_equal(strlen(m->params[0].name), GYRE_NODE_NAME_SIZE - 1);
    gyre_model_close(m);
    name_length = 121;
    assert_int_equal(zoo_model_open(&entry, &settings, 2, 2, 1, 3, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "nnn.weight has more than 127 bytes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_is_named),
        cmocka_unit_test(what_nodes_cannot_be),
        cmocka_unit_test(convolutions_have_numbers_for_each_side),
        cmocka_unit_test(names_have_room),
        cmocka_unit_test(metrics_have_names_for_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
