# Makes riposte-rules(5), in the macros of man(7), of docs/RULES.md: headings, paragraphs, lists, tables (a first column
# of names, then what they mean), blocks of code, `code` and **bold**.
# usage: awk -v version=0.1.0 -v date=2026-11-24 -f manual.awk docs/RULES.md

BEGIN {
    LINE_BYTES = 78
    print ".TH RIPOSTE\\-RULES 5 " date " \"riposte " version "\" \"Riposte\""
    print ".nh\n.ad l"
    print ".SH NAME\nriposte\\-rules \\- rules, playbooks, guard and undo of riposte"
}

# What troff would take for its own.
function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    gsub(/\^/, "\\(ha", text)
    gsub(/~/, "\\(ti", text)
    return text
}

# `code` and **bold** become bold; a mark without its end stays.
function marked(text,    out, mark, at, rest, end) {
    out = ""
    while ((at = match(text, /`|\*\*/)) > 0) {
        mark = substr(text, at, RLENGTH)
        rest = substr(text, at + RLENGTH)
        end = index(rest, mark)
        if (end == 0) {
            break
        }
        out = out escaped(substr(text, 1, at - 1)) "\\fB" escaped(substr(rest, 1, end - 1)) "\\&\\fR"
        text = substr(rest, end + length(mark))
    }
    return out escaped(text)
}

function put(line) {
    print line ~ /^[.]/ ? "\\&" line : line
}

function fill(text,    words, count, line, i) {
    count = split(marked(text), words, " ")
    line = words[1]
    for (i = 2; i <= count; i++) {
        if (length(line) + 1 + length(words[i]) > LINE_BYTES) {
            put(line)
            line = words[i]
        } else {
            line = line " " words[i]
        }
    }
    if (count > 0) {
        put(line)
    }
}

# A paragraph or the item of a list is gathered until something else begins.
function flush() {
    if (gathered != "") {
        if (start != ".PP" || !after_heading) {
            print start
        }
        fill(gathered)
        after_heading = 0
    }
    gathered = ""
}

function begin(request, text) {
    flush()
    start = request
    gathered = text
}

function heading(request, text) {
    flush()
    print request " " escaped(text)
    after_heading = 1
}

function table_row(line,    cells, count, i) {
    gsub(/\\\|/, "\001", line)
    sub(/^\|[ ]*/, "", line)
    sub(/[ ]*\|[ ]*$/, "", line)
    count = split(line, cells, /[ ]*\|[ ]*/)
    for (i = 1; i <= count; i++) {
        gsub(/\001/, "|", cells[i])
    }
    if (!in_table) {
        for (i = 1; i <= count; i++) {
            heads[i] = cells[i]
        }
        in_table = 1
        after_heading = 0
        return
    }
    print ".TP"
    fill(cells[1])
    for (i = 2; i <= count; i++) {
        if (i > 2) {
            print ".br"
        }
        fill(count > 2 ? heads[i] ": " cells[i] : cells[i] == "" ? "as its name says" : cells[i])
    }
}

/^```/ {
    flush()
    in_code = !in_code
    print in_code ? (after_heading ? "" : ".PP\n") ".RS 2\n.nf" : ".fi\n.RE"
    after_heading = 0
    next
}
in_code { put(escaped($0)); next }
/^\|[-| ]*$/ { next } # under a table's head
/^\|/ { flush(); table_row($0); next }
{ in_table = 0 }
/^# / { next }
/^## / { heading(".SH", toupper(substr($0, 4))); next }
/^### / { heading(".SS", substr($0, 5)); next }
/^- / { begin(".IP \\(bu 2", substr($0, 3)); next }
/^[0-9]+[.] / { begin(".IP " $1 " 3", substr($0, length($1) + 2)); next }
/^[ ]*$/ { flush(); next }
gathered == "" { begin(".PP", $0); next }
{ gathered = gathered " " $0 }

END {
    flush()
    print ".SH SEE ALSO\n.BR riposte (1),\n.BR riposte.json (5)"
}
