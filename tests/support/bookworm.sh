#!/bin/bash
# Prints the folder of a bare Debian 12, made by debootstrap where there is none yet; nobody changes it. As root.
# usage: bookworm.sh [FOLDER]      default: build/bookworm
set -euo pipefail

folder=${1:-$(cd "$(dirname "$0")/../.." && pwd)/build/bookworm}
if [ ! -e "$folder/etc/debian_version" ]; then
    command -v debootstrap >/dev/null || { echo "bookworm.sh: the package debootstrap is needed" >&2 && exit 1; }
    mkdir -p "$(dirname "$folder")"
    rm -rf "$folder.new"
    debootstrap --variant=minbase bookworm "$folder.new" >&2
    rm -f "$folder.new/var/cache/apt/archives"/*.deb
    mv "$folder.new" "$folder"
fi
echo "$folder"
