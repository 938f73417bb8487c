#include "riposte/config/playbook.h"

#include "config_testing.h"

#include "riposte/detect/pattern.h"

struct fixture {
    struct arena *arena;
    struct findings *findings;
    struct playbook *playbook;
};

static void fixture_done(struct fixture *fixture) {
    if (fixture->playbook != NULL) {
        playbook_done(fixture->playbook);
    }
    findings_free(&fixture->findings);
    arena_free(&fixture->arena);
}

static struct fixture read(const char *text) {
    struct fixture fixture = {.arena = arena_new(), .findings = findings_new()};
    struct source source = {.file = "p.json", .text = text_of(text)};
    fixture.playbook = playbook_read(&source, parse_with_comments(fixture.arena, text),
                                     fixture.arena, fixture.findings);
    return fixture;
}

static const char full_text[] =
    "{\"name\":\"p\",\"description\":\"d\",\"acts_on\":\"principal\",\"steps\":["
    "{\"name\":\"look\",\"when\":{\"principal\":{\"kind\":[\"user\"]}},\"call\":\"iam:GetUser\","
    "\"with\":{\"UserName\":\"${principal.name}\"},\"matches\":{\"User\":{\"UserId\":"
    "[\"${principal.unique_id}\"]}},\"tolerate\":[\"NoSuchEntity\"]},"
    "{\"first_of\":["
    "{\"name\":\"deny\",\"call\":\"iam:PutUserPolicy\",\"account\":\"${principal.account}\","
    "\"region\":\"us-east-1\",\"with\":{\"D\":{\"$json\":{\"Sid\":\"${incident.id}\"}}},"
    "\"before\":{\"call\":\"iam:GetUserPolicy\"},"
    "\"verify\":{\"call\":\"iam:GetUserPolicy\",\"same\":[\"${answer.D|urldecode|json}\","
    "\"${sent.D}\"],\"missing\":[\"NoSuchEntity\"],\"after\":[\"1s\",\"2s\"]},"
    "\"undo\":{\"call\":\"iam:DeleteUserPolicy\",\"with\":{\"P\":\"${prior.P:-none}\"},"
    "\"tolerate\":[\"NoSuchEntity\"]}},"
    "{\"name\":\"each-key\",\"each\":\"${steps.look.Keys[*].Id}\",\"call\":\"iam:UpdateAccessKey\","
    "\"with\":{\"Id\":\"${item}\"},\"effect\":{\"target\":\"${principal.id}/${item}\"},"
    "\"verify\":{\"call\":\"iam:ListAccessKeys\",\"matches\":{\"a\":[\"${item}\"]}},"
    "\"undo\":null}]}]}";

static void test_everything_is_read(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read(full_text);
    assert_findings(fixture.findings, "");
    const struct playbook *playbook = fixture.playbook;
    assert_text_equal(playbook->name, "p");
    assert_int_equal(playbook->acts_on, ACTS_ON_PRINCIPAL);
    assert_int_equal(playbook->step_count, 2);

    const struct step *look = &playbook->steps[0];
    assert_text_equal(look->name, "look");
    assert_non_null(look->when);
    assert_text_equal(look->call.service, "iam");
    assert_text_equal(look->call.operation, "GetUser");
    assert_int_equal(json_count(look->call.with), 1);
    assert_false(look->is_write);
    assert_non_null(look->matches);
    assert_text_equal(look->tolerate.items[0], "NoSuchEntity");
    assert_text_equal(look->effect_target, "");

    assert_int_equal(playbook->steps[1].link_count, 2);
    const struct step *deny = &playbook->steps[1].links[0];
    assert_true(deny->is_write);
    assert_text_equal(deny->account, "${principal.account}");
    assert_text_equal(deny->region, "us-east-1");
    assert_text_equal(deny->before->call.operation, "GetUserPolicy");
    assert_null(deny->before->matches);
    assert_text_equal(json_text(deny->verify->same_right), "${sent.D}");
    assert_int_equal(deny->verify->after_count, 2);
    assert_int_equal(deny->verify->after_ms[1], 2000);
    assert_text_equal(deny->verify->missing.items[0], "NoSuchEntity");
    assert_text_equal(deny->undo->call.operation, "DeleteUserPolicy");
    assert_text_equal(deny->undo->tolerate.items[0], "NoSuchEntity");
    assert_text_equal(deny->effect_target, "${principal.id}");
    assert_text_equal(deny->effect_name, "deny");

    const struct step *each = &playbook->steps[1].links[1];
    assert_text_equal(each->each, "${steps.look.Keys[*].Id}");
    assert_text_equal(each->effect_target, "${principal.id}/${item}");
    assert_text_equal(each->effect_name, "each-key");
    assert_null(each->undo);
    assert_int_equal(each->verify->after_count, 3);
    assert_int_equal(each->verify->after_ms[0], 5000);
}

