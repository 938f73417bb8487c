#include "riposte/aws/answer.h"

#include "riposte/aws/xml.h"
#include "riposte/json/writer.h"

#include "testing.h"

static const struct body_case {
    const char *xml, *json, *request_id;
} body_cases[] = {
    {"", "{}", ""},
    {" \n", "{}", ""},
    {"<GetUserResponse><GetUserResult><User><UserId>AIDA</UserId></User></GetUserResult>"
     "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetUserResponse>",
     "{\"User\":{\"UserId\":\"AIDA\"}}", "r-1"},
    {"<?xml version=\"1.0\"?>\n<PutUserPolicyResponse xmlns=\"https://iam\">\n"
     "<ResponseMetadata>\n<RequestId>r</RequestId></ResponseMetadata></PutUserPolicyResponse>",
     "{}", "r"},
    {"<DeleteUserResponse/>", "{}", ""},
    {"<GetResponse><GetResult/></GetResponse>", "{}", ""},
    {"<DescribeInstanceAttributeResponse><requestId>q</requestId><instanceId>i-1</instanceId>"
     "<disableApiTermination><value>false</value></disableApiTermination>"
     "</DescribeInstanceAttributeResponse>",
     "{\"requestId\":\"q\",\"instanceId\":\"i-1\",\"disableApiTermination\":{\"value\":\"false\"}}",
     "q"},
    /* lists */
    {"<LResponse><LResult><Users><member>a</member></Users></LResult></LResponse>",
     "{\"Users\":[\"a\"]}", ""},
    {"<LResponse><groupSet><item><groupId>g</groupId></item><item/></groupSet></LResponse>",
     "{\"groupSet\":[{\"groupId\":\"g\"},[]]}", ""},
    {"<LResponse><a><b>1</b><c>x</c><b>2</b></a></LResponse>",
     "{\"a\":{\"b\":[\"1\",\"2\"],\"c\":\"x\"}}", ""},
    {"<LResponse><a><item>1</item><other>2</other></a></LResponse>",
     "{\"a\":{\"item\":\"1\",\"other\":\"2\"}}", ""},
    {"<LResponse><a/><b></b><c>\n  </c><d> </d></LResponse>",
     "{\"a\":[],\"b\":[],\"c\":[],\"d\":\" \"}", ""},
    {"<LResponse><LResult><member>1</member></LResult></LResponse>", "{\"member\":\"1\"}", ""},
    /* text */
    {"<LResponse><a> x &lt;&amp;&#xe9;\n </a><b><![CDATA[<c>]]></b></LResponse>",
     "{\"a\":\" x <&\xC3\xA9\\n \",\"b\":\"<c>\"}", ""},
    {"<LResponse at=\"1\"><a at=\"2\">3</a><!-- no --><?no?></LResponse>", "{\"a\":\"3\"}", ""},
    {"<LResponse><a>mixed<b>1</b>text</a></LResponse>", "{\"a\":{\"b\":\"1\"}}", ""},
};

static void test_bodies(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(body_cases); i++) {
        const struct body_case *c = &body_cases[i];
        testing_row(c->xml);
        scoped(arena_free) struct arena *arena = arena_new();
        scoped(buffer_done) struct buffer out = BUFFER_INIT;
        const struct json *body = NULL;
        struct text request_id;
        struct error error = {0};
        assert_ok(aws_answer_body(text_of(c->xml), arena, &body, &request_id, &error), &error);
        json_write(&out, body);
        assert_text_equal(buffer_text(&out), c->json);
        assert_text_equal(request_id, c->request_id);
    }
}

static const struct bad_case {
    const char *xml;
    enum error_code code;
    const char *says;
} bad_cases[] = {
    {"<html><body>Welcome</body></html>", ERROR_INVALID, "<html> is not an answer"},
    {"<!DOCTYPE html><html/>", ERROR_LIMIT, "a document type"},
    {"<!DOCTYPE a [<!ENTITY x \"y\">]><aResponse>&x;</aResponse>", ERROR_LIMIT, "a document type"},
    {"<aResponse>&x;</aResponse>", ERROR_INVALID, "line 1"},
    {"<aResponse>", ERROR_INVALID, "line 1"},
    {"<aResponse/>\n<b/>", ERROR_INVALID, "line 2"},
    {"{\"a\":1}", ERROR_INVALID, "line 1"},
    {"<aResponse>\xFF</aResponse>", ERROR_INVALID, "line 1"},
};

