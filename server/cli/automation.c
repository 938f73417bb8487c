#include "automation.h"

/* Parts of names, and whole words where a part would say too little. */
static const struct text name_parts[] = {
    TEXT_INIT("terraform"), TEXT_INIT("github"),     TEXT_INIT("gitlab"),    TEXT_INIT("jenkins"),
    TEXT_INIT("codebuild"), TEXT_INIT("codedeploy"), TEXT_INIT("pipeline"),  TEXT_INIT("circleci"),
    TEXT_INIT("buildkite"), TEXT_INIT("atlantis"),   TEXT_INIT("pulumi"),    TEXT_INIT("ansible"),
    TEXT_INIT("argocd"),    TEXT_INIT("deploy"),     TEXT_INIT("automat"),   TEXT_INIT("runner"),
    TEXT_INIT("spinnaker"), TEXT_INIT("cloudform"),  TEXT_INIT("packer"),    TEXT_INIT("lambda"),
    TEXT_INIT("service"),   TEXT_INIT("scheduler"),  TEXT_INIT("crossplane")};
static const struct text name_words[] = {TEXT_INIT("ci"),  TEXT_INIT("cd"),  TEXT_INIT("cicd"),
                                         TEXT_INIT("tf"),  TEXT_INIT("cdk"), TEXT_INIT("svc"),
                                         TEXT_INIT("bot"), TEXT_INIT("app"), TEXT_INIT("job"),
                                         TEXT_INIT("eks"), TEXT_INIT("ecs")};
static const struct text tools[] = {TEXT_INIT("terraform"), TEXT_INIT("opentofu"),
                                    TEXT_INIT("pulumi"),    TEXT_INIT("cloudformation"),
                                    TEXT_INIT("ansible"),   TEXT_INIT("crossplane"),
                                    TEXT_INIT("aws-sdk"),   TEXT_INIT("boto3")};

static struct text lower_case(struct text text, struct arena *arena) {
    char *lower = arena_alloc(arena, text.bytes + 1);
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return (struct text){lower, text.bytes};
}

static const struct text *part_in(struct text text, const struct text *parts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (text_contains(text, parts[i])) {
            return &parts[i];
        }
    }
    return NULL;
}

static bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static const struct text *word_in(struct text text) {
    size_t start = 0;
    for (size_t i = 0; i <= text.bytes; i++) {
        if (i < text.bytes && is_word_byte(text.data[i])) {
            continue;
        }
        for (size_t w = 0; w < ARRAY_COUNT(name_words); w++) {
            if (text_equal(text_slice(text, start, i), name_words[w])) {
                return &name_words[w];
            }
        }
        start = i + 1;
    }
    return NULL;
}

struct text automation_reason(const struct subject_event *event, struct arena *arena) {
    const struct principal *principal = &event->principal;
    if (principal->kind == PRINCIPAL_SSO_SESSION || principal->mfa == MFA_YES) {
        return TEXT("");
    }
    const struct json *agent = json_find_one(event->root, TEXT("detail.userAgent"), NULL);
    struct text name = lower_case(principal->name, arena);
    const struct text *found = part_in(lower_case(json_text(agent), arena), tools,
                                       ARRAY_COUNT(tools));
    if (principal->kind == PRINCIPAL_SERVICE || principal->kind == PRINCIPAL_SERVICE_LINKED) {
        return TEXT("a service of AWS");
    }
    if (found != NULL) {
        return arena_format(arena, "its user agent names %.*s", TEXT_ARG(*found));
    }
    found = part_in(name, name_parts, ARRAY_COUNT(name_parts));
    found = found != NULL ? found : word_in(name);
    if (found != NULL) {
        return arena_format(arena, "its name holds \"%.*s\"", TEXT_ARG(*found));
    }
    return principal->kind == PRINCIPAL_ROLE_SESSION ? TEXT("a role's session without MFA")
                                                     : TEXT("");
}
