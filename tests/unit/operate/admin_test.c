#include "riposte/operate/admin.h"

#include "riposte/inbound/listener.h"
#include "riposte/inbound/strikes.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"

#include "fake_journal.h"
#include "test_certificate.h"
#include "testing.h"
#include "tls_client.h"

#include <fcntl.h>
#include <stdio.h>

#define SETTINGS "tests/unit/operate/conf/riposte.json"
#define OPERATE  "Authorization: Bearer the-admins-own-token\r\n"
#define VIEW     "Authorization: bearer the-watchers-token\r\n"
#define FIRST    "01ARZ3NDEKTSV4RRFFQ69G5FA1"
#define SECOND   "01ARZ3NDEKTSV4RRFFQ69G5FA2"
#define THIRD    "01ARZ3NDEKTSV4RRFFQ69G5FA3"
#define NOW_MS   1772444000000 /* 2026-03-02T09:33:20Z */

static struct journal *journal;
static struct recent *recent;
static struct snapshot *snapshot;
static struct admin *admin;
static struct listener *listener;

static const char *no_environment(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

static int set_up_group(void **state) {
    (void)state;
    log_set_sink(open("/dev/null", O_WRONLY | O_CLOEXEC), &clock_system);
    struct findings *findings = findings_new();
    struct buffer lines = BUFFER_INIT;
    bool is_loaded = snapshot_load(SETTINGS, no_environment, NULL, &snapshot, findings);
    findings_print(findings, &lines);
    if (!is_loaded) {
        fail_msg("%s", buffer_string(&lines));
    }
    buffer_done(&lines);
    findings_free(&findings);
    return test_certificate_serve();
}

static int tear_down_group(void **state) {
    (void)state;
    snapshot_unref(&snapshot);
    return 0;
}

static void set_tokens(void) {
    setenv("RIPOSTE_TEST_ADMIN", "the-admins-own-token", 1);
    setenv("RIPOSTE_TEST_VIEW", "the-watchers-token", 1);
}

/* Whether a token is set. */
static bool adopt(void) {
    struct error error = {0};
    struct access *access = NULL;
    assert_ok(admin_prepare(snapshot, &access, &error), &error);
    bool has_token = access != NULL;
    admin_adopt(admin, &access);
    assert_null(access);
    return has_token;
}

/* What the next reload does. */
static struct {
    const char *findings, *problem; /* problem NULL: it works */
    unsigned count;
    char actor[32];
} reloads;

static bool reload(void *arg, struct text actor, struct buffer *findings, struct error *error) {
    assert_ptr_equal(arg, &reloads);
    reloads.count++;
    snprintf(reloads.actor, sizeof(reloads.actor), "%.*s", TEXT_ARG(actor));
    buffer_append_string(findings, reloads.findings);
    return reloads.problem == NULL || error_set(error, ERROR_INVALID, "%s", reloads.problem);
}

static int set_up(void **state) {
    (void)state;
    struct error error = {0};
    set_tokens();
    journal = fake_journal_new();
    recent = recent_new(RECENT_CAPACITY);
    memset(&reloads, 0, sizeof(reloads));
    admin = admin_new(&(struct admin_options){.journal = journal,
                                              .recent = recent,
                                              .clock = &clock_system,
                                              .reload_fn = reload,
                                              .reload_arg = &reloads});
    assert_true(adopt());
    struct listener_options options = {
        .name = "admin",
        .address = "127.0.0.1",
        .limits = {.threads = 1, .connections = 20, .memory_bytes = 1024 * 1024, .idle_ms = 20000}};
    options.routes = admin_routes(admin, &options.route_count);
    assert_ok(listener_start(&options, &listener, &error), &error);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    admin_rest(admin);
    listener_stop(&listener);
    admin_free(&admin);
    recent_free(&recent);
    fake_journal_free(&journal);
    return 0;
}

static struct http_answer ask(const char *method, const char *path, const char *headers,
                              const char *body) {
    struct http_answer answer = {0};
    assert_true(
        https_request(listener_port(listener), method, path, headers, text_of(body), &answer));
    return answer;
}

static void assert_answer(const char *method, const char *path, const char *headers,
                          const char *body, unsigned status, const char *fragment) {
    struct http_answer answer = ask(method, path, headers, body);
    if (answer.status != status || strstr(buffer_string(&answer.body), fragment) == NULL) {
        testing_say_row();
        fail_msg("%s %s: expected %u with '%s', got %u: %s", method, path, status, fragment,
                 answer.status, buffer_string(&answer.body));
    }
    http_answer_done(&answer);
}

/* ---- who may ------------------------------------------------------------------------------------
 */

static void test_who_may_ask(void **state) {
    (void)state;
    static const struct {
        const char *method, *path, *headers;
        unsigned status;
    } rows[] = {
        {"GET", "/v1/rules", OPERATE, 200},
        {"GET", "/v1/rules", VIEW, 200},
        {"GET", "/v1/rules", "", 401},
        {"GET", "/v1/rules", "Authorization: Bearer \r\n", 401},
        {"GET", "/v1/rules", "Authorization: Bearer the-admins-own-tokem\r\n", 401},
        {"GET", "/v1/rules", "Authorization: the-admins-own-token\r\n", 401},
        {"GET", "/v1/rules", "Authorization: Basic the-admins-own-token\r\n", 401},
        {"GET", "/v1/rules", OPERATE OPERATE, 401},
        {"GET", "/metrics", "", 401},
        {"GET", "/v1/incidents", "", 401},
        {"GET", "/v1/incidents/" FIRST, "", 401},
        {"GET", "/v1/events/recent", "", 401},
        {"POST", "/v1/incidents/" FIRST "/undo", "", 401},
        {"POST", "/v1/incidents/" FIRST "/undo", VIEW, 403},
        {"GET", "/healthz", "", 200},
        {"GET", "/readyz", "", 200},
        {"GET", "/", OPERATE, 303},
        {"GET", "/other", OPERATE, 404},
        {"POST", "/v1/rules", OPERATE, 405},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].headers);
        assert_answer(rows[i].method, rows[i].path, rows[i].headers, "", rows[i].status, "");
    }
    assert_int_equal(fake_journal_undo(journal).count, 0);
    struct http_answer answer = ask("GET", "/v1/rules", "", "");
    assert_text_equal(http_answer_header(&answer, "WWW-Authenticate"), "Bearer realm=\"riposte\"");
    http_answer_done(&answer);
}

