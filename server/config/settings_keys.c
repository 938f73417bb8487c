#include "settings_keys.h"

#include "riposte/base/file.h"
#include "riposte/base/memory.h"

/* ---- what the types share ---- */

void value_refuse(const struct value_place *place, const struct json *node, const char *needs) {
    form_refuse(place->reading, node, place->label, needs);
}

void value_refuse_later(const struct value_place *place, const struct json *node, const char *what,
                        const char *instead) {
    findings_add(place->reading->findings, place->reading->source, node,
                 "%s: %s is not supported yet: %s", place->label, what, instead);
}

void *value_target(const struct value_place *place) {
    return (char *)place->settings + place->key->offset;
}

const void *value_of(const struct settings *settings, const struct key *key) {
    return (const char *)settings + key->offset;
}

struct text value_resolve(const struct value_place *place, struct text name) {
    scoped(memory_free_at) char *relative = text_copy(name);
    scoped(memory_free_at) char *joined = file_join(place->folder, relative);
    return arena_copy_text(place->reading->arena, text_of(joined));
}

/* ---- the table ---- */

#define AT(member) offsetof(struct settings, member)
#define SECONDS    INT64_C(1000)
#define MINUTES    (60 * SECONDS)
#define HOURS      (60 * MINUTES)
#define DAYS       (24 * HOURS)

