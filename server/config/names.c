#include "names.h"

#include "placeholder.h"

#include "riposte/base/buffer.h"
#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/detect/ruleset.h"

static const char *const principal_members[] = {
    "kind",      "id",        "name",         "arn",           "path",
    "account",   "partition", "mfa",          "access_key_id", "unique_id",
    "issuer_id", "session",   "is_temporary", "invoked_by",    "source_identity",
    "issued_at", NULL,
};
static const char *const rule_members[] = {"name", "severity", NULL};
static const char *const incident_members[] = {"id", NULL};
static const char *const notice_members[] = {"state", "reason",    "url",  "time", "unix_ms",
                                             "asff",  "pagerduty", "ocsf", NULL};
static const char *const self_members[] = {"account",  "role",      "partition",
                                           "accounts", "resources", NULL};
const char *const names_ours[] = {"account", "accounts", "resources", NULL};

/* "replay-name" comes with events that EventBridge replays from an archive. */
const struct context_name context_names[] = {
    {"version", NAME_EVENT, NULL, NULL},
    {"id", NAME_EVENT, NULL, NULL},
    {"source", NAME_EVENT, NULL, NULL},
    {"detail-type", NAME_EVENT, NULL, NULL},
    {"account", NAME_EVENT, NULL, NULL},
    {"region", NAME_EVENT, NULL, NULL},
    {"time", NAME_EVENT, NULL, NULL},
    {"resources", NAME_EVENT, NULL, NULL},
    {"detail", NAME_EVENT, NULL, NULL},
    {"replay-name", NAME_EVENT, NULL, NULL},
    {"principal", NAME_PRINCIPAL, principal_members, NULL},
    {"self", NAME_SELF, self_members, "who we are isn't known when an event comes in"},
    {"vars", NAME_PRINCIPAL, NULL, NULL},
    {"rule", NAME_RULE, rule_members, "there is only one rule here: say what you mean directly"},
    {"incident", NAME_INCIDENT, incident_members, "there is no incident yet"},
    {"steps", NAME_STEPS, NULL, "only a playbook has steps"},
    {"item", NAME_ITEM, NULL, "it needs \"each\" in the same step"},
    {"answer", NAME_ANSWER, NULL,
     "it is known only in the \"same\" of a \"verify\" and the \"document\" of an \"edit\""},
    {"sent", NAME_SENT, NULL, "it is known only in a \"verify\" or an \"undo\""},
    {"document", NAME_DOCUMENT, NULL, "it is known only in the \"write\" of an \"edit\""},
    {"notice", NAME_NOTICE, notice_members, "it is known only in a playbook that acts on nobody"},
    {"secret", NAME_SECRET, NULL,
     "it is known only in the \"body\" of a \"post\" that has \"secrets\""},
    {"prior", NAME_PRIOR, NULL, "it is known only in the \"undo\" of a step with a \"before\""},
};
const size_t context_name_count = ARRAY_COUNT(context_names);

const struct context_name *context_name_find(struct text name) {
    for (size_t i = 0; i < context_name_count; i++) {
        if (text_equal_string(name, context_names[i].name)) {
            return &context_names[i];
        }
    }
    return NULL;
}

static size_t first_end(struct text path) {
    size_t dot = text_find_byte(path, '.', 0);
    size_t bracket = text_find_byte(path, '[', 0);
    return dot < bracket ? dot : bracket;
}

struct text path_first(struct text path) {
    return text_slice(path, 0, first_end(path));
}

struct text path_rest(struct text path) {
    size_t end = first_end(path);
    bool is_dot = end < path.bytes && path.data[end] == '.';
    return text_slice(path, is_dot ? end + 1 : end, path.bytes);
}

struct text path_join(struct arena *arena, struct text prefix, struct text name) {
    /* Not printf's: a name may hold a NUL. */
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    buffer_append_text(&path, prefix);
    buffer_append_string(&path, prefix.bytes > 0 ? "." : "");
    buffer_append_text(&path, name);
    return arena_copy_text(arena, buffer_text(&path));
}

bool is_computed_name(struct text key) {
    static const char *const computed[] = {RULESET_COMPUTED};
    struct text first = text_slice(key, 0, text_find_byte(key, '.', 0));
    for (size_t i = 0; i < ARRAY_COUNT(computed); i++) {
        if (text_equal_string(first, computed[i])) {
            return true;
        }
    }
    return false;
}

static void help_members(const char *const *members, struct buffer *out) {
    for (size_t i = 0; members[i] != NULL; i++) {
        buffer_append_format(out, "%s%s", i == 0 ? "" : ", ", members[i]);
    }
}

void template_help(struct buffer *out) {
    buffer_append_string(
        out, "A string in a rule or playbook may hold placeholders, filled when it is used:\n\n"
             "  ${path}  ${path|filter}  ${path:-default}  ${path|filter:-default}; $${ is ${\n\n"
             "A path is names and dots, [0] and [*]. A string that is one placeholder keeps the\n"
             "value's type. A missing value without a default fails the step before anything is\n"
             "sent. The first part is one of\n\n");
    for (size_t i = 0; i < context_name_count; i++) {
        const struct context_name *name = &context_names[i];
        buffer_append_format(out, "  %-12s ", name->name);
        if (name->members != NULL) {
            help_members(name->members, out);
        } else {
            buffer_append_string(out, name->place == NAME_EVENT ? "of the event" : "any");
        }
        buffer_append_format(out, "%s%s\n", name->needs != NULL ? "; else: " : "",
                             name->needs != NULL ? name->needs : "");
    }
    buffer_append_string(out, "\nand a filter one of\n\n");
    filters_help(out);
}
