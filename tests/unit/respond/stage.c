#include "stage.h"

#include "riposte/base/arena.h"
#include "riposte/base/time.h"
#include "riposte/config/context.h"
#include "riposte/config/findings.h"
#include "riposte/crypto/sha256.h"
#include "riposte/json/writer.h"
#include "riposte/observe/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- AWS ---------------------------------------------------------------------------------------
 */

struct stage_aws *stage_aws_new(void) {
    struct stage_aws *aws = mmap(NULL, sizeof(*aws), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(aws, MAP_FAILED);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&aws->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    snprintf(aws->user_id, sizeof(aws->user_id), STAGE_USER_ID);
    aws->has_identity = true;
    return aws;
}

void stage_aws_free(struct stage_aws **aws) {
    if (*aws != NULL) {
        munmap(*aws, sizeof(**aws));
        *aws = NULL;
    }
}

static void answer_ok(struct aws_answer *answer, const char *body) {
    struct error error = {0};
    answer->outcome = AWS_OK;
    answer->status = 200;
    struct text text = arena_copy_text(answer->arena, text_of(body));
    assert_true(json_parse(text, 0, answer->arena, &answer->body, NULL, &error));
}

static void answer_error(struct aws_answer *answer, enum aws_outcome outcome, const char *code) {
    answer->outcome = outcome;
    answer->status = outcome == AWS_REFUSED ? 400 : 0;
    answer->error_code = arena_copy_text(answer->arena, text_of(code));
    answer->message = TEXT("as the test wants it");
}

static bool is_forced(struct stage_aws *aws, const char *name, struct aws_answer *answer) {
    for (size_t i = 0; i < STAGE_FORCED; i++) {
        if (aws->forced[i].times > 0 && strcmp(aws->forced[i].name, name) == 0) {
            aws->forced[i].times--;
            answer_error(answer, aws->forced[i].outcome, aws->forced[i].code);
            return true;
        }
    }
    return false;
}

static void append_encoded(struct buffer *out, const char *document) {
    buffer_append_percent_encoded(out, text_of(document), "");
}

static void get_user(struct stage_aws *aws, const struct aws_call *call,
                     struct aws_answer *answer) {
    (void)call;
    answer_ok(answer,
              arena_format(answer->arena, "{\"User\":{\"UserId\":\"%s\"}}", aws->user_id).data);
}

static void put_policy(struct stage_aws *aws, const struct aws_call *call,
                       struct aws_answer *answer) {
    struct text document = json_text(json_member(call->parameters, "PolicyDocument"));
    snprintf(aws->document, sizeof(aws->document), "%.*s", TEXT_ARG(document));
    answer_ok(answer, "{}");
}

static void get_policy(struct stage_aws *aws, const struct aws_call *call,
                       struct aws_answer *answer) {
    (void)call;
    if (aws->document[0] == '\0') {
        answer_error(answer, AWS_REFUSED, "NoSuchEntity");
        return;
    }
    struct buffer body = BUFFER_INIT;
    buffer_append_string(&body, "{\"PolicyDocument\":\"");
    append_encoded(&body, aws->document);
    buffer_append_string(&body, "\"}");
    answer_ok(answer, buffer_string(&body));
    buffer_done(&body);
}

static void delete_policy(struct stage_aws *aws, const struct aws_call *call,
                          struct aws_answer *answer) {
    (void)call;
    if (aws->document[0] == '\0') {
        answer_error(answer, AWS_REFUSED, "NoSuchEntity");
        return;
    }
    aws->document[0] = '\0';
    answer_ok(answer, "{}");
}

static void get_role(struct stage_aws *aws, const struct aws_call *call,
                     struct aws_answer *answer) {
    (void)aws;
    (void)call;
    answer_ok(answer, "{\"Role\":{\"RoleId\":\"" STAGE_ROLE_ID
                      "\",\"Arn\":\"arn:aws:iam::" STAGE_ACCOUNT ":role/ci/deploy\"}}");
}

/* The place of the policy that a call names, or, when `makes` it, a free one; NULL when there is
 * none. */
static char *role_document(struct stage_aws *aws, const struct aws_call *call, bool makes) {
    struct text name = json_text(json_member(call->parameters, "PolicyName"));
    assert_text_equal(json_text(json_member(call->parameters, "RoleName")), "deploy");
    for (size_t pass = 0; pass < (makes ? 2u : 1u); pass++) {
        for (size_t i = 0; i < STAGE_POLICIES; i++) {
            char *at = aws->role_policies[i].name;
            if (pass == 0 ? text_equal_string(name, at) : at[0] == '\0') {
                snprintf(at, sizeof(aws->role_policies[i].name), "%.*s", TEXT_ARG(name));
                return aws->role_policies[i].document;
            }
        }
    }
    return NULL;
}

static void put_role_policy(struct stage_aws *aws, const struct aws_call *call,
                            struct aws_answer *answer) {
    struct text document = json_text(json_member(call->parameters, "PolicyDocument"));
    char *place = role_document(aws, call, true);
    assert_non_null(place);
    snprintf(place, sizeof(aws->role_policies[0].document), "%.*s", TEXT_ARG(document));
    answer_ok(answer, "{}");
}

static void get_role_policy(struct stage_aws *aws, const struct aws_call *call,
                            struct aws_answer *answer) {
    const char *document = role_document(aws, call, false);
    if (document == NULL) {
        answer_error(answer, AWS_REFUSED, "NoSuchEntity");
        return;
    }
    struct buffer body = BUFFER_INIT;
    buffer_append_string(&body, "{\"PolicyDocument\":\"");
    append_encoded(&body, document);
    buffer_append_string(&body, "\"}");
    answer_ok(answer, buffer_string(&body));
    buffer_done(&body);
}

static void delete_role_policy(struct stage_aws *aws, const struct aws_call *call,
                               struct aws_answer *answer) {
    struct text name = json_text(json_member(call->parameters, "PolicyName"));
    for (size_t i = 0; i < STAGE_POLICIES; i++) {
        if (text_equal_string(name, aws->role_policies[i].name)) {
            aws->role_policies[i].name[0] = '\0';
            answer_ok(answer, "{}");
            return;
        }
    }
    answer_error(answer, AWS_REFUSED, "NoSuchEntity");
}

static void attach(struct stage_aws *aws, const struct aws_call *call, struct aws_answer *answer) {
    (void)call;
    aws->is_attached = true;
    answer_ok(answer, "{}");
}

static void detach(struct stage_aws *aws, const struct aws_call *call, struct aws_answer *answer) {
    (void)call;
    aws->is_attached = false;
    answer_ok(answer, "{}");
}

static void list_attached(struct stage_aws *aws, const struct aws_call *call,
                          struct aws_answer *answer) {
    (void)call;
    answer_ok(answer, aws->is_attached ? "{\"AttachedPolicies\":[{\"PolicyArn\":"
                                         "\"arn:aws:iam::aws:policy/AWSDenyAll\"}]}"
                                       : "{\"AttachedPolicies\":[]}");
}

static void update_key(struct stage_aws *aws, const struct aws_call *call,
                       struct aws_answer *answer) {
    struct text status = json_text(json_member(call->parameters, "Status"));
    aws->is_key_inactive = text_equal_string(status, "Inactive");
    answer_ok(answer, "{}");
}

static void list_keys(struct stage_aws *aws, const struct aws_call *call,
                      struct aws_answer *answer) {
    (void)call;
    answer_ok(answer, arena_format(answer->arena,
                                   "{\"AccessKeyMetadata\":[{\"AccessKeyId\":\"" STAGE_KEY
                                   "\",\"Status\":\"%s\"}]}",
                                   aws->is_key_inactive ? "Inactive" : "Active")
                          .data);
}

static void describe(struct stage_aws *aws, const struct aws_call *call,
                     struct aws_answer *answer) {
    (void)call;
    answer_ok(answer, aws->is_protected ? "{\"disableApiTermination\":{\"value\":\"true\"}}"
                                        : "{\"disableApiTermination\":{\"value\":\"false\"}}");
}

static void modify(struct stage_aws *aws, const struct aws_call *call, struct aws_answer *answer) {
    const struct json *value = json_member(json_member(call->parameters, "DisableApiTermination"),
                                           "Value");
    aws->is_protected = text_equal_string(json_text(value), "true");
    answer_ok(answer, "{}");
}

static void answer_nothing(struct stage_aws *aws, const struct aws_call *call,
                           struct aws_answer *answer) {
    (void)aws;
    (void)call;
    answer_ok(answer, "{}");
}

static const struct operation {
    const char *name;
    bool is_write;
    void (*answer_fn)(struct stage_aws *aws, const struct aws_call *call,
                      struct aws_answer *answer);
} operations[] = {
    {"iam:GetUser", false, get_user},
    {"iam:PutUserPolicy", true, put_policy},
    {"iam:GetUserPolicy", false, get_policy},
    {"iam:DeleteUserPolicy", true, delete_policy},
    {"iam:GetRole", false, get_role},
    {"iam:PutRolePolicy", true, put_role_policy},
    {"iam:GetRolePolicy", false, get_role_policy},
    {"iam:DeleteRolePolicy", true, delete_role_policy},
    {"iam:UpdateAccessKey", true, update_key},
    {"iam:ListAccessKeys", false, list_keys},
    {"iam:AttachUserPolicy", true, attach},
    {"iam:DetachUserPolicy", true, detach},
    {"iam:ListAttachedUserPolicies", false, list_attached},
    {"ec2:DescribeInstanceAttribute", false, describe},
    {"ec2:ModifyInstanceAttribute", true, modify},
    {"ec2:StopInstances", true, answer_nothing},
    {"ec2:StartInstances", true, answer_nothing},
};

static void answer_call(struct stage_aws *aws, const struct aws_call *call, const char *name,
                        struct aws_answer *answer) {
    if (aws->call_count < STAGE_CALLS) {
        snprintf(aws->calls[aws->call_count++], sizeof(aws->calls[0]), "%s", name);
    }
    if (is_forced(aws, name, answer)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        if (strcmp(operations[i].name, name) == 0) {
            operations[i].answer_fn(aws, call, answer);
            return;
        }
    }
    answer_error(answer, AWS_REFUSED, "InvalidAction");
}

static bool is_write(const char *name) {
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        if (strcmp(operations[i].name, name) == 0) {
            return operations[i].is_write;
        }
    }
    return true;
}

