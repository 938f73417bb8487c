#include "riposte/aws/credentials.h"

#include "stand_in.h"
#include "testing.h"
#include "variables.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct permit allowed = {.class = PERMIT_CREDENTIAL, .mode = MODE_ENFORCE};

/* A peer that answers with `status` and `body`, `failures` times with 500 first, and remembers what
 * it was asked. */
struct agent {
    int status, failures;
    const char *body;
    char authorization[128], form[512];
    bool has_authorization;
};

static void answer(void *arg, struct stand_in_exchange *exchange) {
    struct agent *agent = arg;
    struct text authorization = stand_in_header(exchange, "authorization");
    agent->has_authorization = authorization.bytes > 0;
    snprintf(agent->authorization, sizeof(agent->authorization), "%.*s", TEXT_ARG(authorization));
    snprintf(agent->form, sizeof(agent->form), "%.*s", TEXT_ARG(exchange->body));
    bool fails = agent->failures-- > 0;
    stand_in_answer(exchange, fails ? 500 : agent->status, "", text_of(fails ? "" : agent->body));
}

struct fixture {
    struct agent agent;
    struct stand_in *stand_in;
    struct http_client *http;
    struct variables variables;
    char url[96], file[64];
};

static void fixture_done(struct fixture *fixture) {
    http_client_free(&fixture->http);
    stand_in_stop(&fixture->stand_in);
    if (fixture->file[0] != '\0') {
        unlink(fixture->file);
    }
}

static void fixture_start(struct fixture *fixture, int status, const char *body) {
    struct error error = {0};
    fixture->agent = (struct agent){.status = status, .body = body};
    fixture->stand_in = stand_in_start(false, answer, &fixture->agent);
    snprintf(fixture->url, sizeof(fixture->url), "%s/creds", stand_in_origin(fixture->stand_in));
    assert_ok(http_client_new(&(struct http_options){0}, &fixture->http, &error), &error);
}

static void write_file(struct fixture *fixture, const char *text) {
    if (fixture->file[0] == '\0') {
        snprintf(fixture->file, sizeof(fixture->file), "/tmp/riposte-test-XXXXXX");
        int opened = mkstemp(fixture->file);
        assert_true(opened >= 0);
        close(opened);
    }
    FILE *file = fopen(fixture->file, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool fetch(struct fixture *fixture, struct aws_credentials **credentials,
                  struct error *error) {
    struct aws_provider provider = {.environment = {variables_get, &fixture->variables},
                                    .http = fixture->http};
    return aws_credentials_fetch(&provider, &allowed, credentials, error);
}

#define CONTAINER_ANSWER                                                            \
    "{\"RoleArn\":\"r\",\"AccessKeyId\":\"ASIAC\",\"SecretAccessKey\":\"sec/ret\"," \
    "\"Token\":\"tok\",\"Expiration\":\"2026-01-02T03:04:05Z\"}"

#define STS_ANSWER                                                                      \
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>" \
    "<AccessKeyId>ASIAW</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"              \
    "<SessionToken>t</SessionToken><Expiration>2026-01-02T03:04:05Z</Expiration>"       \
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"

#define EXPIRATION_MS INT64_C(1767323045000)

/* --- environment --- */

static const struct environment_case {
    const char *key_id, *secret, *token, *expiration;
    const char *refusal; /* NULL: works */
} environment_cases[] = {
    {"AKIAE", "secret", NULL, NULL, NULL},
    {"AKIAE", "secret", "token", "2026-01-02T03:04:05Z", NULL},
    {"AKIAE", NULL, NULL, NULL, "AWS_SECRET_ACCESS_KEY isn't"},
    {"AKIAE", "", NULL, NULL, "AWS_SECRET_ACCESS_KEY isn't"},
    {"AKIA E", "secret", NULL, NULL, "id is missing or malformed"},
    {"AKIA/E", "secret", NULL, NULL, "id is missing or malformed"},
    {"AKIAE", "sec\nret", NULL, NULL, "malformed"},
    {"AKIAE", "secret", "to\r\nken", NULL, "malformed"},
    {"AKIAE", "secret", NULL, "soon", "the expiration is not a time"},
};

static void test_from_the_environment(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(environment_cases); i++) {
        const struct environment_case *c = &environment_cases[i];
        testing_row(c->refusal);
        struct fixture fixture = {.variables = {{{"AWS_ACCESS_KEY_ID", c->key_id},
                                                 {"AWS_SECRET_ACCESS_KEY", c->secret},
                                                 {"AWS_SESSION_TOKEN", c->token},
                                                 {"AWS_CREDENTIAL_EXPIRATION", c->expiration}}}};
        scoped(aws_credentials_unref) struct aws_credentials *credentials = NULL;
        struct error error = {0};
        bool is_ok = fetch(&fixture, &credentials, &error);
        if (c->refusal != NULL) {
            assert_fails(is_ok, &error, ERROR_INVALID, c->refusal);
            continue;
        }
        assert_ok(is_ok, &error);
        assert_text_equal(credentials->access_key_id, c->key_id);
        assert_text_equal(credentials->secret_access_key, c->secret);
        assert_text_equal(credentials->session_token, c->token != NULL ? c->token : "");
        assert_int_equal(credentials->expires_unix_ms, c->expiration != NULL ? EXPIRATION_MS : 0);
    }
}

static void test_none_configured(void **state) {
    (void)state;
    struct fixture fixture = {.variables = {{{"AWS_ACCESS_KEY_ID", ""},
                                             {"AWS_ROLE_ARN", "without a token file"},
                                             {"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"},
                                             {"AWS_EC2_METADATA_DISABLED", "TRUE"}}}};
    struct aws_credentials *credentials = NULL;
    struct error error = {0};
    assert_fails(fetch(&fixture, &credentials, &error), &error, ERROR_NOT_FOUND,
                 "no AWS credentials are configured");
}

/* --- container --- */

static void test_from_the_container(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture, 200, CONTAINER_ANSWER);
    fixture.variables = (struct variables){{
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", fixture.url},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc"},
    }};
    scoped(aws_credentials_unref) struct aws_credentials *credentials = NULL;
    struct error error = {0};
    assert_ok(fetch(&fixture, &credentials, &error), &error);
    assert_text_equal(credentials->access_key_id, "ASIAC");
    assert_text_equal(credentials->secret_access_key, "sec/ret");
    assert_text_equal(credentials->session_token, "tok");
    assert_int_equal(credentials->expires_unix_ms, EXPIRATION_MS);
    assert_string_equal(fixture.agent.authorization, "Basic abc");
}

