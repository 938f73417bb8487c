"""`riposte match` says why, and `riposte bench` counts.

usage: match_test.py RIPOSTE
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RIPOSTE = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build" / "release" / "riposte")
BENCH_NUMBERS = {"events", "bytes", "matches_per_pass", "cpu_seconds", "compile_seconds",
                 "memory_bytes"}


def run(*arguments, given=""):
    done = subprocess.run([RIPOSTE, *map(str, arguments)], input=given, capture_output=True,
                          text=True, timeout=60, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


class InFolder(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)

    def put(self, name, *documents):
        path = self.folder / name
        path.write_text("\n".join(map(json.dumps, documents)))
        return path


class Match(InFolder):
    def why(self, pattern, event):
        code, out, err = run("match", json.dumps(pattern), json.dumps(event))
        self.assertEqual(err, "")
        verdict, *lines = out.splitlines()
        self.assertEqual((code, verdict), (0, "match") if code == 0 else (1, "no match"))
        return [code, *[line.strip() for line in lines]]

    def test_the_leaf_that_decided(self):
        pattern = {"a": {"b": [1, {"prefix": "x"}]}, "z": [{"exists": False}]}
        cases = [
            (pattern, {"a": {"b": ["q", "xy"]}},
             [0, 'a.b: "xy" passes {"prefix":"x"}', 'z: absent, as {"exists":false} asks']),
            (pattern, {"a": {"b": [1.0]}}, [0, "a.b: 1.0 passes 1",
                                            'z: absent, as {"exists":false} asks']),
            (pattern, {"a": {"b": "q"}}, [1, 'a.b: "q"; wanted [1,{"prefix":"x"}]']),
            (pattern, {"a": {}}, [1, 'a.b: no value in the event; wanted [1,{"prefix":"x"}]']),
        ]
        for given, event, expected in cases:
            with self.subTest(event=event):
                self.assertEqual(self.why(given, event), expected)

    def test_no_match_is_explained_branch_by_branch(self):
        pattern = {"$or": [{"c": [1]}, {"d": ["q"]}]}
        self.assertEqual(self.why(pattern, {"c": 3}),
                         [1, "branch 1 of 2: c: 3; wanted [1]",
                          'branch 2 of 2: d: no value in the event; wanted ["q"]'])

    def test_values_in_different_elements(self):
        lines = self.why({"k": {"a": [1], "b": [2]}}, {"k": [{"a": 1}, {"b": 2}]})
        self.assertEqual(lines[0], 1)
        self.assertIn("k.b", lines[1])

    def test_files_and_standard_input(self):
        pattern, event = self.put("pattern.json", {"a": [1]}), self.put("event.json", {"a": 1})
        self.assertEqual(run("match", pattern, event)[0], 0)
        self.assertEqual(run("match", "-", event, given='{"a":[2]}')[0], 1)
        self.assertEqual(run("match", pattern, "-", given='{"a":1}')[0], 0)

    def test_what_is_invalid_says_where(self):
        pattern = self.put("pattern.json", {"a": [{"prefix": 1}]})
        event = self.folder / "event.json"
        event.write_text('{"a":1,}')
        indented, fed = self.folder / "indented.json", self.folder / "fed.json"
        indented.write_text('\n\n  {"a":[]}')
        fed.write_text('\f{"a":[1]}')
        missing = self.folder / "missing.json"
        cases = [
            ((pattern, "{}"), f"riposte match: {pattern}: byte 18: a: prefix match pattern must"),
            ((indented, "{}"), f"riposte match: {indented}: byte 9: a: empty arrays"),
            ((fed, "{}"), f"riposte match: {fed}: byte 0: line 1, column 1: a value"),
            (('{"a":[]}', "{}"), "riposte match: pattern: byte 5: a: empty arrays"),
            (('{"a":[1]}', event), f"riposte match: {event}: line 1, column 8: a comma"),
            (('{"a":[1]}', '{"a":'), "riposte match: event: line 1, column 6: the text ends"),
            ((missing, "{}"), f"riposte match: {missing}: No such file or directory\n"),
            (('{"a":[1]}', missing), f"riposte match: {missing}: No such file or directory\n"),
            (("--vectors", missing), f"riposte match: {missing}: No such file or directory\n"),
        ]
        for arguments, text in cases:
            with self.subTest(text=text):
                code, out, err = run("match", *arguments)
                self.assertEqual((code, out), (2, ""))
                self.assertTrue(err.startswith(text), err)
        self.assertEqual(run("match", "{}")[0], 2)

    def test_vectors(self):
        path = ROOT / "tests" / "data" / "vectors" / "patterns.jsonl"
        expected = "".join(f"{vector['id']}\t{vector['expect']}\n"
                           for vector in map(json.loads, path.read_text().splitlines()))
        code, out, err = run("match", "--vectors", path)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, expected)

    def test_vectors_that_are_none(self):
        path = self.put("vectors.jsonl", {"id": "1", "pattern": {"a": [1]}, "event": {"a": 1}},
                        {"id": "2", "pattern": {"a": [1]}},
                        {"id": "3", "pattern": {"a": 1}, "event": {}})
        code, out, err = run("match", "--vectors", path)
        self.assertEqual((code, out), (2, "1\tmatch\n3\tinvalid\n"))
        self.assertIn("line 2 has no id, pattern or event", err)


class Bench(InFolder):
    def bench(self, *rules):
        events = self.put("events.jsonl", {"a": 1}, {"a": 2}, {"a": 1, "b": 2})
        code, out, err = run("bench", "--rules", *rules, "--events", events, "--seconds", "0.05",
                             "--json")
        self.assertEqual((code, err), (0, ""))
        return json.loads(out)

    def test_numbers(self):
        rules = self.put("rules.json", [{"name": "x", "pattern": {"a": [1]}},
                                        {"name": "y", "pattern": {"b": [2]}}])
        numbers = self.bench(rules)
        self.assertEqual(set(numbers), BENCH_NUMBERS)
        self.assertEqual(numbers["matches_per_pass"], 3)
        self.assertEqual(numbers["events"] % 3, 0)
        self.assertGreaterEqual(numbers["cpu_seconds"], 0.05)
        self.assertGreater(numbers["memory_bytes"], 0)
        per_pass = sum(len(json.dumps(event)) for event in ({"a": 1}, {"a": 2}, {"a": 1, "b": 2}))
        self.assertEqual(numbers["bytes"], numbers["events"] // 3 * per_pass)

    def test_a_folder_of_rules(self):
        folder = self.folder / "rules"
        folder.mkdir()
        for number in (1, 2):
            rule = {"name": f"r{number}", "pattern": {"a": [number]}, "respond": []}
            (folder / f"r{number}.json").write_text("// a comment\n" + json.dumps(rule))
        self.assertEqual(self.bench(folder)["matches_per_pass"], 3)

    def test_for_people(self):
        rules = self.put("rules.json", [{"name": "x", "pattern": {"a": [1]}}])
        events = self.put("events.jsonl", {"a": 1})
        code, out, err = run("bench", "--rules", rules, "--events", events, "--seconds", "0.02")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("events", out)

    def test_what_is_wrong(self):
        rules = self.put("rules.json", [{"name": "x", "pattern": {"a": 1}}])
        events = self.put("events.jsonl", {"a": 1})
        missing = self.folder / "missing"
        for arguments, text in (
                (("--rules", rules, "--events", events), "rule x: byte"),
                (("--rules", missing, "--events", events), "No such file"),
                (("--rules", rules), "usage"),
                (("--rules", rules, "--events", events, "--seconds", "0"), "usage")):
            with self.subTest(text=text):
                code, _, err = run("bench", *arguments)
                self.assertEqual(code, 2)
                self.assertIn(text, err)


if __name__ == "__main__":
    unittest.main()
