#include "riposte/cli/incidents.h"

#include "riposte/base/clock.h"
#include "riposte/base/time.h"
#include "riposte/cli/api.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/json/writer.h"

#include "incident_rows.h"
#include "shown.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS 30000
#define POLL_MS 200
/* Those that may have changed something. */
#define STATES_TO_UNDO "responding,done,failed,held"

struct incidents {
    const char *name; /* of the command, for messages */
    struct api_options api_options;
    const char *override;
    bool as_json, is_sure, with_resources, is_all;
    struct incident_query query;
    struct api api;
};

static struct text member(const struct json *node, const char *name) {
    return shown_member(node, name);
}

static bool is_true(const struct json *node) {
    return node && json_type(node) == JSON_TRUE;
}

static bool list(struct incidents *incidents, struct error *error) {
    struct arena *arena = incidents->api.target.arena;
    struct json *rows = NULL, *object = json_new_object(arena);
    struct text next = {NULL, 0};
    incidents->query.is_all = incidents->is_all;
    if (!incident_rows_read(&incidents->api, &incidents->query, &rows, &next, error)) {
        return false;
    }
    if (incidents->as_json) {
        json_add_member(arena, object, TEXT("incidents"), rows);
        if (next.bytes > 0) {
            json_add_text(arena, object, "next", next);
        }
        shown_json(object);
        return true;
    }
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    incident_rows_show(rows, &out);
    fputs(json_count(rows) > 0 ? buffer_string(&out) : "no incidents\n", stdout);
    if (next.bytes > 0) {
        fprintf(stderr, "riposte incidents: more: --cursor %.*s, or --all\n", TEXT_ARG(next));
    }
    return true;
}

/* Nothing when it is empty. */
static void print_text(const char *before, struct text value) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    if (value.bytes > 0) {
        shown_text(&out, value, 0);
        printf("%s%s", before, buffer_string(&out));
    }
}

static void print_field(const char *label, struct text value) {
    if (value.bytes > 0) {
        printf("%-10s ", label);
        print_text("", value);
        printf("\n");
    }
}

static void print_compact(const char *label, const struct json *node) {
    if (json_count(node) > 0) {
        scoped(buffer_done) struct buffer out = BUFFER_INIT;
        json_write(&out, node);
        print_text(label, buffer_text(&out));
        printf("\n");
    }
}

static void print_call(const struct json *call) {
    int64_t took_us = 0;
    bool has_time = json_integer(json_member(call, "took_us"), &took_us) && took_us > 0;
    printf("  %-8.*s %.*s: %.*s:%.*s", TEXT_ARG(member(call, "state")),
           TEXT_ARG(member(call, "step")), TEXT_ARG(member(call, "service")),
           TEXT_ARG(member(call, "operation")));
    if (has_time) {
        printf(" (%.1f ms)", (double)took_us / 1000);
    }
    print_text("  ", member(call, "error_code"));
    print_text("  ", member(call, "reason"));
    printf("\n");
}

static int64_t ended_ms(const struct json *call) {
    int64_t ms = INT64_MAX; /* not ended: last */
    (void)!time_parse(member(call, "ended"), &ms);
    return ms;
}

/* Did `a` come before `b`? A question goes before the write that waited for its answer. */
static bool came_before(const struct json *a, const struct json *b) {
    if (ended_ms(a) != ended_ms(b)) {
        return ended_ms(a) < ended_ms(b);
    }
    return is_true(json_member(a, "is_write")) < is_true(json_member(b, "is_write"));
}

