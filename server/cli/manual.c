#include "riposte/cli/manual.h"

#include "riposte/config/settings.h"

#include <string.h>

#define LINE_BYTES 78 /* of the source; mandoc frowns at more */

static void append_char(struct buffer *out, char c) {
    static const struct {
        char c;
        const char *escape;
    } special[] = {{'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'^', "\\(ha"}, {'~', "\\(ti"}};
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (c == special[i].c) {
            buffer_append_string(out, special[i].escape);
            return;
        }
    }
    buffer_append_char(out, c);
}

/* A word that begins a line may not look like a request. */
static void append_word(struct buffer *out, struct text word) {
    bool begins_line = out->bytes == 0 || out->data[out->bytes - 1] == '\n';
    if (begins_line && text_starts_with(word, TEXT("."))) {
        buffer_append_string(out, "\\&");
    }
    for (size_t i = 0; i < word.bytes; i++) {
        append_char(out, word.data[i]);
    }
}

void manual_append(struct buffer *out, const char *text) {
    struct text rest = text_of(text);
    struct text line;
    while (text_next_part(&rest, '\n', &line)) {
        append_word(out, line);
        buffer_append_char(out, '\n');
    }
}

/* Where the last line of the buffer begins. */
static size_t line_start(const struct buffer *out) {
    size_t at = out->bytes;
    while (at > 0 && out->data[at - 1] != '\n') {
        at--;
    }
    return at;
}

void manual_fill(struct buffer *out, const char *text) {
    while (*text != '\0') {
        size_t bytes = strcspn(text, " \n");
        size_t start = line_start(out);
        size_t end = out->bytes;
        if (end > start) {
            buffer_append_char(out, ' ');
        }
        append_word(out, (struct text){text, bytes});
        if (out->bytes - start > LINE_BYTES && end > start) { /* again, on a line of its own */
            buffer_truncate(out, end);
            buffer_append_char(out, '\n');
            append_word(out, (struct text){text, bytes});
        }
        text += bytes + strspn(text + bytes, " \n");
    }
    buffer_append_char(out, '\n');
}

static void begin(const char *heading, const char *name, const char *what, struct buffer *out) {
    buffer_append_format(out, ".TH %s %s \"riposte %s\" \"Riposte\"\n.nh\n.ad l\n", heading,
                         RIPOSTE_DATE, RIPOSTE_VERSION);
    buffer_append_format(out, ".SH NAME\n%s \\- %s\n", name, what);
}

static void append_command(const struct command *command, struct buffer *out) {
    buffer_append_format(out, ".SS %s\n.nf\n.B riposte %s\n", command->name, command->name);
    if (command->arguments[0] != '\0') {
        buffer_append_string(out, ".RS\n");
        manual_append(out, command->arguments);
        buffer_append_string(out, ".RE\n");
    }
    buffer_append_string(out, ".fi\n.PP\n");
    manual_fill(out, command->summary);
    if (command->details != NULL) {
        buffer_append_string(out, ".PP\n");
        manual_fill(out, command->details);
    }
}

static const char commands_end[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone; good; a match\n"
    ".TP\n.B 1\nnot done; findings; no match; not ready; refused\n"
    ".TP\n.B 2\nthe command line or a file could not be read\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B RIPOSTE_SECRET\nwhat events must carry, unless the settings name another place\n"
    ".TP\n.B RIPOSTE_ADMIN_TOKEN\nwhat operators must carry, likewise\n"
    ".PP\nMost settings have a variable of their own, see\n.BR riposte.json (5).\n"
    "Credentials for AWS are looked for as the AWS command line does.\n"
    ".SH FILES\n"
    ".TP\n.I /etc/riposte/riposte.json\nsettings, see\n.BR riposte.json (5)\n"
    ".TP\n.IR /etc/riposte/rules/ \", \" /etc/riposte/playbooks/\nsee\n.BR riposte\\-rules (5)\n"
    ".TP\n.I /etc/riposte/environment\nsecrets, for the systemd unit\n"
    ".TP\n.I /var/lib/riposte/journal.db\nthe journal\n"
    ".SH SEE ALSO\n.BR riposte.json (5),\n.BR riposte\\-rules (5)\n";

void manual_commands(const struct command *commands, size_t count, struct buffer *out) {
    begin("RIPOSTE 1", "riposte", "a self\\-defending cloud", out);
    buffer_append_string(out, ".SH SYNOPSIS\n.B riposte\n.I COMMAND\n.RI [ ARGUMENTS ]\n"
                              ".SH DESCRIPTION\n");
    manual_fill(out,
                "Riposte takes CloudTrail events that Amazon EventBridge pushes to it, matches "
                "them against rules, locks attackers out and restores what they disabled by "
                "signed AWS calls. One program is the server and its command line.");
    buffer_append_string(out, ".SH COMMANDS\n");
    for (size_t i = 0; i < count; i++) {
        append_command(&commands[i], out);
    }
    buffer_append_string(out, commands_end);
}

static void append_setting(const struct setting *setting, struct buffer *out) {
    buffer_append_format(out, ".TP\n.BR \"%s\" \" (%s)\"\n", setting->path, setting->type);
    manual_fill(out, setting->means);
    buffer_append_string(out, ".br\nDefault:\n");
    manual_fill(out, setting->fallback);
    if (setting->variable[0] != '\0') {
        buffer_append_format(out, ".br\nVariable: %s\n", setting->variable);
    }
}

void manual_settings(struct buffer *out) {
    begin("RIPOSTE.JSON 5", "riposte.json", "the settings of riposte", out);
    buffer_append_string(out, ".SH DESCRIPTION\n");
    manual_fill(out, settings_preface);
    buffer_append_string(
        out, ".SH SETTINGS\nA dot stands for an object in an object: \\(dqlisten.port\\(dq is\n"
             ".IR \"port\" \" in \" \"listen\" .\n");
    struct setting setting;
    for (size_t i = 0; settings_describe(i, &setting); i++) {
        append_setting(&setting, out);
    }
    buffer_append_string(out, ".SH FILES\n.I /etc/riposte/riposte.json\n"
                              ".SH SEE ALSO\n.BR riposte (1),\n.BR riposte\\-rules (5)\n");
}
