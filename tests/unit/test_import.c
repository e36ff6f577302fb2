/* Official downloads become datasets, image by image; whatever is not whole is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataset_rig.h"
#include "gyre/import.h"
#include "gyre/leftover.h"
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

static gyre_dataset *open_dataset(const char *path) {
    gyre_dataset *d = NULL;
    gyre_status status = gyre_dataset_open(path, &d);
    if (status != GYRE_OK) print_message("%s\n", gyre_error_text());
    assert_int_equal(status, GYRE_OK);
    return d;
}

/* A folder that is empty, whatever a test before left in it. */
static const char *fresh_folder(const char *name) {
    char command[512];
    const char *path = in_scratch(name);
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", path, path);
    assert_int_equal(system(command), 0);
    return path;
}

/* ---- CIFAR */

enum { PLANE = 1024, RECORDS = 3 };

/* Each pixel says where it is and in which record. */
static uint8_t cifar_pixel(int key, int record, int channel, int place) {
    return (uint8_t)(key * 31 + record * 101 + channel * 57 + place * 7 + place / 32);
}

static void write_cifar(const char *dir, const char *name, int labels, int key) {
    static uint8_t bytes[RECORDS * (2 + 3 * PLANE)];
    char *path = gyre_path_join(dir, name);
    uint8_t *to = bytes;
    for (int i = 0; i < RECORDS; i++) {
        if (labels == 2) *to++ = 19; /* the coarse label: not the one that counts */
        *to++ = (uint8_t)((key + i) % 10);
        for (int k = 0; k < 3; k++) {
            for (int p = 0; p < PLANE; p++) *to++ = cifar_pixel(key, i, k, p);
        }
    }
    write_bytes(path, bytes, (size_t)(to - bytes));
    free(path);
}

