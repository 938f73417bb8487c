#include "riposte/event/principal.h"

#include "riposte/json/writer.h"

#include "capturing.h"
#include "testing.h"

/* `identity` as the userIdentity of an event in account 111122223333; the result lives in `arena`.
 */
static struct principal read_identity(struct arena *arena, const char *identity) {
    struct text event = arena_format(arena, "{\"detail\":{\"userIdentity\":%s}}", identity);
    struct capturing capturing = {.arena = arena};
    struct principal principal;
    struct error error = {0};
    assert_ok(capturing_scan(&capturing, event, &error), &error);
    principal_read(capturing.captures, TEXT("111122223333"), arena, &principal);
    return principal;
}

/* Written with single quotes here, to be readable. */
static const char *with_double_quotes(struct arena *arena, const char *text) {
    size_t bytes = strlen(text);
    char *copy = arena_alloc(arena, bytes + 1);
    for (size_t i = 0; i < bytes; i++) {
        copy[i] = text[i] == '\'' ? '"' : text[i];
    }
    return copy;
}

#define USER_ARN    "'arn':'arn:aws:iam::111122223333:user/ops/bert'"
#define SESSION     "'principalId':'AROAEXAMPLE:i-am-me'"
#define SESSION_ARN "'arn':'arn:aws:sts::111122223333:assumed-role/Deploy/i-am-me'"
#define ISSUER                                                                     \
    "'sessionIssuer':{'type':'Role','principalId':'AROAEXAMPLE',"                  \
    "'arn':'arn:aws:iam::111122223333:role/ci/Deploy','accountId':'111122223333'," \
    "'userName':'Deploy'}"
#define ATTRIBUTES(flag) \
    "'attributes':{'creationDate':'2026-01-02T03:04:05Z','mfaAuthenticated':" flag "}"