#define HEADER(name) "\"" name "\":\"v\","
#define EIGHT_HEADERS(letter) \
    HEADER(letter "1")        \
    HEADER(letter "2")        \
    HEADER(letter "3")        \
    HEADER(letter "4") HEADER(letter "5") HEADER(letter "6") HEADER(letter "7") HEADER(letter "8")

/* The findings of a playbook whose one step is `step`, "p.json:1:" left out; columns count from the
 * step's brace as 1. */
#define BEFORE_STEP "{\"name\":\"p\",\"acts_on\":\"%s\",\"steps\":["

static const struct step_case {
    const char *acts_on, *step, *findings;
} step_cases[] = {
    {"principal", "1", "1: a step must be an object, is 1\n"},
    {"principal", "{}",
     "1: a step needs \"name\"\n1: a step needs \"call\" (or is a \"first_of\")\n"},
    {"principal", "{\"name\":\"A b\",\"call\":\"iam:GetUser\"}",
     "9: \"name\" must be a name of a-z, 0-9, \"-\" and \"_\", at most 64 characters, is \"A "
     "b\"\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"GetUser\"}",
     "20: \"call\" must be a call like \"ec2:DescribeInstances\", is \"GetUser\"\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:getUser\"}",
     "20: \"call\" must be a call like \"ec2:DescribeInstances\", is \"iam:getUser\"\n"},
    {"principal", "{\"name\":\"a\",\"cal\":\"iam:GetUser\",\"call\":\"iam:GetUser\"}",
     "13: unknown key \"cal\" in a step; did you mean \"call\"?\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"with\":[]}",
     "41: \"with\" must be an object, is an array\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"with\":{\"a\":\"${\"}}",
     "46: \"${\": is not closed: add \"}\"\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"with\":{\"a\":\"${detial.x}\"}}",
     "46: \"detial.x\": an event has no such member, nor has what is known about it; did you mean "
     "\"detail\"?\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"with\":{\"a\":\"${x:-${principal.nmae}}\"}}",
     "46: \"x\": an event has no such member, nor has what is known about it\n"
     "46: \"principal.nmae\": principal has no such member; did you mean \"name\"?\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"with\":{\"a\":\"${steps.a.x}\"}}",
     "46: \"steps.a.x\": no step of that name comes before this one\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"with\":{\"a\":\"${item}\"}}",
     "46: \"item\": can't be used here: it needs \"each\" in the same step\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"with\":{\"a\":\"${sent.x}\"}}",
     "46: \"sent.x\": can't be used here: it is known only in a \"verify\" or an \"undo\"\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"with\":{\"a\":{\"$json\":1,\"b\":1}}}",
     "47: \"$json\" must be the only key of its object\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"each\":\"x${id}\"}",
     "41: \"each\" must be one placeholder, like \"${detail.x.items[*].id}\", is \"x${id}\"\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"when\":{\"account\":[]}}",
     "52: account: empty arrays are not allowed\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"when\":{\"principle\":{\"kind\":[1]}}}",
     "55: \"principle.kind\": an event has no such member, nor has what is known about it; did you "
     "mean \"principal\"?\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"when\":{\"$or\":[{\"id\":[1]},"
     "{\"principal.kin\":[1]}]}}",
     "61: \"principal.kin\": principal has no such member; did you mean \"kind\"?\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"matches\":{\"a\":[{\"b\":1}]}}",
     NULL},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:GetUser\",\"undo\":null,\"verify\":{},"
     "\"effect\":{},\"before\":{}}",
     "34: \"undo\" belongs to a write, and this operation only reads\n"
     "46: \"verify\" belongs to a write, and this operation only reads\n"
     "58: \"effect\" belongs to a write, and this operation only reads\n"
     "70: \"before\" belongs to a write, and this operation only reads\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:PutX\"}",
     "1: warning: this write can't be taken back: give it an \"undo\" (null if none is wanted)\n"},
    {"resource", "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":null}",
     "1: a write outside a playbook that acts on a principal needs \"effect\": {\"target\": ..., "
     "\"name\": ...}\n"},
    {"resource",
     "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":null,\"effect\":{\"target\":\"${id}\"}}",
     "52: an \"effect\" needs \"name\"\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":null,\"each\":\"${detail.x[*]}\"}",
     "1: a write with \"each\" makes an effect for each: give it an \"effect\" whose target or "
     "name "
     "holds ${item}\n"},
    {"resource",
     "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":null,\"effect\":{\"target\":\"t\","
     "\"name\":\"n\"}}",
     "52: warning: all events share an \"effect\" without a placeholder in its target: the first "
     "one's stands for all\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":{\"call\":\"iam:GetX\"}}",
     "39: an \"undo\" changes something: this operation reads\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":{\"call\":\"iam:DeleteX\","
     "\"with\":{\"a\":\"${prior.x}\"}}}",
     "72: \"prior.x\": can't be used here: it is known only in the \"undo\" of a step with a "
     "\"before\"\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":null,\"before\":{\"call\":\"iam:PutY\"}}",
     "60: a \"before\" only asks: use an operation named Get, List, Describe, Lookup or Head\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":null,\"verify\":{\"call\":\"iam:GetX\"}}",
     "52: a \"verify\" needs \"matches\" or \"same\", and not both\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":null,\"verify\":{\"call\":\"iam:GetX\","
     "\"same\":[1],\"after\":[\"5s\",\"5s\"]}}",
     "78: \"same\" compares two values: [\"${answer...}\", \"${sent...}\"]\n"
     "96: an entry of \"after\" must be a duration like \"5s\", longer than the one before, up to "
     "\"1d\", is \"5s\"\n"},
    {"principal", "{\"name\":\"a\",\"post\":{},\"undo\":null}",
     "13: only a playbook that acts on nobody posts: name one beside this\n"
     "20: a \"post\" needs \"url\"\n20: a \"post\" needs \"body\"\n"
     "23: \"undo\" can't stand beside \"post\"\n"},
    {"nobody", "{\"name\":\"a\",\"post\":{\"url\":\"http://x.example/\",\"body\":{\"json\":1}}}",
     "27: \"url\" must be an https:// URL (http:// to 127.0.0.1 or localhost), or env:NAME, "
     "file:PATH or secretsmanager:ARN of one, is \"http://x.example/\"\n"},
    {"nobody",
     "{\"name\":\"a\",\"post\":{\"url\":\"https://x.example/${id}\",\"body\":{\"json\":1}}}",
     "27: a placeholder can stand in the \"body\" of a \"post\" only\n"},
    {"nobody", "{\"name\":\"a\",\"post\":{\"url\":\"env:URL\",\"body\":{\"xml\":1}}}",
     "44: \"body\" must be {\"json\": ...} or {\"raw\": \"...\"}, is an object\n"},
    {"nobody",
     "{\"name\":\"a\",\"post\":{\"url\":\"env:URL\",\"headers\":{\"A B\":\"c\"},"
     "\"body\":{\"raw\":\"${notice.kind}\"}}}",
     "54: a header must be a name and a string, is \"c\"\n"
     "73: \"notice.kind\": notice has no such member\n"},
    {"nobody",
     "{\"name\":\"a\",\"post\":{\"url\":\"env:URL\",\"headers\":{" EIGHT_HEADERS("a") EIGHT_HEADERS(
         "b") EIGHT_HEADERS("c") EIGHT_HEADERS("d") "\"one\":\"more\"},\"body\":{\"json\":1}}}",
     "342: a \"post\" has at most 32 headers\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetX\",\"with\":{\"A\":\"${notice.state}\"}}",
     "43: \"notice.state\": can't be used here: it is known only in a playbook that acts on "
     "nobody\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetX\",\"role\":\"${detial}\"}",
     "38: \"detial\": an event has no such member, nor has what is known about it; did you mean "
     "\"detail\"?\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"s3:GetX\",\"request\":{\"method\":\"PUT\",\"path\":\"x\","
     "\"body\":{\"json\":1,\"raw\":\"\"},\"boddy\":1}}",
     "50: GetX is named like a read, and PUT writes\n"
     "63: \"path\" must be begun with \"/\", is \"x\"\n"
     "74: a \"body\" needs one of \"json\", \"xml\" and \"raw\"\n"
     "90: \"raw\" must be a string that is not empty, is \"\"\n"
     "94: unknown key \"boddy\" in a \"request\"; did you mean \"body\"?\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"s3:GetX\",\"with\":{\"$request\":1},\"matches\":{\"a\":[1]}}",
     "38: \"$request\" is no parameter\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"s3:GetX\",\"with\":{},\"request\":{\"method\":\"GET\",\"path\":"
     "\"/${detial}\"}}",
     "40: a call takes \"with\" or \"request\", and not both\n"},
    {"principal",
     "{\"name\":\"a\",\"call\":\"s3:GetX\",\"request\":{\"method\":\"get\",\"path\":"
     "\"/${detial}\",\"body\":{\"xml\":{\"value\":{}}}}}",
     "50: \"method\" must be \"GET\", \"HEAD\", \"PUT\", \"POST\", \"PATCH\" or \"DELETE\", is "
     "\"get\"; did you mean \"GET\"?\n"
     "63: \"detial\": an event has no such member, nor has what is known about it; did you mean "
     "\"detail\"?\n"
     "90: an \"xml\" needs \"root\"\n"},
    {"principal", "{\"name\":\"a\",\"edit\":{},\"undo\":null}",
     "20: an \"edit\" needs \"read\"\n"
     "20: an \"edit\" needs \"document\"\n"
     "20: an \"edit\" needs \"write\"\n"
     "20: an \"edit\" needs \"add_statement\"\n"
     "23: \"undo\" can't stand beside \"edit\"\n"},
    {"principal",
     "{\"name\":\"a\",\"edit\":{\"read\":{\"call\":\"iam:PutX\"},\"document\":\"${principal.id}\","
     "\"write\":{\"call\":\"iam:PutX\"},\"add_statement\":{\"Sid\":\"x\"}}}",
     "36: a \"read\" only asks: use an operation named Get, List, Describe, Lookup or Head\n"
     "59: \"principal.id\": can't be used here: only an \"answer\" is known\n"
     "85: a \"write\" sends the document: give it a parameter that is \"${document}\" or "
     "{\"$json\": \"${document}\"}\n"
     "128: a statement of ours needs a \"Sid\" with ${incident.id} in it: it is found by that\n"},
    {"principal",
     "{\"name\":\"a\",\"edit\":{\"read\":{\"call\":\"iam:GetX\",\"with\":{\"A\":\"${document}\"}},"
     "\"document\":\"${answer.D|json}\",\"write\":{\"call\":\"iam:GetX\"},\"add_statement\":"
     "{\"Sid\":\"x${incident.id}\",\"y\":\"${answer}\"}}}",
     "59: \"document\": can't be used here: it is known only in the \"write\" of an \"edit\"\n"
     "121: a \"write\" changes something: this operation reads\n"
     "178: \"answer\": can't be used here: it is known only in the \"same\" of a \"verify\" and "
     "the \"document\" of an \"edit\"\n"},
    {"principal",
     "{\"name\":\"a\",\"edit\":{\"read\":{\"call\":\"iam:GetX\",\"with\":{\"A\":\"${principal.name}"
     "\"}},"
     "\"document\":\"${answer.D|json}\",\"write\":{\"call\":\"iam:PutX\",\"with\":{\"P\":"
     "{\"$json\":\"${document}\"}}},\"add_statement\":{\"Sid\":\"x${incident.id}\"}}}",
     ""},
    {"principal",
     "{\"name\":\"a\",\"call\":\"iam:PutX\",\"undo\":null,\"verify\":{\"call\":\"iam:GetX\","
     "\"matches\":{\"a\":[\"${sent.x}\"]},\"after\":[\"1ms\",\"1d\"]}}",
     ""},
    {"resource",
     "{\"ladder\":\"${principal.id}\",\"first_of\":[{\"name\":\"a\",\"call\":\"iam:GetX\"}]}",
     "2: only a playbook that acts on a principal has a \"ladder\"\n"},
    {"principal",
     "{\"ladder\":\"${principal.id}\",\"first_of\":[{\"name\":\"a\",\"call\":\"iam:GetX\"}]},"
     "{\"ladder\":\"${principal.id}\",\"first_of\":[{\"name\":\"b\",\"call\":\"iam:GetX\"}]}",
     "75: a playbook has one \"ladder\"\n"},
    {"principal", "{\"first_of\":[]}", "13: a \"first_of\" needs steps\n"},
    {"principal", "{\"name\":\"a\",\"first_of\":[{\"first_of\":[]}]}",
     "2: unknown key \"name\" in a \"first_of\"\n25: a \"first_of\" can't stand in another\n"},
    {"principal", "{\"name\":\"a\",\"call\":\"iam:GetX\"},{\"name\":\"a\",\"call\":\"iam:GetX\"}",
     "40: \"a\" is the name of another step already\n"},
    {"nobody", "{\"name\":\"a\",\"call\":\"iam:GetX\"}",
     "13: a playbook that acts on nobody tells and changes nothing: it calls sns:Publish, "
     "sqs:SendMessage, events:PutEvents, firehose:PutRecord or "
     "securityhub:BatchImportFindings\n"},
    {"nobody", "{\"name\":\"a\",\"call\":\"sns:Publish\",\"undo\":null}",
     "34: \"undo\" can't stand beside the \"call\" of a playbook that acts on nobody\n"},
    {"nobody", "{\"first_of\":[{\"name\":\"a\",\"call\":\"sns:Publish\"}]}",
     "1: a playbook that acts on nobody runs all its steps: it takes no \"first_of\"\n"},
    {"nobody",
     "{\"name\":\"a\",\"post\":{\"url\":\"env:URL\",\"sign\":\"whsec_x\",\"body\":{\"json\":1}}}",
     "44: must refer to a secret by env:NAME, file:PATH or secretsmanager:ARN, never be one\n"},
    {"nobody",
     "{\"name\":\"a\",\"post\":{\"url\":\"env:URL\",\"secrets\":{\"key\":\"env:KEY\"},"
     "\"body\":{\"json\":{\"a\":\"${secret.key}\",\"b\":\"${secret.kye}\"}}}}",
     "72: \"secret.kye\": \"secrets\" has no such member\n"},
    {"nobody",
     "{\"name\":\"a\",\"post\":{\"url\":\"env:URL\",\"body\":{\"json\":\"${secret.key}\"}}}",
     "52: \"secret.key\": can't be used here: it is known only in the \"body\" of a \"post\" that "
     "has \"secrets\"\n"},
    {"nobody", "{\"name\":\"a\",\"append\":{\"file\":\"../x\",\"line\":{}}}",
     "30: \"file\" must be a name of letters, digits and - _ . in the settings' \"output\", is "
     "\"../x\"\n"},
    {"nobody", "{\"name\":\"a\",\"append\":{\"file\":\".x\",\"line\":{},\"mode\":1}}",
     "30: \"file\" must be a name of letters, digits and - _ . in the settings' \"output\", is "
     "\".x\"\n"
     "45: unknown key \"mode\" in an \"append\"\n"},
    {"principal", "{\"name\":\"a\",\"append\":{\"file\":\"x\",\"line\":{}}}",
     "13: only a playbook that acts on nobody appends: name one beside this\n"},
    {"resources", "{\"name\":\"a\",\"call\":\"iam:GetX\"}",
     "-20: \"acts_on\" must be \"principal\", \"resource\" or \"nobody\", is \"resources\"; did "
     "you "
     "mean \"resource\"?\n"},
};

/* "COLUMN: what" a line, columns relative to the step, as the whole lines they stand for. */
static void make_expected(struct text lines, long step_column, struct buffer *out) {
    struct text line;
    while (text_next_part(&lines, '\n', &line)) {
        size_t colon = text_find_byte(line, ':', 0);
        scoped(buffer_done) struct buffer column = BUFFER_INIT;
        buffer_append_text(&column, text_slice(line, 0, colon));
        buffer_append_format(out, "p.json:1:%ld%.*s\n",
                             strtol(buffer_string(&column), NULL, 10) + step_column - 1,
                             TEXT_ARG(text_slice(line, colon, line.bytes)));
    }
}

static void test_what_is_wrong_with_a_step_is_named_with_its_place(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(step_cases); i++) {
        const struct step_case *row = &step_cases[i];
        testing_row(row->step);
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        buffer_append_format(&text, BEFORE_STEP, row->acts_on);
        long step_column = (long)text.bytes + 1;
        buffer_append_format(&text, "%s]}", row->step);
        scoped(fixture_done) struct fixture fixture = read(buffer_string(&text));
        bool is_good = findings_errors(fixture.findings) == 0;
        assert_int_equal(fixture.playbook != NULL, is_good);
        if (row->findings == NULL) {
            assert_false(is_good);
            continue;
        }
        scoped(buffer_done) struct buffer expected = BUFFER_INIT;
        make_expected(text_of(row->findings), step_column, &expected);
        assert_findings(fixture.findings, buffer_string(&expected));
    }
    testing_row(NULL);
}

