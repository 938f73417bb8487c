#include "riposte/config/settings.h"

#include "config_testing.h"

struct variable {
    const char *name, *value;
};

/* `arg`: variables, the last with a name of NULL. */
static const char *look_up(void *arg, const char *name) {
    for (const struct variable *variable = arg; variable->name != NULL; variable++) {
        if (strcmp(variable->name, name) == 0) {
            return variable->value;
        }
    }
    return NULL;
}

static struct variable no_variables[] = {{NULL, NULL}};

struct fixture {
    struct arena *arena;
    struct findings *findings;
    struct settings settings;
    bool is_good;
};

static void fixture_done(struct fixture *fixture) {
    findings_free(&fixture->findings);
    arena_free(&fixture->arena);
}

static struct fixture read_with(const char *text, struct variable *variables) {
    struct fixture fixture = {.arena = arena_new(), .findings = findings_new()};
    struct source source = {.file = "s.json", .text = text_of(text)};
    fixture.is_good = settings_read(&source, "/etc/riposte", look_up, variables, fixture.arena,
                                    &fixture.settings, fixture.findings);
    return fixture;
}

static void test_all_has_defaults(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_with("{}", no_variables);
    const struct settings *settings = &fixture.settings;
    assert_findings(fixture.findings, "");
    assert_true(fixture.is_good);
    assert_int_equal(settings->mode, MODE_OBSERVE);
    assert_text_equal(settings->listen.address, "0.0.0.0");
    assert_text_equal(settings->listen.path, "/events");
    assert_text_equal(settings->listen.certificate, "");
    assert_int_equal(settings->listen.port, 8443);
    assert_text_equal(settings->authenticate.header, "X-Api-Key");
    assert_int_equal(settings->authenticate.secrets.count, 2);
    assert_text_equal(settings->authenticate.secrets.items[1].place, "RIPOSTE_SECRET_PREVIOUS");
    assert_text_equal(settings->admin.address, "127.0.0.1");
    assert_int_equal(settings->admin.port, 9443);
    assert_int_equal(settings->admin.token_count, 1);
    assert_text_equal(settings->admin.tokens[0].name, "admin");
    assert_int_equal(settings->admin.tokens[0].role, ADMIN_OPERATE);
    assert_text_equal(settings->admin.tokens[0].secrets.items[0].place, "RIPOSTE_ADMIN_TOKEN");
    assert_text_equal(settings->journal, "sqlite:/var/lib/riposte/journal.db");
    assert_int_equal(settings->acknowledge, ACKNOWLEDGE_JOURNALED);
    assert_int_equal(settings->queue_limit, 10000);
    assert_int_equal(settings->workers, 8);
    assert_int_equal(settings->retain_ms, INT64_C(30) * 24 * 3600 * 1000);
    assert_int_equal(settings->drain_ms, 5000);
    assert_int_equal(settings->journal_wait_ms, 180000);
    assert_text_equal(settings->rules, "/etc/riposte/rules/");
    assert_text_equal(settings->playbooks, "/etc/riposte/playbooks/");
    assert_int_equal(json_count(settings->vars), 0);
    assert_text_equal(settings->aws.endpoint, "");
    assert_int_equal(settings->aws.regions.count, 0);
    assert_int_equal(settings->guard.protected_principals.count, 0);
    assert_int_equal(settings->guard.limit_principals, 10);
    assert_int_equal(settings->guard.limit_resources, 200);
    assert_int_equal(settings->guard.limit_per_ms, 3600000);
    assert_int_equal(settings->guard.max_event_age_ms, 3600000);
    assert_text_equal(settings->log_level, "info");
}

