#include "riposte/cli/check.h"

#include "riposte/aws/client.h"
#include "riposte/aws/service.h"
#include "riposte/cli/command.h"
#include "riposte/cli/loaded.h"
#include "riposte/cli/options.h"
#include "riposte/config/snapshot.h"
#include "riposte/respond/parameters.h"
#include "riposte/respond/rule_test.h"

#include <stdio.h>

static bool takes_request(struct text service) {
    enum aws_protocol protocol = aws_service_find(service)->protocol;
    return protocol == AWS_PROTOCOL_REST_JSON || protocol == AWS_PROTOCOL_REST_XML;
}

/* What only the aws layer knows: can this build send the call? */
static void check_call(void *arg, const struct loaded_call *loaded) {
    const struct call_template *call = loaded->call;
    const struct source source = {loaded->rule != NULL ? loaded->rule->file : "notify", {NULL, 0}};
    struct error error = {0};
    if (!aws_operation_check(call->service, call->operation, &error)) {
        findings_add(arg, &source, NULL, "%.*s:%.*s: %s", TEXT_ARG(call->service),
                     TEXT_ARG(call->operation), error.text);
        return;
    }
    struct text role = {NULL, 0};
    bool has_request = plan_request(plan_as(call->with, &role)) != NULL;
    if (has_request != takes_request(call->service)) {
        findings_add(arg, &source, NULL, "%.*s:%.*s: calls to %.*s take %s",
                     TEXT_ARG(call->service), TEXT_ARG(call->operation), TEXT_ARG(call->service),
                     has_request ? "parameters (\"with\"), not a \"request\""
                                 : "a \"request\", not parameters (\"with\")");
    }
}

int cli_check(int argc, char **argv) {
    const char *path = CLI_SETTINGS_DEFAULT;
    const struct cli_option options[] = {{"config", 'c', &path, NULL}};
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (first != argc) {
        return cli_fail(argv[0], "takes no file; name the settings with -c");
    }
    scoped(findings_free) struct findings *findings = findings_new();
    scoped(snapshot_unref) struct snapshot *snapshot = NULL;
    struct rule_test_numbers tests = {0};
    if (snapshot_load(path, cli_environment, NULL, &snapshot, findings)) {
        loaded_without_accounts(&snapshot);
        loaded_each_call(snapshot, check_call, findings);
        tests = rule_test_run(snapshot, findings);
    }
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    findings_print(findings, &lines);
    fputs(buffer_string(&lines), stdout);
    printf("%s: rules: %zu, tests: %zu, errors: %zu, warnings: %zu\n", path,
           snapshot ? snapshot->rule_count : 0, tests.run, findings_errors(findings),
           findings_warnings(findings));
    return findings_errors(findings) == 0 ? EXIT_GOOD : EXIT_NO;
}