/* Each shape, and the whole principal that comes of it. */
static const struct shape_case {
    const char *name, *identity, *principal;
} shape_cases[] = {
    {"a user with a key",
     "{'type':'IAMUser','principalId':'AIDAEXAMPLE'," USER_ARN ",'accountId':'111122223333',"
     "'accessKeyId':'AKIAEXAMPLE','userName':'bert'}",
     "{'kind':'user','id':'111122223333/AIDAEXAMPLE','name':'bert',"
     "'arn':'arn:aws:iam::111122223333:user/ops/bert','path':'/ops/','account':'111122223333',"
     "'partition':'aws','access_key_id':'AKIAEXAMPLE','unique_id':'AIDAEXAMPLE',"
     "'is_temporary':false,'mfa':'no'}"},
    {"a user in the console, with MFA and empty issuers",
     "{'type':'IAMUser','principalId':'AIDAEXAMPLE','arn':'arn:aws-us-gov:iam::111122223333:user/"
     "bert',"
     "'accountId':'111122223333','accessKeyId':'ASIAEXAMPLE','userName':'bert','sessionContext':{"
     "'sessionIssuer':{},'webIdFederationData':{}," ATTRIBUTES("'true'") "}}",
     "{'kind':'user','id':'111122223333/AIDAEXAMPLE','name':'bert',"
     "'arn':'arn:aws-us-gov:iam::111122223333:user/bert','path':'/','account':'111122223333',"
     "'partition':'aws-us-gov','access_key_id':'ASIAEXAMPLE','unique_id':'AIDAEXAMPLE',"
     "'issued_at':'2026-01-02T03:04:05Z','is_temporary':true,'mfa':'yes'}"},
    {"a user for whom a service acts",
     "{'type':'IAMUser','principalId':'AIDAEXAMPLE'," USER_ARN ",'accountId':'111122223333',"
     "'accessKeyId':'ASIAEXAMPLE','userName':'bert','sessionContext':{" ATTRIBUTES(
         "'false'") "},"
                    "'invokedBy':'cloudformation.amazonaws.com'}",
     "{'kind':'user','id':'111122223333/AIDAEXAMPLE','name':'bert',"
     "'arn':'arn:aws:iam::111122223333:user/ops/bert','path':'/ops/','account':'111122223333',"
     "'partition':'aws','access_key_id':'ASIAEXAMPLE','unique_id':'AIDAEXAMPLE',"
     "'issued_at':'2026-01-02T03:04:05Z','invoked_by':'cloudformation.amazonaws.com',"
     "'is_temporary':true,'mfa':'no'}"},
    {"a role session",
     "{'type':'AssumedRole'," SESSION "," SESSION_ARN ",'accountId':'111122223333',"
     "'accessKeyId':'ASIAEXAMPLE','sessionContext':{" ISSUER ",'webIdFederationData':{},"
     "'sourceIdentity':'bert@example.com'," ATTRIBUTES("'true'") "}}",
     "{'kind':'role-session','id':'111122223333/AROAEXAMPLE:i-am-me','name':'Deploy',"
     "'arn':'arn:aws:iam::111122223333:role/ci/Deploy','path':'/ci/','account':'111122223333',"
     "'partition':'aws','access_key_id':'ASIAEXAMPLE','unique_id':'AROAEXAMPLE',"
     "'issuer_id':'AROAEXAMPLE','session':'AROAEXAMPLE:i-am-me',"
     "'source_identity':'bert@example.com','issued_at':'2026-01-02T03:04:05Z',"
     "'is_temporary':true,'mfa':'yes'}"},
    {"a role session without issuer",
     "{'type':'AssumedRole'," SESSION "," SESSION_ARN ",'accountId':'111122223333',"
     "'accessKeyId':'ASIAEXAMPLE'}",
     "{'kind':'role-session','id':'111122223333/AROAEXAMPLE:i-am-me','name':'Deploy',"
     "'arn':'arn:aws:iam::111122223333:role/Deploy','account':'111122223333','partition':'aws',"
     "'access_key_id':'ASIAEXAMPLE','unique_id':'AROAEXAMPLE','issuer_id':'AROAEXAMPLE',"
     "'session':'AROAEXAMPLE:i-am-me','is_temporary':true,'mfa':'unknown'}"},
    {"an EC2 instance's role",
     "{'type':'AssumedRole'," SESSION "," SESSION_ARN ",'accountId':'111122223333',"
     "'accessKeyId':'ASIAEXAMPLE','sessionContext':{" ISSUER
     "," ATTRIBUTES("'false'") ","
                               "'ec2RoleDelivery':'2.0'}}",
     "{'kind':'role-session','id':'111122223333/AROAEXAMPLE:i-am-me','name':'Deploy',"
     "'arn':'arn:aws:iam::111122223333:role/ci/Deploy','path':'/ci/','account':'111122223333',"
     "'partition':'aws','access_key_id':'ASIAEXAMPLE','unique_id':'AROAEXAMPLE',"
     "'issuer_id':'AROAEXAMPLE','session':'AROAEXAMPLE:i-am-me',"
     "'issued_at':'2026-01-02T03:04:05Z','is_temporary':true,'mfa':'unknown'}"},
    {"a role that a service uses",
     "{'type':'AssumedRole'," SESSION "," SESSION_ARN ",'accountId':'111122223333',"
     "'sessionContext':{" ISSUER "," ATTRIBUTES("'false'") "},'invokedBy':'lambda.amazonaws.com'}",
     "{'kind':'role-session','id':'111122223333/AROAEXAMPLE:i-am-me','name':'Deploy',"
     "'arn':'arn:aws:iam::111122223333:role/ci/Deploy','path':'/ci/','account':'111122223333',"
     "'partition':'aws','unique_id':'AROAEXAMPLE','issuer_id':'AROAEXAMPLE',"
     "'session':'AROAEXAMPLE:i-am-me','issued_at':'2026-01-02T03:04:05Z',"
     "'invoked_by':'lambda.amazonaws.com','is_temporary':true,'mfa':'unknown'}"},
    {"Identity Center, by the path of its role",
     "{'type':'AssumedRole','principalId':'AROAEXAMPLE:bert@example.com','arn':'arn:aws:sts::"
     "111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/bert@example.com',"
     "'accountId':'111122223333','accessKeyId':'ASIAEXAMPLE','sessionContext':{'sessionIssuer':{"
     "'type':'Role','principalId':'AROAEXAMPLE','arn':'arn:aws:iam::111122223333:role/aws-reserved/"
     "sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef',"
     "'accountId':'111122223333','userName':'AWSReservedSSO_Admin_0123456789abcdef'}," ATTRIBUTES(
         "'false'") "}}",
     "{'kind':'sso-session','id':'111122223333/AROAEXAMPLE:bert@example.com',"
     "'name':'AWSReservedSSO_Admin_0123456789abcdef','arn':'arn:aws:iam::111122223333:role/"
     "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef',"
     "'path':'/aws-reserved/sso.amazonaws.com/eu-west-1/','account':'111122223333',"
     "'partition':'aws','access_key_id':'ASIAEXAMPLE','unique_id':'AROAEXAMPLE',"
     "'issuer_id':'AROAEXAMPLE','session':'AROAEXAMPLE:bert@example.com',"
     "'issued_at':'2026-01-02T03:04:05Z','is_temporary':true,'mfa':'unknown'}"},
    {"a service-linked role",
     "{'type':'AssumedRole','principalId':'AROAEXAMPLE:AutoScaling','arn':'arn:aws:sts::"
     "111122223333:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling',"
     "'accountId':'111122223333','sessionContext':{'sessionIssuer':{'type':'Role',"
     "'principalId':'AROAEXAMPLE','arn':'arn:aws:iam::111122223333:role/aws-service-role/"
     "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling','accountId':'111122223333',"
     "'userName':'AWSServiceRoleForAutoScaling'}," ATTRIBUTES(
         "'false'") "},"
                    "'invokedBy':'autoscaling.amazonaws.com'}",
     "{'kind':'service-linked','id':'111122223333/AROAEXAMPLE:AutoScaling',"
     "'name':'AWSServiceRoleForAutoScaling','arn':'arn:aws:iam::111122223333:role/aws-service-role/"
     "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling',"
     "'path':'/aws-service-role/autoscaling.amazonaws.com/','account':'111122223333',"
     "'partition':'aws','unique_id':'AROAEXAMPLE','issuer_id':'AROAEXAMPLE',"
     "'session':'AROAEXAMPLE:AutoScaling','issued_at':'2026-01-02T03:04:05Z',"
     "'invoked_by':'autoscaling.amazonaws.com','is_temporary':true,'mfa':'unknown'}"},
    {"a federated user",
     "{'type':'FederatedUser','principalId':'111122223333:carol',"
     "'arn':'arn:aws:sts::111122223333:federated-user/carol','accountId':'111122223333',"
     "'accessKeyId':'ASIAEXAMPLE','sessionContext':{'sessionIssuer':{'type':'IAMUser',"
     "'principalId':'AIDAEXAMPLE','arn':'arn:aws:iam::111122223333:user/bert',"
     "'accountId':'111122223333','userName':'bert'}," ATTRIBUTES("'false'") "}}",
     "{'kind':'federated','id':'111122223333/111122223333:carol','name':'carol',"
     "'arn':'arn:aws:sts::111122223333:federated-user/carol','account':'111122223333',"
     "'partition':'aws','access_key_id':'ASIAEXAMPLE','issuer_id':'AIDAEXAMPLE',"
     "'session':'111122223333:carol','issued_at':'2026-01-02T03:04:05Z',"
     "'is_temporary':true,'mfa':'no'}"},
    {"a role itself",
     "{'type':'Role','principalId':'AROAEXAMPLE','arn':'arn:aws:iam::111122223333:role/ci/Deploy',"
     "'accountId':'111122223333'}",
     "{'kind':'role-session','id':'111122223333/AROAEXAMPLE','name':'Deploy',"
     "'arn':'arn:aws:iam::111122223333:role/ci/Deploy','path':'/ci/','account':'111122223333',"
     "'partition':'aws','unique_id':'AROAEXAMPLE','issuer_id':'AROAEXAMPLE',"
     "'is_temporary':true,'mfa':'unknown'}"},
    {"root in the console",
     "{'type':'Root','principalId':'111122223333','arn':'arn:aws:iam::111122223333:root',"
     "'accountId':'111122223333','accessKeyId':'ASIAEXAMPLE','sessionContext':{" ATTRIBUTES(
         "'true'") "}}",
     "{'kind':'root','id':'111122223333/111122223333','name':'root',"
     "'arn':'arn:aws:iam::111122223333:root','account':'111122223333','partition':'aws',"
     "'access_key_id':'ASIAEXAMPLE','issued_at':'2026-01-02T03:04:05Z','is_temporary':true,"
     "'mfa':'yes'}"},
    {"root signing in, with an alias",
     "{'type':'Root','principalId':'111122223333','arn':'arn:aws:iam::111122223333:root',"
     "'accountId':'111122223333','accessKeyId':'','userName':'example-corp'}",
     "{'kind':'root','id':'111122223333/111122223333','name':'example-corp',"
     "'arn':'arn:aws:iam::111122223333:root','account':'111122223333','partition':'aws',"
     "'is_temporary':false,'mfa':'unknown'}"},
    {"a service", "{'type':'AWSService','invokedBy':'ec2.amazonaws.com'}",
     "{'kind':'service','id':'ec2.amazonaws.com','name':'ec2.amazonaws.com',"
     "'invoked_by':'ec2.amazonaws.com','is_temporary':false,'mfa':'unknown'}"},
    {"a service event: no type", "{'accountId':'111122223333','invokedBy':'kms.amazonaws.com'}",
     "{'kind':'service','id':'kms.amazonaws.com','name':'kms.amazonaws.com',"
     "'account':'111122223333','invoked_by':'kms.amazonaws.com','is_temporary':false,"
     "'mfa':'unknown'}"},
    {"another account",
     "{'type':'AWSAccount','principalId':'AIDAOTHER','accountId':'999988887777'}",
     "{'kind':'external','id':'999988887777/AIDAOTHER','account':'999988887777',"
     "'is_temporary':false,'mfa':'unknown'}"},
    {"a user of another account",
     "{'type':'IAMUser','principalId':'AIDAOTHER','arn':'arn:aws:iam::999988887777:user/eve',"
     "'accountId':'999988887777','accessKeyId':'AKIAOTHER','userName':'eve'}",
     "{'kind':'external','id':'999988887777/AIDAOTHER','name':'eve',"
     "'arn':'arn:aws:iam::999988887777:user/eve','path':'/','account':'999988887777',"
     "'partition':'aws','access_key_id':'AKIAOTHER','unique_id':'AIDAOTHER',"
     "'is_temporary':false,'mfa':'no'}"},
    {"SAML, while assuming a role",
     "{'type':'SAMLUser','principalId':'SampleUkh1i4+ExamplexL/jEvs=:SamlExample',"
     "'userName':'SamlExample','identityProvider':'bdGOnTesti4+ExamplexL/jEvs='}",
     "{'kind':'federated','id':'111122223333/SampleUkh1i4+ExamplexL/jEvs=:SamlExample',"
     "'name':'SamlExample','is_temporary':true,'mfa':'unknown'}"},
    {"a web identity, while assuming a role",
     "{'type':'WebIdentityUser','principalId':'accounts.google.com:app.apps.example.com:103',"
     "'userName':'103','identityProvider':'accounts.google.com'}",
     "{'kind':'federated','id':'111122223333/accounts.google.com:app.apps.example.com:103',"
     "'name':'103','is_temporary':true,'mfa':'unknown'}"},
    {"an Identity Center user",
     "{'type':'IdentityCenterUser','accountId':'111122223333','onBehalfOf':{"
     "'userId':'544894e8-80c1-707f-60e3-3ba6510dfac1','identityStoreArn':'arn:aws:identitystore::"
     "111122223333:identitystore/d-9067642ac7'},'credentialId':'EXAMPLE'}",
     "{'kind':'sso-session','id':'111122223333/544894e8-80c1-707f-60e3-3ba6510dfac1',"
     "'account':'111122223333','unique_id':'544894e8-80c1-707f-60e3-3ba6510dfac1',"
     "'is_temporary':true,'mfa':'unknown'}"},
    {"a directory", "{'type':'Directory','accountId':'111122223333','userName':'bert'}",
     "{'kind':'unknown','id':'unknown','name':'bert','account':'111122223333',"
     "'is_temporary':false,'mfa':'unknown'}"},
    {"AWS's own Unknown", "{'type':'Unknown'}",
     "{'kind':'unknown','id':'unknown','is_temporary':false,'mfa':'unknown'}"},
    {"a type never seen",
     "{'type':'Robot','principalId':'R2','arn':'arn:aws:iam::111122223333:robot/d2',"
     "'accountId':'111122223333'}",
     "{'kind':'unknown','id':'111122223333/R2','name':'d2',"
     "'arn':'arn:aws:iam::111122223333:robot/d2','account':'111122223333','partition':'aws',"
     "'is_temporary':false,'mfa':'unknown'}"},
    {"nothing", "{}", "{'kind':'unknown','id':'unknown','is_temporary':false,'mfa':'unknown'}"},
    {"null", "null", "{'kind':'unknown','id':'unknown','is_temporary':false,'mfa':'unknown'}"},
};

