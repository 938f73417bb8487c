#!/bin/bash
# What run.sh has a freshly booted Debian do: /root/before.deb is the version before, /root/after.deb the one that was
# built. Says what it does; the last line is "all of it".
set -euo pipefail
trap 'echo "line $LINENO: $BASH_COMMAND"; journalctl --no-pager -u riposte | tail -30' ERR
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
rules=/etc/riposte/rules

main_pid() { systemctl show -P MainPID riposte; }
# As an operator would: with the token that the installation made.
# shellcheck disable=SC1091
operate() { (set -a && . /etc/riposte/environment && riposte "$@"); }
incidents() { operate incidents list --all | grep -c termination-protection-disabled; }

echo "-- install"
dpkg -i /root/before.deb >/dev/null
riposte help | head -n 1
systemctl is-active riposte
systemctl is-enabled riposte
[ "$(systemctl is-enabled riposte.socket || true)" = disabled ]
riposte health --wait 10s
[ "$(ps -o user= -p "$(main_pid)")" = riposte ]
[ "$(stat -c '%a %U' /etc/riposte/environment /var/lib/riposte | xargs)" = "600 root 750 riposte" ]
[ "$(stat -c '%a %U' /var/lib/riposte/journal.db)" = "600 riposte" ]
grep -qx 'RIPOSTE_SECRET=[0-9a-f]\{48\}' /etc/riposte/environment
riposte check >/dev/null
man -w riposte.1 2>/dev/null || gzip -t /usr/share/man/man1/riposte.1.gz

echo "-- confined"
grep -E '^(CapEff|NoNewPrivs|Seccomp):' "/proc/$(main_pid)/status"
[ "$(awk '/^CapEff/ {print $2}' "/proc/$(main_pid)/status")" = 0000000000000000 ]
systemd-analyze security riposte | tail -n 1
[ "$(journalctl --no-pager -o cat -u riposte | grep -c 'not in force' || true)" = 0 ]

echo "-- used"
operate send --fresh /etc/riposte/events/cli-attribute-value.json
[ "$(incidents)" = 1 ]

echo "-- edited by its owner"
sed -i 's/"max_event_age": "1h"/"max_event_age": "2h"/' /etc/riposte/riposte.json
sed -i 's/"severity": "low"/"severity": "critical"/' $rules/root-used.json
rm $rules/mfa-removed-for-another-user.json
cp $rules/root-used.json $rules/of-ours.json
sed -i 's/"name": "root-used"/"name": "of-ours"/' $rules/of-ours.json
riposte check >/dev/null
before=$(main_pid)
systemctl reload riposte
operate incidents list >/dev/null
[ "$(main_pid)" = "$before" ]
cp /etc/riposte/environment /root/environment

echo "-- upgrade"
dpkg --force-confdef --force-confold -i /root/after.deb >/dev/null
riposte health --wait 10s
[ "$(main_pid)" != "$before" ]
grep -q '"max_event_age": "2h"' /etc/riposte/riposte.json
grep -q '"severity": "critical"' $rules/root-used.json
[ -e $rules/root-used.json.dpkg-dist ]
grep -q '"severity": "high"' $rules/termination-protection-disabled.json
[ -e $rules/user-data-changed.json ]
[ ! -e $rules/mfa-removed-for-another-user.json ]
[ -e $rules/of-ours.json ]
riposte check
cmp /etc/riposte/environment /root/environment
[ "$(incidents)" = 1 ]

echo "-- remove"
dpkg -r riposte >/dev/null
[ ! -e /usr/bin/riposte ]
[ "$(systemctl is-active riposte || true)" = inactive ]
[ -e /var/lib/riposte/journal.db ]
grep -q '"severity": "critical"' $rules/root-used.json

echo "-- install again"
dpkg -i /root/after.deb >/dev/null
riposte health --wait 10s
[ "$(incidents)" = 1 ]
cmp /etc/riposte/environment /root/environment

echo "-- purge"
dpkg -P riposte 2>&1 | grep 'the journal stays'
[ "$(find /etc/riposte -type f)" = $rules/of-ours.json ]
[ -e /var/lib/riposte/journal.db ]
[ -z "$(find /etc/systemd /usr /var/lib/systemd -name '*riposte*')" ]
echo "all of it"
