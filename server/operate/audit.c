#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#define AUDIT_LINES 500

/* Pages of AUDIT_LINES: who verifies wants them all. */
void handle_audit(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    struct error error = {0};
    struct journal_audit_line *lines = NULL;
    size_t count = 0;
    uint64_t after = 0;
    struct text text = request_query(request, "after");
    if (text.bytes > 0 && (!text_parse_unsigned(text, &after) || after > INT64_MAX)) {
        request_answer_error(request, 400, "after: not a line's sequence");
    } else if (!journal_read_audit(admin->options.journal, (int64_t)after, AUDIT_LINES, arena,
                                   &lines, &count, &error)) {
        answer_failure(request, &error);
    } else {
        answer_list(request, "lines", view_audit(lines, count));
    }
}