static void test_pages_of_others_may_not_act(void **state) {
    (void)state;
    static const struct {
        const char *headers;
        unsigned status;
    } rows[] = {
        {OPERATE, 202},
        {OPERATE "Origin: https://test\r\n", 202},
        {OPERATE "Origin: https://TEST\r\n", 202},
        {OPERATE "Origin: http://test\r\n", 403},
        {OPERATE "Origin: https://test:9443\r\n", 403},
        {OPERATE "Origin: https://test.example\r\n", 403},
        {OPERATE "Origin: https://tes\r\n", 403},
        {OPERATE "Origin: null\r\n", 403},
        {OPERATE "Origin: \r\n", 403},
        {OPERATE "Origin: https://test\r\nOrigin: https://test\r\n", 403},
        {"Origin: https://evil.example\r\n", 403},
    };
    const struct journal_incident incident = {.id = {FIRST}, .state = INCIDENT_RELEASING};
    const struct fake_rows one = {.incidents = &incident, .incident_count = 1, .is_new = true};
    fake_journal_set_rows(journal, &one);
    unsigned undone = 0;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].headers);
        assert_answer("POST", "/v1/incidents/" FIRST "/undo", rows[i].headers, "", rows[i].status,
                      rows[i].status == 403 ? "Origin" : FIRST);
        undone += rows[i].status == 202;
    }
    assert_int_equal(fake_journal_undo(journal).count, undone);
    assert_answer("GET", "/v1/rules", OPERATE "Origin: https://evil.example\r\n", "", 200, "");
}

static void test_who_guesses_tokens_is_slowed_down(void **state) {
    (void)state;
    for (unsigned i = 0; i < STRIKES_BURST; i++) {
        assert_answer("GET", "/v1/rules", "Authorization: Bearer guess\r\n", "", 401, "");
    }
    struct http_answer answer = ask("GET", "/v1/rules", "Authorization: Bearer guess\r\n", "");
    assert_int_equal(answer.status, 429);
    assert_text_equal(http_answer_header(&answer, "Retry-After"), "3");
    http_answer_done(&answer);
    assert_answer("GET", "/v1/rules", VIEW, "", 200, ""); /* who has one isn't */
}

static void test_tokens_are_replaced(void **state) {
    (void)state;
    struct error error = {0};
    struct access *access = NULL;
    setenv("RIPOSTE_TEST_ADMIN", "another-token-than-before", 1);
    assert_true(adopt());
    assert_answer("GET", "/v1/rules", OPERATE, "", 401, "");
    assert_answer("GET", "/v1/rules", "Authorization: Bearer another-token-than-before\r\n", "",
                  200, "");
    setenv("RIPOSTE_TEST_ADMIN", "short", 1);
    assert_fails(admin_prepare(snapshot, &access, &error), &error, ERROR_INVALID,
                 "admin token admin: env:RIPOSTE_TEST_ADMIN has less than 16 characters");
    assert_answer("GET", "/v1/rules", "Authorization: Bearer another-token-than-before\r\n", "",
                  200, "");
    unsetenv("RIPOSTE_TEST_ADMIN");
    assert_true(adopt());
    unsetenv("RIPOSTE_TEST_VIEW");
    assert_false(adopt());
    assert_answer("GET", "/v1/rules", VIEW, "", 401, "");
}

