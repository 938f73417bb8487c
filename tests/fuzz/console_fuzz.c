/* What strangers send to the console, and what an event makes it show: cookies and fields are parts
 * of what was sent, trace ids are 32 digits, and no text becomes markup. */
#include "operate/form.h"
#include "operate/html.h"

#include "riposte/base/buffer.h"
#include "riposte/observe/trace.h"

#include "fuzz.h"

#include <string.h>

/* Markup and what it needs to break out; characters that turn the direction of writing. */
static void check_escaped(struct text text) {
    static const char *const never[] = {"<", ">", "\"", "\xe2\x80\xae", "\xe2\x81\xa6"};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        fuzz_check(!text_contains(text, text_of(never[i])));
    }
}

/* What stands between what the program wrote before and behind it. */
static struct text between(struct text text, const char *before, const char *behind) {
    fuzz_check(text_starts_with(text, text_of(before)) && text_ends_with(text, text_of(behind)));
    return text_slice(text, strlen(before), text.bytes - strlen(behind));
}

static void check_html(struct text input) {
    struct buffer out = BUFFER_INIT;
    struct html html;
    html_init(&html, &out);
    size_t doctype = buffer_text(&out).bytes;
    html_open(&html, "p");
    html_attribute(&html, "title", input);
    html_text(&html, input);
    html_close(&html);
    html_open(&html, "a");
    html_link(&html, "href", "/rules/", input, NULL);
    html_close(&html);
    html_done(&html);
    struct text written = text_slice(buffer_text(&out), doctype, buffer_text(&out).bytes);
    struct text paragraph = between(written, "<p title=\"", "\"></a>");
    size_t middle = text_find(paragraph, TEXT("\">"));
    size_t end = text_find(paragraph, TEXT("</p><a href=\"/rules/"));
    fuzz_check(middle < end && end < paragraph.bytes);
    check_escaped(text_slice(paragraph, 0, middle));
    check_escaped(text_slice(paragraph, middle + strlen("\">"), end));
    check_escaped(text_slice(paragraph, end + strlen("</p><a href=\"/rules/"), paragraph.bytes));
    buffer_done(&out);
}

static void check_trace(struct text input) {
    struct trace trace = {0};
    if (trace_from_parent(input, &trace) || trace_from_amazon(input, &trace) ||
        trace_from_text(input, &trace)) {
        fuzz_check(trace_text(&trace).bytes == TRACE_DIGITS &&
                   strspn(trace.text, "0123456789abcdef") == TRACE_DIGITS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    struct text input = fuzz_text(bytes, count);
    struct arena *arena = arena_new();
    struct text cookie = cookie_value(input, TEXT("a"));
    struct text value = form_value(input, TEXT("a"), arena);
    fuzz_check(cookie.bytes == 0 || text_contains(input, cookie));
    fuzz_check(value.bytes <= count);
    check_trace(input);
    check_html(input);
    arena_free(&arena);
    return 0;
}
