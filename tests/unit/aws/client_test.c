#include "riposte/aws/client.h"

#include "riposte/base/mutex.h"
#include "riposte/base/time.h"
#include "riposte/json/writer.h"

#include "stand_in.h"
#include "testing.h"
#include "variables.h"

#include <stdio.h>

#define NOW_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define ERRORS(code)                                                                     \
    "<ErrorResponse><Error><Code>" code "</Code><Message>m</Message></Error><RequestId>" \
    "err</RequestId></ErrorResponse>"

static const struct permit writing = {.class = PERMIT_WRITE, .mode = MODE_ENFORCE};
static const struct permit reading = {.class = PERMIT_READ, .mode = MODE_ENFORCE};

/* What the stand-in says, one after the other; the last again and again. */
struct reply {
    int status;
    const char *headers, *body;
    bool is_silent;
};

struct fixture {
    const struct reply *replies;
    int reply_count;
    bool has_container; /* "/creds" gives a new key each time; else one from the environment */
    struct fake_clock clock;
    struct stand_in *stand_in;
    struct http_client *http;
    struct variables variables;
    struct aws_role_options roles;
    char keys[256]; /* told to key_fn */
    char credentials_url[96];
    struct aws_client *client;

    int calls, fetches;
    char head[2048], body[512]; /* of the last call */
};

static void answer_credentials(struct fixture *fixture, struct stand_in_exchange *exchange) {
    char body[256];
    snprintf(body, sizeof(body),
             "{\"AccessKeyId\":\"ASIA%d\",\"SecretAccessKey\":\"s\",\"Token\":\"token-%d\","
             "\"Expiration\":\"2026-01-02T09:00:00Z\"}",
             fixture->fetches, fixture->fetches);
    stand_in_answer(exchange, 200, "", text_of(body));
}

static void answer(void *arg, struct stand_in_exchange *exchange) {
    struct fixture *fixture = arg;
    if (text_starts_with(exchange->head, TEXT("GET /creds"))) {
        fixture->fetches++;
        answer_credentials(fixture, exchange);
        return;
    }
    int which = fixture->calls < fixture->reply_count ? fixture->calls : fixture->reply_count - 1;
    const struct reply *reply = &fixture->replies[which];
    fixture->calls++;
    snprintf(fixture->head, sizeof(fixture->head), "%.*s", TEXT_ARG(exchange->head));
    snprintf(fixture->body, sizeof(fixture->body), "%.*s", TEXT_ARG(exchange->body));
    if (!reply->is_silent) {
        stand_in_answer(exchange, reply->status, reply->headers != NULL ? reply->headers : "",
                        text_of(reply->body));
    }
}

static void fixture_done(struct fixture *fixture) {
    aws_client_free(&fixture->client);
    http_client_free(&fixture->http);
    stand_in_stop(&fixture->stand_in);
}

static bool tell_key(void *arg, struct text key_id, struct error *error) {
    struct fixture *fixture = arg;
    size_t bytes = strlen(fixture->keys);
    (void)error;
    snprintf(fixture->keys + bytes, sizeof(fixture->keys) - bytes, "%.*s ", TEXT_ARG(key_id));
    return true;
}

