#include "riposte/daemon/anchor.h"

#include "riposte/config/findings.h"
#include "riposte/json/writer.h"

#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#define START_UNIX_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define HOUR_MS       (INT64_C(60) * 60 * 1000)

struct fixture {
    struct snapshot *snapshot;
    struct fake_clock clock;
    enum aws_outcome outcome;
    size_t asked;
    char request[800]; /* of the last call */
    struct anchorer *anchorer;
};

static const char *bucket, *mode, *retain;

static const char *look_up(void *arg, const char *name) {
    (void)arg;
    return strcmp(name, "RIPOSTE_AUDIT_ANCHOR_S3_BUCKET") == 0   ? bucket
           : strcmp(name, "RIPOSTE_AUDIT_ANCHOR_S3_RETAIN") == 0 ? retain
           : strcmp(name, "RIPOSTE_MODE") == 0                   ? mode
                                                                 : NULL;
}

static struct aws_answer *answer(void *arg, const struct permit *permit,
                                 const struct aws_call *call) {
    struct fixture *fixture = arg;
    scoped(buffer_done) struct buffer request = BUFFER_INIT;
    struct error error = {0};
    assert_int_equal(permit->class, PERMIT_OWN);
    assert_ok(permit_check(permit, &error), &error);
    assert_text_equal(call->service, "s3");
    assert_text_equal(call->operation, "PutObject");
    assert_int_equal(call->account.bytes, 0); /* as ourselves */
    json_write(&request, call->request);
    snprintf(fixture->request, sizeof(fixture->request), "%s", buffer_string(&request));
    fixture->asked++;
    struct arena *arena = arena_new();
    struct aws_answer *made = arena_alloc(arena, sizeof(*made));
    *made = (struct aws_answer){.outcome = fixture->outcome,
                                .error_code = TEXT("AccessDenied"),
                                .message = TEXT("why"),
                                .arena = arena};
    return made;
}

static struct snapshot *present(void *arg) {
    struct fixture *fixture = arg;
    return snapshot_ref(fixture->snapshot);
}

static struct journal_anchor end_of_chain(void *arg) {
    (void)arg;
    struct journal_anchor end = {.sequence = 7};
    memset(end.hash, 0xab, sizeof(end.hash));
    return end;
}

static void load(struct fixture *fixture) {
    char folder[] = "/tmp/riposte-anchor-XXXXXX";
    char path[64];
    scoped(findings_free) struct findings *findings = findings_new();
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s.txt", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"rules\":\".\",\"playbooks\":\".\",\"guard\":{\"protected\":[\"AIDAX\"]}}", file);
    fclose(file);
    assert_true(snapshot_load(path, look_up, NULL, &fixture->snapshot, findings));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void fixture_start(struct fixture *fixture, const char *name, const char *for_long) {
    *fixture = (struct fixture){.outcome = AWS_OK};
    bucket = name;
    retain = for_long;
    load(fixture);
    fake_clock_init(&fixture->clock, START_UNIX_MS);
    fixture->anchorer = anchorer_new(&(struct anchorer_options){
        .call_fn = answer,
        .call_arg = fixture,
        .clock = &fixture->clock.clock,
        .snapshot_fn = present,
        .end_fn = end_of_chain,
        .arg = fixture,
    });
}

static void fixture_done(struct fixture *fixture) {
    anchorer_free(&fixture->anchorer);
    snapshot_unref(&fixture->snapshot);
}

static int64_t pass(struct fixture *fixture) {
    int64_t wait_ms = anchorer_step(fixture->anchorer);
    fake_clock_advance(&fixture->clock, wait_ms);
    return wait_ms;
}

static void without_a_bucket_nothing_leaves(void **state) {
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, NULL, NULL);
    assert_int_equal(pass(&fixture), HOUR_MS);
    assert_int_equal(pass(&fixture), HOUR_MS);
    assert_int_equal(fixture.asked, 0);
    fixture_done(&fixture);
}

static void an_object_is_put_each_time_and_locked(void **state) {
    struct fixture fixture;
    (void)state;
    mode = "observe"; /* in every mode: it acts on nobody */
    fixture_start(&fixture, "audit-anchors", "400d");
    assert_int_equal(pass(&fixture), HOUR_MS);
    assert_int_equal(fixture.asked, 1);
    assert_string_equal(
        fixture.request,
        "{\"method\":\"PUT\",\"path\":\"/audit-anchors/riposte/20260102T030405Z-7.json\","
        "\"headers\":{\"Content-Type\":\"application/json\",\"x-amz-object-lock-mode\":"
        "\"COMPLIANCE\",\"x-amz-object-lock-retain-until-date\":\"2027-02-06T03:04:05Z\"},"
        "\"body\":{\"raw\":\"{\\\"anchor\\\":\\\"7:"
        "abababababababababababababababababababababababababababababababab\\\","
        "\\\"time\\\":\\\"2026-01-02T03:04:05.000Z\\\",\\\"version\\\":\\\"" RIPOSTE_VERSION
        "\\\"}\"}}");
    assert_int_equal(pass(&fixture), HOUR_MS);
    assert_int_equal(fixture.asked, 2);
    fixture_done(&fixture);
    mode = NULL;
}

static void one_that_fails_is_tried_again_soon(void **state) {
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, "audit-anchors", NULL);
    fixture.outcome = AWS_REFUSED;
    static const int64_t pauses[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
    for (size_t i = 0; i < ARRAY_COUNT(pauses); i++) {
        assert_int_equal(pass(&fixture), pauses[i] * 1000);
        assert_int_equal(fixture.asked, i + 1);
    }
    assert_null(strstr(fixture.request, "object-lock")); /* as the bucket says */
    fixture.outcome = AWS_OK;
    assert_true(pass(&fixture) > 300000); /* the next is the log's */
    fixture_done(&fixture);
}

static void a_reload_makes_one_due(void **state) {
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, "audit-anchors", NULL);
    pass(&fixture);
    fake_clock_advance(&fixture.clock, -HOUR_MS / 2);
    anchorer_renew(fixture.anchorer);
    assert_int_equal(pass(&fixture), HOUR_MS);
    assert_int_equal(fixture.asked, 2);
    fixture_done(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_bucket_nothing_leaves),
        cmocka_unit_test(an_object_is_put_each_time_and_locked),
        cmocka_unit_test(one_that_fails_is_tried_again_soon),
        cmocka_unit_test(a_reload_makes_one_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