static const char *const batches[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                      "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
static const char meta[] =
    "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";

static const char *cifar10_folder(void) {
    const char *dir = fresh_folder("cifar10");
    for (int i = 0; i < 6; i++) write_cifar(dir, batches[i], 1, i);
    write_bytes(in_scratch("cifar10/batches.meta.txt"), meta, sizeof meta - 1);
    return dir;
}

static void check_cifar(const gyre_images *p, int64_t first, int key) {
    for (int i = 0; i < RECORDS; i++) {
        uint8_t image[3 * PLANE];
        assert_int_equal(gyre_images_read(p, first + i, 1, image), GYRE_OK);
        assert_int_equal(p->labels[first + i], (key + i) % 10);
        for (int at = 0; at < 3 * PLANE; at++) {
            assert_int_equal(image[at], cifar_pixel(key, i, at % 3, at / 3));
        }
    }
}

static void cifar10_is_imported(void **state) {
    (void)state;
    const char *output = in_scratch("cifar10.h5");
    assert_int_equal(gyre_import_cifar(cifar10_folder(), output, false), GYRE_OK);
    gyre_dataset *d = open_dataset(output);
    const gyre_images *train = gyre_dataset_train(d);
    assert_true(train->count == 5 * RECORDS && gyre_dataset_test(d)->count == RECORDS);
    assert_true(train->h == 32 && train->w == 32 && train->c == 3);
    for (int i = 0; i < 5; i++) check_cifar(train, i * RECORDS, i);
    check_cifar(gyre_dataset_test(d), 0, 5);
    assert_int_equal(gyre_dataset_classes(d), 10);
    assert_string_equal(gyre_dataset_class_name(d, 0), "airplane");
    assert_string_equal(gyre_dataset_class_name(d, 9), "truck");
    gyre_dataset_close(d);
}

static void cifar100_takes_the_fine_labels(void **state) {
    (void)state;
    const char *output = in_scratch("cifar100.h5"), *dir = fresh_folder("cifar100");
    char names[100 * 12];
    int used = 0;
    for (int i = 0; i < 100; i++) used += snprintf(names + used, 12, "fine %d\r\n", i);
    write_cifar(dir, "train.bin", 2, 3);
    write_cifar(dir, "test.bin", 2, 4);
    write_bytes(in_scratch("cifar100/fine_label_names.txt"), names, (size_t)used);
    assert_int_equal(gyre_import_cifar(dir, output, false), GYRE_OK);
    gyre_dataset *d = open_dataset(output);
    assert_int_equal(gyre_dataset_classes(d), 100);
    assert_string_equal(gyre_dataset_class_name(d, 99), "fine 99");
    check_cifar(gyre_dataset_train(d), 0, 3);
    check_cifar(gyre_dataset_test(d), 0, 4);
    gyre_dataset_close(d);
}

static void a_cifar_folder_that_is_not_whole_is_refused(void **state) {
    (void)state;
    const char *output = in_scratch("refused.h5"), *dir = cifar10_folder();
    const char *third = in_scratch("cifar10/data_batch_3.bin");
    char bad[3073] = {10};
    assert_int_equal(truncate(third, RECORDS * 3073 - 1), 0);
    failed_with(gyre_import_cifar(dir, output, false), GYRE_EIO,
                "data_batch_3.bin|9218 bytes|3073 bytes|30730000");
    write_bytes(third, bad, 0);
    failed_with(gyre_import_cifar(dir, output, false), GYRE_EIO, "data_batch_3.bin|0 bytes");
    write_bytes(third, bad, sizeof bad);
    failed_with(gyre_import_cifar(dir, output, false), GYRE_EIO,
                "data_batch_3.bin|label 10 in record 0|0 to 9");
    unlink(third);
    failed_with(gyre_import_cifar(dir, output, false), GYRE_EIO, "data_batch_3.bin|No such file");
    dir = cifar10_folder();
    write_bytes(in_scratch("cifar10/batches.meta.txt"), meta, 20);
    failed_with(gyre_import_cifar(dir, output, false), GYRE_EIO,
                "batches.meta.txt' has 2 names|10");
    failed_with(gyre_import_cifar(fresh_folder("empty"), output, false), GYRE_EIO,
                "data_batch_1.bin (CIFAR-10)|train.bin (CIFAR-100)");
    write_bytes(in_scratch("empty/data_batch_1"), "x", 1);
    failed_with(gyre_import_cifar(in_scratch("empty"), output, false), GYRE_EIO, "Python version");
    assert_false(gyre_file_exists(output));
}

/* ---- IDX */

enum { SIDE_H = 4, SIDE_W = 3 };

static void put_number(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Header and content of an IDX file; labels for rank 1. Returns the number of bytes. */
static size_t idx_bytes(uint8_t *to, int rank, uint32_t count, int key) {
    const uint32_t dims[] = {count, SIDE_H, SIDE_W};
    size_t size = rank == 3 ? (size_t)count * SIDE_H * SIDE_W : count;
    put_number(to, 0x800u + (uint32_t)rank);
    for (int i = 0; i < rank; i++) put_number(to + 4 + 4 * i, dims[i]);
    uint8_t *content = to + 4 + 4 * rank;
    for (size_t i = 0; i < size; i++) {
        content[i] = (uint8_t)(rank == 3 ? key * 50 + (int)i * 3 : ((int)i + key) % 7);
    }
    return 4 + 4 * (size_t)rank + size;
}

/* "train-images-idx3-ubyte.gz" is compressed, all others are plain. */
static void write_idx(const char *dir, const char *name, const uint8_t *bytes, size_t size) {
    char *path = gyre_path_join(dir, name);
    if (strstr(name, ".gz") != NULL) {
        gzFile f = gzopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(gzwrite(f, bytes, (unsigned)size), size);
        assert_int_equal(gzclose(f), Z_OK);
    } else {
        write_bytes(path, bytes, size);
    }
    free(path);
}

enum { TRAIN = 11, TEST = 6 };

/* `before` stands before "idx", `after` at the end. */
static const char *idx_folder(char before, const char *after) {
    const char *dir = fresh_folder("idx");
    uint8_t bytes[1024];
    char name[64];
    for (int part = 0; part < 2; part++) {
        const char *stem = part == 0 ? "train" : "t10k";
        uint32_t count = part == 0 ? TRAIN : TEST;
        snprintf(name, sizeof name, "%s-images%cidx3-ubyte%s", stem, before, after);
        write_idx(dir, name, bytes, idx_bytes(bytes, 3, count, part));
        snprintf(name, sizeof name, "%s-labels%cidx1-ubyte%s", stem, before, after);
        write_idx(dir, name, bytes, idx_bytes(bytes, 1, count, part));
    }
    return dir;
}

static void check_idx(const gyre_images *p, int64_t count, int key) {
    assert_true(p->count == count && p->h == SIDE_H && p->w == SIDE_W && p->c == 1);
    uint8_t *pixels = read_pixels(p);
    for (int i = 0; i < count * SIDE_H * SIDE_W; i++) {
        assert_int_equal(pixels[i], (uint8_t)(key * 50 + i * 3));
    }
    free(pixels);
    for (int i = 0; i < count; i++) assert_int_equal(p->labels[i], (i + key) % 7);
}

static void idx_is_imported(void **state) {
    (void)state;
    const char *output = in_scratch("idx.h5");
    for (int form = 0; form < 4; form++) {
        const char *dir = idx_folder(form % 2 ? '.' : '-', form / 2 ? ".gz" : "");
        assert_int_equal(gyre_import_idx(dir, output, true), GYRE_OK);
        gyre_dataset *d = open_dataset(output);
        check_idx(gyre_dataset_train(d), TRAIN, 0);
        check_idx(gyre_dataset_test(d), TEST, 1);
        assert_int_equal(gyre_dataset_classes(d), 7);
        assert_string_equal(gyre_dataset_class_name(d, 6), "6");
        gyre_dataset_close(d);
    }
}

static void idx_takes_names_from_beside(void **state) {
    (void)state;
    static const char eight[] = "T-shirt\nTrouser\nPullover\nDress\nCoat\nSandal\nShirt\nBag";
    const char *output = in_scratch("named.h5"), *dir = idx_folder('-', "");
    write_bytes(in_scratch("idx/names.txt"), eight, sizeof eight - 1);
    assert_int_equal(gyre_import_idx(dir, output, false), GYRE_OK);
    gyre_dataset *d = open_dataset(output);
    assert_int_equal(gyre_dataset_classes(d), 8);
    assert_string_equal(gyre_dataset_class_name(d, 7), "Bag");
    gyre_dataset_close(d);
    write_bytes(in_scratch("idx/names.txt"), eight, 15); /* two names for seven labels */
    failed_with(gyre_import_idx(dir, output, true), GYRE_EIO,
                "names|has 2, but labels go up to 6|7 names");
    write_bytes(in_scratch("idx/names.txt"), "", 0);
    failed_with(gyre_import_idx(dir, output, true), GYRE_EIO, "names.txt' is empty");
}

static void an_idx_folder_that_is_not_whole_is_refused(void **state) {
    (void)state;
    const char *output = in_scratch("refused.h5"), *dir = idx_folder('-', "");
    const char *images = "train-images-idx3-ubyte", *labels = "train-labels-idx1-ubyte";
    uint8_t bytes[1024];
    size_t size = idx_bytes(bytes, 3, TRAIN, 0);
    write_idx(dir, images, bytes, size - 1);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "train-images|less than the 132");
    write_idx(dir, images, bytes, size + 1);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "train-images|more than the 132");
    write_idx(dir, images, bytes, 9);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "train-images|does not begin");
    bytes[2] = 9;
    write_idx(dir, images, bytes, size);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "0x00000903, 0x00000803 expected");
    idx_bytes(bytes, 3, TRAIN, 0);
    put_number(bytes + 8, 0);
    write_idx(dir, images, bytes, size);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "11 images of 0 x 3");
    put_number(bytes + 4, 0xffffffffu);
    put_number(bytes + 8, 4096);
    put_number(bytes + 12, 4096);
    write_idx(dir, images, bytes, size);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "11 labels for the 4294967295");
    dir = idx_folder('-', "");
    write_idx(dir, labels, bytes, idx_bytes(bytes, 1, TRAIN - 1, 0));
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "10 labels for the 11 images");
    size = idx_bytes(bytes, 1, TRAIN, 0);
    write_idx(dir, labels, bytes, size - 3);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "train-labels|less than the 11");
    assert_int_equal(unlink(in_scratch("idx/t10k-labels-idx1-ubyte")), 0);
    write_idx(dir, labels, bytes, size);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "has no t10k-labels-idx1-ubyte");
    assert_false(gyre_file_exists(output));
}