static void test_the_file_wins_over_defaults(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_with(
        "/* how */ {\"mode\": \"enforce\", // what\n"
        "\"listen\": {\"port\": 0, \"address\": \"::\", \"certificate\": \"tls.crt\","
        " \"key\": \"/k\"},"
        "\"authenticate\": {\"secrets\": \"file:secret\"},"
        "\"admin\": {\"token\": null, \"tokens\": [{\"name\": \"oncall\", \"role\": \"view\","
        " \"token\": [\"env:A\", \"env:B\"]}]},"
        "\"journal\": \"sqlite:j.db\", \"retain\": \"2h\", \"vars\": {\"scp\": {\"id\": [1]}},"
        "\"aws\": {\"regions\": [\"eu-west-1\"], \"endpoint\": \"http://127.0.0.1:5000\","
        " \"accounts\": [\"111111111111\"], \"role\": \"arn:aws:iam::${account}:role/ops/r\","
        " \"external_id\": \"x-1\", \"resources\": [\"riposte\"]},"
        "\"guard\": {\"protected\": [\"arn:aws:iam::123456789012:role/ops/admin\"],"
        " \"limit\": {\"principals\": 0}}}",
        no_variables);
    const struct settings *settings = &fixture.settings;
    assert_findings(fixture.findings, "");
    assert_int_equal(settings->mode, MODE_ENFORCE);
    assert_int_equal(settings->listen.port, 0);
    assert_text_equal(settings->listen.certificate, "/etc/riposte/tls.crt");
    assert_text_equal(settings->listen.key, "/k");
    assert_text_equal(settings->authenticate.secrets.items[0].place, "/etc/riposte/secret");
    assert_int_equal(settings->admin.token_count, 1);
    assert_text_equal(settings->admin.tokens[0].name, "oncall");
    assert_int_equal(settings->admin.tokens[0].role, ADMIN_VIEW);
    assert_int_equal(settings->admin.tokens[0].secrets.count, 2);
    assert_text_equal(settings->journal, "sqlite:/etc/riposte/j.db");
    assert_int_equal(settings->retain_ms, 7200000);
    assert_int_equal(json_count(settings->vars), 1);
    assert_text_equal(settings->aws.regions.items[0], "eu-west-1");
    assert_text_equal(settings->aws.endpoint, "http://127.0.0.1:5000");
    assert_text_equal(settings->aws.accounts.items[0], "111111111111");
    assert_text_equal(settings->aws.role, "arn:aws:iam::${account}:role/ops/r");
    assert_text_equal(settings->aws.external_id, "x-1");
    assert_text_equal(settings->aws.resources.items[0], "riposte");
    assert_int_equal(settings->guard.protected_principals.count, 1);
    assert_int_equal(settings->guard.limit_principals, 0);
    assert_int_equal(settings->guard.limit_resources, 200);
}

static void test_the_environment_wins_over_the_file(void **state) {
    (void)state;
    struct variable variables[] = {{"RIPOSTE_MODE", "enforce"},
                                   {"RIPOSTE_LISTEN_PORT", "0"},
                                   {"RIPOSTE_GUARD_LIMIT_PER", "2h"},
                                   {"RIPOSTE_RULES", "mine"},
                                   {"RIPOSTE_LISTEN_ADDRESS", ""},
                                   {"RIPOSTE_AWS_ENDPOINT", "null"},
                                   {"RIPOSTE_AUTHENTICATE_SECRETS", "no variable, not read"},
                                   {NULL, NULL}};
    scoped(fixture_done) struct fixture fixture = read_with(
        "{\"mode\": \"observe\", \"listen\": {\"port\": 1, \"address\": \"127.0.0.1\"},"
        "\"aws\": {\"endpoint\": \"https://x\"}}",
        variables);
    assert_findings(fixture.findings, "");
    assert_int_equal(fixture.settings.mode, MODE_ENFORCE);
    assert_int_equal(fixture.settings.listen.port, 0);
    assert_text_equal(fixture.settings.listen.address, "127.0.0.1");
    assert_int_equal(fixture.settings.guard.limit_per_ms, 7200000);
    assert_text_equal(fixture.settings.rules, "/etc/riposte/mine");
    assert_text_equal(fixture.settings.aws.endpoint, "");
}

