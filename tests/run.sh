#!/bin/sh
# Everything that must hold: format, lints, documentation, all tests on the CPU and on a software GPU, and what compilers
# of GPUs and browsers make of the kernels.
#
#   sh tests/run.sh
#
# On Debian and Ubuntu it first installs lavapipe, a Vulkan driver that computes on the CPU, if there is none.
# Elsewhere, or without the right to install, GPU tests that find no adapter print a line that begins with SKIPPED.
set -eu
cd "$(dirname "$0")/.."

has_lavapipe() {
    ls /usr/share/vulkan/icd.d/lvp_icd*.json >/dev/null 2>&1
}

if ! has_lavapipe && command -v apt-get >/dev/null; then
    echo "== installing a software Vulkan driver (mesa-vulkan-drivers)"
    as_root=
    if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
        as_root=sudo
    fi
    { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends mesa-vulkan-drivers; } ||
        echo "could not install it; GPU tests that need it will be skipped"
fi

run() {
    echo "== $*"
    "$@"
}

run cargo fmt --all --check
run cargo clippy --workspace --all-targets --locked -- --deny warnings
run cargo clippy --lib --no-default-features --locked -- --deny warnings
run cargo clippy --lib --bins --test formats --all-features --locked -- --deny warnings
run sh tests/features.sh
run env RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked
run cargo test --locked # library, tests/cpu, tests/gpu, documentation; builds the examples too
run cargo test --locked --all-features --test formats # formats that are off by default
run cargo test --locked --all-features --doc -- data:: interop
run sh tests/usage.sh
run sh tests/serve.sh
run bash tools/offline/run.sh
run cargo test --locked --release --package axone-offline # the library is not built again
run cargo test --locked --profile checked --lib --test cpu --test gpu # as released, but with checks of overflow
echo "== all passed"
