#!/bin/sh
# Makes the root file system of the image: the binary, the libraries that it is linked with and theirs, the loader, the
# certificate authorities, a user. For each package that these come from: its licence, what dpkg knows of it (scanners
# look for that), and an entry in the bill of materials.
# usage: root.sh ARCHITECTURE BINARY FOLDER
set -eu

case $1 in
amd64) gnu=x86_64-linux-gnu loader=/lib64/ld-linux-x86-64.so.2 ;;
arm64) gnu=aarch64-linux-gnu loader=/lib/ld-linux-aarch64.so.1 ;;
*) echo "root.sh: amd64 or arm64, not '$1'" >&2 && exit 2 ;;
esac
architecture=$1 binary=$2 root=$3
packages="ca-certificates"

needed() { "$gnu-objdump" -p "$1" | sed -n 's/^ *NEEDED *//p'; }

# The libraries, where the loader looks for them.
libraries=/lib/$gnu
install -D "$binary" "$root/usr/bin/riposte"
install -d "$root$libraries"
# shellcheck disable=SC2046 # a list of words
set -- $(needed "$binary")
while [ $# -gt 0 ]; do
    library=$1
    shift
    if [ "$library" = "${loader##*/}" ] || [ -e "$root$libraries/$library" ]; then
        continue
    fi
    package=$(dpkg-query -S "*/$gnu/$library" | sed 's/:.*//' | head -n 1)
    [ -n "$package" ] || { echo "root.sh: $library is in no package" >&2 && exit 1; }
    packages="$packages $package:$architecture"
    cp -L "$libraries/$library" "$root$libraries/$library"
    # shellcheck disable=SC2046
    set -- "$@" $(needed "$libraries/$library")
done
install -D "$libraries/${loader##*/}" "$root$loader"
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

# shellcheck disable=SC2086
packages=$(printf '%s\n' $packages | sort -u)
for package in $packages; do
    name=${package%:*}
    install -D -m 644 "/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/copyright"
    install -d "$root/var/lib/dpkg/status.d"
    dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$name"
done
install -D -m 644 LICENSE "$root/usr/share/doc/riposte/copyright"
# shellcheck disable=SC2086
sh "$(dirname "$0")/materials.sh" "$architecture" "$binary" $packages >"$root/usr/share/doc/riposte/sbom.cdx.json"

echo 'riposte:x:10001:10001:riposte:/var/lib/riposte:/usr/sbin/nologin' >"$root/etc/passwd"
echo 'riposte:x:10001:' >"$root/etc/group"
install -d -o 10001 -g 10001 -m 750 "$root/var/lib/riposte"
install -d -m 1777 "$root/tmp"
