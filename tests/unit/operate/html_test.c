#include "operate/html.h"

#include "testing.h"

static struct buffer out;

static int set_up(void **state) {
    (void)state;
    out = (struct buffer)BUFFER_INIT;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    buffer_done(&out);
    return 0;
}

/* Without the doctype. */
static void assert_written(const char *expected) {
    struct text doctype = TEXT("<!doctype html>\n");
    assert_true(text_starts_with(buffer_text(&out), doctype));
    assert_text_equal(text_slice(buffer_text(&out), doctype.bytes, out.bytes), expected);
}

static const struct text_case {
    const char *name;
    struct text given;
    const char *text;
} text_cases[] = {
    {"markup", TEXT_INIT("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;"},
    {"an entity", TEXT_INIT("&lt;"), "&amp;lt;"},
    {"quotes", TEXT_INIT("\"'` onload=x"), "&quot;&#39;` onload=x"},
    {"the end of a comment", TEXT_INIT("--><!--"), "--&gt;&lt;!--"},
    {"letters of other scripts",
     TEXT_INIT("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xE6\xBC\xA2 \xF0\x9F\x98\x80"),
     "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xE6\xBC\xA2 \xF0\x9F\x98\x80"},
    {"a right-to-left override", TEXT_INIT("exe.\xE2\x80\xAEgnp"), "exe.[U+202E]gnp"},
    {"isolates", TEXT_INIT("\xE2\x81\xA6x\xE2\x81\xA9"), "[U+2066]x[U+2069]"},
    {"what has no width", TEXT_INIT("ad\xE2\x80\x8Bmin\xEF\xBB\xBF"), "ad[U+200B]min[U+FEFF]"},
    {"tags", TEXT_INIT("\xF3\xA0\x81\xA1"), "[U+E0061]"},
    {"control characters", TEXT_INIT("a\0b\x1B[31m\r\x7F\xC2\x85"),
     "a[U+0000]b[U+001B][31m[U+000D][U+007F][U+0085]"},
    {"line breaks stay", TEXT_INIT("a\nb\tc"), "a\nb\tc"},
    {"bytes that are no UTF-8", TEXT_INIT("a\xFF\xC0\xAF<"),
     "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD&lt;"},
    {"a cut character", TEXT_INIT("\xE2\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD"},
};

static void texts_and_values_say_what_they_were_given(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(text_cases); i++) {
        const struct text_case *row = &text_cases[i];
        struct html html;
        scoped(buffer_done) struct buffer expected = BUFFER_INIT;
        testing_row(row->name);
        buffer_clear(&out);
        html_init(&html, &out);
        html_open(&html, "p");
        html_attribute(&html, "title", row->given);
        html_value(&html, row->given);
        html_close(&html);
        html_done(&html);
        buffer_append_format(&expected, "<p title=\"%s\"><bdi>%s</bdi></p>", row->text, row->text);
        assert_written(buffer_string(&expected));
    }
}

static void of_a_long_text_the_beginning_is_shown(void **state) {
    (void)state;
    size_t bytes = 1024 * 1024;
    char *data = test_malloc(bytes);
    struct html html;
    memset(data, '<', bytes);
    html_init(&html, &out);
    html_open(&html, "p");
    html_text(&html, (struct text){data, bytes});
    html_close(&html);
    html_done(&html);
    assert_true(out.bytes < 5 * HTML_TEXT_BYTES);
    assert_true(text_contains(buffer_text(&out), TEXT("[cut: 1048576 bytes in all]</p>")));
    test_free(data);
}

static void a_cut_leaves_characters_whole(void **state) {
    (void)state;
    char data[HTML_TEXT_BYTES + 8];
    struct html html;
    memset(data, 'a', sizeof(data));
    memcpy(data + HTML_TEXT_BYTES - 1, "\xE6\xBC\xA2", 3);
    html_init(&html, &out);
    html_open(&html, "p");
    html_text(&html, (struct text){data, sizeof(data)});
    html_close(&html);
    html_done(&html);
    assert_true(text_contains(buffer_text(&out), TEXT("aa\xE2\x80\xA6 [cut: 2056 bytes in all]")));
}

static void what_comes_back_from_a_form_is_whole(void **state) {
    (void)state;
    struct html html;
    html_init(&html, &out);
    html_open(&html, "textarea");
    html_text(&html, TEXT("</textarea>\xE2\x80\xAE"));
    html_close(&html);
    html_done(&html);
    assert_written("<textarea>\n&lt;/textarea&gt;\xE2\x80\xAE</textarea>");
}

static void links_lead_nowhere_else(void **state) {
    (void)state;
    struct html html;
    html_init(&html, &out);
    html_open_class(&html, "a", "x");
    html_link(&html, "href", "/rules/", TEXT("../\"><b>?a=1#javascript:x\r\n"), "/tests");
    html_text(&html, TEXT("x"));
    html_close(&html);
    html_done(&html);
    assert_written("<a class=\"x\" href=\"/rules/..%2F%22%3E%3Cb%3E%3Fa%3D1%23javascript%3Ax%0D%0A"
                   "/tests\">x</a>");
}

static void elements_nest_and_close(void **state) {
    (void)state;
    struct html html;
    html_init(&html, &out);
    html_open(&html, "div");
    html_open(&html, "input");
    html_attribute_format(&html, "value", "%d<", 7);
    html_flag(&html, "required");
    html_close(&html);
    html_element_format(&html, "em", "b", "%s", "<i>");
    html_format(&html, "%c", '&');
    html_close(&html);
    html_done(&html);
    assert_written(
        "<div><input value=\"7&lt;\" required><em class=\"b\">&lt;i&gt;</em>&amp;</div>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(texts_and_values_say_what_they_were_given, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_a_long_text_the_beginning_is_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_leaves_characters_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_back_from_a_form_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_lead_nowhere_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(elements_nest_and_close, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
