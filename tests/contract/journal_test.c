/* The same stories over every backend of the journal: contract_journal memory|sqlite. */
#include "story.h"

#include "riposte/journal/search.h"

#include <stdio.h>

/* ---- append ---- */

static void an_event_becomes_an_incident_with_a_task(void **state) {
    struct story *story = *state;
    struct ulid id = story_append(story, "event-1", "rule-a", "user-1");
    struct journal_incident incident = story_read(story, &id);
    assert_int_equal(incident.state, INCIDENT_DETECTED);
    assert_int_equal(incident.mode, MODE_ENFORCE);
    assert_text_equal(incident.rule, "rule-a");
    assert_text_equal(incident.subject, "user-1");
    assert_text_equal(incident.severity, "high");
    assert_text_equal(incident.event_key, "event-1");
    assert_text_equal(incident.principal_name, "mallory");
    assert_text_equal(incident.account, "111122223333");
    assert_text_equal(incident.region, "eu-west-1");
    assert_int_equal(incident.created_unix_ms, STORY_START_UNIX_MS);
    assert_int_equal(incident.received_unix_ms, STORY_START_UNIX_MS);
    assert_memory_equal(incident.definition_hash, story->definition.hash, JOURNAL_HASH_BYTES);

    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_RESPOND);
    assert_int_equal(task->attempt, 0);
    assert_string_equal(task->incident.id.text, id.text);
    assert_text_equal(task->incident.subject, "user-1");
    assert_text_equal(task->event_key, "event-1");
    assert_true(text_equal(blob_text(task->event), blob_text(story->body)));
    assert_true(text_equal(blob_text(task->definition), blob_text(story->rule_text)));
    story_claim_none(story);
    journal_give_back(story->journal, 0, &task);
    assert_null(task);
    assert_int_equal(story_count_audit(story, "detected"), 1);
}

static void a_task_that_was_given_back_is_read_anew(void **state) {
    struct story *story = *state;
    struct ulid id = story_append(story, "event-1", "rule-a", "user-1");
    struct journal_task *task = story_claim(story);
    uint64_t fence = task->fence;
    journal_give_back(story->journal, 0, &task);
    task = story_claim(story);
    assert_true(task->fence > fence);
    assert_string_equal(task->incident.id.text, id.text);
    assert_text_equal(task->incident.principal_name, "mallory");
    assert_text_equal(task->event_key, "event-1");
    assert_int_equal(task->event_unix_ms, STORY_START_UNIX_MS);
    assert_true(text_equal(blob_text(task->event), blob_text(story->body)));
    assert_true(text_equal(blob_text(task->definition), blob_text(story->rule_text)));
    journal_give_back(story->journal, 0, &task);
}

static void a_known_key_does_nothing(void **state) {
    struct story *story = *state;
    story_append(story, "event-1", "rule-a", "user-1");
    struct journal_new_incident again = story_incident(story, "rule-a", "user-1");
    struct journal_new_event event = story_event(story, "event-1", &again);
    struct appended appended = story_append_all(story, &event, 1);
    assert_true(appended.is_ok);
    assert_true(appended.is_known[0]);
    struct journal_incident incident;
    struct error error = {0};
    assert_fails(journal_read_incident(story->journal, &again.id, story->arena, &incident, &error),
                 &error, ERROR_NOT_FOUND, again.id.text);
    struct journal_numbers numbers;
    journal_numbers(story->journal, &numbers);
    assert_int_equal(numbers.not_admitted, 1);
}

static void a_key_twice_in_one_batch_is_known_the_second_time(void **state) {
    struct story *story = *state;
    struct journal_new_incident incidents[3];
    struct journal_new_event events[3];
    const char *const keys[] = {"event-1", "event-2", "event-1"};
    for (size_t i = 0; i < 3; i++) {
        incidents[i] = story_incident(story, "rule-a", "user-1");
        events[i] = story_event(story, keys[i], &incidents[i]);
    }
    struct appended appended = story_append_all(story, events, 3);
    assert_true(appended.is_ok);
    assert_false(appended.is_known[0]);
    assert_false(appended.is_known[1]);
    assert_true(appended.is_known[2]);
}