static void test_the_environment_says_where_secrets_are(void **state) {
    (void)state;
    struct variable variables[] = {
        {"RIPOSTE_AUTHENTICATE_SECRETS_FROM",
         "secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:r-AbCdEf#events"},
        {"RIPOSTE_ADMIN_TOKEN_FROM", "file:token"},
        {NULL, NULL}};
    scoped(fixture_done) struct fixture fixture = read_with(
        "{\"authenticate\": {\"secrets\": [\"env:A\", \"env:B\"]}, \"admin\": {\"token\": "
        "\"env:C\","
        "\"tokens\": [{\"name\": \"b\", \"role\": \"view\", \"token\": \"env:D\"}]}}",
        variables);
    assert_findings(fixture.findings, "");
    const struct settings *settings = &fixture.settings;
    assert_int_equal(settings->authenticate.secrets.count, 1);
    assert_int_equal(settings->authenticate.secrets.items[0].kind, SECRET_MANAGER);
    assert_text_equal(settings->authenticate.secrets.items[0].place,
                      "arn:aws:secretsmanager:eu-west-1:1:secret:r-AbCdEf#events");
    assert_int_equal(settings->admin.token_count, 2);
    assert_text_equal(settings->admin.tokens[0].name, "admin");
    assert_text_equal(settings->admin.tokens[0].secrets.items[0].place, "/etc/riposte/token");
    assert_text_equal(settings->admin.tokens[1].name, "b");
    variables[1].value = "null";
    scoped(fixture_done) struct fixture none = read_with("{\"admin\": {\"token\": \"env:C\"}}",
                                                         variables);
    assert_findings(none.findings, "");
    assert_int_equal(none.settings.admin.token_count, 0);
}