/* As they ended; what ended together stays in the order of its intents. */
static const struct json **sort_calls(const struct json *calls, struct arena *arena) {
    size_t count = 0;
    const struct json **sorted = arena_alloc_array(arena, json_count(calls) + 1, sizeof(*sorted));
    for (const struct json *call = json_first(calls); call; call = json_next(call)) {
        size_t at = count++;
        for (; at > 0 && came_before(call, sorted[at - 1]); at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = call;
    }
    return sorted;
}

static bool is_first_of_playbook(const struct json *calls, const struct json *call) {
    const struct json *earlier = json_first(calls);
    while (earlier != call && !text_equal(member(earlier, "playbook"), member(call, "playbook"))) {
        earlier = json_next(earlier);
    }
    return earlier == call;
}

/* Playbooks ran side by side: each one's calls together. */
static void print_calls(const struct json *calls, struct arena *arena) {
    const struct json **sorted = sort_calls(calls, arena);
    for (const struct json *call = json_first(calls); call; call = json_next(call)) {
        struct text playbook = member(call, "playbook");
        if (!is_first_of_playbook(calls, call)) {
            continue;
        }
        printf("calls: %.*s\n", TEXT_ARG(playbook));
        for (size_t i = 0; sorted[i]; i++) {
            if (text_equal(member(sorted[i], "playbook"), playbook)) {
                print_call(sorted[i]);
            }
        }
    }
}

/* What was asked before anything was decided, and what AWS said. */
static void print_confirm(const struct json *plan) {
    const struct json *questions = json_member(plan, "confirm");
    for (const struct json *asked = json_first(questions); asked; asked = json_next(asked)) {
        struct text result = member(asked, "result");
        printf("confirm: %.*s: %.*s", TEXT_ARG(member(asked, "call")),
               TEXT_ARG(result.bytes > 0 ? result : TEXT("unconfirmed")));
        print_text(": ", member(asked, "reason"));
        print_compact(" ", json_member(asked, "answer"));
        if (json_count(json_member(asked, "answer")) == 0) {
            printf("\n");
        }
    }
}

/* A plan's calls as observe keeps them. */
static void print_plan(const struct json *plan) {
    const struct json *playbooks = json_member(plan, "playbooks");
    for (const struct json *playbook = json_first(playbooks); playbook;
         playbook = json_next(playbook)) {
        printf("plan: %.*s\n", TEXT_ARG(member(playbook, "name")));
        const struct json *calls = json_member(playbook, "calls");
        for (const struct json *call = json_first(calls); call; call = json_next(call)) {
            printf("  %-8.*s %.*s: %.*s\n", TEXT_ARG(member(call, "kind")),
                   TEXT_ARG(member(call, "step")), TEXT_ARG(member(call, "call")));
            print_compact("           ", json_member(call, "parameters"));
        }
        print_field("  reason", member(playbook, "reason"));
    }
}

/* "TIME (N ms after it was received)". */
static void print_after(const char *label, const struct json *incident, const char *name) {
    int64_t received_ms = 0, then_ms = 0;
    struct text then = member(incident, name);
    if (time_parse(member(incident, "received"), &received_ms) && time_parse(then, &then_ms)) {
        printf("%-10s %.*s (%lld ms after it was received)\n", label, TEXT_ARG(then),
               (long long)(then_ms - received_ms));
    }
}

/* When the containment ends by itself. */
static void print_release(const struct json *tasks) {
    for (const struct json *task = json_first(tasks); task; task = json_next(task)) {
        if (text_equal(member(task, "kind"), TEXT("release"))) {
            print_field("release", member(task, "due"));
        }
    }
}

static void print_story(const struct json *incident, struct arena *arena) {
    print_field("incident", member(incident, "id"));
    print_field("rule", member(incident, "rule"));
    print_field("state", member(incident, "state"));
    print_field("reason", member(incident, "reason"));
    print_field("severity", member(incident, "severity"));
    print_field("mode", member(incident, "mode"));
    print_field("principal", member(json_member(incident, "principal"), "id"));
    print_field("name", member(json_member(incident, "principal"), "name"));
    print_field("account", member(incident, "account"));
    print_field("region", member(incident, "region"));
    print_field("event", member(incident, "event_key"));
    print_field("happened", member(incident, "event_time"));
    print_field("received", member(incident, "received"));
    struct text state = member(incident, "state");
    if (text_equal(state, TEXT("observed")) || text_equal(state, TEXT("held"))) {
        print_after("decided", incident, "updated");
    }
    print_after("contained", incident, "contained");
    print_release(json_member(incident, "tasks"));
    print_field("joined to", member(incident, "joined_to"));
    print_confirm(json_member(incident, "plan"));
    print_calls(json_member(incident, "calls"), arena);
    print_plan(json_member(incident, "plan"));
}

static bool read_incident(struct incidents *incidents, const char *id,
                          const struct json **incident_out, struct error *error) {
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    buffer_append_string(&path, "/v1/incidents/");
    buffer_append_percent_encoded(&path, text_of(id), "");
    return api_ask(&incidents->api, TEXT("GET"), buffer_text(&path), TEXT(""), incident_out, error);
}

static bool show(struct incidents *incidents, const char *id, struct error *error) {
    const struct json *incident = NULL;
    if (!read_incident(incidents, id, &incident, error)) {
        return false;
    }
    if (incidents->as_json) {
        shown_json(incident);
    } else {
        print_story(incident, incidents->api.target.arena);
    }
    return true;
}

/* What an undo would take back; how many effects. */
static size_t print_effects(const struct json *incident, bool with_resources) {
    size_t count = 0;
    const struct json *effects = json_member(incident, "effects");
    for (const struct json *effect = json_first(effects); effect; effect = json_next(effect)) {
        const struct json *inverse = json_member(effect, "inverse");
        if (!is_true(json_member(effect, "acts_on_principal")) && !with_resources) {
            continue;
        }
        count++;
        print_text("", member(effect, "name"));
        print_text(" on ", member(effect, "target"));
        printf(": %.*s:%.*s ", TEXT_ARG(member(inverse, "service")),
               TEXT_ARG(member(inverse, "operation")));
        print_compact("", json_member(inverse, "parameters"));
    }
    return count;
}

/* Has what was asked for come, or will it not? */
typedef bool has_settled_fn(const struct json *incident);

static bool is_released(const struct json *incident) {
    struct text state = member(incident, "state");
    return text_equal(state, TEXT("released")) || text_equal(state, TEXT("failed"));
}

/* Decided anew: no task is left that would. */
static bool is_decided(const struct json *incident) {
    const struct json *tasks = json_member(incident, "tasks");
    for (const struct json *task = json_first(tasks); task; task = json_next(task)) {
        if (text_equal(member(task, "kind"), TEXT("respond"))) {
            return false;
        }
    }
    return true;
}

/* Until it is settled, or WAIT_MS have passed; says in which state it is then. */
static bool wait_until(struct incidents *incidents, const char *id, has_settled_fn *settled_fn,
                       const struct json **incident_out, struct error *error) {
    for (int64_t waited = 0; waited < WAIT_MS; waited += POLL_MS) {
        if (!read_incident(incidents, id, incident_out, error)) {
            return false;
        }
        if (settled_fn(*incident_out)) {
            break;
        }
        clock_sleep_ms(POLL_MS);
    }
    printf("%s is %.*s\n", id, TEXT_ARG(member(*incident_out, "state")));
    return true;
}

static bool ask_to(struct incidents *incidents, const char *id, const char *verb, struct text body,
                   struct error *error) {
    const struct json *answer = NULL;
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    buffer_append_string(&path, "/v1/incidents/");
    buffer_append_percent_encoded(&path, text_of(id), "");
    buffer_append_char(&path, '/');
    buffer_append_string(&path, verb);
    return api_ask(&incidents->api, TEXT("POST"), buffer_text(&path), body, &answer, error);
}

static bool ask_to_undo(struct incidents *incidents, const char *id, struct error *error) {
    struct text body = incidents->with_resources ? TEXT("{\"resources\":true}")
                                                 : TEXT("{\"resources\":false}");
    return ask_to(incidents, id, "undo", body, error);
}

static bool wait_for_release(struct incidents *incidents, const char *id, struct error *error) {
    const struct json *incident = NULL;
    if (!wait_until(incidents, id, is_released, &incident, error)) {
        return false;
    }
    return text_equal(member(incident, "state"), TEXT("released")) ||
           error_set(error, ERROR_BUSY, "not released yet; 'riposte incidents show %s' says why",
                     id);
}

static void say_nothing_done(size_t count) {
    printf("%zu to take back; nothing was done yet: add --yes\n", count);
}

static bool undo(struct incidents *incidents, const char *id, struct error *error) {
    const struct json *incident = NULL;
    if (!read_incident(incidents, id, &incident, error)) {
        return false;
    }
    size_t count = print_effects(incident, incidents->with_resources);
    if (!incidents->is_sure) {
        say_nothing_done(count);
        return true;
    }
    return ask_to_undo(incidents, id, error) && wait_for_release(incidents, id, error);
}

/* Prints what would be taken back; of `ids` those stay that have anything. */
static bool look_over(struct incidents *incidents, const struct json *rows, const char **ids_out,
                      size_t *count_out, size_t *effects_out, struct error *error) {
    for (const struct json *row = json_first(rows); row; row = json_next(row)) {
        const struct json *incident = NULL;
        const char *id =
            arena_format(incidents->api.target.arena, "%.*s", TEXT_ARG(member(row, "id"))).data;
        if (!read_incident(incidents, id, &incident, error)) {
            return false;
        }
        size_t count = print_effects(incident, incidents->with_resources);
        *effects_out += count;
        if (count > 0) {
            ids_out[(*count_out)++] = id;
        }
    }
    return true;
}

/* Calls do_fn for each, also when one fails; the first error counts. */
static bool do_for_each(struct incidents *incidents, const char *const *ids, size_t count,
                        bool (*do_fn)(struct incidents *incidents, const char *id,
                                      struct error *error),
                        struct error *error) {
    bool is_good = true;
    for (size_t i = 0; i < count; i++) {
        struct error one = {0};
        if (!do_fn(incidents, ids[i], &one)) {
            *error = is_good ? one : *error;
            is_good = false;
        }
    }
    return is_good;
}

static bool undo_all(struct incidents *incidents, struct error *error) {
    const struct incident_query query = {.state = STATES_TO_UNDO, .is_all = true};
    struct json *rows = NULL;
    struct text next = {NULL, 0};
    size_t count = 0, effects = 0;
    if (!incident_rows_read(&incidents->api, &query, &rows, &next, error)) {
        return false;
    }
    const char **ids = arena_alloc_array(incidents->api.target.arena, json_count(rows) + 1,
                                         sizeof(*ids));
    if (!look_over(incidents, rows, ids, &count, &effects, error)) {
        return false;
    }
    if (!incidents->is_sure) {
        say_nothing_done(effects);
        return true;
    }
    bool are_asked = do_for_each(incidents, ids, count, ask_to_undo, error);
    struct error late = {0};
    bool are_released = do_for_each(incidents, ids, count, wait_for_release, &late);
    *error = are_asked ? late : *error;
    return are_asked && are_released;
}

static bool approve(struct incidents *incidents, const char *id, struct error *error) {
    const struct json *incident = NULL;
    if (incidents->override && strcmp(incidents->override, "protected") != 0) {
        return error_set(error, ERROR_INVALID, "--override takes \"protected\"");
    }
    struct text body = incidents->override ? TEXT("{\"override\":\"protected\"}") : TEXT("{}");
    if (!ask_to(incidents, id, "approve", body, error) ||
        !wait_until(incidents, id, is_decided, &incident, error)) {
        return false;
    }
    if (!is_decided(incident)) {
        return error_set(error, ERROR_BUSY,
                         "not decided yet: 'riposte incidents show %s' says more", id);
    }
    return !text_equal(member(incident, "state"), TEXT("held")) ||
           error_set(error, ERROR_DENIED, "still held: %.*s", TEXT_ARG(member(incident, "reason")));
}

static bool dismiss(struct incidents *incidents, const char *id, struct error *error) {
    if (!ask_to(incidents, id, "dismiss", TEXT("{}"), error)) {
        return false;
    }
    printf("%s is dismissed\n", id);
    return true;
}

/* With one incident's id each. */
static const struct action {
    const char *name;
    bool (*do_fn)(struct incidents *incidents, const char *id, struct error *error);
} actions[] = {
    {"show", show},
    {"approve", approve},
    {"dismiss", dismiss},
    {"undo", undo},
};

static const struct action *find_action(const char *name) {
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++) {
        if (strcmp(actions[i].name, name) == 0) {
            return &actions[i];
        }
    }
    return NULL;
}

