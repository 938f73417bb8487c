#!/bin/sh
# Builds the server for one architecture (Debian's name; cmake/install-packages.sh --for has installed what that needs).
# The same source gives the same bytes, wherever and whenever it is built.
# usage: build.sh ARCHITECTURE BINARY      from the top folder; BINARY: where it goes, stripped
set -eu

case $1 in
amd64) gnu=x86_64-linux-gnu ;;
arm64) gnu=aarch64-linux-gnu ;;
*) echo "build.sh: amd64 or arm64, not '$1'" >&2 && exit 2 ;;
esac
binary=$2
set -- "$1" -G Ninja -S . -B "build/$1" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DRIPOSTE_TESTS=OFF
if [ "$1" != "$(dpkg --print-architecture)" ]; then
    export PKG_CONFIG_LIBDIR="/usr/lib/$gnu/pkgconfig:/usr/share/pkgconfig"
    set -- "$@" -DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=${gnu%%-*}" "-DCMAKE_C_COMPILER=$gnu-gcc"
fi
build=build/$1
shift
cmake "$@"
cmake --build "$build" --target riposte
install -D -s "--strip-program=$gnu-strip" "$build/riposte" "$binary"