const struct key settings_keys[] = {
    {"mode", &settings_mode_type, "\"observe\"", AT(mode), 0, 0,
     "observe: plan and journal; approve: act on what an operator approves; enforce: act"},
    {"listen.address", &settings_address_type, "\"0.0.0.0\"", AT(listen.address), 0, 0,
     "where events come in"},
    {"listen.port", &settings_port_type, "8443", AT(listen.port), 0, 65535, "0: any free port"},
    {"listen.path", &settings_url_path_type, "\"/events\"", AT(listen.path), 0, 0,
     "POST events here"},
    {"listen.certificate", &settings_file_type, "null", AT(listen.certificate), 0, 0,
     "PEM, of both listeners; null: self-signed, made at start"},
    {"listen.key", &settings_file_type, "null", AT(listen.key), 0, 0,
     "PEM; goes with the certificate"},
    {"listen.connections", &settings_number_type, "1000", AT(listen.connections), 16, 10000,
     "open at once; when three quarters are, the oldest without an accepted request gives way"},
    {"listen.connections_per_address", &settings_number_type, "256",
     AT(listen.connections_per_address), 0, 10000,
     "of one client address; 0: no limit, for a load balancer in front that hides the clients"},
    {"authenticate.header", &settings_header_type, "\"X-Api-Key\"", AT(authenticate.header), 0, 0,
     "the header that carries the secret"},
    {"authenticate.secrets", &settings_secrets_type,
     "[\"env:RIPOSTE_SECRET\", \"env:RIPOSTE_SECRET_PREVIOUS\"]", AT(authenticate.secrets), 0, 0,
     "each is accepted; env:NAME, file:PATH or secretsmanager:ARN[#KEY]"},
    {"admin.address", &settings_address_type, "\"127.0.0.1\"", AT(admin.address), 0, 0,
     "where operators come in"},
    {"admin.port", &settings_port_type, "9443", AT(admin.port), 0, 65535, "0: any free port"},
    {"admin.token", &settings_token_type, "\"env:RIPOSTE_ADMIN_TOKEN\"", 0, 0, 0,
     "the operator \"admin\"; without any token there is no admin listener"},
    {"admin.tokens", &settings_tokens_type, "[]", 0, 0, 0,
     "{\"name\", \"role\": \"view\" or \"operate\", \"token\"}: more operators"},
    {"admin.url", &settings_endpoint_type, "null", AT(admin.url), 0, 0,
     "where people reach it, for links in notifications; null: https://ADDRESS:PORT"},
    {"journal", &settings_journal_type, "\"sqlite:/var/lib/riposte/journal.db\"", AT(journal), 0, 0,
     "sqlite:FILE"},
    {"journal_wait", &settings_duration_type, "\"3m\"", AT(journal_wait_ms), 0, 60 * MINUTES,
     "how long a starting server waits for another to let go of the journal"},
    {"acknowledge", &settings_acknowledge_type, "\"journaled\"", 0, 0, 0,
     "when a POST is answered: once it is in the journal, or once its response is done too, but "
     "after 4 s at the latest"},
    {"queue_limit", &settings_number_type, "10000", AT(queue_limit), 1, 10000000,
     "incidents not yet looked at; beyond, POSTs get 429"},
    {"workers", &settings_number_type, "8", AT(workers), 1, 256, "threads that respond"},
    {"retain", &settings_duration_type, "\"30d\"", AT(retain_ms), 1 * HOURS, 3650 * DAYS,
     "how long the journal keeps what is over"},
    {"drain", &settings_duration_type, "\"5s\"", AT(drain_ms), 0, 5 * MINUTES,
     "how long a stopping server still accepts events"},
    {"rules", &settings_folder_type, "\"rules/\"", AT(rules), 0, 0, "one JSON file a rule"},
    {"playbooks", &settings_folder_type, "\"playbooks/\"", AT(playbooks), 0, 0,
     "one JSON file a playbook"},
    {"output", &settings_output_type, "null", AT(output), 0, 0,
     "the folder that steps with \"append\" write to; null: they write nothing"},
    {"wildcard_complexity", &settings_number_type, "11", AT(wildcard_complexity), 1, 1000,
     "of a rule's field, as EventBridge measures it; a rule that has more is refused"},
    {"vars", &settings_vars_type, "{}", 0, 0, 0, "${vars.x} in rules and playbooks"},
    {"aws.accounts", &settings_accounts_type, "[]", AT(aws.accounts), 0, 0,
     "where we may act beside our own account, by ids; []: only there; \"organization\": in its "
     "active accounts, listed hourly by organizations:ListAccounts"},
    {"aws.role", &settings_role_type, "\"" RESPONDER_ROLE "\"", AT(aws.role), 0, 0,
     "taken in other accounts; its trust policy allows us sts:AssumeRole and sts:TagSession"},
    {"aws.external_id", &settings_external_id_type, "null", AT(aws.external_id), 0, 0,
     "goes with the role"},
    {"aws.regions", &settings_regions_type, "[]", AT(aws.regions), 0, 0,
     "where we may act; []: all Regions"},
    {"aws.resources", &settings_names_type, "[]", AT(aws.resources), 0, 0,
     "names and ARNs of what we run on: ${self.resources} in rules"},
    {"aws.endpoint", &settings_endpoint_type, "null", AT(aws.endpoint), 0, 0,
     "instead of AWS: an emulator, a proxy"},
    {"guard.protected", &settings_protected_type, "[]", AT(guard.protected_principals), 0, 0,
     "ARNs and unique ids never acted on; \"*\" fits anything"},
    {"guard.limit.principals", &settings_number_type, "10", AT(guard.limit_principals), 0, 1000000,
     "contained per period; more are held"},
    {"guard.limit.resources", &settings_number_type, "200", AT(guard.limit_resources), 0, 1000000,
     "restored per period; more are held"},
    {"guard.limit.per", &settings_duration_type, "\"1h\"", AT(guard.limit_per_ms), 1 * MINUTES,
     30 * DAYS, "the period of the limits"},
    {"guard.max_event_age", &settings_duration_type, "\"1h\"", AT(guard.max_event_age_ms),
     1 * MINUTES, 30 * DAYS, "older events are held"},
    {"notify.observed", &settings_names_type, "[]", AT(notify.observed), 0, 0,
     "playbooks that tell of it, which act on nobody"},
    {"notify.held", &settings_names_type, "[]", AT(notify.held), 0, 0,
     "playbooks that tell of it, which act on nobody"},
    {"notify.failed", &settings_names_type, "[]", AT(notify.failed), 0, 0,
     "playbooks that tell of it, which act on nobody"},
    {"notify.done", &settings_names_type, "[]", AT(notify.done), 0, 0,
     "playbooks that tell of it, which act on nobody"},
    {"notify.escaped", &settings_names_type, "[]", AT(notify.escaped), 0, 0,
     "playbooks that tell of it, which act on nobody"},
    {"notify.released", &settings_names_type, "[]", AT(notify.released), 0, 0,
     "playbooks that tell of it, which act on nobody"},
    {"audit.retain", &settings_duration_type, "\"0s\"", AT(audit.retain_ms), 0, 36500 * DAYS,
     "lines of the audit chain that are older, and about nothing that the journal keeps, are cut "
     "off its beginning behind a checkpoint; 0s: all are kept"},
    {"audit.anchor.every", &settings_duration_type, "\"1h\"", AT(audit.anchor.every_ms),
     1 * SECONDS, 30 * DAYS, "how often the end of the audit chain is noted elsewhere: in the log"},
    {"audit.anchor.s3.bucket", &settings_bucket_type, "null", AT(audit.anchor.s3.bucket), 0, 0,
     "and as an object in this bucket of our own Region, in every mode"},
    {"audit.anchor.s3.prefix", &settings_prefix_type, "\"riposte/\"", AT(audit.anchor.s3.prefix), 0,
     0, "what the objects' names begin with"},
    {"audit.anchor.s3.retain", &settings_duration_type, "\"0s\"", AT(audit.anchor.s3.retain_ms), 0,
     36500 * DAYS, "how long Object Lock keeps each of them (COMPLIANCE); 0s: as the bucket says"},
    {"canary", &settings_canary_type, "[]", 0, 0, 0,
     "{\"region\", \"resource\", \"role\", \"every\": \"5m\", \"stale_after\": \"20m\"}: a write "
     "that "
     "a schedule makes; pages when none came for so long"},
    {"log_level", &settings_level_type, "\"info\"", AT(log_level), 0, 0,
     "debug, info, warn or error"},
};
const size_t settings_key_count = ARRAY_COUNT(settings_keys);
