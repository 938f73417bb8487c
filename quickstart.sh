#!/bin/bash
# Installs what is missing, builds riposte, starts it in observe mode with a self-made certificate and secret, posts the
# sample events, and shows what it would do and how long that took. On a terminal it then keeps running, so that you can
# post events of your own; Ctrl-C ends it.
#
# usage: ./quickstart.sh [--once]      --once: end after the sample events
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. Install and build"
sh cmake/install-packages.sh cmake/packages.txt
cmake --preset release -B build/server -DRIPOSTE_TESTS=OFF >/dev/null
cmake --build build/server --parallel "$(nproc)" | tail -n 1
PATH=$PWD/build/server:$PATH
riposte version

say "2. Start in observe mode: it plans and journals, and sends nothing"
state=$(mktemp -d /tmp/riposte-quickstart.XXXXXX)
server=""
end() {
    [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
    rm -rf "$state"
}
trap end EXIT
umask 077
random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
RIPOSTE_SECRET=$(random)
RIPOSTE_ADMIN_TOKEN=$(random)
export RIPOSTE_SECRET RIPOSTE_ADMIN_TOKEN
export RIPOSTE_MODE=observe RIPOSTE_JOURNAL="sqlite:$state/journal.db"
export RIPOSTE_LISTEN_ADDRESS=127.0.0.1 RIPOSTE_LISTEN_PORT="${RIPOSTE_LISTEN_PORT:-8443}"
export RIPOSTE_ADMIN_PORT="${RIPOSTE_ADMIN_PORT:-9443}"
settings=conf/riposte.json
riposte check -c $settings
riposte serve -c $settings 2>"$state/log" &
server=$!
riposte health --wait 10s -c $settings || { cat "$state/log" >&2; exit 1; }
sed -n 's/.*"message":"\([^"]*\)".*/  \1/p' "$state/log"

say "3. Post the sample events, as EventBridge would"
riposte send --fresh -c $settings conf/events/*.json >"$state/sent"
grep -E '/(console-mfa|terraform-no-mfa|trail-stopped|security-group-ssh|snapshot-public)\.json' "$state/sent"
awk '/no rule matches/ {calm++} /incident/ {hot++}
     END {printf "... %d in all: %d caused incidents, %d matched no rule\n", NR, hot, calm}' "$state/sent"

say "4. What it would have done"
riposte incidents list -c $settings 2>/dev/null | sed -n 1,12p
echo "..."
# An observed one of the rule that this is about.
incident=$(riposte incidents list --all -c $settings |
    awk '$2 == "observed" && $4 == "termination-protection-disabled" {id = $1} END {print id}')
riposte incidents show "$incident" -c $settings

[ "${1:-}" = --once ] || [ ! -t 0 ] || {
    say "5. Your turn (Ctrl-C ends the server)"
    cat <<TXT
  https://127.0.0.1:$RIPOSTE_ADMIN_PORT/ is the console; log in with $RIPOSTE_ADMIN_TOKEN
  curl -k https://127.0.0.1:$RIPOSTE_LISTEN_PORT/events -H "X-Api-Key: $RIPOSTE_SECRET" -d @conf/events/cli-attribute-value.json
    (that event is old, so it is held; "riposte send --fresh" gives it new ids and the present time)
  RIPOSTE_ADMIN_TOKEN=$RIPOSTE_ADMIN_TOKEN $PWD/build/server/riposte incidents list -c $settings
TXT
    wait "$server"
}
