"""Short runs of tests/bench/kills.py and tests/bench/faults.py: kill -9, power cuts and a failing disk; nothing lost, nothing twice."""
import pathlib
import shutil
import sys
import tempfile
import unittest

import harness

sys.path.insert(0, str(harness.ROOT / "tests" / "bench"))
import faults  # noqa: E402
import kills  # noqa: E402

BUILT = pathlib.Path(harness.BINARY).read_bytes()
IS_PLAIN = b"__asan_init" not in BUILT and b"__tsan_init" not in BUILT
BUILD = pathlib.Path(harness.BINARY).resolve().parent


class NothingLost(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="riposte-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def assert_right(self, result):
        numbers, wrong = result
        self.assertEqual(wrong, [], numbers)
        self.assertGreater(numbers["events answered 2xx"], 10)

    def test_killed_at_random_moments(self):
        self.assert_right(kills.run(8, BUILD, 7, self.folder))

    @unittest.skipUnless(IS_PLAIN, "a sanitizer's runtime must be the first that is loaded")
    def test_the_power_fails(self):
        result = kills.run(6, BUILD, 7, self.folder, power=True)
        self.assert_right(result)
        self.assertGreater(result[0]["unsynced writes and sectors taken back"], 0)

    @unittest.skipUnless(IS_PLAIN, "a sanitizer's runtime must be the first that is loaded")
    def test_a_disk_that_fails_at_random(self):
        self.assert_right(faults.run(40, BUILD, 7, self.folder))

    @unittest.skipUnless(IS_PLAIN, "a sanitizer's runtime must be the first that is loaded")
    def test_a_file_system_that_becomes_read_only(self):
        server = harness.Riposte(self.folder)
        control = faults.Control(pathlib.Path(self.folder) / "control")
        server.environment.update(LD_PRELOAD=str(BUILD / "tests" / "libfaults.so"),
                                  FAULTS_CONTROL=str(pathlib.Path(self.folder) / "control"))
        server.start()
        self.addCleanup(server.stop)
        event = harness.sample("cli-attribute-value.json")
        self.assertEqual(server.post(harness.fresh(event))[0], 202)
        control.arm(1 << faults.KINDS.index("read-only"), 1 << 30, 100)
        refused = harness.fresh(event)
        self.assertEqual(server.post(refused)[0], 503)
        self.assertEqual(server.request("GET", "/readyz")[0], 503)
        self.assertEqual(server.request("GET", "/healthz")[0], 200)
        self.assertGreater(control.injected, 0)
        control.disarm()
        harness.wait_for("readiness", lambda: server.request("GET", "/readyz")[0] == 200, 20, 0.1)
        self.assertEqual(server.post(refused)[0], 202)


if __name__ == "__main__":
    unittest.main(verbosity=2)