/* The findings of one settings text, each on its line, "s.json:" left out. */
static const struct bad_case {
    const char *text, *findings;
} bad_cases[] = {
    {"", "1:1: the text ends where a value is expected"},
    {"{\"mode\" \"x\"}", NULL},
    {"[]", "1:1: the settings must be an object, is an array"},
    {"{\"modde\": 1}", "1:2: unknown key \"modde\" in the settings; did you mean \"mode\"?"},
    {"{\"listen\": {\n \"prot\": 1}}",
     "2:2: unknown key \"prot\" in listen; did you mean \"port\"?"},
    {"{\"listen\": {\"kye\": 1}}", "1:13: unknown key \"kye\" in listen; did you mean \"key\"?"},
    {"{\"MODE\": 1}", "1:2: unknown key \"MODE\" in the settings; did you mean \"mode\"?"},
    {"{\"guard\": {\"limit\": {\"ressources\": 1}}}",
     "1:22: unknown key \"ressources\" in guard.limit; did you mean \"resources\"?"},
    {"{\"listen.port\": 1}", "1:2: \"listen.port\" must be nested: {\"a\": {\"b\": ...}} for a.b"},
    {"{\"completely\": 1}", "1:2: unknown key \"completely\" in the settings"},
    {"{\"workers\": 1, \"workers\": 2}", "1:16: duplicate key \"workers\": keep one"},
    {"{\"vars\": {\"a\": {\"b\": 1, \"b\": 1}}}", "1:25: duplicate key \"b\": keep one"},
    {"{\"listen\": 1}", "1:12: \"listen\" must be an object, is 1"},
    {"{\"mode\": \"enforced\"}", "1:10: \"mode\" must be \"observe\", \"approve\" or \"enforce\", "
                                 "is \"enforced\"; did you mean \"enforce\"?"},
    {"{\"mode\": true}", "1:10: \"mode\" must be \"observe\", \"approve\" or \"enforce\", is true"},
    {"{\"listen\": {\"port\": 65536}}",
     "1:21: \"listen.port\" must be a whole number from 0 to 65535, is 65536"},
    {"{\"listen\": {\"port\": \"1\"}}",
     "1:21: \"listen.port\" must be a whole number from 0 to 65535, is \"1\""},
    {"{\"workers\": 0}", "1:13: \"workers\" must be a whole number from 1 to 256, is 0"},
    {"{\"workers\": 1.5}", "1:13: \"workers\" must be a whole number from 1 to 256, is 1.5"},
    {"{\"workers\": null}", "1:13: \"workers\" must be a whole number from 1 to 256, is null"},
    {"{\"retain\": \"59m\"}", "1:12: \"retain\" must be a duration from \"1h\" to \"3650d\", is "
                              "\"59m\""},
    {"{\"audit\": {\"anchor\": {\"every\": \"0s\"}}}",
     "1:32: \"audit.anchor.every\" must be a duration from \"1s\" to \"30d\", is \"0s\""},
    {"{\"audit\": {\"anchor\": {\"s3\": {\"bucket\": \"A/b\"}}}}",
     "1:40: \"audit.anchor.s3.bucket\" must be null or the name of a bucket, is \"A/b\""},
    {"{\"audit\": {\"anchor\": {\"s3\": {\"prefix\": \"/a b\"}}}}",
     "1:40: \"audit.anchor.s3.prefix\" must be letters, digits and / - . _, like \"riposte/\", is "
     "\"/a b\""},
    {"{\"drain\": 5}", "1:11: \"drain\" must be a duration from \"0s\" to \"5m\", is 5"},
    {"{\"listen\": {\"address\": \"localhost\"}}",
     "1:24: \"listen.address\" must be an IP address of this host, like \"0.0.0.0\" or \"::\", is "
     "\"localhost\""},
    {"{\"listen\": {\"path\": \"events\"}}",
     "1:21: \"listen.path\" must be a path like \"/events\", of letters, digits and / - . _ ~, is "
     "\"events\""},
    {"{\"listen\": {\"path\": \"/readyz\"}}",
     "1:21: \"listen.path\" must be another path than those of the health checks, is \"/readyz\""},
    {"{\"listen\": {\"key\": \"k\"}}", "1:12: \"listen.certificate\" and \"listen.key\" go "
                                       "together: set both or none"},
    {"{\"authenticate\": {\"header\": \"a b\"}}",
     "1:29: \"authenticate.header\" must be the name of an HTTP header, is \"a b\""},
    {"{\"authenticate\": {\"secrets\": []}}",
     "1:30: \"authenticate.secrets\" needs a reference like \"env:RIPOSTE_SECRET\""},
    {"{\"authenticate\": {\"secrets\": [\"hunter2\", \"env:X\"]}}",
     "1:31: \"authenticate.secrets\": must refer to a secret by env:NAME, file:PATH or "
     "secretsmanager:ARN, never be one"},
    {"{\"authenticate\": {\"secrets\": {\"hunter2\": 1}}}",
     "1:30: \"authenticate.secrets\": a secret reference is a string like \"env:NAME\", "
     "\"file:PATH\" or \"secretsmanager:ARN\""},
    {"{\"authenticate\": {\"secrets\": \"secretsmanager:arn:aws:x\"}}",
     "1:30: \"authenticate.secrets\": \"secretsmanager:\" takes a secret's ARN "
     "(arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX), and #KEY when it holds a JSON "
     "object"},
    {"{\"admin\": {\"tokens\": [{\"name\": \"a\"}]}}",
     "1:23: a token needs \"role\"\n1:23: a token needs \"token\""},
    {"{\"admin\": {\"tokens\": [{\"name\": \"admin\", \"role\": \"view\", \"token\": \"env:A\"}]}}",
     "1:32: \"admin\" is the name of another token already"},
    {"{\"admin\": {\"tokens\": [{\"name\": \"a\", \"role\": \"root\", \"token\": \"env:A\"}]}}",
     "1:45: \"role\" must be \"view\" or \"operate\", is \"root\""},
    {"{\"journal\": \"postgresql://db/riposte\"}",
     "1:13: \"journal\": \"postgresql://\" is not supported yet: use sqlite:FILE"},
    {"{\"journal\": \"sqlite:\"}", "1:13: \"journal\" must be sqlite:FILE, is \"sqlite:\""},
    {"{\"rules\": \"\"}", "1:11: \"rules\" must be the name of a folder, is \"\""},
    {"{\"vars\": []}", "1:10: \"vars\" must be an object, is an array"},
    {"{\"aws\": {\"accounts\": [\"12345678901\"]}}",
     "1:23: an entry of \"aws.accounts\" must be an account's id: 12 digits, is \"12345678901\""},
    {"{\"aws\": {\"accounts\": \"organisation\"}}",
     "1:22: \"aws.accounts\" must be a list of accounts' ids, or \"organization\", is "
     "\"organisation\""},
    {"{\"aws\": {\"role\": \"arn:aws:iam::1:role/x\"}}",
     "1:18: \"aws.role\" must be the ARN of a role with ${account} in it, like "
     "\"arn:${partition}:iam::${account}:role/riposte-responder\", is \"arn:aws:iam::1:role/x\""},
    {"{\"aws\": {\"external_id\": \"a b\"}}",
     "1:25: \"aws.external_id\" must be null or 2 to 1224 letters, digits and _+=,.@:/-, is "
     "\"a b\""},
    {"{\"aws\": {\"resources\": [\"\"]}}",
     "1:24: an entry of \"aws.resources\" must be a name or an ARN, is \"\""},
    {"{\"aws\": {\"regions\": [\"Ireland\"]}}",
     "1:22: an entry of \"aws.regions\" must be a Region like \"eu-west-1\", is \"Ireland\""},
    {"{\"aws\": {\"endpoint\": \"localhost:5000\"}}",
     "1:22: \"aws.endpoint\" must be null or a URL that begins with https:// or http://, is "
     "\"localhost:5000\""},
    {"{\"guard\": {\"protected\": [\"admin\"]}}",
     "1:26: an entry of \"guard.protected\" must be an ARN of a user, role or session, or a unique "
     "id like \"AIDA...\", is \"admin\""},
    {"{\"notify\": {\"held\": [5]}}",
     "1:22: an entry of \"notify.held\" must be a name or an ARN, is 5"},
    {"{\"log_level\": \"warning\"}", "1:15: \"log_level\" must be \"debug\", \"info\", \"warn\" or "
                                     "\"error\", is \"warning\"; did you mean \"warn\"?"},
    {"{\"mode\": 1, \"workers\": 0,\n\"lissten\": {}}",
     "1:10: \"mode\" must be \"observe\", \"approve\" or \"enforce\", is 1\n"
     "1:24: \"workers\" must be a whole number from 1 to 256, is 0\n"
     "2:1: unknown key \"lissten\" in the settings; did you mean \"listen\"?"},
};

