#!/bin/bash
# The console in headless Chromium (console_test.py says what). Installs what is missing by apt, builds, runs; axe-core
# comes from npm. Needs a Python with moto (PYTHON, as tests/run.sh).
# On Ubuntu, whose chromium is a snap, put a "chromium" and its "chromedriver" into PATH yourself.
#
# usage: tests/browser/run.sh [TEST...]
set -euo pipefail
cd "$(dirname "$0")/../.."

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import moto.server, boto3' 2>/dev/null; then
    PYTHON=$PWD/.venv/bin/python
    [ -x "$PYTHON" ] || { echo "run.sh: a Python with moto is needed: set PYTHON, or run tests/run.sh once" >&2 && exit 1; }
fi
for tool in chromium chromedriver npm; do
    command -v $tool >/dev/null || { sh cmake/install-packages.sh tests/browser/packages.txt && break; }
done
cmake --preset release >/dev/null
cmake --build --preset release --parallel "$(nproc)" --target riposte | tail -n 1
exec "$PYTHON" -B tests/browser/console_test.py "$@"
