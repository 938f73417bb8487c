"""Short runs of tests/bench/kills.py and tests/bench/faults.py: kill -9 and a failing disk, nothing lost, nothing twice."""
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
    def test_a_disk_that_fails_at_random(self):
        self.assert_right(faults.run(40, BUILD, 7, self.folder))


if __name__ == "__main__":
    unittest.main(verbosity=2)
