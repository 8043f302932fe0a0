#!/bin/sh
# Fits the confusion model to the shipped reader in one command: renders plates, lets the recognizer read them and the
# held-out photos (PLATESTREAM_DATA), and writes wasm/models/confusions.json. Needs a build, and the Python packages of
# training (wasm/train/README.md).
#
#     bench/confusions/fit_confusions.sh [rendered plates, default 1500] [output file]
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
${PYTHON:-/usr/bin/python3} bench/confusions/render_plates.py --out "$folder" --count "${1:-1500}"
node dist/bench/main.js confusions --rendered "$folder" --out "${2:-wasm/models/confusions.json}"
