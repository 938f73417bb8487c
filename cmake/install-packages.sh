#!/bin/sh
# Installs the packages listed in the files that it is given, those that are missing, by apt.
# usage: install-packages.sh [--for ARCHITECTURE] FILE...
# --for: to build for another architecture (Debian's name): its libraries, and a compiler for it.
set -eu

architecture=$(dpkg --print-architecture 2>/dev/null || true)
target=$architecture
if [ "$1" = --for ]; then
    target=$2
    shift 2
fi
packages=$(sed 's/#.*//' "$@")
if [ "$target" != "$architecture" ]; then
    case $target in
    amd64) gnu=x86-64-linux-gnu ;;
    arm64) gnu=aarch64-linux-gnu ;;
    *) echo "there is no compiler known for the architecture $target" >&2 && exit 1 ;;
    esac
    packages=$(echo "$packages" | sed "s/^libc6-dev\$//; s/-dev\$/-dev:$target/; s/^gcc\$/gcc-$gnu libc6-dev:$target/")
fi
missing=""
for package in $packages; do
    if ! dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "these packages are needed, and apt-get isn't here to install them:$missing" >&2
    exit 1
fi
as_root=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "as root, run: apt-get install$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
[ "$target" = "$architecture" ] || $as_root dpkg --add-architecture "$target"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