static void test_the_token_file_wins_and_is_read_each_time(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture, 200, CONTAINER_ANSWER);
    write_file(&fixture, "first");
    fixture.variables = (struct variables){{
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", fixture.url},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "other"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", fixture.file},
    }};
    static const char *const tokens[] = {"first", "second"};
    for (size_t i = 0; i < ARRAY_COUNT(tokens); i++) {
        write_file(&fixture, tokens[i]);
        scoped(aws_credentials_unref) struct aws_credentials *credentials = NULL;
        struct error error = {0};
        assert_ok(fetch(&fixture, &credentials, &error), &error);
        assert_string_equal(fixture.agent.authorization, tokens[i]);
    }
    write_file(&fixture, "line\r\nX-Evil: 1");
    struct aws_credentials *none = NULL;
    struct error error = {0};
    assert_fails(fetch(&fixture, &none, &error), &error, ERROR_INVALID, "holds a line break");
    unlink(fixture.file);
    assert_fails(fetch(&fixture, &none, &error), &error, ERROR_SYSTEM,
                 "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    assert_int_equal(stand_in_requests(fixture.stand_in), 2);
}

static const struct place_case {
    const char *relative, *full;
    enum error_code code;
    const char *refusal;
} place_cases[] = {
    {NULL, "http://example.com/creds", ERROR_DENIED, "no agent of ECS or EKS"},
    {NULL, "http://169.254.169.254/creds", ERROR_DENIED, "no agent of ECS or EKS"},
    {NULL, "http://10.0.0.1/creds", ERROR_DENIED, "no agent of ECS or EKS"},
    {NULL, "http://[fd00:ec2::24]/creds", ERROR_DENIED, "no agent of ECS or EKS"},
    {NULL, "ftp://localhost/creds", ERROR_INVALID, "URL"},
    /* The relative one wins: the complaint is about its host. */
    {"/a b", "http://localhost:1/", ERROR_INVALID, "the URL at 169.254.170.2"},
    {"@example.com/", NULL, ERROR_INVALID, "must not hold a user"},
    {".example.com/", NULL, ERROR_DENIED, "169.254.170.2.example.com"},
};

static void test_where_credentials_may_come_from(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(place_cases); i++) {
        const struct place_case *c = &place_cases[i];
        testing_row(c->refusal);
        struct fixture fixture = {
            .variables = {{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", c->relative},
                           {"AWS_CONTAINER_CREDENTIALS_FULL_URI", c->full}}}};
        struct aws_credentials *none = NULL;
        struct error error = {0};
        assert_fails(fetch(&fixture, &none, &error), &error, c->code, c->refusal);
    }
}

