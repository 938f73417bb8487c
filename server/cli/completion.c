#include "riposte/cli/completion.h"

#include "riposte/cli/usage.h"

/* ---- what the table offers ---- */

/* An option, a word or an operand, where it is named first. */
static bool is_offered(const struct command *command, const struct usage_word *offered) {
    if (offered->kind == USAGE_VALUE) {
        return false;
    }
    struct usage usage = usage_of(command->arguments);
    struct usage_word word;
    while (usage_next(&usage, &word) && word.text.data != offered->text.data) {
        if (word.kind == offered->kind && text_equal(word.text, offered->text)) {
            return false;
        }
    }
    return true;
}

static void append_names(const struct command *commands, size_t count, struct buffer *out) {
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(out, " %s", commands[i].name);
    }
}

/* " show --all": words that may stand after the command; names of commands for COMMAND. */
static void append_words(const struct command *command, const struct command *commands,
                         size_t count, bool with_options, struct buffer *out) {
    struct usage usage = usage_of(command->arguments);
    struct usage_word word;
    while (usage_next(&usage, &word)) {
        if (!is_offered(command, &word) || (word.kind == USAGE_OPTION && !with_options)) {
            continue;
        }
        if (word.kind != USAGE_OPERAND) {
            buffer_append_format(out, " %.*s", TEXT_ARG(word.text));
        } else if (text_equal_string(word.text, "COMMAND")) {
            append_names(commands, count, out);
        }
    }
}

/* The values of an option that are words; the first placeholder, or empty. */
static struct text append_values(const struct command *command, struct text option,
                                 struct buffer *out) {
    struct usage usage = usage_of(command->arguments);
    struct usage_word word;
    struct text placeholder = TEXT("");
    while (usage_next(&usage, &word)) {
        if (word.kind != USAGE_VALUE || !text_equal(word.option, option)) {
            continue;
        }
        if (!usage_is_placeholder(word.text)) {
            buffer_append_format(out, " %.*s", TEXT_ARG(word.text));
        } else if (placeholder.bytes == 0) {
            placeholder = word.text;
        }
    }
    return placeholder;
}

/* ---- bash ---- */

static void append_bash_option(const struct command *command, struct text option,
                               struct buffer *out) {
    scoped(buffer_done) struct buffer values = BUFFER_INIT;
    struct text placeholder = append_values(command, option, &values);
    if (placeholder.bytes > 0 || values.bytes > 0) {
        buffer_append_format(out, "        %s:%.*s) words=\"%s\" ;;\n", command->name,
                             TEXT_ARG(option), buffer_string(&values));
    }
}

static void append_bash_command(const struct command *command, const struct command *commands,
                                size_t count, struct buffer *out) {
    struct usage usage = usage_of(command->arguments);
    struct usage_word word;
    while (usage_next(&usage, &word)) {
        if (word.kind == USAGE_OPTION && is_offered(command, &word)) {
            append_bash_option(command, word.text, out);
        }
    }
    scoped(buffer_done) struct buffer words = BUFFER_INIT;
    append_words(command, commands, count, true, &words);
    buffer_append_format(out, "        %s:*) words=\"%s\" ;;\n", command->name,
                         buffer_string(&words));
}

void completion_bash(const struct command *commands, size_t count, struct buffer *out) {
    buffer_append_string(out,
                         "# Completion of riposte for bash, by `riposte help completion bash`.\n"
                         "_riposte()\n"
                         "{\n"
                         "    local words\n"
                         "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
                         "        words=\"");
    append_names(commands, count, out);
    buffer_append_string(out, "\"\n"
                              "    else\n"
                              "        case ${COMP_WORDS[1]}:${COMP_WORDS[COMP_CWORD - 1]} in\n");
    for (size_t i = 0; i < count; i++) {
        append_bash_command(&commands[i], commands, count, out);
    }
    buffer_append_string(
        out,
        "        esac\n"
        "    fi\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
        "}\n"
        "complete -o default -F _riposte riposte\n");
}

/* ---- zsh ---- */

/* Inside single quotes; `escaped`: a character that the reader of the text takes for its own. */
static void append_zsh_text(struct buffer *out, struct text text, char escaped) {
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] == '\'') {
            buffer_append_string(out, "'\\'"); /* and the quote itself begins anew */
        } else if (text.data[i] == escaped) {
            buffer_append_char(out, '\\');
        }
        buffer_append_char(out, text.data[i]);
    }
}

/* " '-c:FILE:_files'", " '--yes'" */
static void append_zsh_option(const struct command *command, struct text option,
                              struct buffer *out) {
    scoped(buffer_done) struct buffer values = BUFFER_INIT;
    struct text placeholder = append_values(command, option, &values);
    buffer_append_format(out, " '%.*s", TEXT_ARG(option));
    if (placeholder.bytes > 0 || values.bytes > 0) {
        buffer_append_char(out, ':');
        append_zsh_text(out, placeholder.bytes > 0 ? placeholder : TEXT("word"), ':');
        if (text_starts_with(placeholder, TEXT("FILE"))) {
            buffer_append_string(out, ":_files");
        } else {
            buffer_append_format(out, ":(%s )", buffer_string(&values));
        }
    }
    buffer_append_char(out, '\'');
}

static void append_zsh_command(const struct command *command, const struct command *commands,
                               size_t count, struct buffer *out) {
    buffer_append_format(out, "    %s) _arguments", command->name);
    struct usage usage = usage_of(command->arguments);
    struct usage_word word;
    while (usage_next(&usage, &word)) {
        if (word.kind == USAGE_OPTION && is_offered(command, &word)) {
            append_zsh_option(command, word.text, out);
        }
    }
    buffer_append_string(out, " '*:operand: _riposte_operand");
    append_words(command, commands, count, false, out);
    buffer_append_string(out, "' ;;\n");
}

void completion_zsh(const struct command *commands, size_t count, struct buffer *out) {
    buffer_append_string(out, "#compdef riposte\n"
                              "# Completion of riposte for zsh, by `riposte help completion zsh`.\n"
                              "_riposte_operand() {\n"
                              "    compadd -- \"$@\"\n"
                              "    _files\n"
                              "}\n"
                              "_riposte() {\n"
                              "    local -a commands=(\n");
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(out, "        '%s:", commands[i].name);
        append_zsh_text(out, text_of(commands[i].summary), '\\');
        buffer_append_string(out, "'\n");
    }
    buffer_append_string(out, "    )\n"
                              "    if (( CURRENT == 2 )); then\n"
                              "        _describe command commands\n"
                              "        return\n"
                              "    fi\n"
                              "    shift words\n"
                              "    (( CURRENT -= 1 ))\n"
                              "    case ${words[1]} in\n");
    for (size_t i = 0; i < count; i++) {
        append_zsh_command(&commands[i], commands, count, out);
    }
    buffer_append_string(out, "    esac\n"
                              "}\n"
                              "if [[ ${funcstack[1]} = _riposte ]]; then _riposte \"$@\"; "
                              "else compdef _riposte riposte; fi\n");
}