static void test_a_reload_is_asked_for_and_answered(void **state) {
    (void)state;
    reloads.findings = "riposte.json:3:5: warning: nobody is protected\n";
    assert_answer("POST", "/v1/reload", OPERATE, "", 200,
                  "{\"findings\":[\"riposte.json:3:5: warning: nobody is protected\"]}");
    assert_string_equal(reloads.actor, "admin");
    reloads.problem = "riposte.json: 1 errors";
    assert_answer("POST", "/v1/reload", OPERATE, "", 409,
                  "{\"error\":\"riposte.json: 1 errors\",\"findings\":[");
    assert_int_equal(reloads.count, 2);
    assert_answer("POST", "/v1/reload", VIEW, "", 403, "");
    assert_answer("POST", "/v1/reload", "", "", 401, "");
    assert_answer("GET", "/v1/reload", OPERATE, "", 405, "");
    assert_int_equal(reloads.count, 2);
}

static void test_the_chain_is_shown_from_any_line_on(void **state) {
    (void)state;
    static const struct journal_audit_line lines[] = {
        {.sequence = 1,
         .unix_ms = 1767323045000,
         .event = TEXT_INIT("start"),
         .actor = TEXT_INIT("riposte"),
         .text = TEXT_INIT("{\"a\":1.0}"),
         .hash = {0xAB}},
        {.sequence = 2,
         .unix_ms = 1767323045001,
         .event = TEXT_INIT("detected"),
         .incident = TEXT_INIT("i"),
         .text = TEXT_INIT("{}"),
         .hash = {0xCD}},
    };
    fake_journal_set_rows(journal, &(struct fake_rows){.lines = lines, .line_count = 2});
    assert_answer("GET", "/v1/audit", VIEW, "", 200,
                  "{\"lines\":[{\"sequence\":1,\"time\":\"2026-01-02T03:04:05.000Z\","
                  "\"unix_ms\":1767323045000,\"event\":\"start\",\"actor\":\"riposte\","
                  "\"text\":\"{\\\"a\\\":1.0}\",\"hash\":\"ab00");
    assert_answer("GET", "/v1/audit?after=1", VIEW, "", 200, "{\"lines\":[{\"sequence\":2,");
    assert_answer("GET", "/v1/audit?after=2", VIEW, "", 200, "{\"lines\":[]}");
    assert_answer("GET", "/v1/audit?after=x", VIEW, "", 400, "after: not a line's sequence");
    assert_answer("GET", "/v1/audit?after=99999999999999999999", VIEW, "", 400, "after");
    assert_answer("GET", "/v1/audit", "", "", 401, "");
}

/* ---- incidents ----------------------------------------------------------------------------------
 */

static const struct journal_incident incidents[] = {
    {.id = {THIRD},
     .joined_to = {SECOND},
     .rule = TEXT_INIT("deleted"),
     .subject = TEXT_INIT("s"),
     .severity = TEXT_INIT("high"),
     .state = INCIDENT_JOINED,
     .event_key = TEXT_INIT("e3")},
    {.id = {SECOND},
     .rule = TEXT_INIT("deleted"),
     .subject = TEXT_INIT("1/AIDA"),
     .severity = TEXT_INIT("high"),
     .reason = TEXT_INIT("a \"quoted\" reason"),
     .event_key = TEXT_INIT("e2"),
     .state = INCIDENT_DONE,
     .mode = MODE_ENFORCE,
     .principal_id = TEXT_INIT("1/AIDA"),
     .principal_name = TEXT_INIT("mallory"),
     .account = TEXT_INIT("123456789012"),
     .region = TEXT_INIT("eu-west-1"),
     .plan = TEXT_INIT("{\"calls\":[]}"),
     .created_unix_ms = NOW_MS + 1,
     .updated_unix_ms = NOW_MS + 900,
     .event_unix_ms = NOW_MS - 4000,
     .received_unix_ms = NOW_MS,
     .contained_unix_ms = NOW_MS + 12},
    {.id = {FIRST},
     .rule = TEXT_INIT("deleted-table"),
     .subject = TEXT_INIT("t"),
     .severity = TEXT_INIT("critical"),
     .state = INCIDENT_HELD,
     .event_key = TEXT_INIT("e1")},
};

static const struct journal_call calls[] = {
    {.id = 1,
     .key = TEXT_INIT("e2/contain/deny"),
     .playbook = TEXT_INIT("contain"),
     .step = TEXT_INIT("deny"),
     .service = TEXT_INIT("iam"),
     .operation = TEXT_INIT("PutUserPolicy"),
     .account = TEXT_INIT("123456789012"),
     .request = TEXT_INIT("{\"UserName\":\"mallory\",\"N\":1.0e1}"),
     .inverse = TEXT_INIT("{\"call\":\"iam:DeleteUserPolicy\"}"),
     .answer = TEXT_INIT("{\"cut"),
     .effect = {TEXT_INIT("123456789012"), TEXT_INIT("1/AIDA"), TEXT_INIT("deny")},
     .is_write = true,
     .is_containing = true,
     .state = CALL_DONE,
     .attempts = 2,
     .intended_unix_ms = NOW_MS + 2,
     .ended_unix_ms = NOW_MS + 12,
     .took_us = 8500},
};

