"""The reference pages, made of what the program says of itself: its help, its schemas, its API's description, its metrics.

usage: python3 docs/generate.py RIPOSTE [FOLDER]        (default: docs/reference)
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MADE = "Made by `docs/generate.py` of the program itself: don't edit.\n"
METRIC = re.compile(r'\{\s*\.name = "((?:riposte|process)_\w+)"(.*?)\}\s*[,;]', re.S)


def page(title, *parts):
    return "\n".join((f"# {title}\n", MADE, *parts)).rstrip() + "\n"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]) + "\n"


def settings(riposte):
    introduction, *entries = riposte("help", "settings").split("\n\n", 1)
    rows = []
    for found in re.finditer(r"^(\S+) \(([^)]+)\)\n    (.*?)\n    default (.*?)(?:; variable (\S+))?$", entries[0], re.M | re.S):
        key, kind, means, default, variable = found.groups()
        rows.append((f"`{key}`", kind, f"`{default}`", f"`{variable}`" if variable else "", " ".join(means.split())))
    return page("Settings", introduction + "\n", table(("key", "type", "default", "variable", "means"), rows))


def commands(riposte):
    names = re.findall(r"^  (\w+) ", riposte("help"), re.M)
    parts = ["Every command says the same by `riposte help COMMAND`.\n"]
    for name in names:
        parts += [f"## {name}\n", "```text", riposte("help", name).rstrip(), "```\n"]
    return page("Commands", *parts)


def kind_of(schema):
    """A type in few words."""
    if "$ref" in schema:
        name = schema["$ref"].split("/")[-1]
        return f"[{name}](#{name})"
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(kind_of(one) for one in schema[choice])
    kind = schema.get("type", "any")
    if kind == "array" and schema.get("items"):
        return "list of " + kind_of(schema["items"])
    if kind == "string" and "(ms|s|m|h|d)" in schema.get("pattern", ""):
        return "duration"
    if kind == "integer" and "minimum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}" if "maximum" in schema else f"from {schema['minimum']}"
    return " or ".join(kind) if isinstance(kind, list) else kind


def form(riposte, title, name, words):
    definitions = json.loads(riposte("export", "schema", name))["$defs"]
    parts = [words]
    for one in sorted(definitions, key=lambda found: (found != name, found)):
        schema = definitions[one]
        parts.append(f"## {one}\n")
        if "properties" not in schema:
            parts.append(f"{kind_of(schema)}\n" if one != "pattern" else "An EventBridge pattern: [PATTERNS.md](../PATTERNS.md).\n")
            continue
        required = schema.get("required", ())
        parts.append(table(("member", "is", ""), [
            (f"`{key}`", kind_of(value), "needed" if key in required else "")
            for key, value in schema["properties"].items()]))
    return page(title, *parts)


def http(_):
    described = json.loads((ROOT / "server" / "operate" / "openapi.json").read_text())
    rows = []
    for path, methods in described["paths"].items():
        for method, said in methods.items():
            if method not in ("get", "post", "put", "delete"):
                continue
            asked = [one.get("name") or one["$ref"].split("/")[-1].lower() for one in said.get("parameters", ())]
            rows.append((f"`{method.upper()} {path}`", said.get("summary", ""), ", ".join(f"`{one}`" for one in asked),
                         " ".join(sorted(said["responses"]))))
    return page("HTTP", "Events come in at `POST /events` (`listen.path`) of the intake listener, with the secret in the header that"
                " `authenticate.header` names:\nwhat is answered when is in [DESIGN.md](../DESIGN.md#http). All below is the admin"
                " listener's, with `Authorization: Bearer TOKEN`;\n`GET /v1/openapi.json` describes it in full.\n",
                table(("request", "is", "parameters", "answers"), rows))


def metrics(_):
    rows = {}
    for path in sorted((ROOT / "server").rglob("*.c")):
        for name, rest in METRIC.findall(path.read_text()):
            said = re.search(r"\.help =\s*((?:\"(?:\\.|[^\"\\])*\"\s*)+)", rest)
            labels = re.search(r"\.labels = \{([^}]*)", rest + "}")
            kind = re.search(r"\.type = METRIC_(\w+)", rest)
            means = "".join(re.findall(r'"((?:\\.|[^"\\])*)"', said[1])) if said else ""
            rows[name] = (f"`{name}`", kind[1].lower() if kind else "", ", ".join(
                f"`{one}`" for one in re.findall(r'"(\w+)"', labels[1])) if labels else "", means.replace('\\"', '"'))
    return page("Metrics", "`GET /metrics` of the admin listener, in Prometheus' text format. What to do about them:"
                " [operations.md](../operations.md).\n",
                table(("name", "type", "labels", "means"), [rows[name] for name in sorted(rows)]))


def pages(binary):
    def riposte(*arguments):
        return subprocess.run([binary, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout
    return {
        "settings.md": settings(riposte),
        "commands.md": commands(riposte),
        "rules.md": form(riposte, "Rules", "rule", "One JSON file each in the folder `rules`. What each member does:"
                         " [RULES.md](../RULES.md#rules); examples: [cookbook.md](../cookbook.md).\n"),
        "playbooks.md": form(riposte, "Playbooks", "playbook", "One JSON file each in the folder `playbooks`. What each member"
                             " does: [RULES.md](../RULES.md#playbooks).\n"),
        "templates.md": page("Templates", "```text", riposte("help", "templates").rstrip(), "```"),
        "http.md": http(riposte),
        "metrics.md": metrics(riposte),
    }


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(sys.argv[1]).items():
        (folder / name).write_text(text)