static const char *operands_wrong(const struct incidents *incidents, const struct action *action,
                                  int count) {
    bool may_be_all = !action || action->do_fn == undo;
    if (incidents->is_all && !may_be_all) {
        return "--all goes with list and undo";
    }
    if (action && !incidents->is_all && count != 2) {
        return "takes one incident's id";
    }
    return (!action || incidents->is_all) && count > 1 ? "takes nothing more" : NULL;
}

static bool act(struct incidents *incidents, const struct action *action, const char *id,
                struct error *error) {
    if (!action) {
        return list(incidents, error);
    }
    return incidents->is_all ? undo_all(incidents, error) : action->do_fn(incidents, id, error);
}

/* The operands, as said in `riposte help incidents`. */
static int run(struct incidents *incidents, int count, char **operands) {
    struct error error = {0};
    const char *name = count > 0 ? operands[0] : "list";
    const struct action *action = find_action(name);
    if (!action && strcmp(name, "list") != 0) {
        return cli_fail(incidents->name,
                        "'%s' is none of list, show ID, approve ID, dismiss ID, undo ID", name);
    }
    const char *wrong = operands_wrong(incidents, action, count);
    if (wrong) {
        return cli_fail(incidents->name, "%s: %s", name, wrong);
    }
    if (!api_open(&incidents->api, &incidents->api_options, &error)) {
        return cli_fail(incidents->name, "%s", error.text);
    }
    if (!act(incidents, action, count > 1 ? operands[1] : NULL, &error)) {
        fprintf(stderr, "riposte incidents: %s\n", error.text);
        return EXIT_NO;
    }
    return EXIT_GOOD;
}