/* `replies`, `reply_count` and `has_container` are set. */
static void fixture_start(struct fixture *fixture) {
    struct error error = {0};
    static struct aws_environment environment;
    fake_clock_init(&fixture->clock, NOW_MS);
    fixture->stand_in = stand_in_start(false, answer, fixture);
    snprintf(fixture->credentials_url, sizeof(fixture->credentials_url), "%s/creds",
             stand_in_origin(fixture->stand_in));
    if (fixture->has_container) {
        fixture->variables = (struct variables){
            {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", fixture->credentials_url}}};
    } else if (fixture->variables.variable[0].name == NULL) {
        fixture->variables = (struct variables){
            {{"AWS_ACCESS_KEY_ID", "AKIAE"}, {"AWS_SECRET_ACCESS_KEY", "s"}}};
    }
    environment = (struct aws_environment){variables_get, &fixture->variables};
    assert_ok(http_client_new(&(struct http_options){0}, &fixture->http, &error), &error);
    struct aws_options options = {
        .http = fixture->http,
        .clock = &fixture->clock.clock,
        .endpoint = text_of(stand_in_origin(fixture->stand_in)),
        .environment = &environment,
        .key_fn = tell_key,
        .arg = fixture,
        .roles = fixture->roles,
    };
    assert_ok(aws_client_new(&options, &fixture->client, &error), &error);
}

static const struct aws_call get_user = {
    .service = TEXT_INIT("iam"), .operation = TEXT_INIT("GetUser"), .timeout_ms = 5000};

#define USER_ANSWER                                                                      \
    "<GetUserResponse><GetUserResult><User><UserId>AIDA</UserId></User></GetUserResult>" \
    "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetUserResponse>"

static void assert_head_has(const struct fixture *fixture, const char *part) {
    if (strstr(fixture->head, part) == NULL) {
        print_error("no \"%s\" in\n%s\n", part, fixture->head);
        fail();
    }
}

static void assert_body(const struct aws_answer *answered, const char *json) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    json_write(&out, answered->body);
    assert_text_equal(buffer_text(&out), json);
}

/* --- what goes out, what comes back --- */

static void test_a_call_is_signed_and_answered(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 1, .has_container = true};
    fixture_start(&fixture);
    scoped(arena_free) struct arena *arena = arena_new();
    struct json *parameters = json_new_object(arena);
    json_add_text(arena, parameters, "UserName", TEXT("mallory"));
    struct aws_call call = get_user;
    call.parameters = parameters;
    call.region = TEXT("eu-west-1");
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading, &call);

    assert_int_equal(answered->outcome, AWS_OK);
    assert_int_equal(answered->status, 200);
    assert_text_equal(answered->request_id, "r-1");
    assert_text_equal(answered->error_code, "");
    assert_body(answered, "{\"User\":{\"UserId\":\"AIDA\"}}");
    assert_string_equal(fixture.body, "Action=GetUser&Version=2010-05-08&UserName=mallory");
    assert_head_has(&fixture, "POST / HTTP/1.1\r\n");
    assert_head_has(&fixture, "\r\nX-Amz-Date: 20260102T030405Z\r\n");
    assert_head_has(&fixture, "\r\nX-Amz-Security-Token: token-1\r\n");
    assert_head_has(&fixture,
                    "\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n");
    assert_head_has(&fixture,
                    "\r\nAuthorization: AWS4-HMAC-SHA256 "
                    "Credential=ASIA1/20260102/us-east-1/iam/aws4_request, "
                    "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=");
    assert_int_equal(aws_credentials_expiry(fixture.client), INT64_C(1767344400000));
}

static const struct outcome_case {
    const char *name;
    struct reply reply;
    enum aws_outcome outcome;
    const char *code, *message, *request_id;
} outcome_cases[] = {
    {"an answer without a body", {.status = 200, .body = ""}, AWS_OK, "", "", ""},
    {"refused",
     {.status = 404, .body = ERRORS("NoSuchEntity")},
     AWS_REFUSED,
     "NoSuchEntity",
     "m",
     "err"},
    {"a quota",
     {.status = 409, .body = ERRORS("LimitExceeded")},
     AWS_REFUSED,
     "LimitExceeded",
     "m",
     "err"},
    {"throttled",
     {.status = 400, .body = ERRORS("Throttling")},
     AWS_RETRY,
     "Throttling",
     "m",
     "err"},
    {"trouble on their side",
     {.status = 500, .headers = "x-amzn-RequestId: h\r\n", .body = ""},
     AWS_RETRY,
     "500",
     "HTTP status 500 without an error of AWS",
     "h"},
    {"HTML of a load balancer",
     {.status = 503, .body = "<html>busy</html>"},
     AWS_RETRY,
     "503",
     "HTTP status 503 without an error of AWS",
     ""},
    {"HTML of a proxy that says it's fine",
     {.status = 200, .body = "<html>hi</html>"},
     AWS_NO_ANSWER,
     "invalid",
     "status 200: <html> is not an answer of AWS",
     ""},
    {"a redirect",
     {.status = 302, .headers = "Location: https://x/\r\n", .body = ""},
     AWS_REFUSED,
     "302",
     "HTTP status 302 without an error of AWS",
     ""},
    {"a wrong secret",
     {.status = 403, .body = ERRORS("SignatureDoesNotMatch")},
     AWS_REFUSED,
     "SignatureDoesNotMatch",
     "m",
     "err"},
};