static struct aws_answer *aws_ask(void *arg, const struct permit *permit,
                                  const struct aws_call *call) {
    struct stage_aws *aws = arg;
    struct arena *arena = arena_new();
    struct aws_answer *answer = arena_alloc(arena, sizeof(*answer));
    char name[48];
    struct error error = {0};
    answer->arena = arena;
    answer->took_us = 700;
    snprintf(name, sizeof(name), "%.*s:%.*s", TEXT_ARG(call->service), TEXT_ARG(call->operation));
    assert_int_equal(permit->class == PERMIT_WRITE, is_write(name));
    if (!permit_check(permit, &error)) {
        answer_error(answer, AWS_NOT_SENT, "denied");
        answer->message = arena_copy_text(arena, text_of(error.text));
        return answer;
    }
    if (pthread_mutex_lock(&aws->lock) == EOWNERDEAD) {
        pthread_mutex_consistent(&aws->lock);
    }
    answer_call(aws, call, name, answer);
    pthread_mutex_unlock(&aws->lock);
    return answer;
}

static void aws_tell(void *arg, const struct permit *permit, const struct aws_call *call,
                     aws_done_fn *done_fn, void *done_arg) {
    struct aws_answer *answer = aws_ask(arg, permit, call);
    done_fn(done_arg, answer);
    aws_answer_free(&answer);
}