static const struct good_matches {
    const char *name, *matches;
} good_matches[] = {
    {"a placeholder for a string", "{\"a\":[\"${id}\"]}"},
    {"a placeholder for a prefix", "{\"a\":[{\"prefix\":\"${id}\"}]}"},
    {"a placeholder for a number", "{\"a\":[{\"numeric\":[\">\",\"${detail.n}\"]}]}"},
    {"a placeholder for an address", "{\"a\":[{\"cidr\":\"${detail.n}\"}]}"},
};

static void test_placeholders_may_stand_in_matches(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(good_matches); i++) {
        testing_row(good_matches[i].name);
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        buffer_append_format(&text, BEFORE_STEP, "principal");
        buffer_append_format(&text, "{\"name\":\"a\",\"call\":\"iam:GetX\",\"matches\":%s}]}",
                             good_matches[i].matches);
        scoped(fixture_done) struct fixture fixture = read(buffer_string(&text));
        assert_findings(fixture.findings, "");
    }
    testing_row(NULL);
}

static void test_later_steps_may_use_earlier_answers(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read(
        "{\"name\":\"p\",\"acts_on\":\"principal\",\"steps\":[{\"first_of\":["
        "{\"name\":\"a\",\"call\":\"iam:GetX\"},"
        "{\"name\":\"b\",\"call\":\"iam:GetX\",\"with\":{\"x\":\"${steps.a.y}\"}}]},"
        "{\"name\":\"c\",\"when\":{\"steps\":{\"b\":{\"x\":[1]}}},\"call\":\"iam:GetX\","
        "\"with\":{\"x\":\"${steps.b}${steps.a.z}\"}}]}");
    assert_findings(fixture.findings, "");
}

