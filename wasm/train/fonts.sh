#!/bin/sh
# Fetch the plate-like fonts (SIL OFL, fontsource packages) into the cache, once. Needs npm.
set -e
cache="${PLATESTREAM_CACHE:-$HOME/.cache/platestream-train}/fonts"
mkdir -p "$cache"
cd "$cache"
for name in saira-condensed saira-extra-condensed barlow-condensed overpass-mono share-tech-mono big-shoulders-display norwester; do
  [ -d "pk/$name" ] && continue
  file=$(npm pack --silent "@fontsource/$name@5" | tail -n 1)
  mkdir -p "pk/$name.part"
  tar -xzf "$file" -C "pk/$name.part" --wildcards '*latin-[0-9]00-normal.woff' '*LICENSE'
  mv "pk/$name.part" "pk/$name"
  rm "$file"
done
