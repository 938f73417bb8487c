#!/bin/bash
# Builds the image of the Dockerfile for amd64 and arm64 and tests it (container_test.py says what): with Docker where
# an engine runs, else as root with the packages buildah, runc and debootstrap. Needs qemu-user for the architecture
# that isn't this machine's, and a Python with moto (PYTHON, as tests/run.sh). Takes some minutes.
#
# usage: tests/container/run.sh [TEST...]
set -euo pipefail
cd "$(dirname "$0")/../.."

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import moto.server, boto3' 2>/dev/null; then
    PYTHON=.venv/bin/python
    [ -x $PYTHON ] || { echo "run.sh: a Python with moto is needed: set PYTHON, or run tests/run.sh once" >&2 && exit 1; }
fi
exec "$PYTHON" -B tests/container/container_test.py "$@"
