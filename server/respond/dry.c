#include "riposte/respond/dry.h"

#include "notice.h"

#include "riposte/base/time.h"
#include "riposte/config/template.h"
#include "riposte/json/writer.h"
#include "riposte/respond/confirm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NO_INCIDENT TEXT("00000000000000000000000000")

static const char *const call_kind_names[] = {[DRY_CONFIRM] = "confirm",
                                              [DRY_READ] = "read",
                                              [DRY_BEFORE] = "before",
                                              [DRY_WRITE] = "write",
                                              [DRY_POST] = "post"};
static const char *const decision_names[] = {
    [GUARD_PASS] = "respond", [GUARD_SUPPRESS] = "suppressed", [GUARD_HOLD] = "held"};

/* ---- the run ------------------------------------------------------------------------------------
 */

struct simulation {
    const struct dry_input *input;
    struct arena *arena;
    struct plan_record *records;
    struct dry_call *calls;
    size_t count, capacity; /* of both: each call has one record */
};

static const struct json *find_answer(const struct dry_input *input, struct text service,
                                      struct text operation, struct arena *arena) {
    struct text name = arena_format(arena, "%.*s:%.*s", TEXT_ARG(service), TEXT_ARG(operation));
    return json_member_text(input->answers, name);
}

static void *grow(struct arena *arena, const void *old, size_t count, size_t capacity,
                  size_t bytes) {
    void *grown = arena_alloc_array(arena, capacity, bytes);
    if (count > 0) {
        memcpy(grown, old, count * bytes);
    }
    return grown;
}

static void make_room(struct simulation *simulation) {
    if (simulation->count < simulation->capacity) {
        return;
    }
    size_t capacity = simulation->capacity == 0 ? 8 : 2 * simulation->capacity;
    simulation->records = grow(simulation->arena, simulation->records, simulation->count, capacity,
                               sizeof(struct plan_record));
    simulation->calls = grow(simulation->arena, simulation->calls, simulation->count, capacity,
                             sizeof(struct dry_call));
    simulation->capacity = capacity;
}

/* Supplies the outcome of one call. */
static void simulate_call(struct simulation *simulation, const struct plan_action *action) {
    const struct json *answer = find_answer(simulation->input, action->service, action->operation,
                                            simulation->arena);
    bool is_write = action->kind == PLAN_WRITE;
    make_room(simulation);
    simulation->records[simulation->count] = (struct plan_record){
        .key = action->key, .state = PLAN_WORKED, .answer = answer, .is_assumed = answer == NULL};
    simulation->calls[simulation->count] = (struct dry_call){
        .kind = is_write            ? DRY_WRITE
                : action->is_before ? DRY_BEFORE
                                    : DRY_READ,
        .step = action->step->name,
        .service = action->service,
        .operation = action->operation,
        .account = action->account,
        .region = action->region,
        .parameters = action->parameters,
        .inverse = action->inverse,
        .effect_account = action->effect_account,
        .effect_target = action->effect_target,
        .effect_name = action->effect_name,
        .verify = is_write ? action->step->verify : NULL,
        .is_assumed = !is_write && answer == NULL,
        .is_known_only_when_asked = action->is_known_only_when_asked};
    simulation->count++;
}

/* What a notification says; of a secret's place only where it is. */
static struct dry_playbook simulate_notices(const struct dry_input *input,
                                            const struct playbook *playbook,
                                            const struct json *context, struct arena *arena) {
    struct dry_call *calls = arena_alloc_array(arena, playbook->step_count, sizeof(*calls));
    struct dry_playbook dry = {
        .name = playbook->name, .acts_on = playbook->acts_on, .calls = calls, .end = PLAN_DONE};
    const struct envelope *envelope = &input->event->envelope;
    const struct notice_facts facts = {
        .state = TEXT("responding"),
        .severity = input->definition->rule->severity,
        .incident_id = input->incident_id.bytes > 0 ? input->incident_id : NO_INCIDENT,
        .unix_ms = envelope->has_time ? envelope->time_unix_ms : 0,
        .settings = input->settings};
    context = context_with(context, "notice", notice_new(&facts, arena), arena);
    for (size_t i = 0; i < playbook->step_count; i++) {
        const struct step *step = &playbook->steps[i];
        struct notice_step filled = {0};
        bool applies = true;
        struct error error = {0};
        if ((step->when != NULL && !pattern_match_tree(step->when, context, &applies, &error)) ||
            (applies && !notice_fill(step, context, envelope->region, arena, &filled, &error))) {
            dry.end = PLAN_FAILED;
            dry.reason = arena_format(arena, "step %.*s: %s", TEXT_ARG(step->name), error.text);
        } else if (applies) {
            calls[dry.call_count++] = (struct dry_call){.kind = DRY_POST,
                                                        .step = step->name,
                                                        .service = filled.service,
                                                        .operation = filled.operation,
                                                        .account = filled.account,
                                                        .region = filled.region,
                                                        .parameters = filled.parameters};
        }
    }
    return dry;
}

