#include "riposte/aws/protocol.h"

#include "riposte/base/arena.h"

#include "testing.h"

#include <stdio.h>

static const struct form_case {
    const char *service, *parameters;
    const char *form; /* behind Action and Version; NULL: refused with `refusal` */
    const char *refusal;
} form_cases[] = {
    {"iam", "{}", "", NULL},
    {"iam", "{\"UserName\":\"a\",\"Path\":\"/x/\"}", "&UserName=a&Path=%2Fx%2F", NULL},
    {"iam", "{\"B\":\"b\",\"A\":\"a\"}", "&B=b&A=a", NULL},
    {"iam", "{\"T\":\"a b+c~d*e%20\\u00e9\\n\"}", "&T=a+b%2Bc~d%2Ae%2520%C3%A9%0A", NULL},
    {"rds", "{\"Apply\":true,\"Off\":false,\"N\":1.50e1,\"E\":\"\"}",
     "&Apply=true&Off=false&N=1.50e1&E=", NULL},
    /* lists */
    {"iam", "{\"Names\":[\"x\",\"y\"]}", "&Names.member.1=x&Names.member.2=y", NULL},
    {"ec2", "{\"InstanceId\":[\"i-1\",\"i-2\"]}", "&InstanceId.1=i-1&InstanceId.2=i-2", NULL},
    {"iam", "{\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}",
     "&Tags.member.1.Key=k&Tags.member.1.Value=v", NULL},
    {"rds", "{\"VpcSecurityGroupIds.VpcSecurityGroupId.N\":[\"a\",\"b\"]}",
     "&VpcSecurityGroupIds.VpcSecurityGroupId.1=a&VpcSecurityGroupIds.VpcSecurityGroupId.2=b",
     NULL},
    {"rds", "{\"Tags.Tag.N\":[{\"Key\":\"k\"}]}", "&Tags.Tag.1.Key=k", NULL},
    {"sns",
     "{\"MessageAttributes.entry.N\":[{\"Name\":\"n\",\"Value\":{\"DataType\":\"String\"}}]}",
     "&MessageAttributes.entry.1.Name=n&MessageAttributes.entry.1.Value.DataType=String", NULL},
    {"ec2", "{\"Filter\":[{\"Name\":\"n\",\"Value\":[\"1\",\"2\"]}]}",
     "&Filter.1.Name=n&Filter.1.Value.1=1&Filter.1.Value.2=2", NULL},
    {"ec2", "{\"InstanceId.N\":[\"i-1\"]}", "&InstanceId.1=i-1", NULL},
    {"ec2", "{\"UserId.N\":\"all\",\"Name\":\"n\"}", "&UserId.1=all&Name=n", NULL},
    {"rds", "{\"V.A.N\":\"all\"}", "&V.A.1=all", NULL},
    {"iam", "{\"Names\":[]}", "&Names=", NULL},
    {"rds", "{\"VpcSecurityGroupIds.VpcSecurityGroupId.N\":[]}", "&VpcSecurityGroupIds=", NULL},
    {"rds", "{\"S\":{\"A.B.N\":[]}}", "&S.A=", NULL},
    {"ec2", "{\"InstanceId\":[],\"X\":\"1\"}", "&X=1", NULL},
    /* structures */
    {"ec2", "{\"DisableApiTermination\":{\"Value\":true}}", "&DisableApiTermination.Value=true",
     NULL},
    {"ec2", "{\"IpPermissions\":[{\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}],\"FromPort\":22}]}",
     "&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0&IpPermissions.1.FromPort=22", NULL},
    {"ec2", "{\"CreateVolumePermission.Remove\":[{\"Group\":\"all\"}]}",
     "&CreateVolumePermission.Remove.1.Group=all", NULL},
    {"ec2", "{\"Empty\":{}}", "", NULL},
    /* documents */
    {"iam", "{\"PolicyDocument\":{\"$json\":{\"Version\":\"2012-10-17\", \"Statement\": [ ]}}}",
     "&PolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D", NULL},
    {"iam", "{\"D\":{\"$json\":null}}", "&D=null", NULL},
    {"iam", "{\"D\":{\"$json\":1,\"Other\":2}}", "&D.%24json=1&D.Other=2", NULL},
    /* refused */
    {"iam", "{\"UserName\":null}", NULL, "the parameter UserName is null"},
    {"ec2", "{\"A\":{\"B\":[{\"C\":null}]}}", NULL, "the parameter A.B.1.C is null"},
    {"iam", "{\"Action\":\"DeleteUser\"}", NULL, "no parameter may be named \"Action\""},
    {"iam", "{\"Version\":\"1\"}", NULL, "no parameter may be named \"Version\""},
    {"iam", "{\"\":\"x\"}", NULL, "no parameter may be named \"\""},
    {"iam", "{\"\":{\"Action\":\"DeleteUser\"}}", NULL, "no parameter may be named \"\""},
    {"iam", "[]", NULL, "must be an object"},
};

