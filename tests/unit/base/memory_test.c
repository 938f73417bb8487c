#include "riposte/base/arena.h"
#include "riposte/base/memory.h"

#include "testing.h"

static void test_new_memory_is_zero(void **state) {
    (void)state;
    static const char zeros[64] = {0};
    scoped(memory_free_at) char *memory = memory_new_array(8, 8);
    assert_memory_equal(memory, zeros, 64);
    scoped(memory_free_at) char *none = memory_new(0);
    assert_non_null(none);
}

static void test_freeing_leaves_null(void **state) {
    (void)state;
    char *string = memory_copy_string("abc");
    memory_free_at(&string);
    assert_null(string);
    memory_free_at(&string);
}

static void test_arrays_grow_by_doubling(void **state) {
    (void)state;
    size_t capacity = 0;
    int *array = memory_grow_array(NULL, &capacity, 1, sizeof(*array));
    assert_int_equal(capacity, 8);
    array[7] = 7;
    array = memory_grow_array(array, &capacity, 9, sizeof(*array));
    assert_int_equal(capacity, 16);
    assert_int_equal(array[7], 7);
    int *same = memory_grow_array(array, &capacity, 16, sizeof(*array));
    assert_ptr_equal(same, array);
    array = memory_grow_array(array, &capacity, 100, sizeof(*array));
    assert_int_equal(capacity, 128);
    free(array);
}

static void test_wiping(void **state) {
    (void)state;
    char secret[] = "secret";
    memory_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, "\0\0\0\0\0\0\0", sizeof(secret));
    memory_wipe(NULL, 0);
}

static void test_an_arena_hands_out_zeroed_aligned_memory(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    for (size_t round = 0; round < 3; round++) {
        for (size_t bytes = 0; bytes < 300; bytes++) {
            unsigned char *memory = arena_alloc(arena, bytes);
            assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < bytes; i++) {
                assert_int_equal(memory[i], 0);
            }
            memset(memory, 0xAA, bytes);
        }
        arena_reset(arena);
        assert_int_equal(arena_used_bytes(arena), 0);
    }
}

static void test_an_arena_keeps_everything_until_it_is_reset(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    struct text texts[500];
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        texts[i] = arena_format(arena, "text %zu", i);
        if (i % 50 == 0) {
            memset(arena_alloc(arena, 3 * ARENA_BLOCK_BYTES), 0xAA, 3 * ARENA_BLOCK_BYTES);
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        scoped(buffer_done) struct buffer expected = BUFFER_INIT;
        buffer_append_format(&expected, "text %zu", i);
        assert_text_equal(texts[i], buffer_string(&expected));
    }
    assert_true(arena_used_bytes(arena) >= 10 * 3 * ARENA_BLOCK_BYTES);
}

static void test_arena_texts_end_in_nul(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    memset(arena_alloc(arena, 64), 0xAA, 64);
    arena_reset(arena);
    struct text copy = arena_copy_text(arena, text_slice(TEXT("abc"), 0, 2));
    assert_string_equal(copy.data, "ab");
    assert_int_equal(copy.bytes, 2);
    struct text empty = arena_copy_text(arena, (struct text){NULL, 0});
    assert_string_equal(empty.data, "");
    int *numbers = arena_alloc_array(arena, 10, sizeof(*numbers));
    assert_int_equal(numbers[9], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_memory_is_zero),
        cmocka_unit_test(test_freeing_leaves_null),
        cmocka_unit_test(test_arrays_grow_by_doubling),
        cmocka_unit_test(test_wiping),
        cmocka_unit_test(test_an_arena_hands_out_zeroed_aligned_memory),
        cmocka_unit_test(test_an_arena_keeps_everything_until_it_is_reset),
        cmocka_unit_test(test_arena_texts_end_in_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
