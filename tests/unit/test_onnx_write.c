/* The bytes of protocol buffers and of a whole file: as the encoding's description has them. */
#include "gyre/onnx_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gyre/wire.h"
#include <stdlib.h>
#include <string.h>

static void expect(gyre_wire *w, const void *bytes, size_t size) {
    assert_false(w->failed);
    assert_int_equal(w->size, size);
    assert_memory_equal(w->bytes, bytes, size);
    free(w->bytes);
    *w = (gyre_wire){0};
}

static void fields_are_encoded(void **state) {
    gyre_wire w = {0}, inner = {0};
    (void)state;
    gyre_wire_integer(&w, 1, 150);
    expect(&w, "\x08\x96\x01", 3);
    gyre_wire_integer(&w, 1, 0);
    expect(&w, "\x08\x00", 2);
    gyre_wire_integer(&w, 20, 127);
    expect(&w, "\xa0\x01\x7f", 3);
    gyre_wire_integer(&w, 3, (uint64_t)-1); /* ten bytes, as all negative numbers */
    expect(&w, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    gyre_wire_text(&w, 2, "testing");
    expect(&w, "\x12\x07testing", 9);
    gyre_wire_float(&w, 2, 1.0f);
    expect(&w, "\x15\x00\x00\x80\x3f", 5);
    gyre_wire_integer(&inner, 1, 150);
    gyre_wire_message(&w, 3, inner);
    expect(&w, "\x1a\x03\x08\x96\x01", 5);
    gyre_wire_text(&w, 1, "");
    expect(&w, "\x0a\x00", 2);
    inner = (gyre_wire){0};
    gyre_wire_integer(&inner, 2, 1);
    gyre_wire_append(&w, inner);
    expect(&w, "\x10\x01", 2);
}

static void a_file_names_its_program(void **state) {
    gyre_model *m = NULL;
    gyre_model_settings settings = {.name = (char *)"mlp"};
    const gyre_note notes[] = {{"a key", "a value"}};
    char *file = NULL;
    size_t size = 0;
    (void)state;
    assert_int_equal(gyre_model_open(&settings, 4, 4, 3, 10, &m), GYRE_OK);
    float *zeros = calloc(m->parameters + m->buffers + 100, sizeof *zeros);
    const gyre_onnx_network network = {m, zeros, zeros, zeros, zeros};
    assert_int_equal(gyre_onnx_image(&network, notes, 1, &file, &size), GYRE_OK);
    assert_memory_equal(file, "\x08\x08\x12\x04gyre", 8);
    assert_true(size > m->count * sizeof(float));
    assert_non_null(memmem(file, size,
                           "\x0a\x05"
                           "a key\x12\x07"
                           "a value",
                           16));
    free(file);
    free(zeros);
    gyre_model_close(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_encoded),
        cmocka_unit_test(a_file_names_its_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