static const struct answer_case {
    int status;
    const char *body;
    int failures;         /* with 500, before */
    enum error_code code; /* ERROR_NONE: works */
    const char *refusal;
    int requests;
} answer_cases[] = {
    {200, CONTAINER_ANSWER, 2, ERROR_NONE, NULL, 3},
    {200, CONTAINER_ANSWER, 3, ERROR_SYSTEM, "HTTP status 500", 3},
    {404, "{\"code\":\"c\",\"message\":\"no role\"}", 0, ERROR_DENIED, "status 404: no role", 1},
    {403, "<html>", 0, ERROR_DENIED, "status 403", 1},
    {200, "<html>", 0, ERROR_INVALID, "not a JSON object", 1},
    {200, "[]", 0, ERROR_INVALID, "not a JSON object", 1},
    {200, "{}", 0, ERROR_INVALID, "id is missing", 1},
    {200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":1}", 0, ERROR_INVALID, "secret key", 1},
    {200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}", 0, ERROR_NONE, NULL, 1},
    {200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"x\"}", 0,
     ERROR_INVALID, "not a time", 1},
};

static void test_what_the_container_answers(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(answer_cases); i++) {
        const struct answer_case *c = &answer_cases[i];
        testing_row(c->body);
        scoped(fixture_done) struct fixture fixture = {0};
        fixture_start(&fixture, c->status, c->body);
        fixture.agent.failures = c->failures;
        fixture.variables = (struct variables){
            {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", fixture.url}}};
        scoped(aws_credentials_unref) struct aws_credentials *credentials = NULL;
        struct error error = {0};
        bool is_ok = fetch(&fixture, &credentials, &error);
        if (c->code == ERROR_NONE) {
            assert_ok(is_ok, &error);
        } else {
            assert_fails(is_ok, &error, c->code, c->refusal);
            assert_null(strstr(error.text, "sec/ret"));
        }
        assert_false(fixture.agent.has_authorization);
        assert_int_equal(stand_in_requests(fixture.stand_in), c->requests);
    }
}

/* --- web identity --- */

static void test_by_web_identity(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture, 200, STS_ANSWER);
    write_file(&fixture, "one");
    fixture.variables = (struct variables){{
        {"AWS_WEB_IDENTITY_TOKEN_FILE", fixture.file},
        {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"},
        {"AWS_ENDPOINT_URL_STS", stand_in_origin(fixture.stand_in)},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:1/later"},
    }};
    static const char *const tokens[] = {"one", "t.w+o\n"};
    static const char *const forms[] = {"one", "t.w%2Bo"};
    for (size_t i = 0; i < ARRAY_COUNT(tokens); i++) {
        char expected[256];
        write_file(&fixture, tokens[i]);
        snprintf(expected, sizeof(expected),
                 "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%%3Aaws%%3Aiam"
                 "%%3A%%3A1%%3Arole%%2Fr&RoleSessionName=riposte&WebIdentityToken=%s",
                 forms[i]);
        scoped(aws_credentials_unref) struct aws_credentials *credentials = NULL;
        struct error error = {0};
        assert_ok(fetch(&fixture, &credentials, &error), &error);
        assert_text_equal(credentials->access_key_id, "ASIAW");
        assert_text_equal(credentials->session_token, "t");
        assert_int_equal(credentials->expires_unix_ms, EXPIRATION_MS);
        assert_string_equal(fixture.agent.form, expected);
        assert_false(fixture.agent.has_authorization);
    }
}

static void test_a_web_identity_refused(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture, 400,
                  "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>no</Message>"
                  "</Error></ErrorResponse>");
    write_file(&fixture, "very-secret-token");
    fixture.variables = (struct variables){{
        {"AWS_WEB_IDENTITY_TOKEN_FILE", fixture.file},
        {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"},
        {"AWS_ROLE_SESSION_NAME", "me"},
        {"AWS_ENDPOINT_URL", stand_in_origin(fixture.stand_in)},
    }};
    struct aws_credentials *none = NULL;
    struct error error = {0};
    assert_fails(fetch(&fixture, &none, &error), &error, ERROR_DENIED,
                 "credentials by web identity: InvalidIdentityToken: no");
    assert_non_null(strstr(fixture.agent.form, "&RoleSessionName=me&"));
    unlink(fixture.file);
    assert_fails(fetch(&fixture, &none, &error), &error, ERROR_SYSTEM,
                 "AWS_WEB_IDENTITY_TOKEN_FILE");
}

/* --- file --- */

static const struct file_case {
    const char *profile, *text;
    const char *key_id, *secret, *token; /* key_id NULL: refused ... */
    enum error_code code;
    const char *refusal; /* ... with this */
} file_cases[] = {
    {NULL, "[default]\naws_access_key_id = AKIAF\naws_secret_access_key=s/=\n", "AKIAF", "s/=", "",
     ERROR_NONE, NULL},
    {"",
     "# c\n[other]\naws_access_key_id=AKIAO\n[default]\n;c\naws_access_key_id=AKIAF\r\n"
     "aws_secret_access_key = s\r\naws_session_token = t\r\nregion = x\n",
     "AKIAF", "s", "t", ERROR_NONE, NULL},
    {"work",
     "[default]\naws_access_key_id=A\n[ work ]\naws_secret_access_key=s\n"
     "aws_access_key_id=AKIAW",
     "AKIAW", "s", "", ERROR_NONE, NULL},
    {"work", "[default]\naws_access_key_id=A\n", NULL, NULL, NULL, ERROR_NOT_FOUND,
     "has no profile [work]"},
    {NULL, "[default]\nrole_arn=arn\n", NULL, NULL, NULL, ERROR_INVALID,
     "profile [default] holds no aws_access_key_id"},
    {NULL, "[default]\naws_access_key_id=AKIAF\n", NULL, NULL, NULL, ERROR_INVALID,
     "profile [default]: the secret key is missing"},
    {NULL, "aws_access_key_id=AKIAF\naws_secret_access_key=s\n", NULL, NULL, NULL, ERROR_NOT_FOUND,
     "no AWS credentials are configured"},
    {NULL, "", NULL, NULL, NULL, ERROR_NOT_FOUND, "no AWS credentials are configured"},
};

static void test_from_a_file(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(file_cases); i++) {
        const struct file_case *c = &file_cases[i];
        testing_row(c->text);
        struct fixture fixture = {0};
        scoped(aws_credentials_unref) struct aws_credentials *credentials = NULL;
        struct error error = {0};
        write_file(&fixture, c->text);
        fixture.variables = (struct variables){{{"AWS_SHARED_CREDENTIALS_FILE", fixture.file},
                                                {"AWS_EC2_METADATA_DISABLED", "true"},
                                                {"AWS_PROFILE", c->profile}}};
        bool is_ok = fetch(&fixture, &credentials, &error);
        if (c->key_id == NULL) {
            assert_fails(is_ok, &error, c->code, c->refusal);
        } else {
            assert_ok(is_ok, &error);
            assert_text_equal(credentials->access_key_id, c->key_id);
            assert_text_equal(credentials->secret_access_key, c->secret);
            assert_text_equal(credentials->session_token, c->token);
        }
        fixture_done(&fixture);
    }
}