static void test_every_shape_becomes_one(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(shape_cases); i++) {
        const struct shape_case *row = &shape_cases[i];
        testing_row(row->name);
        scoped(arena_free) struct arena *arena = arena_new();
        scoped(buffer_done) struct buffer out = BUFFER_INIT;
        struct principal principal = read_identity(arena, with_double_quotes(arena, row->identity));
        json_write(&out, principal_to_json(&principal, arena));
        assert_text_equal(buffer_text(&out), with_double_quotes(arena, row->principal));
    }
}

/* ---- what is not clear is unknown ---- */

#define USER(members) "{'type':'IAMUser','accountId':'111122223333'," members "}"
#define ROLE(members) "{'type':'AssumedRole','accountId':'111122223333'," members "}"

static const struct kind_case {
    const char *name, *identity, *kind, *id;
} kind_cases[] = {
    {"a renamed user", USER("'userName':'ernie','principalId':'AIDA1'," USER_ARN), "user",
     "111122223333/AIDA1"},
    {"a user without userName", USER("'principalId':'AIDA1'," USER_ARN), "user",
     "111122223333/AIDA1"},
    {"a user without principalId", USER(USER_ARN), "user",
     "arn:aws:iam::111122223333:user/ops/bert"},
    {"a user without accountId", "{'type':'IAMUser'," USER_ARN "}", "user",
     "arn:aws:iam::111122223333:user/ops/bert"},
    {"a failed sign-in", USER("'accessKeyId':'','userName':'HIDDEN_DUE_TO_SECURITY_REASONS'"),
     "unknown", "unknown"},
    {"a user without ARN", USER("'userName':'bert','principalId':'AIDA1'"), "unknown",
     "111122223333/AIDA1"},
    {"a number as ARN", USER("'userName':'bert','principalId':'AIDA1','arn':7"), "unknown",
     "111122223333/AIDA1"},
    {"an object as principalId", USER("'userName':'bert','principalId':{'a':1}," USER_ARN), "user",
     "arn:aws:iam::111122223333:user/ops/bert"},
    {"empty strings", USER("'userName':'','principalId':'','arn':''"), "unknown", "unknown"},
    {"a role's ARN for a user", USER("'arn':'arn:aws:iam::111122223333:role/bert'"), "unknown",
     "arn:aws:iam::111122223333:role/bert"},
    {"no ARN at all in arn", USER("'arn':'bert'"), "unknown", "bert"},
    {"a user of another service", USER("'arn':'arn:aws:sts::111122223333:user/bert'"), "unknown",
     "arn:aws:sts::111122223333:user/bert"},
    {"a user in a Region", USER("'arn':'arn:aws:iam:eu-west-1:111122223333:user/bert'"), "unknown",
     "arn:aws:iam:eu-west-1:111122223333:user/bert"},
    {"a user with a colon", USER("'arn':'arn:aws:iam::111122223333:user/x:bert'"), "unknown",
     "arn:aws:iam::111122223333:user/x:bert"},
    {"a user without a name", USER("'arn':'arn:aws:iam::111122223333:user/'"), "unknown",
     "arn:aws:iam::111122223333:user/"},
    {"an ARN of another account", USER("'arn':'arn:aws:iam::999988887777:user/bert'"), "unknown",
     "arn:aws:iam::999988887777:user/bert"},
    {"an ARN without account", "{'type':'IAMUser','arn':'arn:aws:iam:::user/bert'}", "unknown",
     "arn:aws:iam:::user/bert"},
    {"an account that is none", "{'type':'IAMUser','arn':'arn:aws:iam::11/22:user/bert'}",
     "unknown", "arn:aws:iam::11/22:user/bert"},
    {"a partition that is none", USER("'arn':'arn:a*:iam::111122223333:user/bert'"), "unknown",
     "arn:a*:iam::111122223333:user/bert"},
    {"a wildcard in principalId", USER("'principalId':'AIDA*'," USER_ARN), "unknown",
     "111122223333/AIDA*"},
    {"a wildcard in userName", USER("'userName':'b*','principalId':'AIDA1'," USER_ARN), "unknown",
     "111122223333/AIDA1"},
    {"a space in an ARN's path", USER("'arn':'arn:aws:iam::111122223333:user/a b/bert'"), "unknown",
     "arn:aws:iam::111122223333:user/a b/bert"},
    {"a NUL in principalId", USER("'principalId':'AIDA\\u0000'," USER_ARN), "unknown", NULL},
    {"a type in small letters", "{'type':'iamuser','principalId':'AIDA1'," USER_ARN "}", "unknown",
     "111122223333/AIDA1"},
    {"a number as type", "{'type':1,'invokedBy':'ec2.amazonaws.com'}", "unknown",
     "ec2.amazonaws.com"},
    {"somebody without a type", "{'principalId':'AIDA1'," USER_ARN ",'invokedBy':'x'}", "unknown",
     "111122223333/AIDA1"},
    {"a name without a type", "{'userName':'bert','invokedBy':'x'}", "unknown", "x"},
    {"an account without a type", "{'accountId':'111122223333'}", "unknown", "unknown"},
    {"a null type is none", "{'type':null,'invokedBy':'x'}", "service", "x"},

    {"a session of which only the issuer has an ARN",
     ROLE(SESSION ",'sessionContext':{" ISSUER "}"), "role-session",
     "111122223333/AROAEXAMPLE:i-am-me"},
    {"a session without principalId", ROLE(SESSION_ARN ",'sessionContext':{" ISSUER "}"),
     "role-session", "arn:aws:iam::111122223333:role/ci/Deploy"},
    {"a session without any ARN", ROLE(SESSION), "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"a session with a user's ARN", ROLE(SESSION "," USER_ARN ",'sessionContext':{" ISSUER "}"),
     "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"an issuer that is a user",
     ROLE(SESSION "," SESSION_ARN ",'sessionContext':{'sessionIssuer':{'type':'IAMUser'}}"),
     "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"an issuer's ARN that is none",
     ROLE(SESSION "," SESSION_ARN ",'sessionContext':{'sessionIssuer':{'arn':'Deploy'}}"),
     "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"an issuer of another name",
     ROLE(SESSION "," SESSION_ARN ",'sessionContext':{'sessionIssuer':{'userName':'Admin'}}"),
     "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"an issuer's ARN of another name",
     ROLE(SESSION
          "," SESSION_ARN
          ",'sessionContext':{'sessionIssuer':{'arn':'arn:aws:iam::111122223333:role/Admin'}}"),
     "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"an issuer whose name is not that of its ARN",
     ROLE("'sessionContext':{'sessionIssuer':{'userName':'Admin',"
          "'arn':'arn:aws:iam::111122223333:role/Deploy'}}"),
     "unknown", "arn:aws:iam::111122223333:role/Deploy"},
    {"an issuer of another id",
     ROLE(SESSION "," SESSION_ARN ",'sessionContext':{'sessionIssuer':{'principalId':'AROA2'}}"),
     "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"an issuer of another account",
     ROLE(SESSION "," SESSION_ARN
                  ",'sessionContext':{'sessionIssuer':{'accountId':'999988887777'}}"),
     "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"an issuer of another partition",
     ROLE(SESSION "," SESSION_ARN ",'sessionContext':{'sessionIssuer':"
                  "{'arn':'arn:aws-cn:iam::111122223333:role/ci/Deploy'}}"),
     "unknown", "111122223333/AROAEXAMPLE:i-am-me"},
    {"a wildcard in a session", ROLE("'principalId':'AROAEXAMPLE:*'," SESSION_ARN), "unknown",
     "111122223333/AROAEXAMPLE:*"},
    {"a policy variable in a session",
     ROLE("'principalId':'AROAEXAMPLE:${aws:username}'," SESSION_ARN), "unknown",
     "111122223333/AROAEXAMPLE:${aws:username}"},
    {"a nameless session", ROLE("'principalId':'AROAEXAMPLE:'," SESSION_ARN), "unknown",
     "111122223333/AROAEXAMPLE:"},
    {"an issuer in another shape is none",
     ROLE(SESSION "," SESSION_ARN ",'sessionContext':{'sessionIssuer':[]}"), "role-session",
     "111122223333/AROAEXAMPLE:i-am-me"},
    {"Identity Center's name on somebody's own path",
     ROLE("'principalId':'AROAEXAMPLE:x','sessionContext':{'sessionIssuer':"
          "{'arn':'arn:aws:iam::111122223333:role/AWSReservedSSO_x_0123456789abcdef'}}"),
     "role-session", "111122223333/AROAEXAMPLE:x"},
    {"Identity Center's name without a path",
     ROLE("'principalId':'AROAEXAMPLE:x','arn':'arn:aws:sts::111122223333:assumed-role/"
          "AWSReservedSSO_x_0123456789abcdef/x'"),
     "sso-session", "111122223333/AROAEXAMPLE:x"},
    {"a service-linked name on somebody's own path",
     ROLE("'principalId':'AROAEXAMPLE:x','sessionContext':{'sessionIssuer':"
          "{'arn':'arn:aws:iam::111122223333:role/AWSServiceRoleForX'}}"),
     "role-session", "111122223333/AROAEXAMPLE:x"},
    {"a path that only looks like AWS's",
     ROLE("'principalId':'AROAEXAMPLE:x','sessionContext':{'sessionIssuer':"
          "{'arn':'arn:aws:iam::111122223333:role/x/aws-service-role/y/z'}}"),
     "role-session", "111122223333/AROAEXAMPLE:x"},
    {"a role session of another account",
     "{'type':'AssumedRole','accountId':'999988887777','principalId':'AROAEXAMPLE:x',"
     "'arn':'arn:aws:sts::999988887777:assumed-role/Deploy/x'}",
     "external", "999988887777/AROAEXAMPLE:x"},

    {"a federated user without ARN",
     "{'type':'FederatedUser','principalId':'111122223333:carol','accountId':'111122223333'}",
     "unknown", "111122223333/111122223333:carol"},
    {"a federated user with a user's unique id",
     "{'type':'FederatedUser','principalId':'AIDAEXAMPLE','accountId':'111122223333',"
     "'arn':'arn:aws:sts::111122223333:federated-user/carol'}",
     "unknown", "111122223333/AIDAEXAMPLE"},
    {"a federated user with another's session",
     "{'type':'FederatedUser','principalId':'111122223333:dave','accountId':'111122223333',"
     "'arn':'arn:aws:sts::111122223333:federated-user/carol'}",
     "unknown", "111122223333/111122223333:dave"},
    {"root with somebody's ARN", "{'type':'Root'," USER_ARN "}", "unknown",
     "arn:aws:iam::111122223333:user/ops/bert"},
    {"root with more than root in its ARN",
     "{'type':'Root','arn':'arn:aws:iam::111122223333:rooted'}", "unknown",
     "arn:aws:iam::111122223333:rooted"},
    {"root of another account", "{'type':'Root','arn':'arn:aws:iam::999988887777:root'}",
     "external", "arn:aws:iam::999988887777:root"},
    {"AWSAccount that is our own", "{'type':'AWSAccount','accountId':'111122223333'}", "unknown",
     "unknown"},
    {"AWSAccount without account", "{'type':'AWSAccount','principalId':'AIDA1'}", "unknown",
     "111122223333/AIDA1"},
    {"a service with an account of its own",
     "{'type':'AWSService','accountId':'999988887777','invokedBy':'x.amazonaws.com'}", "service",
     "x.amazonaws.com"},
    {"a service without a name", "{'type':'AWSService'}", "service", "unknown"},
    {"a string", "'bert'", "unknown", "unknown"},
};

