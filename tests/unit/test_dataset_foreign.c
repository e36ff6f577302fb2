/* Files of other programs are taken as datasets when they fit, and refused in words when they do
 * not, whatever HDF5 does with them: a probe in a process of its own looks at them first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/data/layout.h"
#include "dataset_rig.h"
#include "gyre/child.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static bool have_python;

/* ---- the files, made by one run of h5py */

static const char script[] =
    "import sys, os, h5py, numpy as np\n"
    "os.chdir(sys.argv[1])\n"
    "images = (np.arange(13 * 45) * 37 % 251).astype('u1').reshape(13, 5, 3, 3)\n"
    "labels = (np.arange(13) % 3).astype('i4')\n"
    "def make(name, change=lambda f: None, **parts):\n"
    "    with h5py.File(name + '.h5', 'w', **parts) as f:\n"
    "        f['train/images'], f['train/labels'] = images, labels\n"
    "        change(f)\n"
    "def put(name, data, **how):\n"
    "    def change(f):\n"
    "        if name in f: del f[name]\n"
    "        if data is not None: f.create_dataset(name, data=data, **how)\n"
    "    return change\n"
    "make('good')\n"
    "make('named', put('names', np.array(['cat', 'dog', 'ox', 'cow'], 'S')))\n"
    "make('big_test', lambda f: [put('test/images', images[:2])(f), put('test/labels', "
    "labels[:2])(f)])\n"
    "make('no_train', put('train', None))\n"
    "make('no_labels', put('train/labels', None))\n"
    "make('no_test_labels', put('test/images', images))\n"
    "make('three', put('train/images', images[..., 0]))\n"
    "make('floats', put('train/images', images.astype('f4')))\n"
    "make('signed', put('train/images', images.astype('i1')))\n"
    "make('labels64', put('train/labels', labels.astype('i8')))\n"
    "make('unsigned', put('train/labels', labels.astype('u4')))\n"
    "make('big_endian', put('train/labels', labels.astype('>i4')))\n"
    "make('short', put('train/labels', labels[:12]))\n"
    "make('labels2', put('train/labels', labels[:, None]))\n"
    "bad = labels.copy(); bad[7] = -1\n"
    "make('negative', put('train/labels', bad))\n"
    "big = labels.copy(); big[11] = 4\n"
    "make('beyond', lambda f: [put('train/labels', big)(f), put('names', np.array(['a'] * 4, "
    "'S'))(f)])\n"
    "huge = labels.copy(); huge[3] = 2147483647\n"
    "make('huge', put('train/labels', huge))\n"
    "make('chunked', put('train/images', images, chunks=(1, 5, 3, 3)))\n"
    "make('packed', put('train/images', images, compression='gzip'))\n"
    "make('packed_labels', put('train/labels', labels, compression='gzip'))\n"
    "make('vlen', put('names', ['cat', 'dog', 'ox'], dtype=h5py.string_dtype()))\n"
    "make('long_name', put('names', np.array(['c' * 64, 'd', 'e'], 'S')))\n"
    "make('five', put('train/images', np.zeros((13, 5, 3, 5), 'u1')))\n"
    "make('none', put('train/images', np.zeros((0, 5, 3, 3), 'u1')))\n"
    "make('unwritten', put('train/images', None))\n"
    "h5py.File('unwritten.h5', 'a').create_dataset('train/images', (13, 5, 3, 3), 'u1')\n"
    "make('other_shape', lambda f: [put('test/images', images[:, :4])(f), put('test/labels', "
    "labels)(f)])\n"
    "def elsewhere(f):\n"
    "    del f['train/images']; f['train/images'] = h5py.ExternalLink('good.h5', '/train/images')\n"
    "make('linked', elsewhere)\n"
    "def scattered(f):\n"
    "    del f['train/images']; v = h5py.VirtualLayout((13, 5, 3, 3), 'u1')\n"
    "    v[:] = h5py.VirtualSource('good.h5', 'train/images', (13, 5, 3, 3))\n"
    "    f.create_virtual_dataset('train/images', v)\n"
    "make('virtual', scattered)\n"
    "np.zeros(13 * 45, 'u1').tofile('raw.bin')\n"
    "def outside(f):\n"
    "    del f['train/images']\n"
    "    f.create_dataset('train/images', (13, 5, 3, 3), 'u1', external=[('raw.bin', 0, 585)])\n"
    "make('external', outside)\n"
    "make('group', lambda f: [put('train/images', None)(f), f.create_group('train/images')])\n"
    "make('block', userblock_size=512)\n"
    "make('wide_block', userblock_size=2048)\n"
    "make('far')\n"
    "with h5py.File('far.h5') as f: at = f['train/images'].id.get_offset()\n"
    "data, where = open('far.h5', 'rb').read(), at.to_bytes(8, 'little') + (585).to_bytes(8, "
    "'little')\n"
    "assert data.count(where) == 1\n"
    "open('far.h5', 'wb').write(data.replace(where, (1 << 40).to_bytes(8, 'little') + where[8:]))\n"
    "make('latest', libver='latest')\n";