static const struct bad_playbook {
    const char *text, *findings;
} bad_playbooks[] = {
    {"[]", "p.json:1:1: a playbook must be an object, is an array\n"},
    {"{}", "p.json:1:1: a playbook needs \"name\"\np.json:1:1: a playbook needs \"acts_on\"\n"
           "p.json:1:1: a playbook needs \"steps\"\n"},
    {"{\"name\":\"p\",\"acts_on\":\"principal\",\"steps\":[]}",
     "p.json:1:43: a playbook needs steps\n"},
    {"{\"name\":\"p\",\"acts_on\":\"principal\",\"steps\":{}}",
     "p.json:1:43: \"steps\" must be an array, is an object\n"},
};

static void test_what_is_wrong_with_a_playbook_is_named(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_playbooks); i++) {
        testing_row(bad_playbooks[i].text);
        scoped(fixture_done) struct fixture fixture = read(bad_playbooks[i].text);
        assert_null(fixture.playbook);
        assert_findings(fixture.findings, bad_playbooks[i].findings);
    }
    testing_row(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_read),
        cmocka_unit_test(test_what_is_wrong_with_a_step_is_named_with_its_place),
        cmocka_unit_test(test_placeholders_may_stand_in_matches),
        cmocka_unit_test(test_later_steps_may_use_earlier_answers),
        cmocka_unit_test(test_what_is_wrong_with_a_playbook_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
