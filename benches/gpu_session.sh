#!/usr/bin/env bash
# Everything worth knowing about an adapter, in three short calls that each leave what they found:
#
#   benches/gpu_session.sh --build          builds, strips and packs all that the calls need into target/gpu_session.tar.xz,
#                                           so that it can be built on one machine and run on another
#   benches/gpu_session.sh probe FOLDER     2 min: finds the driver or says what there is instead; check, GPU tests
#   benches/gpu_session.sh lab FOLDER       9 min: products, variants of kernels (benches/lab), profile, training steps
#   benches/gpu_session.sh peers FOLDER     9 min: full check, training steps and products against PyTorch
#
# FOLDER gets PART.txt and the reports of the programs. PyTorch is measured where `python3 -c "import torch"` works; with
# CUDA it takes turns with axone (row `cuda` of benches/peers/run.py), without TF32. AXONE_TEST_DEVICE is a part of an
# adapter's name; the best one is taken otherwise. AXONE_SESSION_SHARE=10 runs with a tenth of each limit, for a dry run.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=target/gpu_session

usage='usage: gpu_session.sh --build, or gpu_session.sh probe|lab|peers FOLDER'
case "${1:-}" in
    --help | -h) echo "$usage" && exit ;;
    --build | probe | lab | peers) ;;
    '') echo "$usage" >&2 && exit 2 ;;
    *) echo "gpu_session.sh: unknown argument \"$1\"
$usage" >&2 && exit 2 ;;
esac

build() {
    rm -rf "$bin" && mkdir -p "$bin"
    cargo build --release --examples --locked
    cp target/release/examples/{devices,check,benchmark,profile,digits} "$bin"/
    for kind in "test gpu" "bench matmul" "bench lab"; do
        set -- $kind
        binary=$(cargo test --release --"$1" "$2" --no-run --locked --message-format=json 2>/dev/null |
            sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
        [ -n "$binary" ] && cp "$binary" "$bin/$1_$2"
    done
    cargo build --release --locked --manifest-path benches/peers/axone/Cargo.toml --target-dir target/peers/axone
    cp target/peers/axone/release/axone-peer "$bin"/
    strip "$bin"/*
    "$bin/bench_lab" --write "$bin/variants"
    git rev-parse --short HEAD >"$bin/commit"
    tar -C target -cJf target/gpu_session.tar.xz gpu_session
    ls -l target/gpu_session.tar.xz
}

if [ "$1" = --build ]; then
    build
    exit
fi
part=$1 out=${2:-}
[ -n "$out" ] || { echo "$usage" >&2 && exit 2; }
mkdir -p "$out"
[ -x "$bin/devices" ] || tar -C target -xJf target/gpu_session.tar.xz 2>/dev/null || build

started=$SECONDS
session=$out/$part.txt
share=${AXONE_SESSION_SHARE:-1}
[ "$part" = probe ] && most=$((120 / share)) || most=$((540 / share)) # seconds of all programs together
# limit SECONDS NAME COMMAND...: the output and how it ended go to the session's file, how it ended to the terminal too.
limit() {
    local seconds=$(($1 / share)) name=$2 begun=$SECONDS left=$((most - SECONDS + started))
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

adapter() { timeout 15 "$bin/devices" 2>/dev/null | awk 'NF && !/^ / { sub(/ +<- auto$/, ""); print; exit }'; }
name=${AXONE_TEST_DEVICE:-$(adapter)}
case "$name" in
    '' | CPU*) # Containers often have NVIDIA's driver without the file that leads the loader to it.
        for icd in /usr/local/nvidia /usr /etc; do
            found=$(find "$icd" -name nvidia_icd.json 2>/dev/null | head -n 1)
            [ -n "$found" ] && export VK_DRIVER_FILES=$found && break
        done
        found=$(find /usr/local/nvidia /usr/share -name 10_nvidia.json 2>/dev/null | head -n 1)
        [ -n "$found" ] && export __EGL_VENDOR_LIBRARY_FILENAMES=$found
        name=$(adapter)
        ;;
esac
device=${name%% (*}
{
    date -u +%Y-%m-%d
    echo "adapter: $device"
    git rev-parse --short HEAD 2>/dev/null || cat "$bin/commit" 2>/dev/null
} >"$session"
case "$name" in
    '' | CPU*)
        {
            echo "no adapter but the CPU. What there is:"
            timeout 5 nvidia-smi -L 2>&1
            ldconfig -p | grep -i -E 'vulkan|libEGL|libGLX_nvidia'
            ls /usr/local/nvidia /usr/share/vulkan/icd.d /etc/vulkan/icd.d 2>&1
            VK_LOADER_DEBUG=error,driver timeout 5 "$bin/devices" 2>&1 | head -n 40
        } | tee -a "$session"
        exit 3
        ;;
esac
export AXONE_TEST_DEVICE=$device AXONE_DEVICE=$device AXONE_REQUIRE_GPU=1
if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=timestamp,clocks.sm,power.draw,temperature.gpu --format=csv -lms 200 >"$out/$part-clocks.csv" 2>&1 &
    trap 'kill %1 2>/dev/null' EXIT
fi

has_torch() { python3 -c 'import torch' 2>/dev/null; }
has_cuda() { python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; }
case "$part" in
    probe)
        limit 15 devices "$bin/devices"
        limit 60 check "$bin/check" --quick --device "$device" --json "$out/check-quick.json"
        limit 100 tests "$bin/test_gpu" --test-threads 8 --skip every_kernel_at_every_size
        ;;
    lab)
        limit 150 benchmark "$bin/benchmark" --device "$device" --f16 --json "$out/benchmark.json"
        limit 60 profile "$bin/profile" --device "$device"
        limit 150 matmul "$bin/bench_matmul" "$device"
        limit 200 variants "$bin/bench_lab" "$bin/variants" "$device"
        ;;
    peers)
        if has_torch && has_cuda; then
            limit 300 peers python3 benches/peers/run.py cuda --device "$device" --programs "$bin" --rounds 3 \
                --seconds 0.4 --out "$out/peers.md"
            limit 60 pytorch_matmul python3 benches/peers/pytorch_matmul.py cuda
        elif has_torch; then
            limit 60 pytorch_matmul python3 benches/peers/pytorch_matmul.py cpu
            limit 60 pytorch_steps python3 benches/peers/pytorch_steps.py cpu
        else
            echo "peers: SKIPPED, python3 has no torch" | tee -a "$session"
        fi
        limit 180 check env AXONE_TUNE=rule "$bin/check" --device "$device" --json "$out/check.json"
        limit 30 digits "$bin/digits"
        ;;
esac
echo "all: $((SECONDS - started)) s" | tee -a "$session"