static const struct journal_effect effects[] = {
    {.id = 7,
     .name = {TEXT_INIT("123456789012"), TEXT_INIT("1/AIDA"), TEXT_INIT("deny")},
     .playbook = TEXT_INIT("contain"),
     .step = TEXT_INIT("deny"),
     .owner_count = 2,
     .acts_on_principal = true,
     .made_unix_ms = NOW_MS + 12},
};

static const struct journal_task_row tasks[] = {
    {.id = 9, .due_unix_ms = NOW_MS + 5000, .kind = TASK_VERIFY, .playbook = TEXT_INIT("contain")},
};

static const struct fake_rows rows_of_three = {
    .incidents = incidents,
    .incident_count = ARRAY_COUNT(incidents),
    .calls = calls,
    .call_count = ARRAY_COUNT(calls),
    .effects = effects,
    .effect_count = ARRAY_COUNT(effects),
    .tasks = tasks,
    .task_count = ARRAY_COUNT(tasks),
    .numbers = {.sequence = 77},
    .is_new = true,
    .event = "{\"id\":\"e2\",\"n\":1.50,\"d\":1,\"d\":2}",
};

static void test_lists(void **state) {
    (void)state;
    static const struct {
        const char *query;
        unsigned status;
        const char *fragments[3]; /* must be there; one that begins with '!' must not */
    } rows[] = {
        {"", 200, {THIRD, FIRST, "!\"next\""}},
        {"", 200, {"],\"sequence\":77}"}},
        {"?limit=3", 200, {THIRD, FIRST, "\"next\":\"i-" FIRST "\""}},
        {"?limit=1", 200, {THIRD, "!" FIRST, "\"next\":\"i-" THIRD "\""}},
        {"?cursor=i-" THIRD, 200, {"{\"incidents\":[{\"id\":\"" SECOND, FIRST, "!\"id\":\"" THIRD}},
        {"?state=held", 200, {FIRST, "!" THIRD, "\"state\":\"held\""}},
        {"?state=held,joined", 200, {FIRST, THIRD, "\"joined_to\":\"" SECOND}},
        {"?state=failed", 200, {"{\"incidents\":[],"}},
        {"?state=strange", 400, {"state: there is no 'strange'"}},
        {"?cursor=x", 400, {"cursor: not one of ours"}},
        {"?cursor=i-x", 400, {"cursor: not one of ours"}},
        {"?cursor=" THIRD, 400, {"cursor: not one of ours"}},
        {"?since=yesterday", 400, {"since: a time as 2026-03-02T09:30:00Z"}},
        {"?until=2026-13-02T09:30:00Z", 400, {"until: a time as"}},
        {"?limit=0", 400, {"limit: a number from 1 to 500"}},
        {"?limit=501", 400, {"limit"}},
        {"?limit=-1", 400, {"limit"}},
    };
    fake_journal_set_rows(journal, &rows_of_three);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char path[128];
        testing_row(rows[i].query);
        snprintf(path, sizeof(path), "/v1/incidents%s", rows[i].query);
        struct http_answer answer = ask("GET", path, VIEW, "");
        assert_int_equal(answer.status, rows[i].status);
        for (size_t at = 0; at < 3 && rows[i].fragments[at] != NULL; at++) {
            bool is_unwanted = rows[i].fragments[at][0] == '!';
            bool is_there = strstr(buffer_string(&answer.body),
                                   rows[i].fragments[at] + is_unwanted) != NULL;
            if (is_there == is_unwanted) {
                fail_msg("%s: '%s' in %s", path, rows[i].fragments[at],
                         buffer_string(&answer.body));
            }
        }
        http_answer_done(&answer);
    }
}

static void test_lists_are_asked_for_by_what_incidents_are_about(void **state) {
    (void)state;
    static const struct {
        const char *query, *filter;
    } rows[] = {
        {"", "||||0|0"},
        {"?rule=deleted&severity=high&account=123456789012&principal=mallory%2Fx",
         "deleted|high|123456789012|mallory/x|0|0"},
        {"?since=2026-03-02T09:33:20Z&until=2026-03-02T09:33:21.5Z",
         "||||1772444000000|1772444001500"},
    };
    char path[700];
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        snprintf(path, sizeof(path), "/v1/incidents%s", rows[i].query);
        assert_answer("GET", path, VIEW, "", 200, "{\"incidents\":[]");
        assert_string_equal(fake_journal_filter(journal), rows[i].filter);
    }
    snprintf(path, sizeof(path), "/v1/incidents?rule=%0600d", 0);
    assert_answer("GET", path, VIEW, "", 400, "rule: longer than 512 bytes");
}

