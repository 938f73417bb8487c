#include "riposte/base/file.h"

#include "riposte/base/memory.h"

#include "testing.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/riposte-file-XXXXXX";

static const char *const files[] = {"b.json", "a.json", "c.txt", ".hidden.json"};

static void write_file(const char *name) {
    scoped(memory_free_at) char *path = file_join(folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(name, file);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        write_file(files[i]);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        scoped(memory_free_at) char *path = file_join(folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void test_reading(void **state) {
    (void)state;
    scoped(memory_free_at) char *path = file_join(folder, "a.json");
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    struct error error = {0};
    buffer_append_string(&buffer, "before ");
    assert_ok(file_read(path, 6, &buffer, &error), &error);
    assert_text_equal(buffer_text(&buffer), "before a.json");
}

static void test_a_failed_read_leaves_the_buffer_alone(void **state) {
    (void)state;
    scoped(memory_free_at) char *path = file_join(folder, "a.json");
    scoped(memory_free_at) char *absent = file_join(folder, "absent.json");
    scoped(memory_free_at) char *below_a_file = file_join(path, "x");
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    struct error error = {0};
    buffer_append_string(&buffer, "before");
    assert_fails(file_read(path, 5, &buffer, &error), &error, ERROR_LIMIT, path);
    assert_fails(file_read(absent, 5, &buffer, &error), &error, ERROR_NOT_FOUND, absent);
    assert_fails(file_read(below_a_file, 5, &buffer, &error), &error, ERROR_NOT_FOUND, "x");
    assert_fails(file_read(folder, 5, &buffer, &error), &error, ERROR_SYSTEM, folder);
    assert_text_equal(buffer_text(&buffer), "before");
}

static void test_a_file_of_several_reads(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    struct error error = {0};
    assert_fails(file_read("/dev/zero", 300000, &buffer, &error), &error, ERROR_LIMIT, "300000");
    assert_int_equal(buffer.bytes, 0);
}

static void test_appending(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    scoped(memory_free_at) char *path = file_join(folder, "appended");
    scoped(memory_free_at) char *other = file_join(folder, "link");
    struct error error = {0};
    assert_ok(file_append(path, TEXT("one\n"), &error), &error);
    assert_ok(file_append(path, TEXT("two\n"), &error), &error);
    assert_ok(file_read(path, 100, &buffer, &error), &error);
    assert_string_equal(buffer_string(&buffer), "one\ntwo\n");
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0027, 0); /* neither the group writes nor others read */
    assert_int_equal(symlink(path, other), 0);
    assert_fails(file_append(other, TEXT("x"), &error), &error, ERROR_SYSTEM, other);
    unlink(other);
    assert_int_equal(mkfifo(other, 0600), 0);
    error = (struct error){0};
    assert_fails(file_append(other, TEXT("x"), &error), &error, ERROR_SYSTEM, other);
    unlink(other);
    unlink(path);
    error = (struct error){0};
    assert_fails(file_append("/dev/full", TEXT("x"), &error), &error, ERROR_SYSTEM, "/dev/full");
}

static void test_listing(void **state) {
    (void)state;
    char **names = NULL;
    size_t count = 0;
    struct error error = {0};
    assert_ok(file_list(folder, ".json", &names, &count, &error), &error);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a.json");
    assert_string_equal(names[1], "b.json");
    file_list_free(&names, count);
    assert_null(names);

    assert_ok(file_list(folder, ".none", &names, &count, &error), &error);
    assert_int_equal(count, 0);
    file_list_free(&names, count);
    assert_fails(file_list("/nonexistent", "", &names, &count, &error), &error, ERROR_NOT_FOUND,
                 "/nonexistent");
}

static const struct path_case {
    const char *folder, *name, *joined;
} join_cases[] = {
    {"conf", "rules", "conf/rules"},
    {"conf/", "rules", "conf/rules"},
    {"/", "x", "/x"},
    {"conf", "/etc/x", "/etc/x"},
    {"", "x", "x"},
    {".", "x", "./x"},
};

static void test_joining(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(join_cases); i++) {
        const struct path_case *row = &join_cases[i];
        testing_row(row->joined);
        scoped(memory_free_at) char *joined = file_join(row->folder, row->name);
        assert_text_equal(text_of(joined), row->joined);
    }
}

static void test_folders(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"conf/riposte.json", "conf"},
        {"riposte.json", "."},
        {"/riposte.json", "/"},
        {"/etc/riposte/x", "/etc/riposte"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        testing_row(cases[i][0]);
        scoped(memory_free_at) char *of_path = file_folder(cases[i][0]);
        assert_text_equal(text_of(of_path), cases[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_a_failed_read_leaves_the_buffer_alone),
        cmocka_unit_test(test_a_file_of_several_reads),
        cmocka_unit_test(test_appending),
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_joining),
        cmocka_unit_test(test_folders),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