static struct dry_playbook simulate_playbook(const struct dry_input *input,
                                             const struct playbook *playbook,
                                             const struct json *context, struct arena *arena) {
    const struct subject_event *event = input->event;
    struct simulation simulation = {.input = input, .arena = arena};
    if (playbook->acts_on == ACTS_ON_NOBODY) {
        return simulate_notices(input, playbook, context, arena);
    }
    scoped(arena_free) struct arena *walk_arena = arena_new();
    struct plan_action action;
    struct plan_memo memo = {0};
    for (;;) {
        struct plan_input plan = {.memo = &memo,
                                  .playbook = playbook,
                                  .context = context,
                                  .event_key = event->envelope.key,
                                  .event_account = event->envelope.account,
                                  .event_region = event->envelope.region,
                                  .principal_account = event->principal.account,
                                  .principal_id = event->principal.id,
                                  .records = simulation.records,
                                  .record_count = simulation.count};
        arena_reset(walk_arena);
        plan_next(&plan, walk_arena, &action);
        action = plan_action_copy(&action, arena);
        if (action.kind != PLAN_ASK && action.kind != PLAN_WRITE) {
            break;
        }
        simulate_call(&simulation, &action);
    }
    return (struct dry_playbook){.name = playbook->name,
                                 .acts_on = playbook->acts_on,
                                 .calls = simulation.calls,
                                 .call_count = simulation.count,
                                 .end = action.kind,
                                 .reason = action.reason,
                                 .notes = action.notes,
                                 .note_count = action.note_count};
}

static void judge(const struct dry_input *input, struct arena *arena,
                  struct guard_verdict *verdict_out) {
    if (input->verdict != NULL) {
        *verdict_out = *input->verdict;
        return;
    }
    const struct envelope *envelope = &input->event->envelope;
    struct guard_identity identity = {.is_known = true, .account = envelope->account};
    if (input->self != NULL && input->self->account.bytes > 0) {
        identity.account = input->self->account;
    }
    struct guard_facts facts = {
        .event = input->event, .identity = &identity, .received_unix_ms = envelope->time_unix_ms};
    if (input->settings != NULL) {
        facts.accounts = input->settings->aws.accounts;
        facts.regions = input->settings->aws.regions;
        facts.protected_principals = input->settings->guard.protected_principals;
    }
    guard_judge(&facts, arena, verdict_out);
}

/* One question; false when the run ends with it. */
static bool simulate_question(const struct dry_input *input, const struct question *question,
                              const struct json *context, struct arena *arena, struct dry_run *run,
                              struct dry_call *call_out, bool *goes_on_out, struct error *error) {
    struct confirm_call call = {0};
    *goes_on_out = true;
    if (!confirm_prepare(question, input->event, context, arena, &call, error)) {
        return false;
    }
    if (!call.applies) {
        return true;
    }
    const struct json *answer = find_answer(input, call.service, call.operation, arena);
    *call_out = (struct dry_call){.kind = DRY_CONFIRM,
                                  .service = call.service,
                                  .operation = call.operation,
                                  .account = call.account,
                                  .region = call.region,
                                  .parameters = call.parameters,
                                  .is_assumed = answer == NULL};
    run->confirm_count++;
    run->is_unconfirmed |= answer == NULL;
    bool is_confirmed = true;
    if (answer != NULL && !confirm_judge(question, context, answer, arena, &is_confirmed, error)) {
        return false;
    }
    if (!is_confirmed) {
        call_out->was_refused = true;
        *goes_on_out = false;
        run->decision = GUARD_SUPPRESS;
        run->reason = arena_format(arena, "not confirmed by %.*s:%.*s", TEXT_ARG(call.service),
                                   TEXT_ARG(call.operation));
    }
    return true;
}

static bool simulate_confirm(const struct dry_input *input, const struct json *context,
                             struct arena *arena, struct dry_run *run, struct error *error) {
    const struct rule *rule = input->definition->rule;
    struct dry_call *calls = arena_alloc_array(arena, rule->confirm_count, sizeof(*calls));
    run->confirms = calls;
    bool goes_on = true;
    for (size_t i = 0; i < rule->confirm_count && goes_on; i++) {
        if (!simulate_question(input, &rule->confirm[i], context, arena, run,
                               &calls[run->confirm_count], &goes_on, error)) {
            return false;
        }
    }
    return true;
}