static void test_one_incident(void **state) {
    (void)state;
    fake_journal_set_rows(journal, &rows_of_three);
    struct http_answer answer = ask("GET", "/v1/incidents/" SECOND, VIEW, "");
    assert_int_equal(answer.status, 200);
    assert_string_equal(
        buffer_string(&answer.body),
        "{\"id\":\"" SECOND "\",\"rule\":\"deleted\",\"severity\":\"high\",\"state\":\"done\","
        "\"reason\":\"a \\\"quoted\\\" reason\",\"mode\":\"enforce\",\"subject\":\"1/AIDA\","
        "\"principal\":{\"id\":\"1/AIDA\",\"name\":\"mallory\"},\"account\":\"123456789012\","
        "\"region\":\"eu-west-1\",\"event_key\":\"e2\",\"event_time\":\"2026-03-02T09:33:16.000Z\","
        "\"received\":\"2026-03-02T09:33:20.000Z\",\"created\":\"2026-03-02T09:33:20.001Z\","
        "\"updated\":\"2026-03-02T09:33:20.900Z\",\"contained\":\"2026-03-02T09:33:20.012Z\","
        "\"contained_after_ms\":12,"
        "\"calls\":[{\"key\":\"e2/contain/deny\",\"playbook\":\"contain\",\"step\":\"deny\","
        "\"service\":\"iam\",\"operation\":\"PutUserPolicy\",\"account\":\"123456789012\","
        "\"state\":\"done\",\"is_write\":true,\"is_containing\":true,\"attempts\":2,"
        "\"intended\":\"2026-03-02T09:33:20.002Z\",\"ended\":\"2026-03-02T09:33:20.012Z\","
        "\"took_us\":8500,\"request\":{\"UserName\":\"mallory\",\"N\":1.0e1},"
        "\"answer\":\"{\\\"cut\",\"inverse\":{\"call\":\"iam:DeleteUserPolicy\"},"
        "\"effect\":{\"account\":\"123456789012\",\"target\":\"1/AIDA\",\"name\":\"deny\"}}],"
        "\"effects\":[{\"id\":7,\"account\":\"123456789012\",\"target\":\"1/"
        "AIDA\",\"name\":\"deny\","
        "\"playbook\":\"contain\",\"step\":\"deny\",\"owners\":2,\"is_releasing\":false,"
        "\"acts_on_principal\":true,\"made\":\"2026-03-02T09:33:20.012Z\"}],"
        "\"tasks\":[{\"id\":9,\"kind\":\"verify\",\"playbook\":\"contain\",\"attempt\":0,"
        "\"is_leased\":false,\"due\":\"2026-03-02T09:33:25.000Z\"}],"
        "\"plan\":{\"calls\":[]},\"event\":{\"id\":\"e2\",\"n\":1.50,\"d\":1,\"d\":2}}");
    http_answer_done(&answer);
}

static void test_incidents_that_cannot_be_shown(void **state) {
    (void)state;
    struct fake_rows rows = rows_of_three;
    rows.event = NULL;
    fake_journal_set_rows(journal, &rows);
    assert_answer("GET", "/v1/incidents/" SECOND, VIEW, "", 200, "\"plan\":");
    assert_answer("GET", "/v1/incidents/01ARZ3NDEKTSV4RRFFQ69G5FAV", VIEW, "", 404, "error");
    assert_answer("GET", "/v1/incidents/x", VIEW, "", 404, "no such incident");
    assert_answer("GET", "/v1/incidents/", VIEW, "", 404, "no such incident");
    assert_answer("GET", "/v1/incidents/" SECOND "/undo", VIEW, "", 404, "no such incident");
    fake_journal_fail(journal, ERROR_SYSTEM);
    assert_answer("GET", "/v1/incidents/" SECOND, VIEW, "", 503, "told to fail");
    assert_answer("GET", "/v1/incidents", VIEW, "", 503, "told to fail");
}

/* ---- acting -------------------------------------------------------------------------------------
 */

static void test_undo(void **state) {
    (void)state;
    static const struct {
        const char *body;
        unsigned status;
        bool with_resources;
    } rows[] = {
        {"", 202, false},
        {"{}", 202, false},
        {" {\"resources\":false} ", 202, false},
        {"{\"resources\":true}\n", 202, true},
        {"{\"resources\":\"true\"}", 400, false},
        {"{\"resource\":true}", 400, false},
        {"[]", 400, false},
        {"true", 400, false},
        {"{\"resources\":true", 400, false},
        {"{\"resources\":true}x", 400, false},
    };
    unsigned count = 0;
    fake_journal_set_rows(journal, &rows_of_three);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].body);
        assert_answer("POST", "/v1/incidents/" SECOND "/undo", OPERATE, rows[i].body,
                      rows[i].status, rows[i].status == 202 ? "\"id\":\"" SECOND : "error");
        count += rows[i].status == 202;
        struct fake_undo undo = fake_journal_undo(journal);
        assert_int_equal(undo.count, count);
        if (rows[i].status == 202) {
            assert_int_equal(undo.with_resources, rows[i].with_resources);
            assert_string_equal(undo.id, SECOND);
            assert_string_equal(undo.actor, "admin");
        }
    }
}