static const struct {
    const char *file, *words;
} refused[] = {
    {"no_train", "no_train.h5|no dataset /train/images"},
    {"no_labels", "no dataset /train/labels"},
    {"no_test_labels", "no dataset /test/labels"},
    {"three", "/train/images has 3 dimensions, 4"},
    {"floats", "/train/images|uint8"},
    {"signed", "/train/images|uint8"},
    {"labels64", "/train/labels|int32"},
    {"unsigned", "/train/labels|int32"},
    {"big_endian", "/train/labels|little-endian"},
    {"short", "12 labels for 13 images"},
    {"labels2", "/train/labels has 2 dimensions, 1"},
    {"negative", "/train/labels[7] is -1|0 to 2"},
    {"beyond", "/train/labels[11] is 4|0 to 3"},
    {"huge", "/train/labels[3] is 2147483647"},
    {"chunked", "/train/images|in chunks|h5repack -f NONE -l CONTI"},
    {"packed", "/train/images|compressed|h5repack"},
    {"packed_labels", "/train/labels|compressed"},
    {"vlen", "/names|fixed-length|'S'"},
    {"long_name", "/names[0] has 64 bytes"},
    {"five", "(13, 5, 3, 5)|1 to 4 channels"},
    {"none", "(0, 5, 3, 3)"},
    {"unwritten", "never written"},
    {"other_shape", "/test are 4 x 3 x 3|5 x 3 x 3"},
    {"linked", "/train/images|link to another file"},
    {"virtual", "virtual"},
    {"external", "/train/images has no data in this file"},
    {"group", "no dataset /train/images"},
    {"block", "user block"},
    {"wide_block", "user block of 2048 bytes|h5unjam"},
    {"far", "cut short|train/images|13 x 45 bytes from byte 1099511627776"},
};

static const char *python_file(const char *name) {
    char file[64];
    snprintf(file, sizeof file, "%s.h5", name);
    return in_scratch(file);
}

static bool make_python_files(void) {
    char command[512];
    write_bytes(in_scratch("make.py"), script, sizeof script - 1);
    snprintf(command, sizeof command, "/usr/bin/python3 %s/make.py %s", scratch, scratch);
    return system(command) == 0;
}

static void files_of_other_programs_are_taken(void **state) {
    (void)state;
    gyre_dataset *d = NULL;
    uint64_t hash = 0;
    uint8_t images[13 * 45];
    int32_t labels[13];
    if (!have_python) skip();
    for (int i = 0; i < 13 * 45; i++) images[i] = (uint8_t)(i * 37 % 251);
    for (int i = 0; i < 13; i++) labels[i] = i % 3;
    const gyre_images expected = {
        .count = 13, .h = 5, .w = 3, .c = 3, .images = images, .labels = labels};
    const char *const good[] = {"good", "latest", "named"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(gyre_dataset_open(python_file(good[i]), &d), GYRE_OK);
        same_images(gyre_dataset_train(d), &expected);
        assert_false(gyre_dataset_sealed(d));
        assert_int_equal(gyre_dataset_classes(d), i == 2 ? 4 : 3);
        assert_string_equal(gyre_dataset_class_name(d, 2), i == 2 ? "ox" : "2");
        if (i == 0) hash = gyre_dataset_hash(d);
        assert_true(gyre_dataset_hash(d) == hash);
        gyre_dataset_close(d);
    }
    gyre_dataset_content same = {.train = expected, .classes = 3};
    assert_true(content_hash(&same) == hash);
}