static const struct json *make_context(const struct dry_input *input, struct arena *arena) {
    const struct rule *rule = input->definition->rule;
    struct context_self assumed = context_self_known(input->settings,
                                                     input->event->envelope.account);
    assumed.role = TEXT("riposte-responder");
    assumed.partition = input->event->principal.partition;
    struct text incident = input->incident_id.bytes > 0 ? input->incident_id : NO_INCIDENT;
    return context_new(input->event, rule->name, rule->severity, incident,
                       input->self != NULL ? input->self : &assumed,
                       input->vars != NULL ? input->vars : input->definition->vars, arena);
}

bool dry_run(const struct dry_input *input, struct arena *arena, struct dry_run *run_out,
             struct error *error) {
    struct dry_run run = {.definition = input->definition, .event = input->event};
    const struct json *context = make_context(input, arena);
    struct guard_verdict verdict = {0};
    judge(input, arena, &verdict);
    run.decision = verdict.decision;
    run.reason = verdict.reason;
    if (run.decision == GUARD_PASS && !simulate_confirm(input, context, arena, &run, error)) {
        return false;
    }
    if (run.decision == GUARD_PASS) {
        run.playbook_count = input->definition->playbook_count;
    }
    struct dry_playbook *playbooks = arena_alloc_array(arena, run.playbook_count,
                                                       sizeof(*playbooks));
    for (size_t i = 0; i < run.playbook_count; i++) {
        playbooks[i] = simulate_playbook(input, input->definition->playbooks[i], context, arena);
    }
    run.playbooks = playbooks;
    *run_out = run;
    return true;
}

static size_t count_calls(const struct dry_run *run) {
    size_t count = 0;
    for (size_t i = 0; i < run->playbook_count; i++) {
        count += run->playbooks[i].call_count;
    }
    return count;
}

static struct text call_name(struct text service, struct text operation, struct arena *arena) {
    return arena_format(arena, "%.*s:%.*s", TEXT_ARG(service), TEXT_ARG(operation));
}

struct texts dry_writes(const struct dry_run *run, struct arena *arena) {
    struct text *names = arena_alloc_array(arena, count_calls(run), sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < run->playbook_count; i++) {
        const struct dry_playbook *playbook = &run->playbooks[i];
        for (size_t k = 0; k < playbook->call_count; k++) {
            if (playbook->calls[k].kind == DRY_WRITE) {
                names[count++] = call_name(playbook->calls[k].service, playbook->calls[k].operation,
                                           arena);
            }
        }
    }
    return (struct texts){names, count};
}

struct texts dry_inverses(const struct dry_run *run, struct arena *arena) {
    struct text *names = arena_alloc_array(arena, count_calls(run), sizeof(*names));
    size_t count = 0;
    for (size_t i = run->playbook_count; i-- > 0;) {
        const struct dry_playbook *playbook = &run->playbooks[i];
        for (size_t k = playbook->call_count; k-- > 0;) {
            const struct json *inverse = playbook->calls[k].inverse;
            if (inverse != NULL) {
                names[count++] = call_name(json_text(json_member(inverse, "service")),
                                           json_text(json_member(inverse, "operation")), arena);
            }
        }
    }
    return (struct texts){names, count};
}

/* ---- for people ---------------------------------------------------------------------------------
 */

struct page {
    struct buffer *out;
    unsigned indent;
};

