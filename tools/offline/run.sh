#!/usr/bin/env bash
# What compilers of GPUs and of browsers make of the kernels, without a GPU, against a list of budgets.
#
#   tools/offline/run.sh           the pipelines that matter, in seconds; part of tests/run.sh
#   tools/offline/run.sh --table   all of them: renews docs/portability and tools/offline/known.tsv, in about an hour
#
# The compilers are fetched into target/offline once; AXONE_OFFLINE names another folder. Where they cannot be fetched it
# says so and does not fail.
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=short
case "${1:-}" in
    '') ;;
    --table) mode=table ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "unknown argument $1; there is --table" >&2; exit 2 ;;
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