static void what_does_not_fit_is_refused_in_words(void **state) {
    (void)state;
    if (!have_python) skip();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        failed_with(open_and_close(python_file(refused[i].file)), GYRE_EIO, refused[i].words);
    }
}

/* HDF5 may reject, hang or crash: this process only ever sees a status. */
static void damaged_files_of_other_programs_do_no_harm(void **state) {
    (void)state;
    char *bytes = NULL;
    size_t size = 0;
    if (!have_python) skip();
    const char *path = in_scratch("harm.h5");
    gyre_random r = gyre_random_open(4, GYRE_RANDOM_TEST, 0, 0);
    assert_int_equal(gyre_file_read(python_file("named"), 1 << 20, &bytes, &size), GYRE_OK);
    for (int i = 0; i < 60; i++) {
        size_t at = gyre_random_below(&r, (uint32_t)size);
        char kept = bytes[at];
        bytes[at] = (char)gyre_random_u32(&r);
        write_bytes(path, bytes, size);
        gyre_status status = open_and_close(path);
        assert_true(status == GYRE_OK || status == GYRE_EIO);
        bytes[at] = kept;
    }
    for (size_t length = 8; length < size; length += size / 8) {
        write_bytes(path, bytes, length);
        assert_int_equal(open_and_close(path), GYRE_EIO);
    }
    free(bytes);
}

/* ---- the probe itself: a pipe without a writer stands for a file that makes HDF5 hang */

static void a_hanging_probe_is_ended(void **state) {
    (void)state;
    data_layout layout;
    const char *pipe = in_scratch("hang");
    gyre_child_end_resting();
    assert_int_equal(mkfifo(pipe, 0600), 0);
    failed_with(data_layout_probe(pipe, 1, &layout), GYRE_EIO, "hang|within 1 s");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left, not even a dead one */
    assert_int_equal(errno, ECHILD);
}

static void *probe_pipe(void *text) {
    data_layout layout;
    gyre_status status = data_layout_probe(in_scratch("crash"), 60, &layout);
    snprintf(text, GYRE_ERROR_MAX, "%d %s", (int)status, gyre_error_text());
    return NULL;
}

static pid_t child_of_this_process(void) {
    char path[64], name[32] = "";
    int child = 0;
    FILE *f = popen("cat /proc/$PPID/task/*/children", "r"); /* and the shell itself */
    assert_non_null(f);
    while (fscanf(f, "%d", &child) == 1) {
        snprintf(path, sizeof path, "/proc/%d/cmdline", child);
        FILE *line = fopen(path, "r");
        if (line == NULL) continue;
        bool read = fgets(name, sizeof name, line) != NULL;
        fclose(line);
        if (read && strcmp(name, "gyre-probe-dataset") == 0) break;
        child = 0;
    }
    pclose(f);
    return child;
}

static void a_crashing_probe_is_reported(void **state) {
    (void)state;
    char text[GYRE_ERROR_MAX] = "";
    pthread_t thread;
    pid_t child = 0;
    gyre_child_end_resting();
    assert_int_equal(mkfifo(in_scratch("crash"), 0600), 0);
    assert_int_equal(pthread_create(&thread, NULL, probe_pipe, text), 0);
    while ((child = child_of_this_process()) <= 0) usleep(1000);
    assert_int_equal(kill(child, SIGABRT), 0);
    pthread_join(thread, NULL);
    assert_true(strncmp(text, "3 ", 2) == 0);
    assert_non_null(strstr(text, "HDF5 crashed on it (signal 6)"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_other_programs_are_taken),
        cmocka_unit_test(what_does_not_fit_is_refused_in_words),
        cmocka_unit_test(damaged_files_of_other_programs_do_no_harm),
        cmocka_unit_test(a_hanging_probe_is_ended),
        cmocka_unit_test(a_crashing_probe_is_reported),
    };
    if (mkdtemp(scratch) == NULL) return 1;
    have_python = make_python_files();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return remove_scratch() != 0 ? 1 : failed;
}