static bool aws_who(void *arg, const struct permit *permit, struct aws_identity *identity_out,
                    struct error *error) {
    struct stage_aws *aws = arg;
    if (!permit_check(permit, error)) {
        return false;
    }
    if (!aws->has_identity) {
        return error_set(error, ERROR_NOT_FOUND, "no credentials are configured");
    }
    if (aws->identity_failures > 0) {
        aws->identity_failures--;
        return error_set(error, ERROR_SYSTEM, "no route to STS");
    }
    *identity_out = (struct aws_identity){.account = STAGE_ACCOUNT,
                                          .partition = "aws",
                                          .arn = "arn:aws:sts::" STAGE_ACCOUNT
                                                 ":assumed-role/riposte-responder/i",
                                          .unique_id = "AROARESPONDER:i"};
    return true;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

static const char *look_up(void *arg, const char *name) {
    const struct stage_options *options = arg;
    if (strcmp(name, "RIPOSTE_MODE") == 0) {
        return options->mode != NULL ? options->mode : "enforce";
    }
    return NULL;
}

/* A notification's other end. */
static bool take_post(void *arg, const struct permit *permit, const struct http_request *request,
                      http_done_fn *done_fn, void *done_arg, struct error *error) {
    struct stage_aws *aws = arg;
    if (!permit_check(permit, error)) {
        return false;
    }
    assert_int_equal(permit->class, PERMIT_NOTIFY);
    struct http_response response = {.status = 200, .took_us = 1000};
    if (aws->posts_fail) {
        aws->post_refusals++;
        response.status = 503;
        done_fn(done_arg, &response, false, NULL);
        return true;
    }
    if (aws->post_status_next < aws->post_status_count) {
        response.status = aws->post_status[aws->post_status_next++];
    }
    struct buffer line = BUFFER_INIT;
    buffer_append_format(&line, "%.*s|", TEXT_ARG(request->url));
    for (size_t i = 0; i < request->header_count; i++) {
        buffer_append_format(&line, "%.*s=%.*s ", TEXT_ARG(request->headers[i].name),
                             TEXT_ARG(request->headers[i].value));
    }
    buffer_append_format(&line, "|%.*s", TEXT_ARG(request->body));
    assert_true(aws->post_count < ARRAY_COUNT(aws->posts));
    snprintf(aws->posts[aws->post_count++], sizeof(aws->posts[0]), "%s", buffer_string(&line));
    buffer_done(&line);
    struct error none = {.text = "nobody answers"};
    done_fn(done_arg, response.status != 0 ? &response : NULL, false, &none);
    return true;
}

static struct snapshot *load(const struct stage_options *options) {
    struct snapshot *snapshot = NULL;
    struct findings *findings = findings_new();
    const char *path = options->settings != NULL ? options->settings : "conf/riposte.json";
    if (!snapshot_load(path, look_up, (void *)(uintptr_t)options, &snapshot, findings)) {
        struct buffer lines = BUFFER_INIT;
        findings_print(findings, &lines);
        print_error("%s", buffer_string(&lines));
        buffer_done(&lines);
    }
    findings_free(&findings);
    assert_non_null(snapshot);
    return snapshot;
}

static struct snapshot *present(void *arg) {
    struct stage *stage = arg;
    bool is_reloaded = stage->next != NULL && stage->aws->call_count >= stage->next_at;
    return snapshot_ref(is_reloaded ? stage->next : stage->snapshot);
}

void stage_reload(struct stage *stage, const char *settings, unsigned calls) {
    const struct stage_options options = {.settings = settings};
    stage->next = load(&options);
    stage->next_at = calls;
}

static uint64_t no_jitter(uint64_t bound) {
    return bound - 1;
}

/* The one that the stories are about, where it is there; else the first. */
static size_t find_rule(const struct snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        if (text_equal_string(snapshot->definitions[i]->rule->name,
                              "termination-protection-disabled")) {
            return i;
        }
    }
    return 0;
}