static void test_what_cannot_be_done(void **state) {
    (void)state;
    static const struct {
        enum error_code code;
        unsigned status;
    } rows[] = {
        {ERROR_INVALID, 409}, {ERROR_NOT_FOUND, 404}, {ERROR_BUSY, 503}, {ERROR_SYSTEM, 503}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        fake_journal_fail(journal, rows[i].code);
        assert_answer("POST", "/v1/incidents/" SECOND "/undo", OPERATE, "", rows[i].status,
                      "told to fail");
    }
    fake_journal_fail(journal, ERROR_NONE);
    assert_answer("POST", "/v1/incidents/" SECOND "/explode", OPERATE, "", 404, "no such path");
    assert_answer("POST", "/v1/incidents/" SECOND, OPERATE, "", 404, "no such path");
    assert_answer("POST", "/v1/incidents/x/undo", OPERATE, "", 404, "no such incident");
    assert_int_equal(fake_journal_undo(journal).count, 0);
}

/* What is so already, or under way, is no failure to who asks again. */
static void test_acts_may_be_asked_for_again(void **state) {
    (void)state;
    static const struct {
        const char *verb;
        enum incident_state state;
        bool is_new;
        unsigned status;
    } rows[] = {
        {"approve", INCIDENT_HELD, true, 202},       {"approve", INCIDENT_HELD, false, 200},
        {"approve", INCIDENT_DONE, false, 200},      {"dismiss", INCIDENT_DISMISSED, true, 202},
        {"dismiss", INCIDENT_DISMISSED, false, 200}, {"undo", INCIDENT_RELEASING, true, 202},
        {"undo", INCIDENT_RELEASING, false, 200},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct journal_incident incident = {.id = {FIRST}, .state = rows[i].state};
        const struct fake_rows one = {
            .incidents = &incident, .incident_count = 1, .is_new = rows[i].is_new};
        char path[80];
        testing_row(rows[i].verb);
        fake_journal_set_rows(journal, &one);
        snprintf(path, sizeof(path), "/v1/incidents/" FIRST "/%s", rows[i].verb);
        assert_answer("POST", path, OPERATE, "", rows[i].status,
                      incident_state_name(rows[i].state));
    }
}

static void test_an_operator_approves_and_dismisses(void **state) {
    (void)state;
    fake_journal_set_rows(journal, &rows_of_three);
    assert_answer("POST", "/v1/incidents/" SECOND "/approve", OPERATE, "", 202, SECOND);
    assert_non_null(strstr(fake_journal_word(journal),
                           "approve " SECOND " admin {\"approver\":\"admin\",\"approved\":"));
    assert_null(strstr(fake_journal_word(journal), "override"));
    assert_answer("POST", "/v1/incidents/" SECOND "/approve", OPERATE,
                  "{\"override\":\"protected\"}", 202, SECOND);
    assert_non_null(strstr(fake_journal_word(journal), "\"override\":true}"));
    assert_answer("POST", "/v1/incidents/" SECOND "/approve", OPERATE, "{\"override\":\"age\"}",
                  400, "\\\"override\\\": \\\"protected\\\", and nothing else");
    assert_answer("POST", "/v1/incidents/" SECOND "/dismiss", OPERATE, "{}", 202, SECOND);
    assert_string_equal(fake_journal_word(journal), "dismiss " SECOND " admin ");
    assert_answer("POST", "/v1/incidents/" SECOND "/dismiss", OPERATE, "{\"resources\":true}", 400,
                  "{} or empty");
    assert_answer("POST", "/v1/incidents/" SECOND "/approve", VIEW, "", 403, "may look, not act");
    fake_journal_fail(journal, ERROR_INVALID);
    assert_answer("POST", "/v1/incidents/" SECOND "/approve", OPERATE, "", 409, "told to fail");
    assert_answer("POST", "/v1/incidents/" SECOND "/dismiss", OPERATE, "", 409, "told to fail");
    fake_journal_fail(journal, ERROR_NONE);
}

/* ---- looking around -----------------------------------------------------------------------------
 */

static void test_recent_events(void **state) {
    (void)state;
    const struct text rules[] = {TEXT_INIT("deleted"), TEXT_INIT("deleted-table")};
    assert_answer("GET", "/v1/events/recent", VIEW, "", 200, "{\"events\":[]}");
    recent_add(recent, &(struct recent_note){.received_unix_ms = NOW_MS,
                                             .key = TEXT("k1"),
                                             .source = TEXT("aws.test"),
                                             .outcome = TEXT("no-match")});
    recent_add(recent, &(struct recent_note){.received_unix_ms = NOW_MS,
                                             .key = TEXT("k2"),
                                             .event_name = TEXT("DeleteTable"),
                                             .outcome = TEXT("matched"),
                                             .rules = rules,
                                             .rule_count = 2});
    assert_answer("GET", "/v1/events/recent", VIEW, "", 200,
                  "{\"events\":[{\"number\":2,\"received\":\"2026-03-02T09:33:20.000Z\","
                  "\"key\":\"k2\",\"event_name\":\"DeleteTable\",\"outcome\":\"matched\","
                  "\"rules\":[\"deleted\",\"deleted-table\"]},{\"number\":1,");
}

