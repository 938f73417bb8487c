#include "riposte/respond/edit.h"

#include "riposte/json/writer.h"

#include "playing.h"

#define ADD(sid) "{'document':'${answer.D|json}','add_statement':{'Sid':'" sid "','Effect':'Deny'}}"
#define REMOVE(sid) \
    "{'document':'${answer.D|json}','remove_statement':{'Sid':'" sid "','Effect':'Deny'}}"
#define A                  "{\"Sid\":\"A\",\"Effect\":\"Allow\"}"
#define OURS               "{\"Sid\":\"R1\",\"Effect\":\"Deny\"}"
#define OTHERS             "{\"Sid\":\"R2\",\"Effect\":\"Deny\"}"
#define NO_SID             "{\"Effect\":\"Allow\"}"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":" statements ",\"Id\":\"x\"}"

static const struct edit_case {
    const char *name, *edit, *document, *written; /* NULL: nothing to write */
    const char *why;                              /* of what can't be done */
} edit_cases[] = {
    {"ours is put behind the others", ADD("R1"), POLICY("[" A "," NO_SID "]"),
     POLICY("[" A "," NO_SID "," OURS "]"), NULL},
    {"a statement without an array", ADD("R1"), POLICY(A), POLICY("[" A "," OURS "]"), NULL},
    {"it stands there already", ADD("R1"), POLICY("[" OURS "," A "]"), NULL, NULL},
    {"another incident's stays", ADD("R1"), POLICY("[" OTHERS "]"), POLICY("[" OTHERS "," OURS "]"),
     NULL},
    {"ours was changed", ADD("R1"), POLICY("[{\"Sid\":\"R1\",\"Effect\":\"Allow\"}," A "]"),
     POLICY("[" A "," OURS "]"), NULL},
    {"only ours is taken out", REMOVE("R1"), POLICY("[" A "," OURS "," OTHERS "]"),
     POLICY("[" A "," OTHERS "]"), NULL},
    {"also when it was changed", REMOVE("R1"),
     POLICY("[{\"Sid\":\"R1\",\"Effect\":\"Allow\"}," A "]"), POLICY("[" A "]"), NULL},
    {"it is gone already", REMOVE("R1"), POLICY("[" A "]"), NULL, NULL},
    {"nothing would be left", REMOVE("R1"), POLICY("[" OURS "]"), NULL,
     "nothing but our statement"},
    {"no policy", ADD("R1"), "{\"Version\":\"1\"}", NULL, "no policy with statements"},
    {"statements twice", ADD("R1"), "{\"Statement\":[],\"Statement\":[]}", NULL,
     "no policy with statements"},
    {"no JSON", ADD("R1"), "{", NULL, "the document can't be read"},
};

static void test_documents(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(edit_cases); i++) {
        const struct edit_case *row = &edit_cases[i];
        struct json *answer = json_new_object(arena);
        const struct json *document = NULL;
        struct error error = {0};
        testing_row(row->name);
        json_add_text(arena, answer, "D", text_of(row->document));
        bool is_good = edit_document(playing_json(arena, row->edit), answer, arena, &document,
                                     &error);
        if (row->why != NULL) {
            assert_false(is_good);
            assert_non_null(strstr(error.text, row->why));
            continue;
        }
        assert_ok(is_good, &error);
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        if (document != NULL) {
            json_write(&text, document);
        }
        assert_text_equal(buffer_text(&text), row->written != NULL ? row->written : "");
    }
    testing_row(NULL);
}

static void test_the_document_goes_where_its_mark_is(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *parameters = edit_parameters(
        playing_json(arena, "{'a':'${document}','b':[{'$json':{'$document':true}}],"
                            "'c':{'$document':true,'d':1}}"),
        playing_json(arena, "{'x':1}"), arena);
    assert_true(
        json_equal(parameters, playing_json(arena, "{'a':'${document}','b':[{'$json':{'x':1}}],"
                                                   "'c':{'$document':true,'d':1}}")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_the_document_goes_where_its_mark_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
