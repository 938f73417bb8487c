#include "riposte/respond/plan.h"

#include "playing.h"

#include "riposte/json/writer.h"
#include "riposte/respond/parameters.h"

#include <stdio.h>

#define CONTAIN(steps) "{'name':'contain','acts_on':'principal','steps':[" steps "]}"
#define RESTORE(steps) "{'name':'restore','acts_on':'resource','steps':[" steps "]}"
#define WHO                                                                      \
    "{'name':'who','when':{'principal':{'kind':['user']}},'call':'iam:GetUser'," \
    "'with':{'UserName':'${principal.name}'},"                                   \
    "'matches':{'User':{'UserId':['${principal.unique_id}']}}}"
#define DENY                                                                            \
    "{'name':'deny','when':{'principal':{'kind':['user']}},'call':'iam:PutUserPolicy'," \
    "'with':{'UserName':'${principal.name}'},'undo':{'call':'iam:DeleteUserPolicy',"    \
    "'with':{'UserName':'${principal.name}'},'tolerate':['NoSuchEntity']}}"
#define MANAGED                                                                                \
    "{'name':'managed','call':'iam:AttachUserPolicy','with':{'UserName':'${principal.name}'}," \
    "'undo':null}"
#define CHAIN "{'first_of':[" DENY "," MANAGED "]}"
#define ROLE_ONLY                                                                               \
    "{'name':'role','when':{'principal':{'kind':['role-session']}},'call':'iam:PutRolePolicy'," \
    "'undo':null}"
#define PROTECT(more)                                                            \
    "{'name':'protect','call':'ec2:ModifyInstanceAttribute',"                    \
    "'with':{'InstanceId':'${detail.requestParameters.one}'}," more              \
    "'effect':{'target':'${detail.requestParameters.one}','name':'protection'}," \
    "'undo':{'call':'ec2:ModifyInstanceAttribute','with':{'Old':'${prior.value:-none}'}}}"
#define PROTECT_PLAIN                                                                            \
    "{'name':'protect','call':'ec2:ModifyInstanceAttribute','effect':{'target':'t','name':'p'}," \
    "'undo':null}"
#define BEFORE "'before':{'call':'ec2:DescribeInstanceAttribute','matches':{'value':['true']}},"
#define EACH(path)                                                                            \
    "{'name':'each','each':'${" path "}','call':'ec2:StopInstances','with':{'Id':'${item}'}," \
    "'effect':{'target':'${item}','name':'stop'},'undo':null}"
#define OF_ANSWER                                                                        \
    "{'name':'look','when':{'principal':{'kind':['user']}},'call':'ec2:DescribeHosts'}," \
    "{'name':'protect','when':{'steps':{'look':{'state':['off']}}},"                     \
    "'call':'ec2:ModifyInstanceAttribute','effect':{'target':'t','name':'p'},'undo':null}"
#define MATCHES_ID "{'User':{'UserId':'AIDAMALLORY'}}"

/* Outcomes by what stands behind "ev1/<playbook>/" in the key: an object is an answer, "!Code" a
 * refusal, "~Code" a tolerated one, "?" is put off, "=" needless. A call without one works and
 * answers {}. */