void stage_open(struct stage *stage, const struct stage_options *options) {
    static int nowhere = -1;
    struct error error = {0};
    if (nowhere < 0) {
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        log_set_sink(nowhere, &clock_system);
    }
    *stage = (struct stage){.aws = options->aws};
    if (stage->aws == NULL) {
        stage->aws = stage_aws_new();
    }
    fake_clock_init(&stage->clock,
                    options->now_unix_ms > 0 ? options->now_unix_ms : STAGE_START_MS);
    stage->snapshot = load(options);
    stage->rule = find_rule(stage->snapshot);
    struct journal_options journal = {.url = options->journal != NULL ? options->journal
                                                                      : "memory:",
                                      .clock = &stage->clock.clock,
                                      .queue_limit = 1000,
                                      .workers = 8};
    assert_ok(journal_open(&journal, &stage->journal, &error), &error);
    struct respond_options respond = {.journal = stage->journal,
                                      .aws = {aws_tell, aws_who, stage->aws},
                                      .post = {take_post, stage->aws},
                                      .clock = &stage->clock.clock,
                                      .snapshot_fn = present,
                                      .snapshot_arg = stage,
                                      .workers = options->workers,
                                      .random_fn = no_jitter};
    assert_ok(respond_start(&respond, &stage->respond, &error), &error);
}