static void test_what_is_no_answer(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_cases); i++) {
        const struct bad_case *c = &bad_cases[i];
        testing_row(c->xml);
        scoped(arena_free) struct arena *arena = arena_new();
        const struct json *body = NULL;
        struct text request_id;
        struct error error = {0};
        assert_fails(aws_answer_body(text_of(c->xml), arena, &body, &request_id, &error), &error,
                     c->code, c->says);
    }
}

/* `count` of `open`, then as many of `close`. */
static void append_nested(struct buffer *xml, int count, const char *open, const char *close) {
    for (int i = 0; i < count; i++) {
        buffer_append_string(xml, open);
    }
    for (int i = 0; i < count; i++) {
        buffer_append_string(xml, close);
    }
}

static void test_depth_and_size_are_bounded(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    const struct xml_element *root = NULL;
    struct error error = {0};
    scoped(buffer_done) struct buffer deep = BUFFER_INIT;
    append_nested(&deep, XML_DEPTH, "<a>", "</a>");
    assert_ok(xml_parse(buffer_text(&deep), arena, &root, &error), &error);
    buffer_clear(&deep);
    append_nested(&deep, XML_DEPTH + 1, "<a>", "</a>");
    assert_fails(xml_parse(buffer_text(&deep), arena, &root, &error), &error, ERROR_LIMIT,
                 "too deep");

    scoped(buffer_done) struct buffer wide = BUFFER_INIT;
    buffer_append_string(&wide, "<a>");
    append_nested(&wide, XML_ELEMENTS, "<b/>", "");
    buffer_append_string(&wide, "</a>");
    assert_fails(xml_parse(buffer_text(&wide), arena, &root, &error), &error, ERROR_LIMIT,
                 "too many");
}

static const struct error_case {
    const char *text;
    int status;
    const char *code, *message, *request_id;
} error_cases[] = {
    {"<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
     "<Message>none such</Message></Error><RequestId>r</RequestId></ErrorResponse>",
     404, "NoSuchEntity", "none such", "r"},
    {"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error>"
     "</Errors><RequestID>q</RequestID></Response>",
     403, "UnauthorizedOperation", "no", "q"},
    {"<ErrorResponse><Errors><Error><Code>AuthFailure</Code><Message>m</Message></Error></Errors>"
     "</ErrorResponse>",
     401, "AuthFailure", "m", ""},
    {"<Error><Code>NoSuchBucket</Code><Message>m</Message><RequestId>s</RequestId>"
     "<HostId>h</HostId></Error>",
     404, "NoSuchBucket", "m", "s"},
    {"<Error><Code> AccessDenied\n</Code></Error>", 403, "AccessDenied", "", ""},
    {"<Error><Code/></Error>", 403, "403", "HTTP status 403 without an error of AWS", ""},
    {"<html><h1>Bad Gateway</h1></html>", 502, "502", "HTTP status 502 without an error of AWS",
     ""},
    {"<!DOCTYPE html><html>", 503, "503", "HTTP status 503 without an error of AWS", ""},
    {"", 500, "500", "HTTP status 500 without an error of AWS", ""},
    {"no XML", 400, "400", "HTTP status 400 without an error of AWS", ""},
};

static void test_errors(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(error_cases); i++) {
        const struct error_case *c = &error_cases[i];
        testing_row(c->text);
        scoped(arena_free) struct arena *arena = arena_new();
        struct aws_answer_error said = aws_answer_error(c->status, text_of(c->text), arena);
        assert_text_equal(said.code, c->code);
        assert_text_equal(said.message, c->message);
        assert_text_equal(said.request_id, c->request_id);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_what_is_no_answer),
        cmocka_unit_test(test_depth_and_size_are_bounded),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