static const struct plan_case {
    const char *name, *playbook, *outcomes, *trace;
} plan_cases[] = {
    {"a check, then the write", CONTAIN(WHO "," CHAIN), "{'who':" MATCHES_ID "}",
     "ask who; write deny; done"},
    {"another user under the name holds", CONTAIN(WHO "," CHAIN),
     "{'who':{'User':{'UserId':'AIDAOTHER'}}}",
     "ask who; held: step who: iam:GetUser: User.UserId: \"AIDAOTHER\"; wanted [\"AIDAMALLORY\"]"},
    {"no answer for good to what must match holds", CONTAIN(WHO "," CHAIN),
     "{'who':'!NoSuchEntity'}", "ask who; held: step who: iam:GetUser: NoSuchEntity"},
    {"a link that fails for good passes on", CONTAIN(CHAIN), "{'deny':'!LimitExceeded'}",
     "write deny; write managed; done"},
    {"a link that IAM surely refuses is not sent and passes on",
     CONTAIN("{'first_of':[{'name':'deny','call':'iam:PutUserPolicy','with':{'PolicyName':'a b'},"
             "'undo':null}," MANAGED "]}"),
     "{}", "write managed; done"},
    {"a link that is skipped passes on", CONTAIN("{'first_of':[" ROLE_ONLY "," MANAGED "]}"), "{}",
     "write managed; done"},
    {"a chain whose links all fail has failed", CONTAIN(CHAIN),
     "{'deny':'!LimitExceeded','managed':'!AccessDenied'}",
     "write deny; write managed; failed: step managed: iam:AttachUserPolicy: AccessDenied"},
    {"a failed chain ending in a skipped link has failed",
     CONTAIN("{'first_of':[" DENY "," ROLE_ONLY "]}"), "{'deny':'!LimitExceeded'}",
     "write deny; failed: step deny: iam:PutUserPolicy: LimitExceeded"},
    {"no write for this kind of principal", CONTAIN(ROLE_ONLY), "{}",
     "held: no containment for user: deny or deactivate the user by hand"},
    {"an effect that stands contains", CONTAIN(CHAIN), "{'deny':'='}", "write deny; done"},
    {"what is put off waits", CONTAIN(WHO "," CHAIN), "{'who':'?'}", "ask who; wait"},
    {"a write that is put off keeps the next link waiting", CONTAIN(CHAIN), "{'deny':'?'}",
     "write deny; wait"},
    {"a failed step stops only those that use its answer",
     RESTORE("{'name':'find','call':'ec2:DescribeInstances'},"
             "{'name':'stop','call':'ec2:StopInstances','with':{'Id':'${steps.find.Id:-none}'},"
             "'effect':{'target':'t','name':'n'},'undo':null}," PROTECT_PLAIN),
     "{'find':'!AuthFailure'}",
     "ask find; write protect; failed: step find: ec2:DescribeInstances: AuthFailure"},
    {"a skipped step's answer may have a default",
     RESTORE("{'name':'find','when':{'principal':{'kind':['root']}},"
             "'call':'ec2:DescribeInstances'},"
             "{'name':'stop','call':'ec2:StopInstances','with':{'Id':'${steps.find.Id:-none}'},"
             "'effect':{'target':'t','name':'n'},'undo':null}"),
     "{}", "write stop; done"},
    {"a missing value fails the step before anything is sent",
     RESTORE("{'name':'stop','call':'ec2:StopInstances','with':{'Id':'${detail.absent}'},"
             "'effect':{'target':'t','name':'n'},'undo':null}," PROTECT_PLAIN),
     "{}", "write protect; failed: step stop: ${detail.absent}: not in the context"},
    {"nothing is written in an account that is not ours",
     RESTORE("{'name':'stop','account':'999999999999','call':'ec2:StopInstances',"
             "'effect':{'target':'t','name':'n'},'undo':null}," PROTECT_PLAIN),
     "{}", "write protect; failed: step stop: account 999999999999 is not one of aws.accounts"},
    {"nor is anything asked there",
     RESTORE(
         "{'name':'find','account':'999999999999','call':'ec2:DescribeInstances'}," PROTECT_PLAIN),
     "{}", "write protect; failed: step find: account 999999999999 is not one of aws.accounts"},
    {"an answer is used by the next step",
     RESTORE("{'name':'find','call':'ec2:DescribeInstances'},"
             "{'name':'stop','call':'ec2:StopInstances','with':{'Id':'${steps.find.Id}'},"
             "'effect':{'target':'t','name':'n'},'undo':null}"),
     "{'find':{'Id':'i-7'}}", "ask find; write stop; done"},
    {"it is so already", RESTORE(PROTECT(BEFORE)), "{'protect#before':{'value':'true'}}",
     "before protect; done"},
    {"it is not so yet", RESTORE(PROTECT(BEFORE)), "{'protect#before':{'value':'false'}}",
     "before protect; write protect; done"},
    {"an error of the question before that is tolerated: nothing to do",
     RESTORE(PROTECT(BEFORE "'tolerate':['InvalidInstanceID.NotFound'],")),
     "{'protect#before':'~InvalidInstanceID.NotFound'}", "before protect; done"},
    {"an error of the question before fails the step", RESTORE(PROTECT(BEFORE)),
     "{'protect#before':'!AuthFailure'}",
     "before protect; failed: step protect: before: AuthFailure"},
    {"once for each element", RESTORE(EACH("detail.requestParameters.ids[*]")), "{}",
     "write each/0; write each/1; write each/2; done"},
    {"also for a single value", RESTORE(EACH("detail.requestParameters.one")), "{}",
     "write each/0; done"},
    {"an array without [*] goes by its elements", RESTORE(EACH("detail.requestParameters.ids")),
     "{}", "write each/0; write each/1; write each/2; done"},
    {"not for none", RESTORE(EACH("detail.requestParameters.none[*]")), "{}", "done"},
    {"all elements, even if one fails", RESTORE(EACH("detail.requestParameters.ids[*]")),
     "{'each/1':'!AuthFailure'}",
     "write each/0; write each/1; write each/2; failed: step each: ec2:StopInstances: "
     "AuthFailure"},
    {"an element that is put off lets the others go on",
     RESTORE(EACH("detail.requestParameters.ids[*]") "," PROTECT_PLAIN), "{'each/0':'?'}",
     "write each/0; write each/1; write each/2; wait"},
    {"a when on the element decides for each",
     RESTORE("{'name':'each','each':'${detail.requestParameters.ids[*]}','when':{'$or':["
             "{'item':['i-1']},{'item':['i-3'],'principal':{'kind':['user']}}]},"
             "'call':'ec2:StopInstances','with':{'Id':'${item}'},"
             "'effect':{'target':'${item}','name':'stop'},'undo':null}"),
     "{}", "write each/0; write each/2; done"},
    {"a when on the element that holds for none skips the step",
     RESTORE("{'name':'each','each':'${detail.requestParameters.ids[*]}','when':{'item':['x']},"
             "'call':'ec2:StopInstances','effect':{'target':'${item}','name':'stop'},'undo':null}"),
     "{}", "done"},
    {"a tolerated error counts as done", CONTAIN(CHAIN), "{'deny':'~EntityAlreadyExists'}",
     "write deny; done"},
};