static void test_outcomes(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(outcome_cases); i++) {
        const struct outcome_case *c = &outcome_cases[i];
        testing_row(c->name);
        scoped(fixture_done) struct fixture fixture = {.replies = &c->reply, .reply_count = 1};
        fixture_start(&fixture);
        scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                       &get_user);
        assert_int_equal(answered->outcome, c->outcome);
        assert_int_equal(answered->status, c->reply.status);
        assert_text_equal(answered->error_code, c->code);
        assert_text_equal(answered->message, c->message);
        assert_text_equal(answered->request_id, c->request_id);
        assert_body(answered, "{}");
        assert_int_equal(fixture.calls, 1);
    }
}

static void test_no_answer(void **state) {
    (void)state;
    static const struct reply silence[] = {{.is_silent = true}};
    scoped(fixture_done) struct fixture fixture = {.replies = silence, .reply_count = 1};
    fixture_start(&fixture);
    struct aws_call call = get_user;
    call.timeout_ms = 60;
    scoped(aws_answer_free) struct aws_answer *late = aws_call(fixture.client, &reading, &call);
    assert_int_equal(late->outcome, AWS_NO_ANSWER);
    assert_text_equal(late->error_code, "limit");
    stand_in_stop(&fixture.stand_in);
    scoped(aws_answer_free) struct aws_answer *none = aws_call(fixture.client, &reading, &get_user);
    assert_int_equal(none->outcome, AWS_NO_ANSWER);
    assert_text_equal(none->error_code, "system");
}

/* --- what doesn't go out --- */

static const struct unsent_case {
    const char *name, *service, *operation, *region;
    struct permit permit;
    const char *code, *says;
} unsent_cases[] = {
    {"observe",
     "iam",
     "GetUser",
     "",
     {.class = PERMIT_READ},
     "denied",
     "iam:GetUser: mode observe: no read leaves"},
    {"no permit", "iam", "GetUser", "", {0}, "denied", "no permit"},
    {"a write on a permit to read",
     "iam",
     "PutUserPolicy",
     "",
     {.class = PERMIT_READ, .mode = MODE_ENFORCE},
     "denied",
     "PutUserPolicy writes"},
    {"a write on a permit to notify",
     "iam",
     "PutUserPolicy",
     "",
     {.class = PERMIT_NOTIFY, .mode = MODE_ENFORCE},
     "denied",
     "PutUserPolicy writes, and its permit is to notify"},
    {"the same operation of another service on a permit to notify",
     "s3",
     "Publish",
     "",
     {.class = PERMIT_NOTIFY, .mode = MODE_OBSERVE},
     "denied",
     "Publish writes, and its permit is to notify"},
    {"a write on a permit for ourselves",
     "iam",
     "PutUserPolicy",
     "",
     {.class = PERMIT_OWN, .mode = MODE_ENFORCE},
     "denied",
     "PutUserPolicy writes"},
    {"a service that isn't",
     "nope",
     "GetUser",
     "",
     {.class = PERMIT_READ, .mode = MODE_ENFORCE},
     "invalid",
     "no AWS service is named"},
    {"a REST call without a request",
     "s3",
     "DeleteBucketPolicy",
     "eu-west-1",
     {.class = PERMIT_WRITE, .mode = MODE_ENFORCE},
     "invalid",
     "calls to s3 need a \"request\""},
    {"no Region",
     "ec2",
     "DescribeInstances",
     "",
     {.class = PERMIT_READ, .mode = MODE_ENFORCE},
     "invalid",
     "no Region"},
    {"a Region of an attacker",
     "ec2",
     "DescribeInstances",
     "evil.example.com/",
     {.class = PERMIT_READ, .mode = MODE_ENFORCE},
     "invalid",
     "not the name of a Region"},
};

