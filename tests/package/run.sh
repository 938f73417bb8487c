#!/bin/bash
# The Debian package, from this tree to its purge: built twice, in two folders, to the same bytes; lintian finds
# nothing; installed, started, upgraded, removed and purged in a Debian 12 that systemd has booted (lifecycle.sh).
# As root, on Debian or Ubuntu with the packages debootstrap and systemd-container; takes some minutes.
#
# usage: tests/package/run.sh [FOLDER]      FOLDER: where the package is left
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "tests/package/run.sh: $*" >&2 && exit 1; }
say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
[ "$(id -u)" = 0 ] || fail "as root: it makes containers"
for tool in debootstrap systemd-nspawn; do
    command -v $tool >/dev/null || fail "$tool is needed (packages debootstrap, systemd-container)"
done
work=$(mktemp -d /var/tmp/riposte-package.XXXXXX)
trap 'rm -rf "$work"' EXIT
base=$(tests/support/bookworm.sh)

# inside COMMAND...: in a container over $work/machine, with our network.
inside() {
    systemd-nspawn --quiet --register=no --keep-unit --pipe --resolv-conf=copy-host -D "$work/machine" \
        --setenv=DEBIAN_FRONTEND=noninteractive --setenv=LC_ALL=C.UTF-8 "$@" \
        2> >(grep -v "^Attempted to remove disk file system" >&2) # its own folder, where /run is on a disk
}

# build FOLDER: the package of this tree, built there.
build() {
    mkdir -p "$work/machine/$1"
    git ls-files -co --exclude-standard -z | tar -c --null -T - | tar -x -C "$work/machine/$1"
    inside sh -ec "cd /$1 && dpkg-buildpackage -b -us -uc" >"$work/log" 2>&1 || { tail -40 "$work/log" >&2 && exit 1; }
}

say "what building needs"
cp -a "$base" "$work/machine"
mkdir "$work/machine/control"
cp -r debian "$work/machine/control/"
# shellcheck disable=SC2016 # for the shell inside
inside sh -ec 'apt-get update -qq
    apt-get install -y -qq --no-install-recommends dpkg-dev lintian >/dev/null 2>&1
    apt-get build-dep -y -qq --no-install-recommends /control >/dev/null 2>&1'

say "built twice, the same"
build first/riposte
build elsewhere/under/another
first=$(echo "$work"/machine/first/riposte_*.deb)
sha256sum "$first"
cmp "$first" "$work/machine/elsewhere/under/${first##*/}" || fail "the two packages differ"

say "lintian"
inside sh -c 'lintian --profile debian --display-info --fail-on warning,error /first/*.changes'

say "the version before: other settings, two other rules, one rule fewer"
inside sh -ec 'dpkg-deb -R /first/riposte_*_*.deb /before
    cd /before
    sed -i "s/^Version: .*/Version: 0.0.9/" DEBIAN/control
    echo "// of 0.0.9" >>etc/riposte/riposte.json
    sed -i "s/\"severity\": \"high\"/\"severity\": \"low\"/" etc/riposte/rules/root-used.json \
        etc/riposte/rules/termination-protection-disabled.json
    rm etc/riposte/rules/user-data-changed.json
    sed -i /user-data-changed.json/d DEBIAN/conffiles
    find . -path ./DEBIAN -prune -o -type f -printf "%P\0" | xargs -0 md5sum >DEBIAN/md5sums
    dpkg-deb -b . /before.deb >/dev/null'

say "installed, started, upgraded, removed, purged"
mkdir "$work/packages"
cp "$work/machine/before.deb" "$work/packages/before.deb"
cp "$first" "$work/packages/after.deb"
[ $# -eq 0 ] || cp "$first" "$1"
rm -rf "$work/machine"
cp -a "$base" "$work/machine"
cp "$work"/packages/*.deb tests/package/lifecycle.sh "$work/machine/root/"
# shellcheck disable=SC2016 # for the shell inside
inside sh -ec 'apt-get update -qq
    apt-get install -y -qq --no-install-recommends systemd-sysv dbus procps >/dev/null 2>&1
    apt-get satisfy -y -qq --no-install-recommends "$(dpkg-deb -f /root/after.deb Depends)" >/dev/null 2>&1
    mkdir -p /etc/systemd/system/multi-user.target.wants
    ln -s /root/lifecycle.service /etc/systemd/system/
    ln -s /root/lifecycle.service /etc/systemd/system/multi-user.target.wants/'
cat >"$work/machine/root/lifecycle.service" <<'UNIT'
[Unit]
Description=The life of the package
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=oneshot
ExecStart=/bin/bash /root/lifecycle.sh
StandardOutput=append:/root/told
StandardError=inherit
TimeoutStartSec=180
UNIT
timeout 300 systemd-nspawn --quiet --register=no --keep-unit --private-network --boot -D "$work/machine" \
    --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" \
    --console=pipe >"$work/log" 2>&1 </dev/null || true
cat "$work/machine/root/told" || { tail -40 "$work/log" >&2 && fail "the machine did not boot"; }
grep -qx "all of it" "$work/machine/root/told" || fail "not all of it went well"
say "done"