struct outcomes {
    struct plan_record records[32];
    size_t count;
};

static struct text after_prefix(struct text key) {
    struct text rest = text_slice(key, text_find_byte(key, '/', 0) + 1, key.bytes);
    return text_slice(rest, text_find_byte(rest, '/', 0) + 1, rest.bytes);
}

static struct plan_record outcome_of(struct arena *arena, const struct json *outcomes,
                                     const struct plan_action *action) {
    const struct json *outcome = json_member_text(outcomes, after_prefix(action->key));
    struct text text = json_text(outcome);
    struct plan_record record = {.key = action->key,
                                 .state = PLAN_WORKED,
                                 .request = action->parameters,
                                 .account = action->account,
                                 .region = action->region};
    if (outcome == NULL || json_is_object(outcome)) {
        record.answer = outcome != NULL ? outcome : json_new_object(arena);
        return record;
    }
    record.error_code = text_slice(text, 1, text.bytes);
    record.state = text.data[0] == '!'   ? PLAN_REFUSED
                   : text.data[0] == '~' ? PLAN_WORKED
                   : text.data[0] == '?' ? PLAN_DEFERRED
                                         : PLAN_NEEDLESS;
    return record;
}

static bool trace_action(struct buffer *trace, const struct plan_action *action) {
    static const char *const names[] = {
        [PLAN_ASK] = "ask",   [PLAN_WRITE] = "write", [PLAN_WAIT] = "wait",
        [PLAN_DONE] = "done", [PLAN_HELD] = "held",   [PLAN_FAILED] = "failed"};
    bool goes_on = action->kind == PLAN_ASK || action->kind == PLAN_WRITE;
    buffer_append_string(trace, action->is_before ? "before" : names[action->kind]);
    if (goes_on) {
        struct text name = after_prefix(action->key);
        name = text_slice(name, 0, text_find_byte(name, '#', 0));
        buffer_append_format(trace, " %.*s; ", TEXT_ARG(name));
    } else if (action->reason.bytes > 0) {
        buffer_append_format(trace, ": %.*s", TEXT_ARG(action->reason));
    }
    return goes_on;
}