static void test_rules(void **state) {
    (void)state;
    struct journal_rule_count counts[] = {{TEXT("gone"), 3, NOW_MS}, {TEXT("quiet"), 7, NOW_MS}};
    const struct fake_rows rows = {.census = {.rules = counts, .rule_count = 2}};
    fake_journal_set_rows(journal, &rows);
    assert_answer("GET", "/v1/rules", VIEW, "", 200,
                  "{\"rules\":[{\"name\":\"deleted\",\"description\":\"Something was deleted.\","
                  "\"severity\":\"high\",\"mode\":\"enforce\",\"attack\":[\"T1485\"],"
                  "\"respond\":[\"contain\"],\"cooldown\":\"5m\",\"incidents\":0,\"tests\":[]}");
    assert_answer("GET", "/v1/rules", VIEW, "", 200,
                  "{\"name\":\"quiet\",\"description\":\"Milder than the settings.\","
                  "\"severity\":\"low\",\"mode\":\"observe\"");
    assert_answer("GET", "/v1/rules", VIEW, "", 200,
                  "\"incidents\":7,\"latest\":\"2026-03-02T09:33:20.000Z\",\"tests\":[{\"name\":"
                  "\"described\",\"match\":true},");
}

static void test_a_rule_with_what_its_tests_say_now(void **state) {
    (void)state;
    assert_answer("GET", "/v1/rules/quiet", VIEW, "", 200,
                  "{\"name\":\"described\",\"match\":true,\"passes\":true,\"event\":{");
    assert_answer("GET", "/v1/rules/quiet", VIEW, "", 200,
                  "\"passes\":false,\"what\":\"expected a match, but the rule does not match\"");
    assert_answer("GET", "/v1/rules/quiet", VIEW, "", 200, "\"source\":{\"name\":\"quiet\",");
    assert_answer("GET", "/v1/rules/none", VIEW, "", 404, "no such rule");
    assert_answer("GET", "/v1/rules/", VIEW, "", 404, "no such rule");
}

static void test_status(void **state) {
    (void)state;
    static const char *const parts[] = {
        "{\"version\":\"" RIPOSTE_VERSION "\",\"mode\":\"enforce\",\"rules\":3,",
        "\"you\":{\"name\":\"watcher\",\"role\":\"view\"}",
        "\"process\":{\"started\":\"20",
        "\"streams\":0}",
        "\"certificate\":{\"expires\":\"20",
        "\"credentials\":{}",
        "\"journal\":{\"is_ready\":true,\"is_damaged\":false,\"sequence\":12,\"commits\":5,",
        "\"tasks\":{\"open\":9,\"due\":4,\"late_ms\":250,\"not_admitted\":3,\"queue_limit\":",
        "\"busy\":3},\"lanes\":[{\"name\":\"1/iam\",",
        "\"busy\":2,\"tasks\":5,\"due\":3,\"is_failing\":true},",
        ",{\"name\":\"\",\"busy\":1,\"tasks\":4,\"due\":1,\"is_failing\":false}]",
        "\"incidents\":{\"total\":8,\"by_state\":{\"detected\":0,",
        "\"held\":6,",
    };
    static const struct journal_lane lanes[] = {{TEXT_INIT("1/iam"), 5, 3, 2, true},
                                                {TEXT_INIT(""), 4, 1, 1, false}};
    const struct fake_rows rows = {.numbers = {.commits = 5,
                                               .open_tasks = 9,
                                               .due_tasks = 4,
                                               .not_admitted = 3,
                                               .oldest_due_ms = 250,
                                               .sequence = 12},
                                   .lanes = lanes,
                                   .lane_count = 2,
                                   .census = {.incidents = 8, .by_state = {[INCIDENT_HELD] = 6}}};
    fake_journal_set_rows(journal, &rows);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        assert_answer("GET", "/v1/status", VIEW, "", 200, parts[i]);
    }
}

/* ---- what rules would do ------------------------------------------------------------------------
 */

#define EVENT(name)                                                                                \
    "{\"id\":\"1\",\"source\":\"aws.test\",\"detail-type\":\"t\",\"account\":\"111122223333\","    \
    "\"region\":\"eu-west-1\",\"time\":\"2026-03-02T09:31:37Z\",\"detail\":{\"eventName\":\"" name \
    "\",\"n\":1.50}}"