static void test_what_is_not_clear_is_unknown(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(kind_cases); i++) {
        const struct kind_case *row = &kind_cases[i];
        testing_row(row->name);
        scoped(arena_free) struct arena *arena = arena_new();
        struct principal principal = read_identity(arena, with_double_quotes(arena, row->identity));
        assert_text_equal(text_of(principal_kind_name(principal.kind)), row->kind);
        if (row->id != NULL) {
            assert_text_equal(principal.id, row->id);
        }
        if (principal.kind == PRINCIPAL_UNKNOWN) {
            assert_int_equal(principal.mfa, MFA_UNKNOWN);
        }
    }
}

static void test_an_id_holds_every_byte_of_a_hostile_one(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    struct principal principal = read_identity(
        arena, "{\"type\":\"IAMUser\",\"principalId\":\"A\\u0000B\"}");
    assert_int_equal(principal.id.bytes, 16);
    assert_memory_equal(principal.id.data, "111122223333/A\0B", 16);
}

/* ---- multi-factor authentication ---- */

static const struct mfa_case {
    const char *name, *identity;
    enum principal_mfa mfa;
} mfa_cases[] = {
    {"a user's key", USER(USER_ARN), MFA_NO},
    {"a user's session with MFA", USER(USER_ARN ",'sessionContext':{" ATTRIBUTES("'true'") "}"),
     MFA_YES},
    {"without", USER(USER_ARN ",'sessionContext':{" ATTRIBUTES("'false'") "}"), MFA_NO},
    {"as a boolean", USER(USER_ARN ",'sessionContext':{" ATTRIBUTES("true") "}"), MFA_YES},
    {"as a boolean, without", USER(USER_ARN ",'sessionContext':{" ATTRIBUTES("false") "}"), MFA_NO},
    {"in capitals", USER(USER_ARN ",'sessionContext':{" ATTRIBUTES("'TRUE'") "}"), MFA_UNKNOWN},
    {"as a number", USER(USER_ARN ",'sessionContext':{" ATTRIBUTES("1") "}"), MFA_UNKNOWN},
    {"a session without the flag",
     USER(USER_ARN ",'sessionContext':{'attributes':{'creationDate':'x'}}"), MFA_UNKNOWN},
    {"a session of nothing but empty objects",
     USER(USER_ARN ",'sessionContext':{'sessionIssuer':{},'attributes':{}}"), MFA_NO},
    {"a role assumed with MFA",
     ROLE(SESSION "," SESSION_ARN
                  ",'accessKeyId':'ASIA1','sessionContext':{" ATTRIBUTES("'true'") "}"),
     MFA_YES},
    {"a role assumed without",
     ROLE(SESSION "," SESSION_ARN
                  ",'accessKeyId':'ASIA1','sessionContext':{" ATTRIBUTES("'false'") "}"),
     MFA_NO},
    {"a role used for somebody by a service",
     ROLE(SESSION
          "," SESSION_ARN
          ",'accessKeyId':'ASIA1','invokedBy':'x','sessionContext':{" ATTRIBUTES("'true'") "}"),
     MFA_YES},
    {"a role assumed by a web identity",
     ROLE(SESSION
          "," SESSION_ARN ",'accessKeyId':'ASIA1','sessionContext':{'webIdFederationData':"
          "{'federatedProvider':'arn:aws:iam::1:oidc-provider/x'}," ATTRIBUTES("'false'") "}"),
     MFA_UNKNOWN},
};