/* From scratch at each step, as after a crash: what is recorded alone decides. */
static void play(const struct playing *playing, struct plan_input *input,
                 const struct json *outcomes, struct buffer *trace) {
    struct outcomes done = {.count = 0};
    struct plan_action action;
    for (;;) {
        input->records = done.records;
        input->record_count = done.count;
        plan_next(input, playing->arena, &action);
        if (!trace_action(trace, &action)) {
            return;
        }
        assert_true(done.count < ARRAY_COUNT(done.records));
        done.records[done.count++] = outcome_of(playing->arena, outcomes, &action);
    }
}

static void walk_row(const struct plan_case *row, struct plan_memo *memo) {
    struct playing playing;
    struct buffer trace = BUFFER_INIT;
    playing_start(&playing, row->playbook, PLAYING_EVENT);
    struct plan_input input = playing_input(&playing);
    input.memo = memo;
    play(&playing, &input, playing_json(playing.arena, row->outcomes), &trace);
    assert_text_equal(buffer_text(&trace), row->trace);
    buffer_done(&trace);
    playing_done(&playing);
}

/* With a memo, too: what one walk has written into it changes no other. */
static void test_a_playbook_is_walked(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(plan_cases); i++) {
        struct plan_memo memo = {0};
        testing_row(plan_cases[i].name);
        walk_row(&plan_cases[i], NULL);
        walk_row(&plan_cases[i], &memo);
    }
}

/* Of an answer it may be another thing in the next walk. */
static void test_only_what_stays_is_remembered(void **state) {
    (void)state;
    struct playing playing;
    struct buffer trace = BUFFER_INIT;
    struct plan_memo memo = {0};
    playing_start(&playing, RESTORE(OF_ANSWER), PLAYING_EVENT);
    struct plan_input input = playing_input(&playing);
    input.memo = &memo;
    play(&playing, &input, playing_json(playing.arena, "{'look':{'state':'off'}}"), &trace);
    assert_text_equal(buffer_text(&trace), "ask look; write protect; done");
    assert_int_equal(memo.count, 1);
    assert_text_equal(memo.items[0].step->name, "look");
    buffer_clear(&trace);
    play(&playing, &input, playing_json(playing.arena, "{'look':{'state':'on'}}"), &trace);
    assert_text_equal(buffer_text(&trace), "ask look; done");
    buffer_done(&trace);
    playing_done(&playing);
}

static struct plan_action next(const struct playing *playing, const struct plan_record *records,
                               size_t count) {
    struct plan_input input = playing_input(playing);
    struct plan_action action;
    input.records = records;
    input.record_count = count;
    plan_next(&input, playing->arena, &action);
    return action;
}

static void assert_json(const struct playing *playing, const struct json *node,
                        const char *expected) {
    struct buffer text = BUFFER_INIT;
    json_write(&text, node);
    assert_text_equal(buffer_text(&text), playing_text(playing->arena, expected).data);
    buffer_done(&text);
}