static void an_event_that_fires_two_rules_has_two_incidents(void **state) {
    struct story *story = *state;
    struct journal_new_incident incidents[2] = {story_incident(story, "rule-a", "user-1"),
                                                story_incident(story, "rule-b", "user-1")};
    struct journal_new_event event = story_event(story, "event-1", incidents);
    event.incident_count = 2;
    assert_true(story_append_all(story, &event, 1).is_ok);
    struct journal_task *first = story_claim(story);
    struct journal_task *second = story_claim(story);
    assert_text_equal(first->incident.rule, "rule-a");
    assert_text_equal(second->incident.rule, "rule-b");
    assert_ptr_equal(first->event, second->event);
    journal_give_back(story->journal, 0, &first);
    journal_give_back(story->journal, 0, &second);
}

static void a_bad_batch_leaves_nothing(void **state) {
    struct story *story = *state;
    struct journal_new_incident incidents[2] = {story_incident(story, "rule-a", "user-1"),
                                                story_incident(story, "rule-a", "user-1")};
    incidents[1].id = incidents[0].id; /* the second can't be stored */
    struct journal_new_event events[2] = {story_event(story, "event-1", &incidents[0]),
                                          story_event(story, "event-2", &incidents[1])};
    struct appended appended = story_append_all(story, events, 2);
    assert_false(appended.is_ok);
    assert_int_equal(appended.error.code, ERROR_INVALID);
    struct blob *body = NULL;
    struct error error = {0};
    assert_fails(journal_read_event(story->journal, TEXT("event-1"), &body, &error), &error,
                 ERROR_NOT_FOUND, "event-1");
    story_claim_none(story);
    assert_int_equal(story_count_audit(story, ""), 0);
    assert_true(journal_is_ready(story->journal));
    story_append(story, "event-1", "rule-a", "user-1");
}

/* Holds the journal's thread in a done_fn until others have queued theirs behind it. */
struct hold {
    _Atomic bool may_go_on;
    _Atomic unsigned done, failed;
};

static void hold_thread(void *arg, const bool *is_known, size_t count, const struct error *error) {
    struct hold *hold = arg;
    (void)is_known;
    (void)count;
    assert_null(error);
    while (!hold->may_go_on) {
        clock_sleep_ms(1);
    }
    hold->done++;
}

static void count_done(void *arg, const bool *is_known, size_t count, const struct error *error) {
    struct hold *hold = arg;
    (void)is_known;
    (void)count;
    hold->failed += error != NULL;
    hold->done++;
}

static void wait_for(const struct hold *hold, unsigned done) {
    for (int i = 0; hold->done < done; i++) {
        assert_true(i < 5000);
        clock_sleep_ms(1);
    }
}

static void one_bad_request_in_a_group_fails_alone(void **state) {
    struct story *story = *state;
    struct hold hold = {.may_go_on = false};
    struct journal_new_incident incidents[11];
    struct journal_new_event first = story_event(story, "first", NULL);
    journal_append(story->journal, &first, 1, hold_thread, &hold);
    for (size_t i = 0; i < 10; i++) {
        char key[32];
        snprintf(key, sizeof(key), "event-%zu", i);
        incidents[i] = story_incident(story, "rule-a", "user-1");
        incidents[i + 1] = incidents[i];
        struct journal_new_event event = story_event(story, key, &incidents[i]);
        event.incident_count = i == 5 ? 2 : 1; /* the same one twice: the second can't be stored */
        journal_append(story->journal, &event, 1, count_done, &hold);
    }
    hold.may_go_on = true;
    wait_for(&hold, 11);
    assert_int_equal(hold.failed, 1);
    struct journal_numbers numbers;
    journal_numbers(story->journal, &numbers);
    assert_int_equal(numbers.not_admitted, 9);
    assert_int_equal(numbers.failed_commits, 0);
    assert_true(numbers.commits <= 3); /* the ten were one group */
    struct blob *body = NULL;
    struct error error = {0};
    assert_fails(journal_read_event(story->journal, TEXT("event-5"), &body, &error), &error,
                 ERROR_NOT_FOUND, "event-5");
    assert_int_equal(story_count_audit(story, "detected"), 9);
}

/* "event-0" on, in one batch, in the lane that is never full. */
static void append_many(struct story *story, size_t count) {
    struct journal_new_incident *incidents = arena_alloc_array(story->arena, count,
                                                               sizeof(*incidents));
    struct journal_new_event *events = arena_alloc_array(story->arena, count, sizeof(*events));
    for (size_t i = 0; i < count; i++) {
        incidents[i] = story_incident(story, "rule-a", "user-1");
        incidents[i].account = (struct text){NULL, 0};
        events[i] = story_event(story, "", &incidents[i]);
        events[i].key = arena_format(story->arena, "event-%zu", i);
    }
    assert_true(story_append_all(story, events, count).is_ok);
}

