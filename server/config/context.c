#include "riposte/config/context.h"

#include "names.h"

#include "riposte/json/scanner.h"

#include <assert.h>
#include <pthread.h>

/* ---- the event ---- */

struct capturing {
    struct arena *arena;
    struct json_capture captures[EVENT_CAPTURE_COUNT];
};

static struct text unescaped(struct text raw, struct arena *arena) {
    scoped(buffer_done) struct buffer spelled = BUFFER_INIT;
    json_unescape(raw, &spelled);
    return arena_copy_text(arena, buffer_text(&spelled));
}

static bool capture_leaf(void *arg, const struct json_leaf *leaf, struct error *error) {
    (void)error;
    struct capturing *capturing = arg;
    /* The first is the one, as in a rule set's captures. */
    if (capturing->captures[leaf->path].is_present) {
        return true;
    }
    capturing->captures[leaf->path] = (struct json_capture){
        .is_present = true,
        .type = leaf->type,
        .text = leaf->has_escapes ? unescaped(leaf->raw, capturing->arena) : leaf->raw,
        .offset = leaf->offset,
    };
    return true;
}

/* Built once and kept: every worker reads every event with it. */
static struct json_paths *capture_paths;

static void build_capture_paths(void) {
    capture_paths = json_paths_new();
    for (size_t i = 0; i < EVENT_CAPTURE_COUNT; i++) {
        uint32_t index = json_paths_add(capture_paths, event_capture_paths[i].path,
                                        event_capture_paths[i].flags);
        assert(index == i);
    }
}

static bool capture_event(struct text text, struct capturing *capturing, struct error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build_capture_paths);
    scoped(json_scratch_free) struct json_scratch *scratch = json_scratch_new();
    return json_scan(capture_paths, scratch, text, capture_leaf, capturing, error);
}

bool subject_event_read(struct text text, struct arena *arena, struct subject_event *event_out,
                        struct error *error) {
    /* What is handed out points into the text: keep our own. */
    struct text kept = arena_copy_text(arena, text);
    struct capturing capturing = {.arena = arena};
    struct subject_event event = {0};
    if (!capture_event(kept, &capturing, error) ||
        !envelope_read(capturing.captures, &event.envelope, error) ||
        !json_parse(kept, 0, arena, &event.root, NULL, error)) {
        return false;
    }
    principal_read(capturing.captures, event.envelope.account, arena, &event.principal);
    *event_out = event;
    return true;
}

/* ---- the context ---- */

static void add_members_of(struct json *object, const struct text texts[],
                           const char *const names[], size_t count, struct arena *arena) {
    for (size_t i = 0; i < count; i++) {
        if (texts[i].bytes > 0) {
            json_add_text(arena, object, names[i], texts[i]);
        }
    }
}

static void add_texts(struct json *context, const char *name, const struct text texts[],
                      const char *const names[], size_t count, struct arena *arena) {
    struct json *object = json_new_object(arena);
    add_members_of(object, texts, names, count, arena);
    json_add_member(arena, context, text_of(name), object);
}

/* The members of `from` whose name isn't hidden, for a new object. */
static void add_members(struct json *to, const struct json *from,
                        bool (*is_hidden_fn)(void *arg, struct text key), void *arg,
                        struct arena *arena) {
    for (const struct json *member = json_first(from); member != NULL; member = json_next(member)) {
        if (!is_hidden_fn(arg, json_key(member))) {
            json_add_member(arena, to, json_key(member), json_share(arena, member));
        }
    }
}

static bool is_computed(void *arg, struct text key) {
    (void)arg;
    return is_computed_name(key);
}

struct context_self context_self_known(const struct settings *settings, struct text account) {
    struct context_self self = {.account = account};
    if (settings != NULL) {
        self.accounts = settings->aws.accounts;
        self.lacks_accounts = settings_await_accounts(settings);
        self.resources = settings->aws.resources;
    }
    return self;
}

static bool is_one_of(const struct texts *texts, struct text text) {
    bool is_found = false;
    for (size_t i = 0; !is_found && i < texts->count; i++) {
        is_found = text_equal(texts->items[i], text);
    }
    return is_found;
}

static struct json *to_array(const struct texts *texts, struct arena *arena) {
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < texts->count; i++) {
        json_add_element(array, json_new_string(arena, texts->items[i]));
    }
    return array;
}

/* What is unknown of our accounts leaves `accounts` out: nobody is a stranger to nobody. */
static struct json *self_to_json(const struct context_self *self, struct arena *arena) {
    struct json *object = json_new_object(arena);
    struct json *accounts = to_array(&self->accounts, arena);
    const struct text texts[] = {self->account, self->role, self->partition};
    const char *const names[] = {"account", "role", "partition"};
    add_members_of(object, texts, names, ARRAY_COUNT(texts), arena);
    if (self->account.bytes > 0 && !is_one_of(&self->accounts, self->account)) {
        json_add_element(accounts, json_new_string(arena, self->account));
    }
    if (json_count(accounts) > 0 && !self->lacks_accounts) {
        json_add_member(arena, object, TEXT("accounts"), accounts);
    }
    json_add_member(arena, object, TEXT("resources"), to_array(&self->resources, arena));
    return object;
}

struct json *context_new(const struct subject_event *event, struct text rule_name,
                         struct text severity, struct text incident_id,
                         const struct context_self *self, const struct json *vars,
                         struct arena *arena) {
    struct json *context = json_new_object(arena);
    add_members(context, event->root, is_computed, NULL, arena);
    json_add_member(arena, context, TEXT("principal"), principal_to_json(&event->principal, arena));
    add_texts(context, "rule", (struct text[]){rule_name, severity},
              (const char *const[]){"name", "severity"}, 2, arena);
    add_texts(context, "incident", &incident_id, (const char *const[]){"id"}, 1, arena);
    json_add_member(arena, context, TEXT("self"), self_to_json(self, arena));
    json_add_member(arena, context, TEXT("vars"),
                    vars != NULL ? json_share(arena, vars) : json_new_object(arena));
    return context;
}

/* Also "item.x": a key with a dot spells the same path as a member of `item`. */
static bool begins_with_name(void *arg, struct text key) {
    const struct text *name = arg;
    return text_equal(text_slice(key, 0, text_find_byte(key, '.', 0)), *name);
}

static struct json *with_member(const struct json *object, struct text name, struct json *value,
                                struct arena *arena) {
    struct json *made = json_new_object(arena);
    add_members(made, object, begins_with_name, &name, arena);
    json_add_member(arena, made, name, value);
    return made;
}

struct json *context_with_step(const struct json *context, struct text name,
                               const struct json *answer, struct arena *arena) {
    const struct json *steps = json_member(context, "steps");
    struct json *more = with_member(steps, name, json_share(arena, answer), arena);
    return with_member(context, TEXT("steps"), more, arena);
}

struct json *context_with(const struct json *context, const char *name, const struct json *value,
                          struct arena *arena) {
    return with_member(context, text_of(name), json_share(arena, value), arena);
}