static void test_mfa_is_said_only_where_it_is_known(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(mfa_cases); i++) {
        testing_row(mfa_cases[i].name);
        scoped(arena_free) struct arena *arena = arena_new();
        struct principal principal = read_identity(
            arena, with_double_quotes(arena, mfa_cases[i].identity));
        if (principal.mfa != mfa_cases[i].mfa) {
            fail_msg("%s", mfa_cases[i].name);
        }
    }
}

/* ---- events that were not made by us ---- */

static const struct record_case {
    const char *file, *account, *kind, *id, *name, *mfa;
} record_cases[] = {
    {"real/invictus.DeleteDBInstance.ok", "123837392027", "user",
     "123837392027/AIDATFQR7NSC5AU2ZV3IE", "bert-jan", "yes"},
    {"real/invictus.ModifyInstanceAttribute", "123837392027", "user",
     "123837392027/AIDATFQR7NSC5AU2ZV3IE", "bert-jan", "no"},
    {"real/invictus.ConsoleLogin", "123837392027", "user", "123837392027/AIDATFQR7NSCYG26CT6RI",
     "stratus-red-team-nmfalu-gfjyeaypjt", "no"},
    {"real/stratus.FederatedUser.GetCallerIdentity", "742491224508", "federated",
     "742491224508/742491224508:stratus_red_team", "stratus_red_team", "no"},
    {"real/stratus.FederatedUser.GetCallerIdentity", "111122223333", "external",
     "742491224508/742491224508:stratus_red_team", "stratus_red_team", "no"},
    {"blog/1-console-mfa", "150905", "user", "150905/AIDAI3UNW", "ihork", "yes"},
    {"blog/3-cli-attribute-value", "150905", "user", "150905/AIDAI3U7LBIY", "ihork", "no"},
};

