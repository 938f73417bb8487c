#!/usr/bin/env python3
"""Writes what riposte exports into the templates and beside the Terraform modules: event patterns and the task role's
policy.

usage: docker/cloudformation/generate.py RIPOSTE [--settings FILE] [--check]

The parts of the templates between "# >>> export NAME" and "# <<<" are replaced, and the files in terraform/exported
written; --check: exit 1 and say where they differ.
Run it after a change of rules or playbooks. Python's standard library only.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXPORTED = HERE.parent / "terraform" / "exported"


def export(binary, settings, what):
    done = subprocess.run([binary, "export", what, "-c", str(settings)], check=True, text=True,
                          capture_output=True)
    return json.loads(done.stdout)


def indented(document, by):
    """JSON, a value a line where it is long: YAML takes it as it is."""
    return "\n".join(" " * by + line for line in json.dumps(document, indent=1).splitlines())


def title(name):
    return "".join(part.capitalize() for part in name.split("-"))


def rules(exported, target, role):
    """A rule resource for each exported one."""
    for rule in exported:
        yield f"""  {title(rule["name"])}Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: !Sub "riposte-${{Environment}}-{rule["name"].removeprefix("riposte-")}"
      Description: Delivers to Riposte what its rules need (riposte export event-pattern)
      State: {rule["state"]}
      EventPattern:
{indented(rule["pattern"], 8)}
      Targets:
        - Id: riposte
          Arn: {target}
          RoleArn: {role}
          RetryPolicy: {{MaximumEventAgeInSeconds: 86400, MaximumRetryAttempts: 185}}
          DeadLetterConfig: {{Arn: !GetAtt DeadLetters.Arn}}
"""


def parts(patterns, policy):
    return {
        "event-pattern": "\n".join(rules(patterns, "!GetAtt ApiDestination.Arn",
                                         "!GetAtt DeliveryRole.Arn")),
        "event-pattern forwarding": "\n".join(rules(patterns, "!Ref HomeEventBusArn",
                                                    "!GetAtt ForwardingRole.Arn")),
        "iam-policy": indented(policy, 12) + "\n",
    }


def filled(text, contents):
    def replace(match):
        return f"{match[1]}{contents[match[2].strip()]}{match[3]}"
    return re.sub(r"(?ms)(^ *# >>> export ([^\n]*)\n).*?(^ *# <<<)", replace, text)


def files(patterns, policy):
    """What every file that carries an export should hold, by its path."""
    contents = parts(patterns, policy)
    yield from ((path, filled(path.read_text(), contents)) for path in sorted(HERE.glob("*.yml")))
    yield EXPORTED / "event-patterns.json", json.dumps(patterns, indent=1) + "\n"
    yield EXPORTED / "iam-policy.json", json.dumps(policy, indent=1) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--settings", default=ROOT / "conf" / "riposte.json")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    is_same = True
    for path, text in files(export(options.binary, options.settings, "event-pattern"),
                            export(options.binary, options.settings, "iam-policy")):
        if path.exists() and path.read_text() == text:
            continue
        if options.check:
            print(f"{path.name}: is not what riposte exports: run {pathlib.Path(__file__).name}")
            is_same = False
        else:
            path.write_text(text)
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