static void test_what_rules_would_make_of_an_event(void **state) {
    (void)state;
    static const struct {
        const char *body;
        unsigned status;
        const char *fragment;
    } rows[] = {
        {"{\"event\":" EVENT("DeleteTable") "}", 200,
         "{\"match\":true,\"rules\":[{\"rule\":\"deleted\",\"severity\":\"high\",\"fires\":true,"
         "\"why\":[\"detail.eventName: \\\"DeleteTable\\\" passes "
         "{\\\"prefix\\\":\\\"Delete\\\"}\","},
        {"{\"event\":" EVENT("DeleteTable") "}", 200, "\"plan\":{\"decision\":"},
        {"{\"event\":" EVENT("Open") "}", 200, "{\"match\":false,\"rules\":[]}"},
        {"{\"event\":" EVENT("Close") "}", 200,
         "\"rule\":\"many\",\"severity\":\"medium\",\"fires\":false,\"reason\":\"threshold: 0 of "
         "3"},
        {"{\"event\":" EVENT("Open") ",\"rule\":\"deleted\"}", 200,
         "\"fires\":false,\"why\":[\"detail.eventName: \\\"Open\\\"; wanted"},
        {"{\"event\":" EVENT("Open") ",\"pattern\":{\"detail\":{\"n\":[1.5]}}}", 200,
         "{\"match\":true,\"why\":[\"detail.n: 1.50 passes 1.5\"]}"},
        {"{\"event\":\"{\\\"n\\\":2}\",\"pattern\":\"{\\\"n\\\":[1]}\"}", 200,
         "{\"match\":false,\"why\":[\"n: 2; wanted [1]\"]}"},
        {"{\"event\":" EVENT("Open") ",\"rule\":\"none\"}", 404, "there is no rule none"},
        {"", 400, "error"},
        {"[]", 400, "the body must be an object"},
        {"{}", 400, "event: missing"},
        {"{\"event\":3}", 400, "event: must be an object, or its text"},
        {"{\"event\":\"[]\"}", 400, "event: must be an object, or its text"},
        {"{\"event\":\"{\"}", 400, "event: line 1"},
        {"{\"event\":{}}", 400, "event"},
        {"{\"event\":{},\"pattern\":{\"a\":3}}", 400, "a: "},
        {"{\"event\":{},\"pattern\":{},\"rule\":\"x\"}", 400, "not both"},
        {"{\"event\":{},\"rule\":3}", 400, "rule: must be a rule's name"},
        {"{\"event\":{},\"when\":3}", 400, "when: not known"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].body);
        assert_answer("POST", "/v1/plan", VIEW, rows[i].body, rows[i].status, rows[i].fragment);
    }
    assert_answer("POST", "/v1/plan", "", "{}", 401, "");
}

static void test_metrics(void **state) {
    (void)state;
    static const char *const lines[] = {
        "riposte_build_info{version=\"" RIPOSTE_VERSION "\"} 1\n",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "riposte_uptime_seconds ",
        "riposte_journal_ready 1\n",
        "riposte_journal_commits_total 5\n",
        "riposte_respond_tasks_not_admitted 3\n",
        "riposte_tasks_open 8\n",
        "riposte_tasks_due 2\n",
        "riposte_tasks_late_seconds 0.25\n",
        "riposte_http_requests_total{listener=\"admin\",status=\"200\"} ",
    };
    struct fake_rows rows = {.numbers = {.commits = 5,
                                         .requests = 9,
                                         .not_admitted = 3,
                                         .open_tasks = 8,
                                         .due_tasks = 2,
                                         .oldest_due_ms = 250}};
    fake_journal_set_rows(journal, &rows);
    assert_answer("GET", "/metrics", VIEW, "", 200, "");
    struct http_answer answer = ask("GET", "/metrics", VIEW, "");
    assert_text_equal(http_answer_header(&answer, "Content-Type"), METRICS_CONTENT_TYPE);
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        if (strstr(buffer_string(&answer.body), lines[i]) == NULL) {
            fail_msg("'%s' is not in %s", lines[i], buffer_string(&answer.body));
        }
    }
    http_answer_done(&answer);
}

static void test_health(void **state) {
    (void)state;
    assert_answer("GET", "/healthz", "", "", 200, "alive");
    assert_answer("GET", "/readyz", "", "", 200, "ready");
    fake_journal_set_ready(journal, false);
    assert_answer("GET", "/readyz", "", "", 503, "commit");
    assert_answer("GET", "/healthz", "", "", 200, "alive");
}

#define with_admin(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_admin(test_who_may_ask),
        with_admin(test_pages_of_others_may_not_act),
        with_admin(test_who_guesses_tokens_is_slowed_down),
        with_admin(test_tokens_are_replaced),
        with_admin(test_a_reload_is_asked_for_and_answered),
        with_admin(test_the_chain_is_shown_from_any_line_on),
        with_admin(test_lists),
        with_admin(test_lists_are_asked_for_by_what_incidents_are_about),
        with_admin(test_one_incident),
        with_admin(test_incidents_that_cannot_be_shown),
        with_admin(test_undo),
        with_admin(test_what_cannot_be_done),
        with_admin(test_acts_may_be_asked_for_again),
        with_admin(test_an_operator_approves_and_dismisses),
        with_admin(test_recent_events),
        with_admin(test_rules),
        with_admin(test_a_rule_with_what_its_tests_say_now),
        with_admin(test_status),
        with_admin(test_what_rules_would_make_of_an_event),
        with_admin(test_metrics),
        with_admin(test_health),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
