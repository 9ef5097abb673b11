#!/usr/bin/env bash
# All of Retort's set-up on Debian 12 (or newer):  bootstrap.sh deps|build|run|test [--cuda]
#   deps   installs the packages and brings LibTorch into the cache
#   build  deps, then build/bin/retort and build/bin/retort-cli
#   run    build, then the workbench
#   test   build, then every test
# Each step does nothing when it is already done. --cuda takes the LibTorch build for NVIDIA GPUs (about 3 GB).
# RETORT_CACHE_DIR says where LibTorch is kept (default: ~/.cache/retort-build); Torch_DIR names one that is already there.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export RETORT_CACHE_DIR=${RETORT_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/retort-build}
torch_version=2.13.0
# The wheel's Python tag is of no consequence: only its libraries, headers and CMake files are taken.
wheel_for=(--no-deps --only-binary=:all: --implementation cp --python-version 3.11 --platform manylinux_2_28_x86_64)
packages=(build-essential cmake ninja-build ccache mold pkg-config git unzip ca-certificates python3 python3-pip
    qt6-base-dev libgl-dev libqcustomplot-dev libhwy-dev libcli11-dev nlohmann-json3-dev libexpected-dev
    libsqlite3-dev libpcre2-dev libutf8proc-dev libssl-dev fonts-dejavu-core)

say() { printf 'bootstrap: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

usage() { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }

install_packages() {
    command -v dpkg-query >/dev/null || die "this script knows Debian's packages only; install the libraries that README names and run cmake --preset release."
    local missing=()
    for package in "${packages[@]}"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "packages are missing and there is no sudo; as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq || die "apt-get update did not reach Debian's archive; check the network and run this again."
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 \
        || die "apt-get could not install the packages; its message above says why."
}

# download FOLDER PIP-ARGUMENTS...: true when a wheel of torch (and, for CUDA, of what it needs) lies in FOLDER.
download() {
    local folder=$1; shift
    local resume=()
    # pip 25.1 and newer go on where a broken download stopped.
    python3 -m pip download --help 2>/dev/null | grep -q -- --resume-retries && resume=(--resume-retries 10)
    python3 -m pip download --quiet --disable-pip-version-check "${resume[@]}" -d "$folder" "$@" >&2
}

fetch_libtorch() {
    local flavour=$1 target=$RETORT_CACHE_DIR/libtorch
    [ -n "${Torch_DIR:-}" ] && return
    if [ -f "$target/flavour" ] && [ "$(cat "$target/flavour")" = "$torch_version $flavour" ]; then
        return
    fi
    local work=$RETORT_CACHE_DIR/download
    mkdir -p "$work"
    local wheels=("$work"/torch-*.whl)
    if [ "$flavour" = cpu ] && [ ! -f "${wheels[0]}" ]; then
        say "fetching LibTorch $torch_version for the processor (about 190 MB)"
        download "$work" "${wheel_for[@]}" "torch==$torch_version+cpu" 2>"$work/pip.log" \
            || download "$work" "${wheel_for[@]}" --extra-index-url https://download.pytorch.org/whl/cpu "torch==$torch_version+cpu" 2>>"$work/pip.log" \
            || { say "neither pip's own index nor PyTorch's has the processor build; taking the default build with its CUDA libraries (about 3 GB)"
                 flavour=cuda; }
    fi
    wheels=("$work"/torch-*.whl)
    if [ "$flavour" = cuda ] && [ ! -f "${wheels[0]}" ]; then
        local with_dependencies=("${wheel_for[@]}")
        unset 'with_dependencies[0]'
        download "$work" "${with_dependencies[@]}" "torch==$torch_version" 2>>"$work/pip.log" \
            || die "LibTorch $torch_version could not be fetched: neither pip's index nor PyTorch's answered ($work/pip.log has what pip said). Check the network, or set Torch_DIR to a LibTorch of at least 2.6."
    fi
    say "unpacking LibTorch"
    rm -rf "$target.part"
    mkdir -p "$target.part"
    for wheel in "$work"/*.whl; do
        case $(basename "$wheel") in
            torch-*) unzip -qo "$wheel" 'torch/include/*' 'torch/lib/*' 'torch/share/*' -d "$target.part" ;;
            nvidia*) unzip -qo "$wheel" -d "$target.part" ;;
        esac || { rm -f "$wheel"; die "$(basename "$wheel") is damaged and was removed; run this again to fetch it anew."; }
    done
    rm -f "$target.part"/torch/lib/libtorch_python.so
    echo "$torch_version $flavour" > "$target.part/flavour"
    rm -rf "$target"
    mv "$target.part" "$target"
    rm -rf "$work"
}

build() {
    local preset=release
    [ -n "${CI:-}" ] && preset=ci
    # Configure output matters only when something is wrong.
    cmake --preset "$preset" -S "$root" >"$RETORT_CACHE_DIR/configure.log" 2>&1 || { cat "$RETORT_CACHE_DIR/configure.log" >&2; die "cmake could not configure the build."; }
    cmake --build "$root/build"
}

main() {
    local command=${1:-} flavour=cpu
    [ "${2:-}" = --cuda ] && flavour=cuda
    [ -z "${2:-}" ] || [ "${2:-}" = --cuda ] || usage
    case $command in deps|build|run|test) ;; *) usage ;; esac
    mkdir -p "$RETORT_CACHE_DIR"
    cd "$root"
    install_packages
    fetch_libtorch "$flavour"
    [ "$command" = deps ] && return
    build
    case $command in
        run)
            if [ -z "${DISPLAY:-}" ] && [ -z "${WAYLAND_DISPLAY:-}" ] && [ -z "${QT_QPA_PLATFORM:-}" ]; then
                say "built, but there is no screen here to open the window on; build/bin/retort-cli does the same work without one (try: build/bin/retort-cli doctor)."
                return
            fi
            exec "$root/build/bin/retort" ;;
        test) ctest --test-dir "$root/build" --output-on-failure --no-tests=error ;;
    esac
}

main "$@"