static void test_a_write_is_rendered_with_its_inverse(void **state) {
    (void)state;
    struct playing playing;
    testing_row(NULL);
    playing_start(&playing, CONTAIN(CHAIN), PLAYING_EVENT);
    struct plan_action action = next(&playing, NULL, 0);
    assert_int_equal(action.kind, PLAN_WRITE);
    assert_text_equal(action.key, "ev1/contain/deny");
    assert_text_equal(action.service, "iam");
    assert_text_equal(action.operation, "PutUserPolicy");
    assert_text_equal(action.account, "123456789012");
    assert_text_equal(action.region, "eu-west-1");
    assert_text_equal(action.effect_target, "123456789012/AIDAMALLORY");
    assert_text_equal(action.effect_name, "deny");
    assert_true(action.is_containing);
    assert_json(&playing, action.parameters, "{'UserName':'mallory'}");
    assert_json(&playing, action.inverse,
                "{'service':'iam','operation':'DeleteUserPolicy','account':'123456789012',"
                "'region':'eu-west-1','parameters':{'UserName':'mallory'},"
                "'tolerate':['NoSuchEntity']}");
    playing_done(&playing);
}

static void test_what_was_before_goes_into_the_inverse(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing, RESTORE(PROTECT(BEFORE)), PLAYING_EVENT);
    struct plan_record before = {.key = TEXT("ev1/restore/protect#before"),
                                 .state = PLAN_WORKED,
                                 .answer = playing_json(playing.arena, "{'value':'off'}")};
    struct plan_action action = next(&playing, &before, 1);
    assert_int_equal(action.kind, PLAN_WRITE);
    assert_false(action.is_containing);
    assert_json(&playing, json_member(action.inverse, "parameters"), "{'Old':'off'}");
    playing_done(&playing);
}

static void test_what_stood_under_our_name_is_not_restored(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing,
                  CONTAIN("{'name':'deny','call':'iam:PutUserPolicy',"
                          "'with':{'PolicyName':'riposte-contained'},"
                          "'before':{'call':'iam:GetUserPolicy'},"
                          "'undo':{'call':'iam:PutUserPolicy',"
                          "'with':{'PolicyDocument':'${prior.PolicyDocument}'}}}"),
                  PLAYING_EVENT);
    struct plan_record before = {.key = TEXT("ev1/contain/deny#before"),
                                 .state = PLAN_WORKED,
                                 .answer = playing_json(playing.arena, "{'PolicyDocument':'x'}")};
    struct plan_action action = next(&playing, &before, 1);
    assert_int_equal(action.kind, PLAN_WRITE);
    assert_null(action.inverse);
    assert_int_equal(action.note_count, 1);
    assert_text_equal(action.notes[0].reason, "what stood under a name of ours is not restored");
    playing_done(&playing);
}

static void test_an_intent_is_sent_as_it_was_journaled(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing, CONTAIN(CHAIN), PLAYING_EVENT);
    struct plan_record intent = {.key = TEXT("ev1/contain/deny"),
                                 .state = PLAN_INTENDED,
                                 .request = playing_json(playing.arena, "{'UserName':'was'}"),
                                 .account = TEXT("1"),
                                 .region = TEXT("r")};
    struct plan_action action = next(&playing, &intent, 1);
    assert_int_equal(action.kind, PLAN_WRITE);
    assert_true(action.is_intended);
    assert_text_equal(action.account, "1");
    assert_json(&playing, action.parameters, "{'UserName':'was'}");
    playing_done(&playing);
}

static void test_an_answer_too_long_to_keep_is_asked_for_again(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing, CONTAIN(WHO "," CHAIN), PLAYING_EVENT);
    struct plan_record who = {.key = TEXT("ev1/contain/who"), .state = PLAN_WORKED};
    struct plan_action action = next(&playing, &who, 1);
    assert_int_equal(action.kind, PLAN_ASK);
    playing_done(&playing);
}

static void test_what_uses_an_assumed_answer_is_known_only_when_asked(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing,
                  RESTORE("{'name':'find','call':'ec2:DescribeInstances'},"
                          "{'name':'stop','call':'ec2:StopInstances',"
                          "'with':{'Id':'${steps.find.Id}'},"
                          "'effect':{'target':'${steps.find.Id}','name':'n'},'undo':null}"),
                  PLAYING_EVENT);
    struct plan_record find = {
        .key = TEXT("ev1/restore/find"), .state = PLAN_WORKED, .is_assumed = true};
    struct plan_action action = next(&playing, &find, 1);
    assert_int_equal(action.kind, PLAN_WRITE);
    assert_true(action.is_known_only_when_asked);
    assert_json(&playing, action.parameters, "{'Id':'${steps.find.Id}'}");
    playing_done(&playing);
}