static void prefix_lines(struct text lines, const char *prefix, struct buffer *out) {
    struct text line;
    while (text_next_part(&lines, '\n', &line)) {
        buffer_append_format(out, "%s%.*s\n", prefix, TEXT_ARG(line));
    }
}

static void test_what_is_wrong_is_named_with_its_place(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_cases); i++) {
        testing_row(bad_cases[i].text);
        scoped(fixture_done) struct fixture fixture = read_with(bad_cases[i].text, no_variables);
        assert_false(fixture.is_good);
        if (bad_cases[i].findings == NULL) {
            assert_int_equal(findings_errors(fixture.findings), 1);
            continue;
        }
        scoped(buffer_done) struct buffer expected = BUFFER_INIT;
        prefix_lines(text_of(bad_cases[i].findings), "s.json:", &expected);
        assert_findings(fixture.findings, buffer_string(&expected));
    }
    testing_row(NULL);
}

static const struct edge_case {
    const char *text;
    bool is_good;
} edge_cases[] = {
    {"{\"workers\": 1}", true},
    {"{\"workers\": 256}", true},
    {"{\"workers\": 257}", false},
    {"{\"retain\": \"1h\"}", true},
    {"{\"retain\": \"3650d\"}", true},
    {"{\"retain\": \"3651d\"}", false},
    {"{\"drain\": \"0s\"}", true},
    {"{\"journal_wait\": \"0s\"}", true},
    {"{\"journal_wait\": \"61m\"}", false},
    {"{\"listen\": {\"path\": \"/az/AZ/09-._~\"}}", true},
    {"{\"listen\": {\"path\": \"/\"}}", false},
    {"{\"listen\": {\"path\": \"/a?b\"}}", false},
    {"{\"listen\": {\"path\": \"/%41\"}}", false},
    {"{\"listen\": {\"path\": \"/\\u0000\"}}", false},
    {"{\"listen\": {\"address\": \"::\\u0000x\"}}", false},
    {"{\"listen\": {\"address\": \"fe80::1\"}}", true},
    {"{\"authenticate\": {\"header\": \"azAZ09!#$%&'*+-.^_`|~\"}}", true},
    {"{\"authenticate\": {\"header\": \"\"}}", false},
    {"{\"authenticate\": {\"header\": \"a:b\"}}", false},
    {"{\"authenticate\": {\"secrets\": \"env:A\\u0000B\"}}", false},
    {"{\"journal\": \"sqlite:a\\u0000b\"}", false},
    {"{\"rules\": \"a\\u0000b\"}", false},
    {"{\"mode\\u0000x\": 1}", false},
    {"{\"aws\": {\"endpoint\": \"https://\"}}", false},
    {"{\"aws\": {\"endpoint\": \"https://user@x\"}}", false},
    {"{\"aws\": {\"regions\": [\"us-gov-east-1\"]}}", true},
    {"{\"aws\": {\"regions\": [\"az-az-09\"]}}", true},
    {"{\"aws\": {\"regions\": [\"EU-WEST-1\"]}}", false},
    {"{\"aws\": {\"regions\": [\"eu-west\"]}}", false},
    {"{\"aws\": {\"regions\": \"eu-west-1\"}}", false},
    {"{\"aws\": {\"role\": \"arn:${partition}:iam::${account}:role/riposte-responder\"}}", true},
    {"{\"admin\": {\"token\": []}}", true},
    {"{\"listen\": {\"certificate\": \"c\", \"key\": null}}", false},
};