static void test_what_is_not_sent(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 1, .has_container = true};
    fixture_start(&fixture);
    for (size_t i = 0; i < ARRAY_COUNT(unsent_cases); i++) {
        const struct unsent_case *c = &unsent_cases[i];
        testing_row(c->name);
        struct aws_call call = {.service = text_of(c->service),
                                .operation = text_of(c->operation),
                                .region = text_of(c->region)};
        scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &c->permit,
                                                                       &call);
        assert_int_equal(answered->outcome, AWS_NOT_SENT);
        assert_text_equal(answered->error_code, c->code);
        assert_true(text_contains(answered->message, text_of(c->says)));
        assert_body(answered, "{}");
    }
    aws_warm(fixture.client, &(struct permit){.class = PERMIT_READ}, &get_user.service, 1,
             TEXT(""));
    struct aws_identity identity;
    struct error error = {0};
    assert_fails(aws_identity(fixture.client, &(struct permit){.class = PERMIT_CREDENTIAL},
                              &identity, &error),
                 &error, ERROR_DENIED, "mode observe");
    assert_int_equal(http_sent_requests(fixture.http), 0);
    assert_int_equal(stand_in_connections(fixture.stand_in), 0);
}

/* In observe too, with the credentials that it takes. */
static void test_a_permit_to_notify_is_enough_to_tell(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = USER_ANSWER}};
    static const struct permit telling = {.class = PERMIT_NOTIFY, .mode = MODE_OBSERVE};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 1, .has_container = true};
    fixture_start(&fixture);
    struct aws_call call = {
        .service = TEXT("sns"), .operation = TEXT("Publish"), .region = TEXT("eu-west-1")};
    snprintf(call.trace.text, sizeof(call.trace.text), "%s", "4bf92f3577b34da6a3ce929d0e0e4736");
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &telling, &call);
    assert_int_equal(answered->outcome, AWS_OK);
    assert_string_equal(fixture.body, "Action=Publish&Version=2010-03-31");
    /* Beside what is signed. */
    assert_head_has(&fixture, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-");
    assert_head_has(&fixture, "SignedHeaders=content-type;host;x-amz-date");
}

static void test_without_credentials(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 1, .variables = {{{"AWS_REGION", "eu-west-1"}}}};
    fixture_start(&fixture);
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                   &get_user);
    assert_int_equal(answered->outcome, AWS_NOT_SENT);
    assert_text_equal(answered->error_code, "not-found");
    struct aws_identity identity;
    struct error error = {0};
    assert_fails(aws_identity(fixture.client, &reading, &identity, &error), &error, ERROR_NOT_FOUND,
                 "no AWS credentials are configured");
    assert_int_equal(fixture.calls, 0);

    /* Configured, but out of reach just now: the same call may work later. */
    fixture.variables = (struct variables){
        {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:1/creds"}}};
    scoped(aws_answer_free) struct aws_answer *later = aws_call(fixture.client, &reading,
                                                                &get_user);
    assert_int_equal(later->outcome, AWS_RETRY);
    assert_text_equal(later->error_code, "system");
}

/* --- what is sent again --- */

static void test_expired_credentials_are_refreshed_once(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 403, .body = ERRORS("ExpiredToken")},
                                           {.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 2, .has_container = true};
    fixture_start(&fixture);
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                   &get_user);
    assert_int_equal(answered->outcome, AWS_OK);
    assert_text_equal(answered->error_code, "");
    assert_head_has(&fixture, "Credential=ASIA2/");
    assert_int_equal(fixture.calls, 2);
    assert_int_equal(fixture.fetches, 2);
}

