"""The admin API's description and its table of routes say the same: neither has what the other lacks."""
import json
import pathlib
import re
import unittest

OPERATE = pathlib.Path(__file__).resolve().parents[2] / "server" / "operate"
ROW = re.compile(r'{"(GET|POST)", ((?:ROUTE_\w+|"[^"]*"| )+), [^}]*?(gate_\w+|NULL), handle_\w+}')
GATES = {"view": "gate_view", "operate": "gate_operate", None: "NULL"}
OURS = ("/v1/", "/metrics", "/healthz", "/readyz")  # the rest are pages


def routes():
    """{(method, path): gate} of routes.c."""
    names = dict(re.findall(r'#define (ROUTE_\w+)\s+"([^"]+)"', (OPERATE / "routes.h").read_text()))
    found = {}
    for method, path, gate in ROW.findall((OPERATE / "routes.c").read_text()):
        text = "".join(names.get(part, part.strip('"')) for part in path.split())
        if text.startswith(OURS):
            found[method.lower(), text] = gate
    return found


def operations():
    """(method, path, x-role) of openapi.json."""
    for path, item in json.loads((OPERATE / "openapi.json").read_text())["paths"].items():
        for method in ("get", "post", "put", "delete", "patch"):
            if method in item:
                yield method, path, item[method].get("x-role")


class OpenApi(unittest.TestCase):
    def test_every_description_has_its_route_and_every_route_its_description(self):
        table, used = routes(), set()
        self.assertGreater(len(table), 15)
        for method, path, role in operations():
            fits = [route for route in table if route[0] == method and
                    (route[1] == path or (route[1].endswith("*") and path.startswith(route[1][:-1])))]
            self.assertTrue(fits, f"{method} {path} has no route")
            route = max(fits, key=lambda one: (not one[1].endswith("*"), len(one[1])))
            self.assertEqual(table[route], GATES[role], f"{method} {path}: x-role")
            used.add(route)
        self.assertEqual(set(table) - used, set(), "routes that openapi.json doesn't describe")


if __name__ == "__main__":
    unittest.main()
