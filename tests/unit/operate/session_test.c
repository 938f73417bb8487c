#include "operate/session.h"

#include "testing.h"

static const uint8_t admins[SHA256_BYTES] = {1, 2, 3}, others[SHA256_BYTES] = {4};

static struct sessions *sessions;

static int set_up(void **state) {
    (void)state;
    sessions = sessions_new();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sessions_free(&sessions);
    assert_null(sessions);
    return 0;
}

static bool is_open(const char *id, int64_t now_ms) {
    struct session session;
    return sessions_find(sessions, text_of(id), now_ms, &session);
}

static void a_session_is_found_by_its_value_alone(void **state) {
    (void)state;
    char first[SESSION_TEXT_BYTES], second[SESSION_TEXT_BYTES];
    struct session a, b;
    assert_false(is_open("", 0));
    assert_false(is_open("0000", 0));
    sessions_open(sessions, admins, 0, first);
    sessions_open(sessions, others, 0, second);
    assert_int_equal(strlen(first), SESSION_TEXT_BYTES - 1);
    assert_string_not_equal(first, second);
    assert_true(sessions_find(sessions, text_of(first), 1, &a));
    assert_true(sessions_find(sessions, text_of(second), 1, &b));
    assert_memory_equal(a.token_digest, admins, sizeof(admins));
    assert_memory_equal(b.token_digest, others, sizeof(others));
    assert_string_not_equal(a.form_key, b.form_key);
    assert_string_not_equal(a.form_key, first);
    first[0] = first[0] == 'a' ? 'b' : 'a';
    assert_false(is_open(first, 1));
    assert_false(is_open("", 1));
}

static void a_form_belongs_to_its_session(void **state) {
    (void)state;
    char id[SESSION_TEXT_BYTES];
    struct session a, b;
    sessions_open(sessions, admins, 0, id);
    assert_true(sessions_find(sessions, text_of(id), 0, &a));
    sessions_open(sessions, admins, 0, id);
    assert_true(sessions_find(sessions, text_of(id), 0, &b));
    assert_true(session_knows_form(&a, text_of(a.form_key)));
    assert_false(session_knows_form(&a, text_of(b.form_key)));
    assert_false(session_knows_form(&a, TEXT("")));
    assert_false(session_knows_form(&a, text_slice(text_of(a.form_key), 0, 63)));
}

static void a_session_ends_when_closed_unused_or_old(void **state) {
    (void)state;
    char id[SESSION_TEXT_BYTES];
    sessions_open(sessions, admins, 0, id);
    sessions_close(sessions, text_of(id));
    assert_false(is_open(id, 0));
    sessions_close(sessions, text_of(id));

    sessions_open(sessions, admins, 0, id);
    assert_true(is_open(id, SESSION_IDLE_MS - 1));
    assert_true(is_open(id, 2 * SESSION_IDLE_MS - 2));
    assert_false(is_open(id, 3 * SESSION_IDLE_MS - 2));

    sessions_open(sessions, admins, 0, id);
    int64_t now_ms = 0;
    for (; now_ms < SESSION_LIFE_MS; now_ms += SESSION_IDLE_MS / 2) {
        assert_true(is_open(id, now_ms));
    }
    assert_false(is_open(id, now_ms));
    assert_int_equal(sessions_sweep(sessions, now_ms), 2);
    assert_int_equal(sessions_sweep(sessions, now_ms), 0);
}

static void one_more_takes_the_place_of_the_longest_unused(void **state) {
    (void)state;
    char ids[SESSIONS + 1][SESSION_TEXT_BYTES];
    for (int i = 0; i < SESSIONS; i++) {
        sessions_open(sessions, admins, i, ids[i]);
    }
    assert_true(is_open(ids[0], 1000));
    sessions_open(sessions, admins, 1001, ids[SESSIONS]);
    assert_false(is_open(ids[1], 1001));
    for (int i = 0; i <= SESSIONS; i++) {
        assert_true(i == 1 || is_open(ids[i], 1001));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_is_found_by_its_value_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_form_belongs_to_its_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_session_ends_when_closed_unused_or_old, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_more_takes_the_place_of_the_longest_unused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