static void test_where_the_edges_are(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(edge_cases); i++) {
        testing_row(edge_cases[i].text);
        scoped(fixture_done) struct fixture fixture = read_with(edge_cases[i].text, no_variables);
        assert_int_equal(fixture.is_good, edge_cases[i].is_good);
    }
    testing_row(NULL);
}

static void test_without_a_token_there_is_none(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_with("{\"admin\": {\"token\": null}}",
                                                            no_variables);
    assert_true(fixture.is_good);
    assert_int_equal(fixture.settings.admin.token_count, 0);
}

static void test_the_accounts_of_an_organization_are_known_later(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_with(
        "{\"aws\":{\"accounts\":\"organization\"}}", no_variables);
    assert_findings(fixture.findings, "");
    assert_int_equal(fixture.settings.aws.accounts.count, 0);
    assert_true(settings_await_accounts(&fixture.settings));
    fixture.settings.aws.is_listed = true;
    assert_false(settings_await_accounts(&fixture.settings));
    scoped(buffer_done) struct buffer printed = BUFFER_INIT;
    settings_print(&fixture.settings, &printed);
    assert_true(text_contains(buffer_text(&printed), TEXT("\"accounts\": \"organization\"")));
    scoped(fixture_done) struct fixture listed = read_with("{\"aws\":{\"accounts\":[]}}",
                                                           no_variables);
    assert_false(settings_await_accounts(&listed.settings));
}

static void test_a_bad_variable_is_named(void **state) {
    (void)state;
    struct variable variables[] = {{"RIPOSTE_MODE", "on"},
                                   {"RIPOSTE_WORKERS", "many"},
                                   {"RIPOSTE_RETAIN", "9"},
                                   {"RIPOSTE_LISTEN_PATH", "\xFF"},
                                   {"RIPOSTE_ADMIN_TOKEN_FROM", "hunter2hunter2hunter2"},
                                   {NULL, NULL}};
    scoped(fixture_done) struct fixture fixture = read_with("{}", variables);
    assert_false(fixture.is_good);
    assert_findings(
        fixture.findings,
        "environment:1:1: RIPOSTE_MODE must be \"observe\", \"approve\" or \"enforce\", is \"on\"\n"
        "environment:1:1: RIPOSTE_LISTEN_PATH must be UTF-8\n"
        "environment:1:1: RIPOSTE_ADMIN_TOKEN_FROM: must refer to a secret by env:NAME, file:PATH "
        "or "
        "secretsmanager:ARN, never be one\n"
        "environment:1:1: RIPOSTE_WORKERS must be a whole number from 1 to 256, is \"many\"\n"
        "environment:1:1: RIPOSTE_RETAIN must be a duration from \"1h\" to \"3650d\", is 9\n");
}

static const struct protected_case {
    const char *entry;
    bool is_warned;
} protected_cases[] = {
    {"arn:aws:iam::123456789012:role/admin", false},
    {"arn:aws:iam::*:role/admin", false},
    {"AROAEXAMPLE", false},
    {"arn:aws:iam::123456789012:role/ops/*", true},
    {"arn:aws:iam::123456789012:user/*", true},
    {"arn:aws:sts::123456789012:assumed-role/ci/*", true},
    {"AIDA*", true},
};

