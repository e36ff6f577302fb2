/* Event files: the bytes of records are those that TensorBoard's own writer (2.21) makes, and files
 * of several launches stand in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/runfile/event.h"
#include "../../src/runfile/event_file.h"

#include "gyre/config.h"
#include "gyre/crc32c.h"
#include "gyre/file.h"
#include "gyre/tensorboard.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gyre-tensorboard-XXXXXX";

static void test_crc32c(void **state) {
    (void)state;
    unsigned char zeros[32] = {0};
    assert_int_equal(gyre_crc32c("123456789", 9), 0xe3069283);      /* the standard's check value */
    assert_int_equal(gyre_crc32c(zeros, sizeof zeros), 0x8a9136aa); /* RFC 3720, B.4 */
    assert_int_equal(gyre_crc32c("", 0), 0);
}

static void assert_bytes(gyre_wire w, const char *bytes, size_t size) {
    assert_false(w.failed);
    assert_int_equal(w.size, size);
    assert_memory_equal(w.bytes, bytes, size);
    free(w.bytes);
}

static void test_wire(void **state) {
    (void)state;
    gyre_wire w = {0};
    gyre_wire_integer(&w, 1, 0);
    gyre_wire_integer(&w, 1, 127);
    gyre_wire_integer(&w, 1, 128);
    gyre_wire_integer(&w, 16, 300);
    assert_bytes(w, "\x08\x00\x08\x7f\x08\x80\x01\x80\x01\xac\x02", 11);
    w = (gyre_wire){0};
    gyre_wire_integer(&w, 2, UINT64_MAX);
    assert_bytes(w, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    w = (gyre_wire){0};
    gyre_wire inner = {0};
    gyre_wire_text(&inner, 1, "ab");
    gyre_wire_message(&w, 3, inner);
    gyre_wire_message(&w, 4, (gyre_wire){0});
    assert_bytes(w, "\x1a\x04\x0a\x02\x61\x62\x22\x00", 8);
}

static void assert_record(gyre_wire message, const char *bytes, size_t size) {
    gyre_wire records = {0};
    event_record(&records, message);
    assert_bytes(records, bytes, size);
}

static void test_records(void **state) {
    (void)state;
    assert_record(event_version(1.5),
                  "\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7f\x4b\x22\x09\x00\x00\x00\x00\x00\x00\xf8"
                  "\x3f\x1a\x0d\x62\x72\x61\x69\x6e\x2e\x45\x76\x65\x6e\x74\x3a\x32\x2a\x28\x64"
                  "\x6c",
                  40);
    const event_scalar scalars[] = {{"train/loss", 0.25}, {"schedule/lr", 0.1}};
    assert_record(event_scalars(1795995151.8125, 300, scalars, 2),
                  "\x35\x00\x00\x00\x00\x00\x00\x00\xd6\xc5\x5d\xe6\x09\x00\x00\xf4\x83\x2d\xc3\xda"
                  "\x41\x10\xac\x02\x2a\x27\x0a\x11\x0a\x0a\x74\x72\x61\x69\x6e\x2f\x6c\x6f\x73\x73"
                  "\x15\x00\x00\x80\x3e\x0a\x12\x0a\x0b\x73\x63\x68\x65\x64\x75\x6c\x65\x2f\x6c\x72"
                  "\x15\xcd\xcc\xcc\x3d\xab\xcb\x12\xea",
                  69);
    assert_record(event_restart(1.5, 301),
                  "\x10\x00\x00\x00\x00\x00\x00\x00\x95\xfb\xfe\x18\x09\x00\x00\x00\x00\x00\x00\xf8"
                  "\x3f\x10\xad\x02\x3a\x02\x08\x01\xd1\x79\x49\xd4",
                  32);
    assert_record(event_writer(1.5, "gyre export"),
                  "\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7f\x4b\x22\x09\x00\x00\x00\x00\x00\x00\xf8"
                  "\x3f\x52\x0d\x0a\x0b\x67\x79\x72\x65\x20\x65\x78\x70\x6f\x72\x74\xd4\x4f\x0a"
                  "\xc2",
                  40);
}

/* A file is known by its second record, if all of it is as it was written. */
static void test_known(void **state) {
    (void)state;
    gyre_wire all = {0}, own = {0}, other = {0};
    event_record(&own, event_writer(1.5, "gyre export"));
    event_record(&other, event_writer(1.5, "gyre"));
    event_record(&all, event_version(1.5));
    event_record(&all, event_writer(1.5, "gyre export"));
    event_record(&all, event_restart(1.5, 3));
    assert_true(event_file_has(all.bytes, all.size, &own));
    assert_false(event_file_has(all.bytes, all.size, &other));
    assert_false(event_file_has(all.bytes, 0, &own));
    for (size_t size = 0; size < all.size; size++) {
        bool whole = size == 80; /* of two records */
        assert_int_equal(event_file_has(all.bytes, size, &own), whole);
    }
    for (size_t i = 0; i < all.size; i++) {
        all.bytes[i] ^= 1;
        assert_false(event_file_has(all.bytes, all.size, &own));
        all.bytes[i] ^= 1;
    }
    free(all.bytes);
    free(own.bytes);
    free(other.bytes);
}

static void make(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void test_names(void **state) {
    (void)state;
    event_files files;
    assert_int_equal(event_files_find(folder, &files), GYRE_OK);
    assert_int_equal(files.count, 0);
    assert_int_equal(files.newest, -1);
    make("metrics.h5");
    make("events.out.tfevents.0000000700.host");
    make("events.out.tfevents.9000000001.other.123.v2");
    make("events.out.tfevents.unusual");
    assert_int_equal(event_files_find(folder, &files), GYRE_OK);
    assert_int_equal(files.count, 3);
    assert_true(files.newest == 9000000001);
    assert_int_equal(event_files_find("/nowhere/at/all", &files), GYRE_EIO);
}

/* The clock is behind the newest file: the name is still a later one. */
static void test_live(void **state) {
    (void)state;
    char host[64] = "", path[256], *bytes = NULL;
    size_t size = 0;
    gyre_settings *settings = NULL;
    gyre_tensorboard *t = NULL;
    const gyre_metric *metric = gyre_metric_of_loss(NULL);
    const gyre_train_row row = {.step = 41, .loss = 2, .lr = 0.5};
    char config[256];
    FILE *f = NULL;
    snprintf(config, sizeof config, "%s/config.json", folder);
    f = fopen(config, "w");
    assert_non_null(f);
    fputs("{\"schedule\": {\"base_lr\": 0.1}}", f);
    fclose(f);
    assert_int_equal(gyre_config_open(config, NULL, 0, &settings), GYRE_OK);
    assert_int_equal(gyre_tensorboard_open(folder, settings, metric, 41, NULL, &t), GYRE_OK);
    assert_int_equal(gyre_tensorboard_train(t, &row), GYRE_OK);
    gyre_tensorboard_end(t, true);
    assert_int_equal(gyre_tensorboard_close(t), GYRE_OK);
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    snprintf(path, sizeof path, "%s/events.out.tfevents.9000000002.%s", folder, host);
    assert_int_equal(gyre_file_read(path, 1 << 20, &bytes, &size), GYRE_OK);
    assert_non_null(memmem(bytes, size, "optimizer.momentum", 18));
    assert_non_null(memmem(bytes, size, "\x10\x2a\x3a\x02\x08\x01", 6)); /* begins again at 42 */
    free(bytes);
    gyre_config_close(settings);
    assert_int_equal(gyre_tensorboard_train(NULL, &row), GYRE_OK);
    assert_int_equal(gyre_tensorboard_close(NULL), GYRE_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c), cmocka_unit_test(test_wire),  cmocka_unit_test(test_records),
        cmocka_unit_test(test_known),  cmocka_unit_test(test_names), cmocka_unit_test(test_live),
    };
    if (mkdtemp(folder) == NULL) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return failed + (system(command) != 0);
}
