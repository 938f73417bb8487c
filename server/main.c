/* riposte: a table of subcommands and a call. */
#include "riposte/cli/audit.h"
#include "riposte/cli/backtest.h"
#include "riposte/cli/bench.h"
#include "riposte/cli/check.h"
#include "riposte/cli/command.h"
#include "riposte/cli/drill.h"
#include "riposte/cli/events.h"
#include "riposte/cli/export.h"
#include "riposte/cli/health.h"
#include "riposte/cli/help.h"
#include "riposte/cli/incidents.h"
#include "riposte/cli/journal.h"
#include "riposte/cli/match.h"
#include "riposte/cli/options.h"
#include "riposte/cli/orphans.h"
#include "riposte/cli/plan.h"
#include "riposte/cli/redrive.h"
#include "riposte/cli/reload.h"
#include "riposte/cli/rules.h"
#include "riposte/cli/send.h"
#include "riposte/cli/status.h"
#include "riposte/daemon/daemon.h"

#include <stddef.h>
#include <string.h>

static command_fn help;

static const struct command commands[] = {
    {"serve", daemon_serve, "[-c FILE] [--no-sandbox]", "runs the server",
     "Gives up what it never needs (files are written in the journal's folder only, no programs "
     "are\n"
     "started, nobody reads its memory); --no-sandbox keeps it, for debuggers.\n"
     "Ends cleanly on SIGTERM and SIGINT. SIGHUP reloads, see 'riposte help reload'."},
    {"check", cli_check, "[-c FILE]",
     "validates settings, rules, playbooks; runs every rule's tests",
     "Prints all findings as file:line:column: what. Exit 0: good, 1: findings."},
    {"match", cli_match, "PATTERN EVENT | --vectors FILE",
     "does this pattern match this event, and why?",
     "'-' is standard input. Exit 0: match, 1: no match, 2: invalid.\n"
     "--vectors: JSON lines {\"id\",\"pattern\",\"event\"}; prints id<TAB>match|nomatch|invalid."},
    {"plan", cli_plan, "EVENT [-c FILE] [--json]",
     "which rules match, why, and every call that would be made; sends nothing",
     "Exit 0: something to do, 1: nothing, 2: invalid."},
    {"backtest", cli_backtest, "FILE-OR-DIR... [-c FILE] [--json]",
     "what the rules would have done about the past: reads CloudTrail's log files",
     "{\"Records\": [...]}, JSON lines or events, gzip or not; '-' is standard input. Says per "
     "rule\n"
     "and principal how often, when and what, and whom to look at before anyone enforces. Exit 0."},
    {"send", cli_send, "EVENT... [-c FILE] [--url URL] [--ca-file FILE] [--fresh] [--json]",
     "posts events to a running server with the secret",
     "--fresh: new ids and the present time. The secret is the first of authenticate.secrets that "
     "is\n"
     "set. A certificate on loopback isn't checked, elsewhere it is. Exit 0: all accepted."},
    {"redrive", cli_redrive, "QUEUE-URL [-c FILE] [--url URL] [--ca-file FILE]",
     "brings the events of a dead-letter queue to a running server",
     "A message is deleted after the server has answered 2xx; what is no event stays. Uses the\n"
     "credentials that serve would (sqs:ReceiveMessage, sqs:DeleteMessage). Exit 0: all were "
     "taken."},
    {"drill", cli_drill,
     "[--canary] [--wait TIME] [-c FILE] [--url URL] [--admin-url URL] [--token REFERENCE] "
     "[--ca-file FILE] [--json]",
     "follows a marked event through the chain: does it work, and how long does each leg take?",
     "The admin API gives a nonce, the event with it is posted with the secret, and its way is\n"
     "told: sent, received, matched, committed, planned, called. It locks nobody out, whatever\n"
     "the mode: its plan is sts:GetCallerIdentity, which observe does not call. --canary waits "
     "for\n"
     "the canary's next write instead (15m), and tells when CloudTrail logged it too. Needs a "
     "token\n"
     "that may operate. Exit 0: the chain works, 1: it broke, and what to check there."},
    {"incidents", cli_incidents,
     "[list [--state STATE,...] [--rule NAME] [--severity SEVERITY] [--account ID] "
     "[--principal ID-OR-NAME]\n"
     "[--since TIME] [--until TIME] [--limit N] [--cursor CURSOR] [--all] | show ID | approve ID "
     "[--override protected] | dismiss ID |\n"
     "undo ID|--all [--yes] [--resources]]\n"
     "[-c FILE] [--url URL] [--token REFERENCE] [--ca-file FILE] [--json]",
     "lists, shows, approves, dismisses and undoes incidents through the admin API",
     "--token takes env:NAME, file:PATH or secretsmanager:ARN, never the token itself. "
     "list\n"
     "shows the newest 50, and the --cursor of the next page; a TIME is 2026-03-02T09:30:00Z, or "
     "how long\n"
     "ago: 2h. undo shows "
     "what it would take back, --all of every incident; --yes does it, --resources takes "
     "restorations\n"
     "back too. approve asks again whether it is so, and\n"
     "acts on a held incident whatever its age, limits and the mode approve say; a protected "
     "principal\n"
     "needs --override protected. dismiss ends a held incident without doing anything."},
    {"export", cli_export,
     "iam-policy [--account ID | member] | event-pattern | schema [settings | rule | playbook] "
     "[-c FILE]",
     "what AWS and editors need to know of the files that are loaded",
     "iam-policy: the least policy of the role that the server runs as; with --account, of that\n"
     "which it becomes in an account of aws.accounts, or one that does in each of them. A step\n"
     "that names its account counts there alone. event-pattern: EventBridge rules (name, state,\n"
     "pattern of at most 2,048 characters) that deliver what the rules need. schema: JSON Schemas\n"
     "(2020-12) of the files."},
    {"bench", cli_bench, "--rules FILE-OR-DIR --events FILE [--seconds N] [--json]",
     "scan + match rate on one core", NULL},
    {"health", cli_health, "[-c FILE] [--ca-file FILE] [--wait TIME]",
     "asks the local server's /readyz: for a container without a shell",
     "--wait 10s: asks again until it is ready. Exit 0: ready, 1: not."},
    {"audit", cli_audit,
     "verify [--anchor SEQUENCE:HASH | --anchor FILE] | export [--format lines | ocsf]\n"
     "[-c FILE] [--journal FILE | --lines FILE] [--url URL] [--token REFERENCE] [--ca-file FILE]",
     "verifies the audit chain, or prints it as JSON lines",
     "Each line carries the hash of the one before: verify computes them anew, names the first "
     "that\n"
     "is broken, and prints the end of the chain, which, noted elsewhere, is the --anchor of the "
     "next\n"
     "time: a chain that was cut or written anew doesn't hold it. A FILE of anchors is any text "
     "with "
     "some in\n"
     "it: the server's log, what it put into S3. --journal reads the file when no server runs, "
     "--lines\n"
     "what was exported. export: JSON lines as verify takes them, or as OCSF 1.3.0 events for a "
     "SIEM.\n"
     "Exit 0: intact, 1: broken."},
    {"journal", cli_journal,
     "check [FILE] | backup FILE | renew [--yes]\n"
     "[-c FILE] [--journal FILE] [--url URL] [--token REFERENCE] [--ca-file FILE]",
     "checks the store, copies it while the server runs, begins a new one",
     "check: pages, indexes, the audit chain, and what must hold between rows; of a running server "
     "it\n"
     "checks a copy, so that nobody waits. backup: FILE is complete and on the disk, or not there; "
     "it\n"
     "can be put in place as a journal. renew: a damaged journal is set aside, what can be read of "
     "its\n"
     "audit chain beside it, and a new one begins, whose chain names the end of the old; without "
     "--yes it\n"
     "says what is wrong. Then 'riposte orphans' finds the denies that the new one doesn't know. "
     "--journal\n"
     "names the file when no server runs. Exit 0: intact, done; 1: broken, not done."},
    {"orphans", cli_orphans,
     "[--adopt | --release] [--yes] [INCIDENT...]\n"
     "[-c FILE] [--url URL] [--token REFERENCE] [--ca-file FILE] [--json]",
     "lists our denies in all accounts that no incident in the journal knows",
     "After a journal was lost. Looks at the inline policies of all users and roles\n"
     "(iam:GetAccountAuthorizationDetails) for names 'riposte-...' and our Sid. --adopt makes an "
     "incident of "
     "each,\n"
     "which 'riposte incidents undo' takes back; --release adopts and takes back. Without --yes it "
     "only\n"
     "shows; INCIDENTs, as listed, name some of them. Exit 0: done, 1: not, or not all."},
    {"reload", cli_reload, "[-c FILE] [--url URL] [--token REFERENCE] [--ca-file FILE] [--json]",
     "has the running server read settings, rules, playbooks, secrets and certificate anew",
     "All or nothing: a wrong file leaves the old ones in force, and so does a change of listen,\n"
     "admin, journal or workers, which needs a restart. SIGHUP does the same. Exit 0: done, 1: "
     "not."},
    {"status", cli_status,
     "[--watch] [-c FILE] [--url URL] [--token REFERENCE] [--ca-file FILE] [--json]",
     "how the server is: mode, journal, tasks, workers, lanes, incidents, what ends when",
     "--watch: again every two seconds, with the latest incidents, when it prints to a terminal. "
     "Exit 0:\n"
     "ready, 1: not."},
    {"rules", cli_rules,
     "[NAME] [-c FILE] [--url URL] [--token REFERENCE] [--ca-file FILE] [--json]",
     "the rules in force, and how often each fired",
     "Of the incidents that are kept. With a NAME also what the rule does, and its tests as they "
     "come\n"
     "out now. Exit 0: they pass, 1: not."},
    {"events", cli_events,
     "[recent] [--limit N] [--outcome OUTCOME]\n"
     "[-c FILE] [--url URL] [--token REFERENCE] [--ca-file FILE] [--json]",
     "the last events that came in, also those that matched nothing",
     "The newest first, 50 of at most 256. Outcomes: matched, no-match, known, ..."},
    {"version", cli_version, "", "prints the version", NULL},
    {"help", help, "[COMMAND | settings | templates | man [riposte.json] | completion bash|zsh]",
     "says more about a command, or all settings",
     "man prints riposte(1) or riposte.json(5), completion a script for the shell: both made of "
     "the "
     "table\nof commands and that of settings, so that they tell of all that is there."},
};

static int help(int argc, char **argv) {
    return cli_help(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}

int main(int argc, char **argv) {
    const char *name = argc < 2 ? "help" : argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return commands[i].run_fn(argc < 2 ? 1 : argc - 1, argc < 2 ? argv : argv + 1);
        }
    }
    return cli_fail(name, "there is no such command; 'riposte help' lists them");
}
