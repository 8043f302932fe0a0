#!/bin/sh
# Builds the bundled feed: renders into a work folder, then packs it with the project's importer.
#   ./pack.sh FOLDER [seed]        needs a built project (npm run build) and the fonts of ../fonts.sh
set -e
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../../.." && pwd)"
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
fonts="${PLATESTREAM_CACHE:-$HOME/.cache/platestream-train}/fonts"
"$here/../fonts.sh"
if [ ! -e "$folder/truth.json" ]; then
  (cd "$here/.." && "${PYTHON:-/usr/bin/python3}" -m feed.make_feed --out "$folder" --seed "${2:-65}" --fonts "$fonts")
fi
feeds="$root/bench/feeds"
mkdir -p "$feeds/hotlists"
cp "$folder"/hotlists/*.csv "$feeds/hotlists/"
cp "$folder/truth.json" "$feeds/sample.truth.json"
node "$root/dist/cli/main.js" import "$folder/frames" --out "$feeds/sample.mcap" --cameras "$folder/cameras.json" --time name --attach "$folder/truth.json" --force