static void line(const struct page *page, unsigned deeper, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void line(const struct page *page, unsigned deeper, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    buffer_append_format(page->out, "%*s%s", (int)(page->indent + deeper), "", text);
}

static void print_parameters(const struct page *page, const struct json *parameters) {
    buffer_append_char(page->out, ' ');
    json_write(page->out, parameters);
    buffer_append_char(page->out, '\n');
}

static void print_inverse(const struct page *page, const struct dry_call *call) {
    if (call->inverse == NULL) {
        line(page, 4, "undo: none\n");
        return;
    }
    struct text service = json_text(json_member(call->inverse, "service"));
    struct text operation = json_text(json_member(call->inverse, "operation"));
    line(page, 4, "undo: %.*s:%.*s", TEXT_ARG(service), TEXT_ARG(operation));
    print_parameters(page, json_member(call->inverse, "parameters"));
}

static void print_verify(const struct page *page, const struct verify *verify) {
    line(page, 4, "verify: %.*s:%.*s after", TEXT_ARG(verify->call.service),
         TEXT_ARG(verify->call.operation));
    for (size_t i = 0; i < verify->after_count; i++) {
        char after[TIME_TEXT_BYTES];
        duration_format(verify->after_ms[i], after);
        buffer_append_format(page->out, "%s %s", i > 0 ? "," : "", after);
    }
    buffer_append_char(page->out, '\n');
}

static void print_call(const struct page *page, const struct dry_call *call) {
    const char *doubt = call->is_known_only_when_asked ? " (known only when asked)"
                        : call->was_refused            ? " (does not match)"
                        : call->is_assumed             ? " (unconfirmed)"
                                                       : "";
    if (call->kind == DRY_POST) {
        bool is_post = text_equal(call->service, TEXT("https"));
        line(page, 2, "%s %.*s%s%.*s%s%.*s", is_post ? "post" : "tell", TEXT_ARG(call->step),
             is_post ? "" : ": ", is_post ? 0 : (int)call->service.bytes, call->service.data,
             is_post ? "" : ":", is_post ? 0 : (int)call->operation.bytes, call->operation.data);
        print_parameters(page, call->parameters);
        return;
    }
    line(page, 2, "%s %.*s:%.*s%s in %.*s %.*s", call_kind_names[call->kind],
         TEXT_ARG(call->service), TEXT_ARG(call->operation), doubt, TEXT_ARG(call->account),
         TEXT_ARG(call->region));
    print_parameters(page, call->parameters);
    if (call->kind == DRY_WRITE) {
        print_inverse(page, call);
    }
    if (call->verify != NULL) {
        print_verify(page, call->verify);
    }
}

static const char *end_name(enum plan_kind end) {
    return end == PLAN_HELD ? "held" : end == PLAN_FAILED ? "failed" : "done";
}

/* In one line: of a playbook for all kinds of principals most steps are for others. */
static void print_inapplicable(const struct page *page, const struct dry_playbook *playbook) {
    scoped(buffer_done) struct buffer names = BUFFER_INIT;
    for (size_t i = 0; i < playbook->note_count; i++) {
        const struct plan_note *note = &playbook->notes[i];
        if (note->is_inapplicable) {
            buffer_append_format(&names, "%s%.*s", names.bytes > 0 ? ", " : "",
                                 TEXT_ARG(note->step->name));
        }
    }
    if (names.bytes > 0) {
        line(page, 2, "skips what does not apply: %s\n", buffer_string(&names));
    }
}

static void print_playbook(const struct page *page, const struct dry_playbook *playbook) {
    line(page, 0, "playbook %.*s, acts on %s\n", TEXT_ARG(playbook->name),
         acts_on_name(playbook->acts_on));
    for (size_t i = 0; i < playbook->call_count; i++) {
        print_call(page, &playbook->calls[i]);
    }
    for (size_t i = 0; i < playbook->note_count; i++) {
        const struct plan_note *note = &playbook->notes[i];
        if (!note->is_inapplicable) {
            line(page, 2, "%s %.*s: %.*s\n", note->is_failure ? "fails" : "skips",
                 TEXT_ARG(note->step->name), TEXT_ARG(note->reason));
        }
    }
    print_inapplicable(page, playbook);
    if (playbook->end != PLAN_DONE) {
        line(page, 2, "%s: %.*s\n", end_name(playbook->end), TEXT_ARG(playbook->reason));
    }
}

void dry_print(const struct dry_run *run, unsigned indent, struct buffer *out) {
    struct page page = {out, indent};
    bool has_reason = run->reason.bytes > 0;
    line(&page, 0, "%s%s%.*s%s\n",
         run->decision == GUARD_PASS ? "would respond" : decision_names[run->decision],
         has_reason ? ": " : "", TEXT_ARG(run->reason),
         run->is_unconfirmed ? " (unconfirmed: AWS was not asked)" : "");
    struct page deeper = {out, indent > 2 ? indent - 2 : 0};
    for (size_t i = 0; i < run->confirm_count; i++) {
        print_call(&deeper, &run->confirms[i]);
    }
    for (size_t i = 0; i < run->playbook_count; i++) {
        print_playbook(&page, &run->playbooks[i]);
    }
}

/* ---- as JSON ------------------------------------------------------------------------------------
 */

static void add_flag(struct arena *arena, struct json *object, const char *key, bool is_set) {
    if (is_set) {
        json_add_member(arena, object, text_of(key), json_new_literal(arena, JSON_TRUE));
    }
}

static void add_text(struct arena *arena, struct json *object, const char *key, struct text text) {
    if (text.bytes > 0) {
        json_add_text(arena, object, key, text);
    }
}

static struct json *verify_to_json(const struct verify *verify, struct arena *arena) {
    struct json *object = json_new_object(arena);
    struct json *after = json_new_array(arena);
    json_add_text(arena, object, "call",
                  arena_format(arena, "%.*s:%.*s", TEXT_ARG(verify->call.service),
                               TEXT_ARG(verify->call.operation)));
    for (size_t i = 0; i < verify->after_count; i++) {
        char text[TIME_TEXT_BYTES];
        duration_format(verify->after_ms[i], text);
        json_add_element(after, json_new_string(arena, text_of(text)));
    }
    json_add_member(arena, object, TEXT("after"), after);
    return object;
}

static void add_write(const struct dry_call *call, struct arena *arena, struct json *object) {
    struct json *effect = json_new_object(arena);
    json_add_text(arena, effect, "target", call->effect_target);
    json_add_text(arena, effect, "name", call->effect_name);
    json_add_member(arena, object, TEXT("effect"), effect);
    json_add_member(arena, object, TEXT("inverse"),
                    call->inverse != NULL ? json_copy(arena, call->inverse)
                                          : json_new_literal(arena, JSON_NULL));
    if (call->verify != NULL) {
        json_add_member(arena, object, TEXT("verify"), verify_to_json(call->verify, arena));
    }
}

static struct json *call_to_json(const struct dry_call *call, struct arena *arena) {
    struct json *object = json_new_object(arena);
    json_add_text(arena, object, "kind", text_of(call_kind_names[call->kind]));
    add_text(arena, object, "step", call->step);
    json_add_text(
        arena, object, "call",
        arena_format(arena, "%.*s:%.*s", TEXT_ARG(call->service), TEXT_ARG(call->operation)));
    add_text(arena, object, "account", call->account);
    add_text(arena, object, "region", call->region);
    json_add_member(arena, object, TEXT("parameters"), json_copy(arena, call->parameters));
    if (call->kind == DRY_WRITE) {
        add_write(call, arena, object);
    }
    add_flag(arena, object, "unconfirmed", call->is_assumed);
    add_flag(arena, object, "does_not_match", call->was_refused);
    add_flag(arena, object, "known_only_when_asked", call->is_known_only_when_asked);
    return object;
}

static struct json *calls_to_json(const struct dry_call *calls, size_t count, struct arena *arena) {
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < count; i++) {
        json_add_element(array, call_to_json(&calls[i], arena));
    }
    return array;
}

