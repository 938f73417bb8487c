"""The alert rules and the dashboard, read for tests: what they ask Prometheus, and which metrics there are."""
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "conf" / "prometheus" / "riposte.rules.yml"
DASHBOARD = ROOT / "conf" / "grafana" / "riposte.json"
SUFFIXES = ("_bucket", "_sum", "_count")


def rules():
    """[(name, expression)] of the alert rules, which are written one member a line."""
    found = []
    lines = RULES.read_text().splitlines()
    for number, line in enumerate(lines):
        if match := re.match(r"\s+- alert: (\w+)$", line):
            found.append([match[1], ""])
        elif match := re.match(r"(\s+)expr: (.*)$", line):
            text = match[2]
            if text == "|":
                deeper = (part for part in lines[number + 1:])
                text = ""
                for part in deeper:
                    if not part.startswith(match[1] + "  "):
                        break
                    text += part.strip() + " "
            found[-1][1] = text.strip()
    return [tuple(rule) for rule in found]


def dashboard():
    return json.loads(DASHBOARD.read_text())


def queries():
    """[(panel title, expression)] of the dashboard, as Prometheus takes them."""
    return [(panel["title"], target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*"))
            for panel in dashboard()["panels"] for target in panel.get("targets", [])]


def metrics_of(expression):
    """The metric names in an expression: words before a selector, a range or the end that are no function or label."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"\b(?:riposte|process)_\w+|\bup\b", bare))


def declared():
    """Names of metrics in the sources, with what histograms make of them."""
    names = {"up"}
    for path in sorted((ROOT / "server").rglob("*.c")):
        for block in re.findall(r'\.name = "((?:riposte|process)_\w+)"(.*?)\}', path.read_text(), re.S):
            names.add(block[0])
            if "METRIC_HISTOGRAM" in block[1]:
                names.update(block[0] + suffix for suffix in SUFFIXES)
    return names