static bool make_form(const struct form_case *c, struct buffer *body, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *parameters = NULL;
    assert_ok(json_parse(text_of(c->parameters), 0, arena, &parameters, NULL, error), error);
    return aws_protocol_form(aws_service_find(text_of(c->service)), TEXT("DoIt"), parameters, body,
                             error);
}

static void test_forms(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(form_cases); i++) {
        const struct form_case *c = &form_cases[i];
        testing_row(c->parameters);
        scoped(buffer_done) struct buffer body = BUFFER_INIT;
        struct error error = {0};
        bool is_made = make_form(c, &body, &error);
        if (c->form == NULL) {
            assert_fails(is_made, &error, ERROR_INVALID, c->refusal);
            continue;
        }
        assert_ok(is_made, &error);
        char expected[512];
        snprintf(expected, sizeof(expected), "Action=DoIt&Version=%s%s",
                 aws_service_find(text_of(c->service))->version, c->form);
        assert_text_equal(buffer_text(&body), expected);
    }
}

static void test_no_parameters(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    struct error error = {0};
    assert_ok(aws_protocol_form(aws_service_find(TEXT("sts")), TEXT("GetCallerIdentity"), NULL,
                                &body, &error),
              &error);
    assert_text_equal(buffer_text(&body), "Action=GetCallerIdentity&Version=2011-06-15");
}

static void test_depth_is_bounded(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer deep = BUFFER_INIT;
    for (int depth = 0; depth <= PROTOCOL_DEPTH; depth++) {
        buffer_append_string(&deep, "{\"A\":");
    }
    buffer_append_string(&deep, "1");
    for (int depth = 0; depth <= PROTOCOL_DEPTH; depth++) {
        buffer_append_string(&deep, "}");
    }
    struct form_case c = {"ec2", buffer_string(&deep), "", NULL};
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    struct error error = {0};
    assert_ok(make_form(&c, &body, &error), &error);
    scoped(buffer_done) struct buffer deeper = BUFFER_INIT;
    buffer_append_format(&deeper, "{\"A\":%s}", buffer_string(&deep));
    c.parameters = buffer_string(&deeper);
    assert_fails(make_form(&c, &body, &error), &error, ERROR_INVALID, "nest deeper");
}

static void test_size_is_bounded(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer large = BUFFER_INIT;
    buffer_append_string(&large, "{\"A\":\"");
    for (int i = 0; i < PROTOCOL_BODY_BYTES / 3; i++) {
        buffer_append_char(&large, '&'); /* three bytes each in a form */
    }
    buffer_append_string(&large, "\"}");
    struct form_case c = {"ec2", buffer_string(&large), "", NULL};
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    struct error error = {0};
    assert_fails(make_form(&c, &body, &error), &error, ERROR_LIMIT, "more than");
}

static const struct json_case {
    const char *parameters, *body;
} json_cases[] = {
    {"{ }", "{}"},
    {"{\"B\": [1.50e1, true, null], \"A\": {\"C\": \"\\u00e9\\n\"}}",
     "{\"B\":[1.50e1,true,null],\"A\":{\"C\":\"\xC3\xA9\\n\"}}"},
    {"{\"P\": {\"$json\": {\"Version\": \"x\", \"S\": [ ]}}}",
     "{\"P\":\"{\\\"Version\\\":\\\"x\\\",\\\"S\\\":[]}\"}"},
    {"{\"P\": [{\"$json\": \"a\"}]}", "{\"P\":[\"\\\"a\\\"\"]}"},
    {"{\"P\": {\"$json\": 1, \"O\": 2}}", "{\"P\":{\"$json\":1,\"O\":2}}"},
};

static void test_json(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(json_cases); i++) {
        testing_row(json_cases[i].parameters);
        scoped(arena_free) struct arena *arena = arena_new();
        scoped(buffer_done) struct buffer body = BUFFER_INIT;
        const struct json *parameters = NULL;
        struct error error = {0};
        assert_ok(
            json_parse(text_of(json_cases[i].parameters), 0, arena, &parameters, NULL, &error),
            &error);
        assert_ok(aws_protocol_json(parameters, &body, &error), &error);
        assert_text_equal(buffer_text(&body), json_cases[i].body);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_no_parameters),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_size_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