static void damaged_gzip_is_refused(void **state) {
    (void)state;
    const char *output = in_scratch("refused.h5"), *dir = idx_folder('-', ".gz");
    const char *images = in_scratch("idx/train-images-idx3-ubyte.gz");
    char *bytes = NULL;
    size_t size = 0;
    uint8_t plain[1024];
    assert_int_equal(gyre_file_read(images, 1 << 20, &bytes, &size), GYRE_OK);
    for (size_t length = 0; length < size; length += 5) {
        write_bytes(images, bytes, length);
        failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "train-images");
    }
    write_bytes(images, bytes, size - 9);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "compressed data end too early");
    for (size_t at = size - 8; at < size; at++) { /* checksum and length at its end */
        bytes[at] ^= 1;
        write_bytes(images, bytes, size);
        failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "train-images|damaged");
        bytes[at] ^= 1;
    }
    write_idx(dir, "train-images-idx3-ubyte.gz", plain, idx_bytes(plain, 3, TRAIN, 0) + 1);
    failed_with(gyre_import_idx(dir, output, false), GYRE_EIO, "more than the 132");
    assert_false(gyre_file_exists(output));
    free(bytes);
}

/* ---- a signal, at any time of any import */

static void a_signal_leaves_no_temporary_file(void **state) {
    (void)state;
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};
    const char *path = in_scratch("some.h5.tmp.1");
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        int code = 0;
        write_bytes(path, "x", 1);
        pid_t pid = fork();
        if (pid == 0) {
            signal(ending[i], SIG_DFL); /* cmocka's may differ */
            close(STDERR_FILENO);       /* its line is not wanted here */
            gyre_leftover_guard(path);
            raise(ending[i]);
            _exit(0);
        }
        assert_true(pid > 0 && waitpid(pid, &code, 0) == pid);
        assert_true(WIFEXITED(code) && WEXITSTATUS(code) == GYRE_EINTERRUPTED);
        assert_false(gyre_file_exists(path));
    }
    write_bytes(path, "x", 1);
    gyre_leftover_guard(path);
    gyre_leftover_release(path);
    struct sigaction now;
    assert_true(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    assert_true(gyre_file_exists(path));
    unlink(path);
}