static void test_and_no_more_than_once(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 403, .body = ERRORS("ExpiredToken")}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 1, .has_container = true};
    fixture_start(&fixture);
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                   &get_user);
    assert_int_equal(answered->outcome, AWS_RETRY);
    assert_text_equal(answered->error_code, "ExpiredToken");
    assert_int_equal(fixture.calls, 2);
}

static void test_the_same_key_is_not_tried_again(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 403, .body = ERRORS("InvalidClientTokenId")}};
    scoped(fixture_done) struct fixture fixture = {.replies = replies, .reply_count = 1};
    fixture_start(&fixture);
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                   &get_user);
    assert_int_equal(answered->outcome, AWS_RETRY);
    assert_text_equal(answered->error_code, "InvalidClientTokenId");
    assert_int_equal(fixture.calls, 1);
}

#define TOO_OLD                                                                            \
    "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: " \
    "20260102T030405Z is now earlier than 20260102T031000Z</Message></Error></ErrorResponse>"

static void test_the_clock_of_aws_counts(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {.status = 403, .headers = "Date: Fri, 02 Jan 2026 03:15:00 GMT\r\n", .body = TOO_OLD},
        {.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {.replies = replies, .reply_count = 2};
    fixture_start(&fixture);
    for (int i = 0; i < 2; i++) {
        scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                       &get_user);
        assert_int_equal(answered->outcome, AWS_OK);
        assert_head_has(&fixture, "\r\nX-Amz-Date: 20260102T031500Z\r\n");
        assert_int_equal(fixture.calls, 2 + i); /* learnt once */
    }
}

static void test_a_clock_that_agrees_is_not_to_blame(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {.status = 403, .headers = "Date: Fri, 02 Jan 2026 03:04:09 GMT\r\n", .body = TOO_OLD}};
    scoped(fixture_done) struct fixture fixture = {.replies = replies, .reply_count = 1};
    fixture_start(&fixture);
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                   &get_user);
    assert_int_equal(answered->outcome, AWS_RETRY);
    assert_int_equal(fixture.calls, 1);
}

/* --- who we are --- */

#define IDENTITY_ANSWER(account)                                                     \
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"                           \
    "<Arn>arn:aws-cn:sts::" account ":assumed-role/r/s</Arn><UserId>AROA:s</UserId>" \
    "<Account>" account "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"

static void test_identity_is_asked_once(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = IDENTITY_ANSWER("123456789012")},
                                           {.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 2, .has_container = true};
    fixture_start(&fixture);
    struct permit credential = {.class = PERMIT_CREDENTIAL, .mode = MODE_APPROVE};
    for (int i = 0; i < 3; i++) {
        struct aws_identity identity = {0};
        struct error error = {0};
        assert_ok(aws_identity(fixture.client, &credential, &identity, &error), &error);
        assert_string_equal(identity.account, "123456789012");
        assert_string_equal(identity.partition, "aws-cn");
        assert_string_equal(identity.arn, "arn:aws-cn:sts::123456789012:assumed-role/r/s");
        assert_string_equal(identity.unique_id, "AROA:s");
    }
    assert_int_equal(fixture.calls, 1);
    assert_string_equal(fixture.body, "Action=GetCallerIdentity&Version=2011-06-15");

    struct aws_call call = get_user;
    call.account = TEXT("999999999999");
    scoped(aws_answer_free) struct aws_answer *other = aws_call(fixture.client, &reading, &call);
    assert_int_equal(other->outcome, AWS_NOT_SENT);
    assert_true(text_contains(other->message, TEXT("no role is configured")));
    call.account = TEXT("123456789012");
    scoped(aws_answer_free) struct aws_answer *ours = aws_call(fixture.client, &reading, &call);
    assert_int_equal(ours->outcome, AWS_OK);
}

/* --- other accounts --- */

#define ROLE_ANSWER                                                                           \
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>"  \
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>role-token</SessionToken><Expiration>" \
    "2026-01-02T04:04:05Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"