static void a_full_queue_refuses_but_knows_what_it_knows(void **state) {
    struct story *story = *state;
    append_many(story, STORY_QUEUE_LIMIT);
    struct journal_new_incident incident = story_incident(story, "rule-a", "user-1");
    struct journal_new_event event = story_event(story, "one more", &incident);
    struct appended appended = story_append_all(story, &event, 1);
    assert_int_equal(appended.error.code, ERROR_LIMIT);
    event = story_event(story, "event-7", &incident);
    appended = story_append_all(story, &event, 1);
    assert_true(appended.is_ok && appended.is_known[0]);

    struct journal_task *task = story_claim(story); /* one admitted makes room for one */
    struct journal_admission admission = {.proposal = ADMIT_SUPPRESS, .reason = TEXT("ours")};
    struct journal_admitted admitted = {0};
    struct error error = {0};
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    journal_admitted_done(&admitted);
    journal_task_free(&task);
    story_append(story, "one more", "rule-a", "user-1");
}

static void more_tasks_than_are_kept_ready_are_all_handed_out(void **state) {
    struct story *story = *state;
    append_many(story, 300);
    for (size_t i = 0; i < 300; i++) {
        char key[32];
        snprintf(key, sizeof(key), "event-%zu", i);
        struct journal_task *task = story_claim(story);
        assert_text_equal(task->event_key, key); /* in their order */
        assert_true(text_equal(blob_text(task->event), blob_text(story->body)));
        journal_task_free(&task);
    }
    story_claim_none(story);
}

/* ---- reads ---- */

static void incidents_are_listed_newest_first_in_pages(void **state) {
    struct story *story = *state;
    struct ulid ids[5];
    for (size_t i = 0; i < 5; i++) {
        char key[32];
        snprintf(key, sizeof(key), "event-%zu", i);
        fake_clock_advance(&story->clock, 1);
        ids[i] = story_append(story, key, "rule-a", "user-1");
    }
    struct journal_incident *found = NULL;
    size_t count = 0;
    struct error error = {0};
    assert_ok(journal_find_incidents(story->journal, NULL, &(struct journal_filter){.states = 0}, 3,
                                     story->arena, &found, &count, NULL, &error),
              &error);
    assert_int_equal(count, 3);
    assert_string_equal(found[0].id.text, ids[4].text);
    struct ulid before = found[2].id;
    assert_ok(journal_find_incidents(story->journal, &before, &(struct journal_filter){.states = 0},
                                     3, story->arena, &found, &count, NULL, &error),
              &error);
    assert_int_equal(count, 2);
    assert_string_equal(found[1].id.text, ids[0].text);
    assert_text_equal(found[1].event_key, "event-0");
    assert_ok(journal_find_incidents(story->journal, NULL,
                                     &(struct journal_filter){.states = 1u << INCIDENT_HELD}, 3,
                                     story->arena, &found, &count, NULL, &error),
              &error);
    assert_int_equal(count, 0);
}

/* Ids one a millisecond, alternating rules and principals. */
static void append_mixed(struct story *story, size_t count, struct ulid *ids) {
    for (size_t i = 0; i < count; i++) {
        char key[32];
        snprintf(key, sizeof(key), "event-%zu", i);
        fake_clock_advance(&story->clock, 1);
        ids[i] = story_append(story, key, i % 2 == 0 ? "rule-a" : "rule-b",
                              i % 3 == 0 ? "user-1" : "user-2");
    }
}

static size_t find(struct story *story, const struct journal_filter *filter,
                   const struct ulid *before, size_t limit, struct journal_incident **found_out,
                   struct ulid *next_out) {
    struct error error = {0};
    size_t count = 0;
    assert_ok(journal_find_incidents(story->journal, before, filter, limit, story->arena, found_out,
                                     &count, next_out, &error),
              &error);
    return count;
}

