#!/usr/bin/env bash
# Fetches compilers of GPUs into FOLDER, where none lie yet. Nothing is installed; about 450 MB. What cannot be had is
# said, and the rest goes on; without Mesa it ends with status 3.
#
#   fetch.sh FOLDER
#
# Mesa with stand-ins for its kernel drivers, its C library and spirv-val from Debian (needs apt-get, dpkg-deb, cc),
# Microsoft's DXC out of the archive of a Python package, Chromium's Tint out of a package of npm, for Node.js (which
# comes from Debian where there is none).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: fetch.sh FOLDER}"
root=$(cd "$1" && pwd)
cd "$root"

dxc=0.17.5    # of compushady, with DXC 1.7
webgpu=0.6.2  # of npm's webgpu, with Dawn
release=trixie

missing() {
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "there is no $program"; return 0; }
    done
    return 1
}

# The mirror that this machine's apt is set to, and Debian's own otherwise.
mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
        grep -v '^#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true
}

# download URL FILE, with what there is.
download() {
    if command -v curl >/dev/null; then
        curl --silent --fail --location --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget --quiet --output-document="$2" "$1"
    else
        /usr/lib/apt/apt-helper download-file "$1" "$2" >/dev/null
    fi
}

apt=("-oDir::State::Lists=$root/apt/lists" "-oDir::Etc::SourceList=$root/apt/sources.list" -oDir::Etc::SourceParts=/dev/null
    "-oDir::Cache=$root/apt/cache" "-oDir::State::status=$root/apt/status" -oAPT::Sandbox::User=root -oAPT::Architecture=amd64)

# Unpacks packages, with all that they depend on, into FOLDER.
unpack() {
    local folder=$1
    shift
    rm -rf apt "$folder"
    mkdir -p apt/{lists/partial,cache/archives/partial} "$folder"
    : >apt/status
    local from
    from=$(mirror)
    printf 'deb %s %s main\n' "${from:-http://deb.debian.org/debian}" "$release" \
        "${from:-http://deb.debian.org/debian}" "$release-backports" | sed "s#^deb#deb [trusted=yes]#" >apt/sources.list
    apt-get "${apt[@]}" update -qq &&
        apt-get "${apt[@]}" install --yes --no-install-recommends --download-only -qq -t "$release-backports" "$@" >/dev/null &&
        for package in apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$folder" || return 1; done
}

if [ ! -e mesa/ready ]; then
    if missing apt-get dpkg-deb cc || [ "$(uname -m)" != x86_64 ]; then
        echo "SKIPPED: Mesa's compilers need Debian's tools and x86-64"
        exit 3
    fi
    unpack mesa mesa-vulkan-drivers mesa-drm-shim libc6 libvulkan1 spirv-tools || { echo "SKIPPED: Mesa could not be fetched"; exit 3; }
    cc -O1 -shared -fPIC -o nouveau.so "$here/nouveau.c" -ldl
    apt-cache "${apt[@]}" show -a mesa-vulkan-drivers | sed -n 's/^Version: \([0-9.]*\).*/Mesa \1/p' | head -n 1 >mesa/ready
fi

if [ ! -e dxc/libdxcompiler.so ]; then
    rm -rf pip dxc && mkdir -p pip dxc
    by_pip() { pip download --quiet --no-deps --no-binary :all: --dest pip "compushady==$dxc" >/dev/null 2>&1; }
    by_hand() {
        download https://pypi.org/simple/compushady/ pip/index &&
            download "$(grep -oE "https://[^\"#]*/compushady-$dxc\.tar\.gz" pip/index | head -n 1)" pip/archive.tar.gz
    }
    if ! by_pip && ! by_hand; then
        echo "SKIPPED: DXC could not be fetched"
    else
        tar -xzf pip/*.tar.gz -C dxc --strip-components=3 --wildcards '*/libdxcompiler_x86_64.so*'
        mv dxc/libdxcompiler_x86_64.so* dxc/libdxcompiler.so
    fi
    rm -rf pip
fi

if [ ! -e webgpu/index.js ]; then
    if ! command -v node >/dev/null && [ ! -e node ]; then
        unpack debian-node nodejs || echo "SKIPPED: Node.js could not be fetched"
        library=$root/debian-node/usr/lib/x86_64-linux-gnu
        printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s %s/debian-node/usr/bin/node "$@"\n' \
            "$library" "$library" "$root" >node
        chmod +x node
    fi
    rm -rf webgpu package && mkdir webgpu
    archive=https://registry.npmjs.org/webgpu/-/webgpu-$webgpu.tgz
    if npm pack --silent "webgpu@$webgpu" >/dev/null 2>&1 || download "$archive" "webgpu-$webgpu.tgz"; then
        tar -xzf "webgpu-$webgpu.tgz" --wildcards package/index.js package/package.json 'package/dist/linux-x64/*'
        rm -rf webgpu && mv package webgpu
    else
        echo "SKIPPED: Tint could not be fetched"
    fi
    rm -f "webgpu-$webgpu.tgz"
fi
rm -rf apt

{
    cat mesa/ready
    [ ! -e dxc/libdxcompiler.so ] || echo "compushady $dxc (DXC)"
    [ ! -e webgpu/index.js ] || echo "webgpu $webgpu (Tint)"
} >versions