static const struct aws_tag role_tags[] = {{TEXT_INIT("team"), TEXT_INIT("blue")}};
static const struct aws_role_options role_options = {
    .role = TEXT_INIT("arn:${partition}:iam::${account}:role/riposte-responder"),
    .external_id = TEXT_INIT("x y"),
    .tags = role_tags,
    .tag_count = 1,
};

static void test_another_account_is_called_as_its_role(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = IDENTITY_ANSWER("123456789012")},
                                           {.status = 200, .body = ROLE_ANSWER},
                                           {.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 3, .has_container = true, .roles = role_options};
    fixture_start(&fixture);
    struct aws_call call = get_user;
    call.account = TEXT("999999999999");
    for (int i = 0; i < 2; i++) {
        scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                       &call);
        assert_int_equal(answered->outcome, AWS_OK);
        assert_head_has(&fixture, "Credential=ASIAROLE/");
        assert_head_has(&fixture, "\r\nX-Amz-Security-Token: role-token\r\n");
        assert_int_equal(fixture.calls, 3 + i); /* who we are and the role: asked once */
    }
    assert_string_equal(fixture.keys, "ASIA1 ASIAROLE ");
    call.account = TEXT("123456789012");
    scoped(aws_answer_free) struct aws_answer *ours = aws_call(fixture.client, &reading, &call);
    assert_int_equal(ours->outcome, AWS_OK);
    assert_head_has(&fixture, "Credential=ASIA1/");
}

static void test_how_a_role_is_asked_for(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = IDENTITY_ANSWER("123456789012")},
                                           {.status = 403, .body = ERRORS("AccessDenied")}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 2, .has_container = true, .roles = role_options};
    fixture_start(&fixture);
    struct aws_call call = get_user;
    call.account = TEXT("999999999999");
    scoped(aws_answer_free) struct aws_answer *refused = aws_call(fixture.client, &reading, &call);
    assert_int_equal(refused->outcome, AWS_NOT_SENT);
    assert_text_equal(refused->error_code, "denied");
    assert_true(text_starts_with(refused->message,
                                 TEXT("arn:aws-cn:iam::999999999999:role/riposte-responder: m")));
    assert_string_equal(
        fixture.body,
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws-cn%3Aiam%3A%3A999999999999%3Arole"
        "%2Friposte-responder&RoleSessionName=riposte&ExternalId=x+y&Tags.member.1.Key=team&"
        "Tags.member.1.Value=blue");
    assert_head_has(&fixture, "Credential=ASIA1/");
}

/* Own credentials say who we are before anything else. */
static void assert_not_become(struct fixture *fixture, const struct aws_call *call,
                              enum aws_outcome outcome, const char *why) {
    scoped(aws_answer_free) struct aws_answer *refused = aws_call(fixture->client, &reading, call);
    assert_int_equal(refused->outcome, outcome);
    assert_text_equal(refused->message, why);
    assert_int_equal(fixture->calls, 1);
}

static void test_a_role_is_taken_only_in_accounts_that_are_allowed(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = IDENTITY_ANSWER("123456789012")},
                                           {.status = 200, .body = ROLE_ANSWER},
                                           {.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 3, .has_container = true, .roles = role_options};
    static const struct text allowed[] = {TEXT_INIT("111111111111"), TEXT_INIT("999999999999")};
    fixture_start(&fixture);
    struct aws_call call = get_user, named = get_user;
    call.account = TEXT("999999999999");
    named.role = TEXT("arn:aws:iam::999999999999:role/x");
    aws_allow_accounts(fixture.client, NULL, 0, false);
    assert_not_become(&fixture, &call, AWS_RETRY,
                      "whether account 999999999999 is one of ours is not known yet");
    assert_not_become(&fixture, &named, AWS_RETRY,
                      "whether account 999999999999 is one of ours is not known yet");
    aws_allow_accounts(fixture.client, allowed, 1, true);
    assert_not_become(&fixture, &call, AWS_NOT_SENT,
                      "account 999999999999 is not one of aws.accounts");
    assert_not_become(&fixture, &named, AWS_NOT_SENT,
                      "account 999999999999 is not one of aws.accounts");
    aws_allow_accounts(fixture.client, allowed, 2, true);
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading, &call);
    assert_int_equal(answered->outcome, AWS_OK);
    assert_head_has(&fixture, "Credential=ASIAROLE/");
    /* Nor any more, when it is taken away again; our own account always is ours. */
    aws_allow_accounts(fixture.client, NULL, 0, true);
    scoped(aws_answer_free) struct aws_answer *gone = aws_call(fixture.client, &reading, &call);
    assert_int_equal(gone->outcome, AWS_NOT_SENT);
    call.account = TEXT("123456789012");
    scoped(aws_answer_free) struct aws_answer *ours = aws_call(fixture.client, &reading, &call);
    assert_int_equal(ours->outcome, AWS_OK);
    assert_head_has(&fixture, "Credential=ASIA1/");
}