static void test_real_records(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(record_cases); i++) {
        const struct record_case *row = &record_cases[i];
        testing_row(row->file);
        scoped(arena_free) struct arena *arena = arena_new();
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        struct error error = {0};
        bool is_record = strncmp(row->file, "real/", 5) == 0;
        buffer_append_string(&text, is_record ? "{\"detail\":" : "");
        load_fixture(arena_format(arena, "tests/data/events/%s.json", row->file).data, &text);
        buffer_append_string(&text, is_record ? "}" : "");
        struct capturing capturing = {.arena = arena};
        assert_ok(capturing_scan(&capturing, buffer_text(&text), &error), &error);
        struct principal principal;
        principal_read(capturing.captures, text_of(row->account), arena, &principal);
        const struct json *object = principal_to_json(&principal, arena);
        assert_text_equal(json_text(json_member(object, "kind")), row->kind);
        assert_text_equal(json_text(json_member(object, "id")), row->id);
        assert_text_equal(json_text(json_member(object, "name")), row->name);
        assert_text_equal(json_text(json_member(object, "mfa")), row->mfa);
    }
}

static void test_every_real_record_names_somebody(void **state) {
    (void)state;
    char **names = NULL;
    size_t count = 0;
    struct error error = {0};
    assert_ok(file_list("tests/data/events/real", ".json", &names, &count, &error), &error);
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        testing_row(names[i]);
        scoped(arena_free) struct arena *arena = arena_new();
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        buffer_append_string(&text, "{\"detail\":");
        load_fixture(arena_format(arena, "tests/data/events/real/%s", names[i]).data, &text);
        buffer_append_string(&text, "}");
        struct capturing capturing = {.arena = arena};
        assert_ok(capturing_scan(&capturing, buffer_text(&text), &error), &error);
        struct principal principal;
        struct text account = capturing.captures[EVENT_IDENTITY_ACCOUNT_ID].text;
        principal_read(capturing.captures, account, arena, &principal);
        assert_true(principal.kind == PRINCIPAL_USER || principal.kind == PRINCIPAL_FEDERATED);
        assert_true(principal.mfa != MFA_UNKNOWN);
        assert_true(principal.name.bytes > 0 && principal.access_key_id.bytes != 1);
    }
    file_list_free(&names, count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shape_becomes_one),
        cmocka_unit_test(test_what_is_not_clear_is_unknown),
        cmocka_unit_test(test_an_id_holds_every_byte_of_a_hostile_one),
        cmocka_unit_test(test_mfa_is_said_only_where_it_is_known),
        cmocka_unit_test(test_real_records),
        cmocka_unit_test(test_every_real_record_names_somebody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