static void incidents_are_found_by_what_they_are_about(void **state) {
    struct story *story = *state;
    struct ulid ids[12], next;
    struct journal_incident *found = NULL;
    append_mixed(story, ARRAY_COUNT(ids), ids);
    int64_t sixth_ms = ulid_unix_ms(&ids[6]);
    const struct {
        const char *name;
        struct journal_filter filter;
        size_t count, newest;
    } rows[] = {
        {"anything", {0}, 12, 11},
        {"a state", {.states = 1u << INCIDENT_DETECTED}, 12, 11},
        {"another state", {.states = 1u << INCIDENT_HELD}, 0, 0},
        {"a rule", {.rule = TEXT("rule-a")}, 6, 10},
        {"another rule", {.rule = TEXT("rule")}, 0, 0},
        {"since", {.since_unix_ms = sixth_ms}, 6, 11},
        {"until", {.until_unix_ms = sixth_ms}, 6, 5},
        {"between", {.since_unix_ms = sixth_ms - 1, .until_unix_ms = sixth_ms + 1}, 2, 6},
        {"never", {.since_unix_ms = sixth_ms, .until_unix_ms = sixth_ms}, 0, 0},
        {"a severity", {.severity = TEXT("high")}, 12, 11},
        {"another severity", {.severity = TEXT("low")}, 0, 0},
        {"another account", {.account = TEXT("999999999999")}, 0, 0},
        {"another principal", {.principal = TEXT("nobody")}, 0, 0},
        {"several", {.rule = TEXT("rule-b"), .since_unix_ms = sixth_ms}, 3, 11},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].name);
        if (find(story, &rows[i].filter, NULL, 20, &found, &next) != rows[i].count) {
            testing_say_row();
            fail();
        }
        assert_true(ulid_is_none(&next));
        if (rows[i].count > 0) {
            assert_string_equal(found[0].id.text, ids[rows[i].newest].text);
        }
    }
    const struct journal_filter everything = {0};
    find(story, &everything, NULL, 1, &found, &next);
    const struct journal_filter same[] = {{.account = found[0].account},
                                          {.principal = found[0].principal_id},
                                          {.principal = found[0].principal_name}};
    for (size_t i = 0; i < ARRAY_COUNT(same); i++) {
        assert_true(find(story, &same[i], NULL, 20, &found, &next) > 0);
    }
}

static void pages_stay_as_they_are_while_incidents_come(void **state) {
    struct story *story = *state;
    struct ulid ids[10], next = {0};
    struct journal_incident *found = NULL;
    const struct journal_filter filter = {.rule = TEXT("rule-a")};
    append_mixed(story, ARRAY_COUNT(ids), ids);
    for (size_t seen = 0; seen < 5; seen += 2) {
        size_t count = find(story, &filter, &next, 2, &found, &next);
        assert_int_equal(count, seen < 4 ? 2 : 1);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(found[i].id.text, ids[8 - 2 * (seen + i)].text);
        }
        assert_int_equal(ulid_is_none(&next), seen == 4);
        char key[32];
        snprintf(key, sizeof(key), "late-%zu", seen);
        fake_clock_advance(&story->clock, 1);
        story_append(story, key, "rule-a", "user-1");
    }
}

static void a_census_counts_them_all(void **state) {
    struct story *story = *state;
    struct ulid ids[7];
    struct error error = {0};
    struct journal_census census = {0};
    assert_ok(journal_take_census(story->journal, story->arena, &census, &error), &error);
    assert_int_equal(census.incidents, 0);
    assert_int_equal(census.rule_count, 0);
    append_mixed(story, ARRAY_COUNT(ids), ids);
    assert_ok(journal_take_census(story->journal, story->arena, &census, &error), &error);
    assert_int_equal(census.incidents, 7);
    assert_int_equal(census.by_state[INCIDENT_DETECTED], 7);
    assert_int_equal(census.by_state[INCIDENT_DONE], 0);
    assert_int_equal(census.rule_count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool is_a = text_equal(census.rules[i].rule, TEXT("rule-a"));
        assert_int_equal(census.rules[i].incidents, is_a ? 4 : 3);
        assert_int_equal(census.rules[i].latest_unix_ms, ulid_unix_ms(&ids[is_a ? 6 : 5]));
    }
}

static void an_event_is_read_by_its_key(void **state) {
    struct story *story = *state;
    story_append(story, "event-1", "rule-a", "user-1");
    struct blob *body = NULL;
    struct error error = {0};
    assert_ok(journal_read_event(story->journal, TEXT("event-1"), &body, &error), &error);
    assert_true(text_equal(blob_text(body), blob_text(story->body)));
    blob_unref(&body);
}