static void test_a_role_that_the_call_names(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = ROLE_ANSWER},
                                           {.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 2, .has_container = true};
    fixture_start(&fixture);
    struct aws_call call = get_user;
    call.account = TEXT("123456789012");
    call.role = TEXT("arn:aws:iam::123456789012:role/x");
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading, &call);
    assert_int_equal(answered->outcome, AWS_OK);
    assert_head_has(&fixture, "Credential=ASIAROLE/");
    call.account = TEXT("999999999999");
    scoped(aws_answer_free) struct aws_answer *elsewhere = aws_call(fixture.client, &reading,
                                                                    &call);
    assert_int_equal(elsewhere->outcome, AWS_NOT_SENT);
    assert_true(text_contains(elsewhere->message, TEXT("is not a role in account 999999999999")));
    call.role = TEXT("arn:aws:iam::999999999999:user/x");
    scoped(aws_answer_free) struct aws_answer *user = aws_call(fixture.client, &reading, &call);
    assert_true(text_contains(user->message, TEXT("is not the ARN of a role")));
    assert_int_equal(fixture.calls, 2);
}

static void test_whose_account_it_is_must_be_known(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 500, .body = ""}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 1, .roles = role_options};
    fixture_start(&fixture);
    struct aws_call call = get_user;
    call.account = TEXT("999999999999");
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading, &call);
    assert_int_equal(answered->outcome, AWS_RETRY);
    assert_true(text_starts_with(answered->message, TEXT("asking who we are: ")));
    /* No way to a role on a permit that doesn't reach so far. */
    struct aws_call assume = {.service = TEXT("sts"), .operation = TEXT("AssumeRole")};
    scoped(aws_answer_free) struct aws_answer *mere = aws_call(fixture.client, &reading, &assume);
    assert_int_equal(mere->outcome, AWS_NOT_SENT);
    assert_int_equal(fixture.calls, 1);
}

static void test_accounts_are_warmed(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = IDENTITY_ANSWER("123456789012")},
                                           {.status = 200, .body = ROLE_ANSWER},
                                           {.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 3, .has_container = true, .roles = role_options};
    fixture_start(&fixture);
    struct permit credential = {.class = PERMIT_CREDENTIAL, .mode = MODE_ENFORCE};
    static const struct text accounts[] = {TEXT_INIT("999999999999")};
    aws_warm_accounts(fixture.client, &credential, accounts, ARRAY_COUNT(accounts));
    aws_client_free(&fixture.client); /* waits, or ends what has not begun */
    assert_true(fixture.calls <= 3);
}

static void test_an_identity_that_makes_no_sense(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {.status = 200, .body = IDENTITY_ANSWER("12345678901234567890")},
        {.status = 403, .body = ERRORS("AccessDenied")}};
    scoped(fixture_done) struct fixture fixture = {.replies = replies, .reply_count = 2};
    fixture_start(&fixture);
    struct aws_identity identity = {0};
    struct error error = {0};
    assert_fails(aws_identity(fixture.client, &reading, &identity, &error), &error, ERROR_INVALID,
                 "says too little");
    assert_fails(aws_identity(fixture.client, &reading, &identity, &error), &error, ERROR_DENIED,
                 "m");
}

/* --- without waiting --- */