/* ---- the real ones, where they are */

static void fashion_mnist_is_imported(void **state) {
    (void)state;
    static const char dir[] = "/usr/share/datasets/fashion-mnist";
    const char *output = in_scratch("fashion.h5");
    if (!gyre_file_exists(dir)) {
        print_message("%s is missing (package dataset-fashion-mnist)\n", dir);
        skip();
    }
    assert_int_equal(gyre_import_idx(dir, output, false), GYRE_OK);
    gyre_dataset *d = open_dataset(output);
    const gyre_images *train = gyre_dataset_train(d), *test = gyre_dataset_test(d);
    assert_true(train->count == 60000 && test->count == 10000 && train->h == 28 && train->w == 28);
    int counts[10] = {0};
    for (int64_t i = 0; i < train->count; i++) counts[train->labels[i]]++;
    for (int k = 0; k < 10; k++) assert_int_equal(counts[k], 6000);
    gyre_dataset_close(d);
    unlink(output);
}

/* Channel means and deviations of CIFAR-10 as they are published: (0.4914, 0.4822, 0.4465) and
 * (0.2470, 0.2435, 0.2616) of 255, four digits. */
static void cifar10_has_its_known_statistics(void **state) {
    (void)state;
    static const double mean[] = {0.4914, 0.4822, 0.4465}, dev[] = {0.2470, 0.2435, 0.2616};
    static const char dir[] = "../shared/data/cifar-10-batches-bin";
    const gyre_data_settings settings = {0};
    const char *output = in_scratch("real.h5");
    gyre_samples s;
    if (!gyre_file_exists(dir)) {
        print_message("%s is missing\n", dir);
        skip();
    }
    assert_int_equal(gyre_import_cifar(dir, output, false), GYRE_OK);
    gyre_dataset *d = open_dataset(output);
    assert_int_equal(gyre_samples_open(d, &settings, 1, &s), GYRE_OK);
    assert_true(s.train.count == 50000 && s.validation.count == 10000);
    for (int k = 0; k < 3; k++) {
        double m = (double)s.stats.mean[k] / 255 - mean[k],
               v = (double)s.stats.dev[k] / 255 - dev[k];
        assert_true(m >= -0.5e-4 && m <= 0.5e-4 && v >= -0.5e-4 && v <= 0.5e-4);
    }
    gyre_samples_close(&s);
    gyre_dataset_close(d);
    unlink(output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar10_is_imported),
        cmocka_unit_test(cifar100_takes_the_fine_labels),
        cmocka_unit_test(a_cifar_folder_that_is_not_whole_is_refused),
        cmocka_unit_test(idx_is_imported),
        cmocka_unit_test(idx_takes_names_from_beside),
        cmocka_unit_test(an_idx_folder_that_is_not_whole_is_refused),
        cmocka_unit_test(damaged_gzip_is_refused),
        cmocka_unit_test(a_signal_leaves_no_temporary_file),
        cmocka_unit_test(fashion_mnist_is_imported),
        cmocka_unit_test(cifar10_has_its_known_statistics),
    };
    if (mkdtemp(scratch) == NULL) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return remove_scratch() != 0 ? 1 : failed;
}
