#!/bin/bash
# Installs what is missing, builds, and runs every test: under gcc, clang with ASan and UBSan, clang with TSan.
#
# usage: tests/run.sh [PRESET...]     default: release asan tsan
# PYTHON: the Python to use (default python3); where it lacks moto or botocore, a virtual environment is made in
# .venv and the versions of tests/requirements.txt are installed there.
set -euo pipefail
cd "$(dirname "$0")/.."

sh cmake/install-packages.sh cmake/packages.txt tests/packages.txt

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import moto.server, botocore, boto3' 2>/dev/null; then
    [ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
    PYTHON=$PWD/.venv/bin/python
    "$PYTHON" -c 'import moto.server, botocore, boto3' 2>/dev/null ||
        "$PYTHON" -m pip install --quiet -r tests/requirements.txt
fi
export PYTHON
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}

[ $# -gt 0 ] || set -- release asan tsan
for preset in "$@"; do
    # The rule set against the plain evaluator for a minute; a sanitizer, which is slow, has a glance.
    [ "$preset" = release ] && differ_seconds=60 || differ_seconds=5
    cmake --preset "$preset" -DRIPOSTE_TESTS=ON -DPython3_EXECUTABLE="$(command -v "$PYTHON")" \
        -DDIFFER_SECONDS="$differ_seconds" >/dev/null
    cmake --build --preset "$preset" --parallel "$(nproc)"
done
# A sanitizer looks at the program: what looks at files needs none. And threads meet in the scenarios of one flow as in
# those of many, so that TSan leaves out those that tell one story after the other.
files='^(lint|package|library)[.]|^cli[.]prometheus|^scenario[.](readme|docs|templates|manifests|terraform|prometheus)$'
stories='^(fuzz|cli|contract[.]aws)|^scenario[.](policy|edit|audit|orphans|accounts|principals|secrets|redrive|aws_client)$'
for preset in "$@"; do
    case $preset in
    asan) left_out=$files ;;
    tsan) left_out="$files|$stories" ;;
    *) left_out='^$' ;;
    esac
    echo "== $preset"
    # Scenarios wait more than they compute: more of them at once than there are processors.
    ctest --preset "$preset" --no-tests=error --exclude-regex "$left_out" --parallel "$(($(nproc) + 2))"
done