static void test_a_request_is_marked_and_its_path_encoded(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing,
                  RESTORE("{'name':'put','call':'s3:PutBucketPolicy','request':{'method':'PUT',"
                          "'path':'/${detail.requestParameters.odd}','query':{'policy':''},"
                          "'body':{'raw':'${detail.requestParameters.odd}'}},"
                          "'effect':{'target':'${id}','name':'n'},'undo':{'call':"
                          "'s3:DeleteBucketPolicy','request':{'method':'DELETE','path':"
                          "'/${sent.body.raw}'}}}"),
                  PLAYING_EVENT_WITH("'odd':'a/b ?'"));
    struct plan_action action = next(&playing, NULL, 0);
    assert_int_equal(action.kind, PLAN_WRITE);
    assert_json(&playing, action.parameters,
                "{'$request':{'method':'PUT','path':'/a%2Fb%20%3F','query':{'policy':''},"
                "'body':{'raw':'a/b ?'}}}");
    assert_json(&playing, json_member(action.inverse, "parameters"),
                "{'$request':{'method':'DELETE','path':'/a%2Fb%20%3F'}}");
    playing_done(&playing);
}

static void test_a_role_goes_along_to_the_inverse(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing,
                  RESTORE("{'name':'put','call':'iam:PutX','with':{'A':'${item:-b}'},"
                          "'role':'arn:aws:iam::${account}:role/r','each':'${id}',"
                          "'effect':{'target':'${item}','name':'n'},"
                          "'undo':{'call':'iam:DeleteX','with':{'A':'${sent.A}'}}}"),
                  PLAYING_EVENT);
    struct plan_action action = next(&playing, NULL, 0);
    assert_int_equal(action.kind, PLAN_WRITE);
    assert_json(&playing, action.parameters,
                "{'$as':{'role':'arn:aws:iam::123456789012:role/r','parameters':{'A':'e-1'}}}");
    assert_json(&playing, json_member(action.inverse, "parameters"),
                "{'$as':{'role':'arn:aws:iam::123456789012:role/r','parameters':{'A':'e-1'}}}");
    playing_done(&playing);
}

static void test_an_edit_waits_for_its_document(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing,
                  RESTORE("{'name':'close','edit':{'read':{'call':'iam:GetRole','with':{'RoleName':"
                          "'${detail.requestParameters.odd}'}},'document':'${answer.Role.P|json}',"
                          "'write':{'call':'iam:UpdateAssumeRolePolicy','with':{'RoleName':"
                          "'${detail.requestParameters.odd}','PolicyDocument':{'$json':"
                          "'${document}'}}},'add_statement':{'Sid':'R${incident.id}','Effect':"
                          "'Deny'}},'effect':{'target':'${id}','name':'n'}}"),
                  PLAYING_EVENT_WITH("'odd':'${document}${answer}'"));
    struct plan_action action = next(&playing, NULL, 0);
    assert_int_equal(action.kind, PLAN_WRITE);
    assert_text_equal(action.operation, "UpdateAssumeRolePolicy");
#define EDITED                                                                              \
    "{'$edit':{'read':{'service':'iam','operation':'GetRole','parameters':{'RoleName':"     \
    "'${document}${answer}'}},'document':'${answer.Role.P|json}','write':{'service':'iam'," \
    "'operation':'UpdateAssumeRolePolicy','parameters':{'RoleName':'${document}${answer}'," \
    "'PolicyDocument':{'$json':{'$document':true}}}}"
    assert_json(&playing, action.parameters,
                EDITED ",'add_statement':{'Sid':'R01J00000000000000000000000','Effect':'Deny'}}}");
    assert_json(&playing, json_member(action.inverse, "parameters"),
                EDITED
                ",'remove_statement':{'Sid':'R01J00000000000000000000000','Effect':'Deny'}}}");
    playing_done(&playing);
}

