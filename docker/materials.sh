#!/bin/sh
# Prints the bill of materials of the image (CycloneDX 1.5): the server with the digest of its binary, and the packages
# whose files stand beside it.
# usage: materials.sh ARCHITECTURE BINARY PACKAGE...
set -eu

architecture=$1 binary=$2
shift 2
riposte_version=$(sed -n 's/^project(riposte VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
# shellcheck disable=SC1091 # what distribution this is
. /etc/os-release
distribution=$ID-$VERSION_ID
digest=$(sha256sum "$binary")

printf '{
  "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
  "metadata": {"component": {
    "bom-ref": "riposte", "type": "application", "name": "riposte", "version": "%s",
    "licenses": [{"license": {"id": "Apache-2.0"}}], "hashes": [{"alg": "SHA-256", "content": "%s"}],
    "properties": [{"name": "architecture", "value": "%s"}]}},
  "components": [' "$riposte_version" "${digest%% *}" "$architecture"
# In a package URL "+", ":" and the like are percent-encoded.
dpkg-query -W -f '${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n' "$@" |
    awk -v distribution="$distribution" '
        function encoded(text) {
            gsub(/\+/, "%2B", text)
            gsub(/:/, "%3A", text)
            gsub(/~/, "%7E", text)
            return text
        }
        {
            url = "pkg:deb/debian/" encoded($1) "@" encoded($2) "?arch=" $3 "&distro=" distribution
            printf "%s\n    {\"type\": \"library\", \"bom-ref\": \"%s\", \"purl\": \"%s\",\n", (NR > 1 ? "," : ""), url, url
            printf "     \"name\": \"%s\", \"version\": \"%s\",\n", $1, $2
            printf "     \"properties\": [{\"name\": \"source\", \"value\": \"%s %s\"}]}", $4, $5
        }'
printf '\n  ]\n}\n'