static void test_wildcards_in_protected_names_are_warned_of(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(protected_cases); i++) {
        testing_row(protected_cases[i].entry);
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        buffer_append_format(&text, "{\"guard\":{\"protected\":[\"%s\"]}}",
                             protected_cases[i].entry);
        scoped(fixture_done) struct fixture fixture = read_with(buffer_string(&text), no_variables);
        assert_true(fixture.is_good);
        assert_int_equal(findings_warnings(fixture.findings), protected_cases[i].is_warned);
    }
    testing_row(NULL);
}

static void test_what_is_printed_reads_back_equal(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture first = read_with(
        "{\"vars\":{\"a\":1.50},\"admin\":{\"tokens\":[{\"name\":\"b\",\"role\":\"view\","
        "\"token\":\"file:t\"}]},\"guard\":{\"protected\":[\"AIDAX\"]},\"log_level\":\"debug\","
        "\"canary\":[{\"region\":"
        "\"us-east-1\",\"resource\":\"arn:aws:iam::123456789012:role/c\",\"role\":"
        "\"arn:aws:iam::123456789012:role/c\",\"stale_after\":\"1h\"}]}",
        no_variables);
    assert_int_equal(first.settings.canary.count, 1);
    assert_int_equal(first.settings.canary.items[0].every_ms, 5 * 60 * 1000);
    assert_int_equal(first.settings.canary.items[0].stale_after_ms, 60 * 60 * 1000);
    assert_true(first.is_good);
    scoped(buffer_done) struct buffer printed = BUFFER_INIT;
    settings_print(&first.settings, &printed);
    scoped(fixture_done) struct fixture second = read_with(buffer_string(&printed), no_variables);
    assert_findings(second.findings, "");
    scoped(buffer_done) struct buffer again = BUFFER_INIT;
    settings_print(&second.settings, &again);
    assert_text_equal(buffer_text(&again), buffer_string(&printed));
    assert_true(text_contains(buffer_text(&printed), TEXT("\"file:/etc/riposte/t\"")));
}

static void test_help_tells_of_every_key(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer help = BUFFER_INIT;
    settings_help(&help);
    static const char *const parts[] = {
        ("mode (mode)\n    observe: plan and journal; approve: act on what an operator approves; "
         "enforce: act\n    default \"observe\"; "),
        "; variable RIPOSTE_MODE\n",
        "guard.limit.principals (number)\n",
        "variable RIPOSTE_GUARD_LIMIT_PRINCIPALS\n",
        "    default [\"env:RIPOSTE_SECRET\", \"env:RIPOSTE_SECRET_PREVIOUS\"]; variable "
        "RIPOSTE_AUTHENTICATE_SECRETS_FROM\n",
        "    default \"env:RIPOSTE_ADMIN_TOKEN\"; variable RIPOSTE_ADMIN_TOKEN_FROM\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        testing_row(parts[i]);
        assert_true(text_contains(buffer_text(&help), text_of(parts[i])));
    }
    testing_row(NULL);
}

static void test_what_needs_a_restart_is_named(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture now = read_with("{}", no_variables);
    scoped(fixture_done) struct fixture next = read_with(
        "{\"mode\":\"enforce\",\"listen\":{\"port\":1},\"admin\":{\"token\":\"env:A\"},"
        "\"workers\":9}",
        no_variables);
    scoped(buffer_done) struct buffer names = BUFFER_INIT;
    settings_needing_restart(&now.settings, &now.settings, &names);
    assert_text_equal(buffer_text(&names), "");
    settings_needing_restart(&now.settings, &next.settings, &names);
    assert_text_equal(buffer_text(&names), "listen.port, admin.token, workers");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_has_defaults),
        cmocka_unit_test(test_the_file_wins_over_defaults),
        cmocka_unit_test(test_the_environment_wins_over_the_file),
        cmocka_unit_test(test_the_environment_says_where_secrets_are),
        cmocka_unit_test(test_what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(test_where_the_edges_are),
        cmocka_unit_test(test_without_a_token_there_is_none),
        cmocka_unit_test(test_the_accounts_of_an_organization_are_known_later),
        cmocka_unit_test(test_a_bad_variable_is_named),
        cmocka_unit_test(test_wildcards_in_protected_names_are_warned_of),
        cmocka_unit_test(test_what_is_printed_reads_back_equal),
        cmocka_unit_test(test_help_tells_of_every_key),
        cmocka_unit_test(test_what_needs_a_restart_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
