#include "riposte/cli/check.h"

#include "riposte/aws/client.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/config/snapshot.h"
#include "riposte/respond/rule_test.h"

#include <stdio.h>

/* What only the aws layer knows: can this build send the call? */
static void check_call(struct findings *findings, const struct source *source,
                       const struct json *node, const struct call_template *call) {
    struct error error = {0};
    if (call->operation.bytes > 0 && !aws_operation_check(call->service, call->operation, &error)) {
        findings_add(findings, source, node, "%.*s:%.*s: %s", TEXT_ARG(call->service),
                     TEXT_ARG(call->operation), error.text);
    }
}

static void check_step(struct findings *findings, const struct source *source,
                       const struct json *node, const struct step *step) {
    for (size_t i = 0; i < step->link_count; i++) {
        check_step(findings, source, node, &step->links[i]);
    }
    check_call(findings, source, node, &step->call);
    if (step->before) {
        check_call(findings, source, node, &step->before->call);
    }
    if (step->verify) {
        check_call(findings, source, node, &step->verify->call);
    }
    if (step->undo) {
        check_call(findings, source, node, &step->undo->call);
    }
}

static void check_calls(const struct snapshot *snapshot, struct findings *findings) {
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        const struct definition *definition = snapshot->definitions[i];
        const struct rule *rule = definition->rule;
        const struct source source = {rule->file, {NULL, 0}};
        for (size_t q = 0; q < rule->confirm_count; q++) {
            check_call(findings, &source, NULL, &rule->confirm[q].call);
        }
        for (size_t p = 0; p < definition->playbook_count; p++) {
            const struct playbook *playbook = definition->playbooks[p];
            for (size_t s = 0; s < playbook->step_count; s++) {
                check_step(findings, &source, NULL, &playbook->steps[s]);
            }
        }
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
        check_calls(snapshot, findings);
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
