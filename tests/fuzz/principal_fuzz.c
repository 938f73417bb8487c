/* Whatever an event holds, reading it gives an envelope or says why not, and a principal that keeps
 * its promises; written anew, the event gives the same. */
#include "riposte/event/envelope.h"
#include "riposte/event/principal.h"
#include "riposte/json/writer.h"

#include "capturing.h"
#include "fuzz.h"

#include <string.h>

static bool contains(struct text text, const char *part) {
    return text_contains(text, text_of(part));
}

static void check_user(const struct principal *principal) {
    fuzz_check(text_starts_with(principal->arn, TEXT("arn:")));
    fuzz_check(contains(principal->arn, ":user/"));
    fuzz_check(principal->path.bytes > 0);
    fuzz_check(principal->session.bytes == 0 && principal->issuer_id.bytes == 0);
}

static void check_role(const struct principal *principal) {
    struct text session = principal->session;
    fuzz_check(contains(principal->arn, ":role/"));
    fuzz_check(text_ends_with(principal->arn, principal->name));
    fuzz_check(text_equal(principal->unique_id, principal->issuer_id));
    fuzz_check(session.bytes == 0 || text_starts_with(session, principal->unique_id));
    fuzz_check(session.bytes == 0 || session.data[principal->unique_id.bytes] == ':');
    fuzz_check(principal->is_temporary);
}

/* What a policy would take for more than a name. */
static void check_plain(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        fuzz_check(strchr("*?$\"{}/ ", text.data[i]) == NULL);
        fuzz_check(text.data[i] > 0x20 && text.data[i] < 0x7F);
    }
}

static void check_principal(const struct principal *principal, struct text event_account) {
    fuzz_check(principal->id.bytes > 0);
    switch (principal->kind) {
    case PRINCIPAL_USER:
        check_user(principal);
        break;
    case PRINCIPAL_ROLE_SESSION:
    case PRINCIPAL_SERVICE_LINKED:
        check_role(principal);
        break;
    case PRINCIPAL_EXTERNAL:
        fuzz_check(principal->account.bytes > 0);
        fuzz_check(!text_equal(principal->account, event_account));
        return;
    case PRINCIPAL_UNKNOWN:
        fuzz_check(principal->mfa == MFA_UNKNOWN);
        return;
    default:
        fuzz_check(principal->kind == PRINCIPAL_SERVICE || principal->account.bytes == 0 ||
                   text_equal(principal->account, event_account));
        return;
    }
    fuzz_check(text_equal(principal->account, event_account));
    fuzz_check(principal->name.bytes > 0 && principal->partition.bytes > 0);
    check_plain(principal->name);
    check_plain(principal->unique_id);
    check_plain(principal->session);
}

static void check_envelope(const struct json_capture *captures) {
    struct envelope envelope = {0};
    struct error error = {0};
    if (envelope_read(captures, &envelope, &error)) {
        fuzz_check(envelope.key.bytes > 0 && envelope.key.bytes <= ENVELOPE_KEY_BYTES);
    } else {
        fuzz_check(error.code == ERROR_INVALID && envelope.key.data == NULL);
    }
}

/* The principal as an object, or NULL when `text` is refused. */
static const struct json *principal_of(struct arena *arena, struct text text) {
    struct capturing capturing = {.arena = arena};
    struct error error = {0};
    if (!capturing_scan(&capturing, text, &error)) {
        return NULL;
    }
    const struct json_capture *account = &capturing.captures[EVENT_ACCOUNT];
    struct text event_account = account->type == JSON_STRING ? account->text : TEXT("");
    struct principal principal;
    check_envelope(capturing.captures);
    principal_read(capturing.captures, event_account, arena, &principal);
    check_principal(&principal, event_account);
    return principal_to_json(&principal, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer written = BUFFER_INIT;
    struct error error = {0};
    const struct json *root = NULL;
    const struct json *principal = principal_of(arena, fuzz_text(data, bytes));
    if (principal == NULL) {
        return 0;
    }
    fuzz_check(json_parse(fuzz_text(data, bytes), 0, arena, &root, NULL, &error));
    json_write(&written, root);
    const struct json *again = principal_of(arena, buffer_text(&written));
    fuzz_check(again != NULL && json_equal(principal, again));
    return 0;
}