int cli_incidents(int argc, char **argv) {
    struct incidents incidents = {.name = argv[0]};
    const struct cli_option options[] = {
        {"config", 'c', &incidents.api_options.settings, NULL},
        {"url", 0, &incidents.api_options.url, NULL},
        {"token", 0, &incidents.api_options.token, NULL},
        {"ca-file", 0, &incidents.api_options.ca_file, NULL},
        {"override", 0, &incidents.override, NULL},
        {"state", 0, &incidents.query.state, NULL},
        {"rule", 0, &incidents.query.rule, NULL},
        {"severity", 0, &incidents.query.severity, NULL},
        {"account", 0, &incidents.query.account, NULL},
        {"principal", 0, &incidents.query.principal, NULL},
        {"since", 0, &incidents.query.since, NULL},
        {"until", 0, &incidents.query.until, NULL},
        {"limit", 0, &incidents.query.limit, NULL},
        {"cursor", 0, &incidents.query.cursor, NULL},
        {"json", 0, NULL, &incidents.as_json},
        {"yes", 0, NULL, &incidents.is_sure},
        {"resources", 0, NULL, &incidents.with_resources},
        {"all", 0, NULL, &incidents.is_all},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    int code = run(&incidents, argc - first, argv + first);
    api_done(&incidents.api);
    return code;
}