struct ends {
    struct mutex lock;
    struct condition has_grown;
    int count, ok;
};

static void count_end(void *arg, const struct aws_answer *answered) {
    struct ends *ends = arg;
    mutex_lock(&ends->lock);
    ends->count++;
    ends->ok += answered->outcome == AWS_OK;
    condition_signal(&ends->has_grown);
    mutex_unlock(&ends->lock);
}

static void test_calls_go_side_by_side(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = ""}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 1, .has_container = true};
    fixture_start(&fixture);
    struct ends ends = {0};
    mutex_init(&ends.lock);
    condition_init(&ends.has_grown);
    struct aws_call call = {.service = TEXT("iam"), .operation = TEXT("PutUserPolicy")};
    for (int i = 0; i < 20; i++) {
        aws_send(fixture.client, &writing, &call, count_end, &ends);
    }
    mutex_lock(&ends.lock);
    while (ends.count < 20) {
        condition_wait(&ends.has_grown, &ends.lock);
    }
    mutex_unlock(&ends.lock);
    assert_int_equal(ends.ok, 20);
    assert_int_equal(fixture.fetches, 1);
}

static void test_the_end_waits_for_calls(void **state) {
    (void)state;
    static const struct reply silence[] = {{.is_silent = true}};
    scoped(fixture_done) struct fixture fixture = {.replies = silence, .reply_count = 1};
    fixture_start(&fixture);
    struct ends ends = {0};
    mutex_init(&ends.lock);
    condition_init(&ends.has_grown);
    struct aws_call call = get_user;
    call.timeout_ms = 60;
    aws_send(fixture.client, &reading, &call, count_end, &ends);
    aws_client_free(&fixture.client);
    assert_int_equal(ends.count, 1);
    assert_int_equal(ends.ok, 0);
}

static void test_warm_finds_credentials_and_connections(void **state) {
    (void)state;
    static const struct reply replies[] = {{.status = 200, .body = USER_ANSWER}};
    scoped(fixture_done) struct fixture fixture = {
        .replies = replies, .reply_count = 1, .has_container = true};
    fixture_start(&fixture);
    static const struct text services[] = {TEXT_INIT("iam"), TEXT_INIT("kms"), TEXT_INIT("no")};
    aws_warm(fixture.client, &reading, services, ARRAY_COUNT(services), TEXT("eu-west-1"));
    scoped(aws_answer_free) struct aws_answer *answered = aws_call(fixture.client, &reading,
                                                                   &get_user);
    assert_int_equal(answered->outcome, AWS_OK);
    assert_int_equal(fixture.fetches, 1);
    assert_int_equal(http_sent_requests(fixture.http), 4); /* credentials, GET / twice, the call */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_is_signed_and_answered),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_what_is_not_sent),
        cmocka_unit_test(test_a_permit_to_notify_is_enough_to_tell),
        cmocka_unit_test(test_without_credentials),
        cmocka_unit_test(test_expired_credentials_are_refreshed_once),
        cmocka_unit_test(test_and_no_more_than_once),
        cmocka_unit_test(test_the_same_key_is_not_tried_again),
        cmocka_unit_test(test_the_clock_of_aws_counts),
        cmocka_unit_test(test_a_clock_that_agrees_is_not_to_blame),
        cmocka_unit_test(test_identity_is_asked_once),
        cmocka_unit_test(test_an_identity_that_makes_no_sense),
        cmocka_unit_test(test_another_account_is_called_as_its_role),
        cmocka_unit_test(test_how_a_role_is_asked_for),
        cmocka_unit_test(test_a_role_is_taken_only_in_accounts_that_are_allowed),
        cmocka_unit_test(test_a_role_that_the_call_names),
        cmocka_unit_test(test_whose_account_it_is_must_be_known),
        cmocka_unit_test(test_accounts_are_warmed),
        cmocka_unit_test(test_calls_go_side_by_side),
        cmocka_unit_test(test_the_end_waits_for_calls),
        cmocka_unit_test(test_warm_finds_credentials_and_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