void stage_close(struct stage *stage) {
    journal_stop_claims(stage->journal);
    respond_free(&stage->respond);
    journal_close(&stage->journal);
    snapshot_unref(&stage->snapshot);
    snapshot_unref(&stage->next);
}

/* ---- events ------------------------------------------------------------------------------------
 */

static void appended(void *arg, const bool *is_known, size_t count, const struct error *error) {
    (void)is_known;
    (void)count;
    atomic_int *result = arg;
    atomic_store(result, error == NULL ? 1 : -1);
}

static struct ulid number_ulid(int64_t unix_ms, unsigned number) {
    uint8_t random[ULID_RANDOM_BYTES] = {0};
    random[8] = (uint8_t)(number >> 8);
    random[9] = (uint8_t)number;
    return ulid_make(unix_ms, random);
}

struct ulid stage_event_text(struct stage *stage, const char *text) {
    struct arena *arena = arena_new();
    struct subject_event event;
    struct error error = {0};
    atomic_int result = 0;
    struct definition *definition = stage->snapshot->definitions[stage->rule];
    struct journal_definition kept = {.text = definition->text};
    sha256(blob_text(definition->text), kept.hash);
    assert_ok(subject_event_read(text_of(text), arena, &event, &error), &error);
    int64_t now = clock_unix_ms(&stage->clock.clock);
    struct journal_new_incident incident = {
        .id = number_ulid(now, ++stage->events),
        .rule = definition->rule->name,
        .subject = event.principal.id,
        .severity = definition->rule->severity,
        .mode = snapshot_rule_mode(stage->snapshot, definition->rule),
        .principal_id = event.principal.id,
        .principal_name = event.principal.name,
        .account = event.envelope.account,
        .region = event.envelope.region,
        .definition = &kept};
    struct blob *body = blob_new(text_of(text));
    struct journal_new_event new = {.key = event.envelope.key,
                                    .body = body,
                                    .received_unix_ms = now,
                                    .event_unix_ms = event.envelope.time_unix_ms,
                                    .incidents = &incident,
                                    .incident_count = 1};
    journal_append(stage->journal, &new, 1, appended, &result);
    while (atomic_load(&result) == 0) {
        clock_sleep_ms(1);
    }
    assert_int_equal(atomic_load(&result), 1);
    blob_unref(&body);
    arena_free(&arena);
    return incident.id;
}

/* Switches protection off for `instance`, as `identity`. */
static struct ulid switch_off(struct stage *stage, const char *instance, const char *identity,
                              int64_t later_ms) {
    char text[1280], time[TIME_TEXT_BYTES];
    int64_t now = clock_unix_ms(&stage->clock.clock);
    time_format_ms(now + later_ms, time);
    snprintf(text, sizeof(text),
             "{\"id\":\"e\",\"source\":\"aws.ec2\",\"detail-type\":\"AWS API Call via CloudTrail\","
             "\"account\":\"" STAGE_ACCOUNT "\",\"region\":\"eu-west-1\",\"time\":\"%s\","
             "\"detail\":{\"eventID\":\"ev-%lld-%u\",\"eventSource\":\"ec2.amazonaws.com\","
             "\"eventName\":\"ModifyInstanceAttribute\",\"userIdentity\":{%s},"
             "\"requestParameters\":{\"instanceId\":\"%s\","
             "\"disableApiTermination\":{\"value\":false}}}}",
             time, (long long)now, stage->events, identity, instance);
    stage->aws->is_protected = false;
    return stage_event_text(stage, text);
}

struct ulid stage_event(struct stage *stage, const char *instance, int64_t later_ms) {
    return switch_off(stage, instance,
                      "\"type\":\"IAMUser\",\"principalId\":\"" STAGE_USER_ID
                      "\",\"accountId\":\"" STAGE_ACCOUNT "\",\"arn\":\"arn:aws:iam::" STAGE_ACCOUNT
                      ":user/" STAGE_USER "\",\"userName\":\"" STAGE_USER
                      "\",\"accessKeyId\":\"" STAGE_KEY "\"",
                      later_ms);
}

