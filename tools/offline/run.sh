#!/usr/bin/env bash
# What compilers of GPUs and of browsers make of the kernels, without a GPU, against a list of budgets: usage below,
# budgets in docs/architecture.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat <<'TEXT'
usage: tools/offline/run.sh [--table]

The pipelines that matter, in seconds; part of tests/run.sh. With --table more of them, in minutes: renews
docs/portability and tools/offline/known.tsv.

The compilers are fetched once into target/offline, or into the folder that AXONE_OFFLINE names. Where they cannot be
fetched it says so and does not fail.
TEXT
}

mode=short
case "${1:-}" in
    '') ;;
    --table) mode=table ;;
    --help) usage; exit 0 ;;
    *) { echo "unknown argument \"$1\""; usage; } >&2; exit 2 ;;
esac

folder=${AXONE_OFFLINE:-${CARGO_TARGET_DIR:-target}/offline}
mkdir -p "$folder"
status=0
tools/offline/fetch.sh "$folder" || status=$?
if [ "$status" -ne 0 ]; then
    echo "SKIPPED: THE COMPILERS OF GPUS COULD NOT BE FETCHED; the kernels were not held against their budgets"
    exit 0
fi
cargo build --release --locked --quiet --package axone-offline
"${CARGO_TARGET_DIR:-target}/release/axone-offline" "$(cd "$folder" && pwd)" . "$mode"