static void test_the_file_is_at_home(void **state) {
    (void)state;
    char home[] = "/tmp/riposte-home-XXXXXX";
    char folder[64], path[80];
    assert_non_null(mkdtemp(home));
    snprintf(folder, sizeof(folder), "%s/.aws", home);
    snprintf(path, sizeof(path), "%s/credentials", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("[default]\naws_access_key_id=AKIAH\naws_secret_access_key=s\n", file);
    fclose(file);
    struct fixture fixture = {.variables = {{{"HOME", home}}}};
    scoped(aws_credentials_unref) struct aws_credentials *credentials = NULL;
    struct error error = {0};
    assert_ok(fetch(&fixture, &credentials, &error), &error);
    assert_text_equal(credentials->access_key_id, "AKIAH");
    unlink(path);
    rmdir(folder);
    rmdir(home);
}

/* --- instance --- */

/* A metadata service: version 2 only. */
struct metadata {
    const char *role; /* NULL: the instance has none */
    const char *answer;
    bool knows_no_tokens;
    unsigned refused; /* without the token */
};

static void answer_metadata(void *arg, struct stand_in_exchange *exchange) {
    struct metadata *metadata = arg;
    bool has_token = text_equal_string(stand_in_header(exchange, "X-aws-ec2-metadata-token"),
                                       "the-token==");
    if (text_starts_with(exchange->head, TEXT("PUT /latest/api/token HTTP"))) {
        bool is_asked = text_equal_string(
            stand_in_header(exchange, "X-aws-ec2-metadata-token-ttl-seconds"), "21600");
        stand_in_answer(exchange, metadata->knows_no_tokens || !is_asked ? 404 : 200, "",
                        TEXT("the-token=="));
    } else if (!has_token) {
        metadata->refused++;
        stand_in_answer(exchange, 401, "", TEXT(""));
    } else if (text_starts_with(exchange->head,
                                TEXT("GET /latest/meta-data/iam/security-credentials/ HTTP"))) {
        stand_in_answer(exchange, metadata->role != NULL ? 200 : 404, "",
                        text_of(metadata->role != NULL ? metadata->role : ""));
    } else if (text_starts_with(
                   exchange->head,
                   TEXT("GET /latest/meta-data/iam/security-credentials/riposte%40ec2 HTTP"))) {
        stand_in_answer(exchange, 200, "", text_of(metadata->answer));
    } else {
        stand_in_answer(exchange, 404, "", TEXT(""));
    }
}

static void test_from_the_instance(void **state) {
    (void)state;
    static const struct {
        struct metadata metadata;
        enum error_code code;
        const char *refusal; /* NULL: works */
    } cases[] = {
        {{.role = "riposte@ec2\n", .answer = CONTAINER_ANSWER}, ERROR_NONE, NULL},
        {{.role = NULL}, ERROR_NOT_FOUND, "no AWS credentials are configured"},
        {{.knows_no_tokens = true}, ERROR_NOT_FOUND, "no AWS credentials are configured"},
        {{.role = ""}, ERROR_INVALID, "credentials of the instance: no role's name came"},
        {{.role = "riposte@ec2", .answer = "{}"},
         ERROR_INVALID,
         "role riposte@ec2: the access key"},
        {{.role = "other"}, ERROR_DENIED, "role other: HTTP status 404"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct metadata metadata = cases[i].metadata;
        struct fixture fixture = {0};
        scoped(aws_credentials_unref) struct aws_credentials *credentials = NULL;
        struct error error = {0};
        testing_row(cases[i].refusal);
        fixture.stand_in = stand_in_start(false, answer_metadata, &metadata);
        assert_ok(http_client_new(&(struct http_options){0}, &fixture.http, &error), &error);
        fixture.variables = (struct variables){
            {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", stand_in_origin(fixture.stand_in)}}};
        bool is_ok = fetch(&fixture, &credentials, &error);
        if (cases[i].refusal == NULL) {
            assert_ok(is_ok, &error);
            assert_text_equal(credentials->access_key_id, "ASIAC");
            assert_text_equal(credentials->session_token, "tok");
            assert_int_equal(credentials->expires_unix_ms, EXPIRATION_MS);
        } else {
            assert_fails(is_ok, &error, cases[i].code, cases[i].refusal);
        }
        assert_int_equal(metadata.refused, 0);
        fixture_done(&fixture);
    }
}

static void test_without_a_permit_nobody_is_asked(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture, 200, CONTAINER_ANSWER);
    fixture.variables = (struct variables){{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", fixture.url}}};
    struct aws_provider provider = {.environment = {variables_get, &fixture.variables},
                                    .http = fixture.http};
    struct permit observe = {.class = PERMIT_CREDENTIAL, .mode = MODE_OBSERVE};
    struct aws_credentials *none = NULL;
    struct error error = {0};
    assert_fails(aws_credentials_fetch(&provider, &observe, &none, &error), &error, ERROR_DENIED,
                 "mode observe: no credential leaves");
    assert_int_equal(stand_in_connections(fixture.stand_in), 0);
}

static void test_a_set_is_shared(void **state) {
    (void)state;
    struct aws_credentials *first = aws_credentials_new(TEXT("A"), TEXT("B"), TEXT(""), 7);
    struct aws_credentials *second = aws_credentials_ref(first);
    aws_credentials_unref(&first);
    assert_null(first);
    assert_text_equal(second->secret_access_key, "B");
    aws_credentials_unref(&second);
    aws_credentials_unref(&second);
    assert_null(aws_credentials_ref(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_the_environment),
        cmocka_unit_test(test_none_configured),
        cmocka_unit_test(test_from_the_container),
        cmocka_unit_test(test_the_token_file_wins_and_is_read_each_time),
        cmocka_unit_test(test_where_credentials_may_come_from),
        cmocka_unit_test(test_what_the_container_answers),
        cmocka_unit_test(test_by_web_identity),
        cmocka_unit_test(test_a_web_identity_refused),
        cmocka_unit_test(test_from_a_file),
        cmocka_unit_test(test_the_file_is_at_home),
        cmocka_unit_test(test_from_the_instance),
        cmocka_unit_test(test_without_a_permit_nobody_is_asked),
        cmocka_unit_test(test_a_set_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