static struct ulid session_event(struct stage *stage, const char *name, const char *delivery,
                                 int64_t later_ms) {
    char identity[512];
    snprintf(identity, sizeof(identity),
             "\"type\":\"AssumedRole\",\"principalId\":\"" STAGE_ROLE_ID
             ":%s\",\"accountId\":\"" STAGE_ACCOUNT "\",\"arn\":\"arn:aws:sts::" STAGE_ACCOUNT
             ":assumed-role/deploy/%s\",\"accessKeyId\":\"ASIADEPLOY\",\"sessionContext\":{"
             "\"sessionIssuer\":{\"type\":\"Role\",\"principalId\":\"" STAGE_ROLE_ID
             "\",\"arn\":\"arn:aws:iam::" STAGE_ACCOUNT
             ":role/ci/deploy\",\"accountId\":\"" STAGE_ACCOUNT "\",\"userName\":\"deploy\"}%s}",
             name, name, delivery);
    return switch_off(stage, "i-1", identity, later_ms);
}

struct ulid stage_session_event(struct stage *stage, const char *name, int64_t later_ms) {
    return session_event(stage, name, "", later_ms);
}

struct ulid stage_instance_session_event(struct stage *stage, const char *instance,
                                         int64_t later_ms) {
    return session_event(stage, instance, ",\"ec2RoleDelivery\":\"2.0\"", later_ms);
}

void stage_run(struct stage *stage) {
    unsigned count = 0;
    while (respond_work(stage->respond, 0)) {
        assert_true(++count < 1000);
    }
}

void stage_pass(struct stage *stage, int64_t ms) {
    for (int64_t passed = 0; passed < ms; passed += 1000) {
        fake_clock_advance(&stage->clock, 1000);
        stage_run(stage);
    }
}

/* ---- looking -----------------------------------------------------------------------------------
 */

void stage_force(struct stage *stage, const char *name, enum aws_outcome outcome, const char *code,
                 unsigned times) {
    struct stage_aws *aws = stage->aws;
    for (size_t i = 0; i < STAGE_FORCED; i++) {
        if (aws->forced[i].times == 0) {
            snprintf(aws->forced[i].name, sizeof(aws->forced[i].name), "%s", name);
            snprintf(aws->forced[i].code, sizeof(aws->forced[i].code), "%s", code);
            aws->forced[i].outcome = outcome;
            aws->forced[i].times = times;
            return;
        }
    }
    fail_msg("too many forced outcomes");
}

const char *stage_calls(struct stage *stage) {
    static char text[STAGE_CALLS * 48];
    size_t at = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < stage->aws->call_count; i++) {
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i > 0 ? " " : "",
                               stage->aws->calls[i]);
    }
    stage->aws->call_count = 0;
    return text;
}

unsigned stage_count(struct stage *stage, const char *name) {
    unsigned count = 0;
    for (unsigned i = 0; i < stage->aws->call_count; i++) {
        count += strcmp(stage->aws->calls[i], name) == 0;
    }
    return count;
}

static void copy(char *out, size_t bytes, struct text text) {
    snprintf(out, bytes, "%.*s", TEXT_ARG(text));
}

struct stage_incident stage_incident(struct stage *stage, const struct ulid *id) {
    struct arena *arena = arena_new();
    struct journal_incident incident;
    struct journal_effect *effects = NULL;
    struct stage_incident shown = {0};
    struct error error = {0};
    assert_ok(journal_read_incident(stage->journal, id, arena, &incident, &error), &error);
    assert_ok(journal_read_effects(stage->journal, id, arena, &effects, &shown.effects, &error),
              &error);
    shown.state = incident.state;
    copy(shown.reason, sizeof(shown.reason), incident.reason);
    copy(shown.severity, sizeof(shown.severity), incident.severity);
    copy(shown.plan, sizeof(shown.plan), incident.plan);
    arena_free(&arena);
    return shown;
}

int stage_call_state(struct stage *stage, const struct ulid *id, const char *key_end) {
    struct arena *arena = arena_new();
    struct journal_call *calls = NULL;
    size_t count = 0;
    int state = -1;
    struct error error = {0};
    assert_ok(journal_read_calls(stage->journal, id, arena, &calls, &count, &error), &error);
    for (size_t i = 0; i < count; i++) {
        if (text_ends_with(calls[i].key, text_of(key_end))) {
            state = (int)calls[i].state;
        }
    }
    arena_free(&arena);
    return state;
}
