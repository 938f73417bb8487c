"""Reads as much of Terraform's language as docker/terraform is written in.

read(text) gives blocks as {"resource": [(labels, body), ...]}; a body holds attributes and, in the same way, blocks.
Values: texts, numbers, booleans, lists, objects; what must be computed is an Expression, a text as it stands there.
"""
import re

TOKEN = re.compile(r"""(?P<skip>[ \t]+|\#[^\n]*|//[^\n]*)|(?P<line>\n)|(?P<text>"(?:\\.|\$\{[^}]*\}|[^"\\])*")
                       |(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<mark>=>|==|!=|[^\s])""", re.X)
CLOSERS = {"(": ")", "[": "]", "{": "}"}


class Expression(str):
    """Something to compute."""


class Reader:
    def __init__(self, text):
        self._tokens, place = [], 0
        while place < len(text):
            found = TOKEN.match(text, place)
            if found is None:
                raise ValueError(f"byte {place}: {text[place:place + 20]!r}")
            place = found.end()
            if found.lastgroup != "skip":
                self._tokens.append((found.lastgroup, found.group()))
        self._next = 0

    def _peek(self, ahead=0):
        place = self._next + ahead
        return self._tokens[place] if place < len(self._tokens) else ("end", "")

    def _take(self, expected=None):
        kind, text = self._peek()
        if expected is not None and text != expected:
            raise ValueError(f"{text!r} where {expected!r} belongs")
        self._next += 1
        return kind, text

    def _skip_lines(self):
        while self._peek()[0] == "line" or self._peek()[1] == ",":
            self._take()

    def body(self, end=""):
        found = {}
        self._skip_lines()
        while self._peek()[1] != end:
            name = self._take()[1]
            if self._peek()[1] == "=":
                self._take()
                if name in found:
                    raise ValueError(f"{name} twice")
                found[name] = self.value()
            else:
                labels = []
                while self._peek()[1] != "{":
                    labels.append(self._take()[1].strip('"'))
                self._take("{")
                found.setdefault(name, []).append((tuple(labels), self.body("}")))
                self._take("}")
            self._skip_lines()
        return found

    def value(self):
        start = self._next
        plain = self._plain()
        if plain is not None and (self._peek()[0] in ("line", "end") or self._peek()[1] in (",", "]", "}", ")")):
            return plain
        self._next = start
        return self._expression()

    def _plain(self):
        """A literal, a list, an object, jsonencode() of one; None: something else."""
        kind, text = self._peek()
        if kind == "text":
            return self._take()[1][1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if kind == "number":
            return float(self._take()[1]) if "." in text else int(self._take()[1])
        if text in ("true", "false"):
            return self._take()[1] == "true"
        if text == "jsonencode":
            self._take()
            self._take("(")
            plain = self.value()
            self._take(")")
            return plain
        if text == "[":
            return self._list()
        if text == "{" and not self._is_for():
            return self._object()
        return None

    def _is_for(self):
        ahead = 1
        while self._peek(ahead)[0] == "line":
            ahead += 1
        return self._peek(ahead)[1] == "for"

    def _list(self):
        self._take("[")
        items = []
        self._skip_lines()
        while self._peek()[1] != "]":
            items.append(self.value())
            self._skip_lines()
        self._take("]")
        return items

    def _object(self):
        self._take("{")
        found = {}
        self._skip_lines()
        while self._peek()[1] != "}":
            name = self._take()[1].strip('"')
            self._take("=")
            found[name] = self.value()
            self._skip_lines()
        self._take("}")
        return found

    def _expression(self):
        parts, open_marks = [], []
        while True:
            kind, text = self._peek()
            if kind == "end" or not open_marks and (kind == "line" or text in (",", "]", "}", ")")):
                return Expression(" ".join(parts))
            if text in CLOSERS:
                open_marks.append(CLOSERS[text])
            elif open_marks and text == open_marks[-1]:
                open_marks.pop()
            if kind != "line":
                parts.append(text)
            self._take()


def read(text):
    return Reader(text).body()


def resources(folder):
    """Of a module: {(kind, name): body}."""
    found = {}
    for path in sorted(folder.glob("*.tf")):
        for labels, body in read(path.read_text()).get("resource", []):
            if labels in found:
                raise ValueError(f"{path}: {labels} twice")
            found[labels] = body
    return found


def variables(folder):
    """Of a module: {name: body}."""
    return {labels[0]: body for path in sorted(folder.glob("*.tf"))
            for labels, body in read(path.read_text()).get("variable", [])}