static void test_what_a_when_makes_of_an_assumed_answer_is_known_only_when_asked(void **state) {
    (void)state;
    static const char *const whens[] = {
        "{'steps':{'find':{'Id':['i-7']}}}",
        "{'steps.find.Id':[{'exists':false}]}",
        "{'$or':[{'principal':{'kind':['root']}},{'steps':{'find':{'Id':['i-7']}}}]}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(whens); i++) {
        struct playing playing;
        char text[512];
        snprintf(text, sizeof(text),
                 RESTORE("{'name':'find','call':'ec2:DescribeInstances'},"
                         "{'name':'stop','when':%s,'call':'ec2:StopInstances',"
                         "'effect':{'target':'t','name':'n'},'undo':null}"),
                 whens[i]);
        testing_row(whens[i]);
        playing_start(&playing, text, PLAYING_EVENT);
        struct plan_record find = {
            .key = TEXT("ev1/restore/find"), .state = PLAN_WORKED, .is_assumed = true};
        struct plan_action action = next(&playing, &find, 1);
        assert_int_equal(action.kind, PLAN_WRITE);
        assert_true(action.is_known_only_when_asked);
        playing_done(&playing);
    }
}

static const struct escape_case {
    const char *name, *playbook, *standing, *trace;
} escape_cases[] = {
    {"the next link", CONTAIN(WHO "," CHAIN), "deny", "ask who; write managed; done"},
    {"no link is left", CONTAIN(WHO "," CHAIN), "managed",
     "ask who; held: escaped: no further containment"},
    {"nothing stands: from the start", CONTAIN(CHAIN), "other", "write deny; done"},
    {"what stands alone is left alone", CONTAIN(DENY ",{'first_of':[" MANAGED "]}"), "deny",
     "write managed; done"},
};

static void test_an_escape_goes_on_behind_what_stands(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(escape_cases); i++) {
        const struct escape_case *row = &escape_cases[i];
        struct playing playing;
        struct buffer trace = BUFFER_INIT;
        struct text standing = text_of(row->standing);
        testing_row(row->name);
        playing_start(&playing, row->playbook, PLAYING_EVENT);
        struct plan_input input = playing_input(&playing);
        input.is_escape = true;
        input.standing = &standing;
        input.standing_count = 1;
        play(&playing, &input, playing_json(playing.arena, "{'who':" MATCHES_ID "}"), &trace);
        assert_text_equal(buffer_text(&trace), row->trace);
        buffer_done(&trace);
        playing_done(&playing);
    }
}

static void test_the_step_of_a_call_is_found_again(void **state) {
    (void)state;
    struct playing playing;
    struct error error = {0};
    const struct step *step = NULL;
    const struct json *context = NULL;
    testing_row(NULL);
    playing_start(&playing,
                  RESTORE("{'name':'find','call':'ec2:DescribeInstances'}," EACH(
                      "detail.requestParameters.ids[*]")),
                  PLAYING_EVENT);
    struct plan_record find = {.key = TEXT("ev1/restore/find"),
                               .state = PLAN_WORKED,
                               .answer = playing_json(playing.arena, "{'Id':'i-7'}")};
    struct plan_input input = playing_input(&playing);
    input.records = &find;
    input.record_count = 1;
    assert_ok(plan_find(&input, TEXT("ev1/restore/each/1"), playing.arena, &step, &context, &error),
              &error);
    assert_text_equal(step->name, "each");
    assert_text_equal(json_text(json_member(context, "item")), "i-2");
    assert_json(&playing, json_find_one(context, TEXT("steps.find"), &(size_t){0}), "{'Id':'i-7'}");
    assert_fails(
        plan_find(&input, TEXT("ev1/restore/gone"), playing.arena, &step, &context, &error), &error,
        ERROR_NOT_FOUND, "no step made the call");
    playing_done(&playing);
}

