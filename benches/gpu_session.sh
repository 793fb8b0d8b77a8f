#!/usr/bin/env bash
# Everything worth knowing about an adapter in one call of under 9 minutes: session.txt, check.json, benchmark.json, and
# peers.md on an NVIDIA GPU.
#
#   benches/gpu_session.sh OUT_DIR
#
# Uses the binaries that `benches/gpu_session.sh --build` put into target/gpu_session (so that they can be built on
# one machine and run on another), or builds them where there are none. PyTorch is measured where `python3 -c "import
# torch"` works; with CUDA it takes turns with axone (row `cuda` of benches/peers/run.py).
# Set AXONE_TEST_DEVICE to a part of an adapter's name to choose it; the best one is taken otherwise.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=target/gpu_session

usage='usage: gpu_session.sh OUT_DIR, or gpu_session.sh --build'
case "${1:-}" in
    --help | -h) echo "$usage" && exit ;;
    --build) ;;
    '') echo "$usage" >&2 && exit 2 ;;
    -*) echo "gpu_session.sh: unknown argument \"$1\"
$usage" >&2 && exit 2 ;;
esac

build() {
    mkdir -p "$bin"
    cargo build --release --examples --locked
    cp target/release/examples/{devices,check,benchmark,profile,digits} "$bin"/ 2>/dev/null
    for kind in "test gpu" "bench matmul"; do
        set -- $kind
        binary=$(cargo test --release --"$1" "$2" --no-run --locked --message-format=json 2>/dev/null |
            sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
        [ -n "$binary" ] && cp "$binary" "$bin/$1_$2"
    done
    cargo build --release --locked --manifest-path benches/peers/axone/Cargo.toml --target-dir target/peers/axone
    cp target/peers/axone/release/axone-peer "$bin"/
    strip "$bin"/* 2>/dev/null
    git rev-parse --short HEAD >"$bin/commit"
    ls -l "$bin"
}

if [ "${1:-}" = --build ]; then
    build
    exit
fi
out=$1
mkdir -p "$out"
[ -x "$bin/devices" ] || build

started=$SECONDS
session=$out/session.txt
most=530 # seconds of all parts together
# limit SECONDS NAME COMMAND...: the output and how it ended go to session.txt, how it ended to the terminal too.
limit() {
    local seconds=$1 name=$2 begun=$SECONDS left=$((most - SECONDS + started))
    shift 2
    if [ "$left" -lt 5 ]; then
        echo "$name: SKIPPED, no time left" | tee -a "$session"
        return
    fi
    [ "$seconds" -gt "$left" ] && seconds=$left
    printf '\n== %s\n' "$name" >>"$session"
    timeout "$seconds" "$@" >>"$session" 2>&1
    echo "$name: exit $? after $((SECONDS - begun)) s" | tee -a "$session"
}

name=${AXONE_TEST_DEVICE:-$("$bin/devices" 2>/dev/null | awk 'NF && !/^ / { sub(/  <- auto$/, ""); print; exit }')}
device=${name%% (*}
{
    date -u +%Y-%m-%d
    echo "adapter: $device"
    git rev-parse --short HEAD 2>/dev/null || cat "$bin/commit" 2>/dev/null
} >"$session"
export AXONE_TEST_DEVICE=$device AXONE_DEVICE=$device AXONE_REQUIRE_GPU=1

limit 20 devices "$bin/devices"
limit 120 check "$bin/check" --device "$device" --json "$out/check.json"
limit 120 tests "$bin/test_gpu" --test-threads 2
limit 90 matmul "$bin/bench_matmul" "$device"
limit 90 benchmark "$bin/benchmark" --device "$device" --f16 --json "$out/benchmark.json"
[ -x "$bin/profile" ] && limit 30 profile "$bin/profile" --device "$device"
limit 30 digits "$bin/digits"
if python3 -c 'import torch' 2>/dev/null; then
    if python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
        limit 60 pytorch_matmul python3 benches/peers/pytorch_matmul.py cuda
        limit 210 peers python3 benches/peers/run.py cuda --device "$device" --programs "$bin" --rounds 3 \
            --seconds 0.4 --out "$out/peers.md"
    else
        limit 60 pytorch_matmul python3 benches/peers/pytorch_matmul.py cpu
        limit 60 pytorch_steps python3 benches/peers/pytorch_steps.py cpu
    fi
fi
echo "all: $((SECONDS - started)) s" | tee -a "$session"
