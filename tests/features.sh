#!/bin/sh
# Each feature builds alone, without the others and without warnings.
set -eu
cd "$(dirname "$0")/.."
features=$(sed -n '/^\[features\]/,/^\[/s/^\([a-z][a-z-]*\) = .*/\1/p' Cargo.toml)
for feature in $features; do
    echo "== $feature"
    cargo clippy --quiet --locked --lib --bins --no-default-features --features "$feature" -- --deny warnings
done