static void test_a_link_behind_an_unmade_one_is_found_again(void **state) {
    (void)state;
    struct playing playing;
    struct error error = {0};
    const struct step *step = NULL;
    const struct json *context = NULL;
    playing_start(&playing, CONTAIN(WHO "," CHAIN), PLAYING_EVENT);
    struct plan_input input = playing_input(&playing);
    assert_ok(
        plan_find(&input, TEXT("ev1/contain/managed"), playing.arena, &step, &context, &error),
        &error);
    assert_text_equal(step->name, "managed");
    playing_done(&playing);
}

static void test_json_parts_have_two_forms(void **state) {
    (void)state;
    struct playing playing;
    playing_start(&playing, CONTAIN(CHAIN), PLAYING_EVENT);
    const struct json *parameters = playing_json(
        playing.arena, "{'A':{'$json':{'b':[1.0,true]}},'C':[{'$json':'d'}],'E':'f'}");
    assert_json(&playing, plan_sent(parameters, playing.arena),
                "{'A':{'b':[1.0,true]},'C':['d'],'E':'f'}");
    const struct json *wire = plan_wire(parameters, playing.arena);
    assert_text_equal(json_text(json_member(wire, "A")), "{\"b\":[1.0,true]}");
    assert_text_equal(json_text(json_first(json_member(wire, "C"))), "\"d\"");
    playing_done(&playing);
}

static void test_many_elements_cost_little(void **state) {
    (void)state;
    struct playing playing;
    struct buffer event = BUFFER_INIT;
    struct plan_record *records = calloc(300, sizeof(*records));
    buffer_append_string(&event, "{'id':'e','source':'s','detail-type':'d','account':'1',"
                                 "'region':'r','time':'2026-01-02T03:04:05Z','detail':{"
                                 "'eventID':'ev1','requestParameters':{'ids':[");
    for (int i = 0; i < 300; i++) {
        buffer_append_format(&event, "%s'i-%d'", i > 0 ? "," : "", i);
    }
    buffer_append_string(&event, "]}}}");
    playing_start(&playing, RESTORE(EACH("detail.requestParameters.ids[*]")),
                  buffer_string(&event));
    size_t count = 0;
    struct arena *walk = arena_new();
    for (;;) {
        struct plan_input input = playing_input(&playing);
        struct plan_action action;
        input.records = records;
        input.record_count = count;
        arena_reset(walk);
        plan_next(&input, walk, &action);
        if (action.kind != PLAN_WRITE) {
            assert_int_equal(action.kind, PLAN_DONE);
            break;
        }
        action = plan_action_copy(&action, playing.arena);
        records[count++] = (struct plan_record){.key = action.key, .state = PLAN_WORKED};
        assert_true(arena_used_bytes(walk) < 1024 * 1024);
    }
    assert_int_equal(count, 300);
    free(records);
    arena_free(&walk);
    buffer_done(&event);
    playing_done(&playing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_playbook_is_walked),
        cmocka_unit_test(test_only_what_stays_is_remembered),
        cmocka_unit_test(test_a_write_is_rendered_with_its_inverse),
        cmocka_unit_test(test_what_was_before_goes_into_the_inverse),
        cmocka_unit_test(test_what_stood_under_our_name_is_not_restored),
        cmocka_unit_test(test_an_intent_is_sent_as_it_was_journaled),
        cmocka_unit_test(test_an_answer_too_long_to_keep_is_asked_for_again),
        cmocka_unit_test(test_what_uses_an_assumed_answer_is_known_only_when_asked),
        cmocka_unit_test(test_a_request_is_marked_and_its_path_encoded),
        cmocka_unit_test(test_a_role_goes_along_to_the_inverse),
        cmocka_unit_test(test_an_edit_waits_for_its_document),
        cmocka_unit_test(test_what_a_when_makes_of_an_assumed_answer_is_known_only_when_asked),
        cmocka_unit_test(test_an_escape_goes_on_behind_what_stands),
        cmocka_unit_test(test_the_step_of_a_call_is_found_again),
        cmocka_unit_test(test_a_link_behind_an_unmade_one_is_found_again),
        cmocka_unit_test(test_json_parts_have_two_forms),
        cmocka_unit_test(test_many_elements_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