static void keys_that_were_issued_to_us_are_known(void **state) {
    struct story *story = *state;
    struct error error = {0};
    assert_false(journal_knows_key(story->journal, TEXT("ASIAEXAMPLE")));
    assert_ok(journal_note_key(story->journal, TEXT("ASIAEXAMPLE"), &error), &error);
    assert_ok(journal_note_key(story->journal, TEXT("ASIAEXAMPLE"), &error), &error);
    assert_true(journal_knows_key(story->journal, TEXT("ASIAEXAMPLE")));
    assert_false(journal_knows_key(story->journal, TEXT("ASIAEXAMPL")));
    assert_int_equal(story_count_audit(story, "issued key"), 1);
}

static void the_chain_breaks_where_a_line_was_changed(void **state) {
    struct story *story = *state;
    struct error error = {0};
    for (int i = 0; i < 3; i++) {
        assert_ok(journal_note(story->journal, TEXT("oncall"), TEXT("reload"),
                               TEXT("{\"rules\":3}"), &error),
                  &error);
    }
    assert_int_equal(story_count_audit(story, "reload"), 3);
    struct journal_audit_line *lines = NULL;
    size_t count = 0;
    assert_ok(journal_read_audit(story->journal, 1, 1, story->arena, &lines, &count, &error),
              &error);
    assert_int_equal(count, 1);
    assert_text_equal(lines[0].actor, "oncall");
    uint8_t previous[JOURNAL_HASH_BYTES];
    uint8_t hash[JOURNAL_HASH_BYTES];
    struct journal_audit_line *first = NULL;
    assert_ok(journal_read_audit(story->journal, 0, 1, story->arena, &first, &count, &error),
              &error);
    memcpy(previous, first[0].hash, sizeof(previous));
    journal_audit_hash(previous, &lines[0], hash);
    assert_memory_equal(hash, lines[0].hash, JOURNAL_HASH_BYTES);
    struct journal_audit_line moved = lines[0]; /* the same bytes, cut in another place */
    moved.actor = TEXT("oncal");
    moved.text = TEXT("l{\"rules\":3}");
    journal_audit_hash(previous, &moved, hash);
    assert_memory_not_equal(hash, lines[0].hash, JOURNAL_HASH_BYTES);
}

static const struct CMUnitTest append_stories[] = {
#define STORY(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)
    STORY(an_event_becomes_an_incident_with_a_task),
    STORY(a_task_that_was_given_back_is_read_anew),
    STORY(a_known_key_does_nothing),
    STORY(a_key_twice_in_one_batch_is_known_the_second_time),
    STORY(an_event_that_fires_two_rules_has_two_incidents),
    STORY(a_bad_batch_leaves_nothing),
    STORY(one_bad_request_in_a_group_fails_alone),
    STORY(a_full_queue_refuses_but_knows_what_it_knows),
    STORY(more_tasks_than_are_kept_ready_are_all_handed_out),
    STORY(incidents_are_listed_newest_first_in_pages),
    STORY(incidents_are_found_by_what_they_are_about),
    STORY(pages_stay_as_they_are_while_incidents_come),
    STORY(a_census_counts_them_all),
    STORY(an_event_is_read_by_its_key),
    STORY(keys_that_were_issued_to_us_are_known),
    STORY(the_chain_breaks_where_a_line_was_changed),
};

/* _cmocka_run_group_tests() is what the macro calls: the tables come from other files. */
static int run(const char *name, const struct CMUnitTest *stories, size_t count) {
    return _cmocka_run_group_tests(name, stories, count, NULL, NULL);
}

int main(int argument_count, char **arguments) {
    if (argument_count == 3 && strcmp(arguments[1], "child") == 0) {
        return durable_child(arguments[2]);
    }
    if (argument_count != 2) {
        fprintf(stderr, "usage: %s memory|sqlite\n", arguments[0]);
        return 2;
    }
    story_is_durable = strcmp(arguments[1], "sqlite") == 0;
    int failed = run("append", append_stories, ARRAY_COUNT(append_stories)) +
                 run("respond", respond_stories, respond_story_count) +
                 run("effects", effect_stories, effect_story_count) +
                 run("time", time_stories, time_story_count);
    if (story_is_durable) {
        failed += run("durable", durable_stories, durable_story_count);
    }
    return failed;
}
