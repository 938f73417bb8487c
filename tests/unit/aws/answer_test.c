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
        assert_ok(
            aws_answer_read(AWS_PROTOCOL_QUERY, text_of(c->xml), arena, &body, &request_id, &error),
            &error);
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
        assert_fails(
            aws_answer_read(AWS_PROTOCOL_QUERY, text_of(c->xml), arena, &body, &request_id, &error),
            &error, c->code, c->says);
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

/* --- the other protocols --- */

static const struct document_case {
    enum aws_protocol protocol;
    const char *text;
    const char *json; /* NULL: refused with `says` */
    const char *says;
} document_cases[] = {
    {AWS_PROTOCOL_JSON, "", "{}", NULL},
    {AWS_PROTOCOL_JSON, "{\"IsLogging\": true, \"N\": 1.50}", "{\"IsLogging\":true,\"N\":1.50}",
     NULL},
    {AWS_PROTOCOL_REST_JSON, " {}\n", "{}", NULL},
    {AWS_PROTOCOL_REST_JSON, "[1]", "{}", NULL},
    {AWS_PROTOCOL_JSON, "<html></html>", NULL, "an answer that is no JSON"},
    {AWS_PROTOCOL_REST_JSON, "{\"a\":", NULL, "an answer that is no JSON"},
    {AWS_PROTOCOL_REST_XML,
     "<?xml version=\"1.0\"?>\n<PublicAccessBlockConfiguration xmlns=\"x\"><BlockPublicAcls>true"
     "</BlockPublicAcls></PublicAccessBlockConfiguration>",
     "{\"BlockPublicAcls\":\"true\"}", NULL},
    {AWS_PROTOCOL_REST_XML, "<VersioningConfiguration xmlns=\"x\"/>", "{}", NULL},
    {AWS_PROTOCOL_REST_XML, "<LocationConstraint>eu-west-1</LocationConstraint>",
     "{\"LocationConstraint\":\"eu-west-1\"}", NULL},
    {AWS_PROTOCOL_REST_XML, "<R><Grant><A>1</A></Grant><Grant><A>2</A></Grant></R>",
     "{\"Grant\":[{\"A\":\"1\"},{\"A\":\"2\"}]}", NULL},
    {AWS_PROTOCOL_REST_XML, "{\"Version\":\"2012-10-17\"}", "{\"Version\":\"2012-10-17\"}", NULL},
    {AWS_PROTOCOL_REST_XML, "an object's content", "{}", NULL},
    {AWS_PROTOCOL_REST_XML, "<Error><Code>InternalError</Code></Error>", NULL,
     "<Error> is not an answer"},
    {AWS_PROTOCOL_REST_XML, "<html></html>", NULL, "<html> is not an answer"},
    {AWS_PROTOCOL_REST_XML, "<a>", NULL, "line 1"},
};

static void test_documents(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(document_cases); i++) {
        const struct document_case *c = &document_cases[i];
        testing_row(c->text);
        scoped(arena_free) struct arena *arena = arena_new();
        scoped(buffer_done) struct buffer out = BUFFER_INIT;
        const struct json *body = NULL;
        struct text request_id;
        struct error error = {0};
        bool is_read = aws_answer_read(c->protocol, text_of(c->text), arena, &body, &request_id,
                                       &error);
        if (c->json == NULL) {
            assert_fails(is_read, &error, ERROR_INVALID, c->says);
            continue;
        }
        assert_ok(is_read, &error);
        json_write(&out, body);
        assert_text_equal(buffer_text(&out), c->json);
        assert_text_equal(request_id, "");
    }
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
    {"{\"__type\":\"com.amazonaws.kms#NotFoundException\",\"message\":\"m\"}", 400,
     "NotFoundException", "m", ""},
    {"{\"__type\":\"ValidationException:http://x/\",\"Message\":\"M\"}", 400, "ValidationException",
     "M", ""},
    {"{\"code\":\"BadRequestException\",\"message\":\"m\"}", 400, "BadRequestException", "m", ""},
    {"{\"Type\":\"User\",\"Code\":\"ResourceConflictException\"}", 409, "ResourceConflictException",
     "", ""},
    {"{\"__type\":7}", 500, "500", "HTTP status 500 without an error of AWS", ""},
    {"{\"__type\"", 500, "500", "HTTP status 500 without an error of AWS", ""},
};

static const struct header_case {
    const char *name, *value, *text, *code;
} header_cases[] = {
    {"x-amzn-ErrorType", "ResourceNotFoundException:http://x/", "{\"message\":\"m\"}",
     "ResourceNotFoundException"},
    {"X-Amzn-Errortype", "A", "{\"__type\":\"B\",\"message\":\"m\"}", "A"},
    {"x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender",
     "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"m\"}",
     "AWS.SimpleQueueService.NonExistentQueue"},
    {"x-amzn-ErrorType", "\xFF", "{\"__type\":\"B\",\"message\":\"m\"}", "B"},
};

static void test_errors_in_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(header_cases); i++) {
        const struct header_case *c = &header_cases[i];
        testing_row(c->value);
        scoped(arena_free) struct arena *arena = arena_new();
        struct http_header header = {text_of(c->name), text_of(c->value)};
        struct http_response response = {
            .status = 400, .body = text_of(c->text), .headers = &header, .header_count = 1};
        struct aws_answer_error said = aws_answer_error(&response, arena);
        assert_text_equal(said.code, c->code);
        assert_text_equal(said.message, "m");
    }
}

static void test_errors(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(error_cases); i++) {
        const struct error_case *c = &error_cases[i];
        testing_row(c->text);
        scoped(arena_free) struct arena *arena = arena_new();
        struct http_response response = {.status = c->status, .body = text_of(c->text)};
        struct aws_answer_error said = aws_answer_error(&response, arena);
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
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_errors_in_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
