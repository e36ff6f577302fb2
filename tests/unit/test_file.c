/* Files: atomic writes replace whole files, failures name the path and leave the old content. */
#include "gyre/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int make_folder(void **state) {
    char *dir = strdup("/tmp/gyre-test-XXXXXX");
    *state = mkdtemp(dir);
    return *state == NULL;
}

static int remove_folder(void **state) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    int rc = system(command);
    free(*state);
    return rc;
}

static void assert_content(const char *path, const char *want) {
    char *text;
    size_t size;
    assert_int_equal(gyre_file_read(path, 1 << 20, &text, &size), GYRE_OK);
    assert_int_equal(size, strlen(want));
    assert_string_equal(text, want);
    free(text);
}

static void read_fifo_of(const char *path, const char *want) {
    pid_t writer = fork();
    if (writer == 0) execl("/bin/sh", "sh", "-c", "sleep 0.2; printf abc >\"$0\"", path, NULL);
    assert_true(writer > 0);
    assert_content(path, want);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
}

/* A pipe of the shell is read; where nothing else than a file will do, it is refused at once. */
static void pipes_are_not_waited_for(void **state) {
    char *path = gyre_path_join(*state, "pipe");
    uint64_t hash;
    int fd;
    assert_int_equal(mkfifo(path, 0600), 0);
    read_fifo_of(path, "abc");
    assert_int_equal(gyre_file_hash(path, &hash), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "is a pipe; a file was expected"));
    assert_int_equal(gyre_file_open(*state, &fd), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "is a folder"));
    assert_int_equal(gyre_file_open("/dev/zero", &fd), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "is a device"));
    char *text;
    size_t size;
    assert_int_equal(gyre_file_read("/dev/zero", 100000, &text, &size), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "is larger than the 100000 bytes expected"));
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void write_replaces_whole_file(void **state) {
    char *path = gyre_path_join(*state, "a.txt");
    assert_int_equal(gyre_file_write_atomic(path, "long old content", 16), GYRE_OK);
    assert_int_equal(gyre_file_write_atomic(path, "new", 3), GYRE_OK);
    assert_content(path, "new");
    free(path);
}

static void failed_write_says_where(void **state) {
    char *path = gyre_path_join(*state, "no/such/folder/a.txt");
    assert_int_equal(gyre_file_write_atomic(path, "x", 1), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), path));
    free(path);
}

static void failed_commit_keeps_old_file_and_drops_temporary(void **state) {
    char *dir = gyre_path_join(*state, "target"), *temporary = gyre_path_join(*state, "t.tmp");
    char *inside = gyre_path_join(dir, "kept");
    assert_int_equal(gyre_dir_make(dir), GYRE_OK); /* a folder cannot be replaced by a file */
    assert_int_equal(gyre_file_write_atomic(inside, "old", 3), GYRE_OK);
    assert_int_equal(gyre_file_write_atomic(temporary, "new", 3), GYRE_OK);
    assert_int_equal(gyre_file_commit(temporary, dir), GYRE_EIO);
    assert_false(gyre_file_exists(temporary));
    assert_content(inside, "old");
    free(dir);
    free(temporary);
    free(inside);
}

static void read_refuses_larger_files(void **state) {
    char *path = gyre_path_join(*state, "b.txt"), *text;
    size_t size;
    assert_int_equal(gyre_file_write_atomic(path, "12345", 5), GYRE_OK);
    assert_int_equal(gyre_file_read(path, 4, &text, &size), GYRE_EIO);
    assert_int_equal(gyre_file_read(path, 5, &text, &size), GYRE_OK);
    free(text);
    free(path);
}

static void first_lines_are_read_where_there_are_some(void **state) {
    static const struct {
        const char *content, *line;
    } cases[] = {{"0-15\nmore\n", "0-15"}, {"no newline", "no newl"}, {"\n", ""}, {"", ""}};
    char *path = gyre_path_join(*state, "lines"), line[8];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].content);
        assert_int_equal(gyre_file_write_atomic(path, cases[i].content, size), GYRE_OK);
        assert_int_equal(gyre_file_first_line(path, line, sizeof line), size > 0);
        assert_string_equal(line, cases[i].line);
    }
    assert_int_equal(unlink(path), 0);
    memcpy(line, "before", sizeof "before");
    assert_false(gyre_file_first_line(path, line, sizeof line));
    assert_string_equal(line, "");
    free(path);
}

static void folders_are_made_with_parents(void **state) {
    char *deep = gyre_path_join(*state, "p/q/r"), *file = gyre_path_join(*state, "f");
    char *below = gyre_path_join(file, "x"), *lost = gyre_path_join(*state, "lost");
    assert_int_equal(gyre_dir_make(deep), GYRE_OK);
    assert_int_equal(gyre_dir_make(deep), GYRE_OK);
    assert_int_equal(gyre_file_write_atomic(file, "", 0), GYRE_OK);
    assert_int_equal(gyre_dir_make(below), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "it is a file"));
    assert_int_equal(symlink("nowhere", lost), 0);
    assert_int_equal(gyre_dir_make(lost), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "it is a link that leads nowhere"));
    unlink(lost);
    assert_int_equal(gyre_dir_make(""), GYRE_EIO);
    free(lost);
    free(deep);
    free(file);
    free(below);
}

static void paths_are_joined_and_cut(void **state) {
    (void)state;
    const struct {
        const char *dir, *name, *joined;
    } joins[] = {{"a", "b", "a/b"},
                 {"a/", "b", "a/b"},
                 {"a", "/b", "/b"},
                 {".", "b", "./b"},
                 {"", "b", "b"}};
    for (size_t i = 0; i < sizeof joins / sizeof joins[0]; i++) {
        char *path = gyre_path_join(joins[i].dir, joins[i].name);
        assert_string_equal(path, joins[i].joined);
        free(path);
    }
    const char *dirs[][2] = {{"a/b", "a"}, {"a", "."}, {"/a", "/"}, {"/a/b", "/a"}};
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        char *dir = gyre_path_dir(dirs[i][0]);
        assert_string_equal(dir, dirs[i][1]);
        free(dir);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes_are_not_waited_for),
        cmocka_unit_test(write_replaces_whole_file),
        cmocka_unit_test(failed_write_says_where),
        cmocka_unit_test(failed_commit_keeps_old_file_and_drops_temporary),
        cmocka_unit_test(read_refuses_larger_files),
        cmocka_unit_test(first_lines_are_read_where_there_are_some),
        cmocka_unit_test(folders_are_made_with_parents),
        cmocka_unit_test(paths_are_joined_and_cut),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