static struct json *notes_to_json(const struct plan_note *notes, size_t count,
                                  struct arena *arena) {
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < count; i++) {
        struct json *object = json_new_object(arena);
        json_add_text(arena, object, "step", notes[i].step->name);
        json_add_text(arena, object, "outcome",
                      notes[i].is_failure ? TEXT("failed") : TEXT("skipped"));
        json_add_text(arena, object, "reason", notes[i].reason);
        json_add_element(array, object);
    }
    return array;
}

static struct json *playbook_to_json(const struct dry_playbook *playbook, struct arena *arena) {
    struct json *object = json_new_object(arena);
    json_add_text(arena, object, "name", playbook->name);
    json_add_text(arena, object, "acts_on", text_of(acts_on_name(playbook->acts_on)));
    json_add_text(arena, object, "end", text_of(end_name(playbook->end)));
    add_text(arena, object, "reason", playbook->reason);
    json_add_member(arena, object, TEXT("calls"),
                    calls_to_json(playbook->calls, playbook->call_count, arena));
    json_add_member(arena, object, TEXT("notes"),
                    notes_to_json(playbook->notes, playbook->note_count, arena));
    return object;
}

const struct json *dry_to_json(const struct dry_run *run, struct arena *arena) {
    struct json *object = json_new_object(arena);
    struct json *playbooks = json_new_array(arena);
    json_add_text(arena, object, "decision", text_of(decision_names[run->decision]));
    add_text(arena, object, "reason", run->reason);
    add_flag(arena, object, "unconfirmed", run->is_unconfirmed);
    json_add_member(arena, object, TEXT("confirm"),
                    run->asked != NULL ? json_copy(arena, run->asked)
                                       : calls_to_json(run->confirms, run->confirm_count, arena));
    for (size_t i = 0; i < run->playbook_count; i++) {
        json_add_element(playbooks, playbook_to_json(&run->playbooks[i], arena));
    }
    json_add_member(arena, object, TEXT("playbooks"), playbooks);
    return object;
}
