#!/bin/sh
# Keeps the values of one host in a file, with curl and jq in the place of `tsunami pull`.
#
#   TSUNAMI_FROM=https://config.example.com/backend TSUNAMI_FLEET=backend \
#   TSUNAMI_FILE=/var/lib/tsunami/values.json tsunami-curl.sh HOST
#
# Ends with 0: the file is up to date; 1: what came was refused; 4: nothing came. The file always has the last good
# values. Needs curl 7.70, jq 1.6, sha256sum, flock.
set -eu
umask 022

from=${TSUNAMI_FROM:?the URL} fleet=${TSUNAMI_FLEET:?the name of the fleet} file=${TSUNAMI_FILE:?the file to write}
host=${1:?the name of this host}
object=hosts/$host.json
kept=$(dirname "$file")/.$(basename "$file").kept

fail() {
    echo "tsunami-curl: $2; $file stays as it was" >&2
    exit "$1"
}

# URL, file, most bytes, further options: prints the status. No redirects, and nothing but https.
fetch() {
    url=$1 to=$2 most=$3
    shift 3
    curl --silent --show-error --fail --proto '=https' --connect-timeout 5 --max-time 20 --retry 2 \
        --max-filesize "$most" --output "$to" --write-out '%{http_code}' "$@" "$url" ||
        fail 4 "$url could not be fetched"
}

case $host in *[!a-z0-9.-]*) fail 1 "$host is no name of a host" ;; esac
[ ! -L "$file" ] || fail 1 "$file is a symbolic link"

# One at a time; the other one does what this one would.
mkdir -p "$kept"
exec 9>"$kept/lock"
flock -n 9 || exit 0
new=$(mktemp -d "$kept/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM

# The manifest, if it is not the one that we have.
manifest=$new/manifest.json
if [ -s "$kept/etag" ] && [ -s "$kept/manifest.json" ]; then
    status=$(fetch "$from/manifest.json" "$manifest" 67108864 --etag-compare "$kept/etag" --etag-save "$new/etag")
else
    status=$(fetch "$from/manifest.json" "$manifest" 67108864 --etag-save "$new/etag")
fi
case $status in
    200) ;;
    304) manifest=$kept/manifest.json ;;
    *) fail 4 "$from/manifest.json answers $status" ;;
esac

# Is it ours, and not an old one that came back?
[ "$(jq -r .fleet "$manifest" 2>/dev/null)" = "$fleet" ] || fail 1 "the manifest is not of fleet $fleet"
sequence=$(jq -r .sequence "$manifest")
before=$(jq -r .sequence "$kept/manifest.json" 2>/dev/null || echo 0)
[ "$sequence" -ge "$before" ] || fail 1 "the manifest has sequence $sequence, the one before had $before"
sum=$(jq -r --arg object "$object" '.objects[$object].sha256 // empty' "$manifest" 2>/dev/null) || sum=
[ -n "$sum" ] || fail 1 "the manifest has no $object"
[ "$(jq --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '.expires_at >= $now' "$manifest")" = true ] ||
    echo "tsunami-curl: the manifest is old: has the publisher stopped, or is this clock wrong?" >&2

# The object, if the file is not it.
if [ ! -f "$file" ] || [ "$(sha256sum <"$file")" != "$sum  -" ]; then
    status=$(fetch "$from/$object" "$new/values.json" 16777216)
    [ "$status" = 200 ] || fail 4 "$from/$object answers $status"
    [ "$(sha256sum <"$new/values.json")" = "$sum  -" ] || fail 1 "$object is not what the manifest names"
    flat='type == "object" and all(.[]; type == "string" or type == "number" or type == "boolean")'
    [ "$(jq "$flat" "$new/values.json" 2>/dev/null)" = true ] || fail 1 "$object is not a flat JSON object"
    sync "$new/values.json"
    mv -fT "$new/values.json" "$file"
fi

# Remembered last: whoever is killed before this does it again.
if [ "$manifest" != "$kept/manifest.json" ]; then
    rm -f "$kept/etag"
    mv -f "$manifest" "$kept/manifest.json"
    if [ -s "$new/etag" ]; then mv -f "$new/etag" "$kept/etag"; fi
fi
