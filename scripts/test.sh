#!/usr/bin/env bash
# Runs all tests: first the code in the documentation, then everything else, in a process of its own each.
# Installs what is missing: the test runner cargo-nextest, into the target directory, without which `cargo test`
# runs the tests; and the servers that tests start, unless CACHEADO_SKIP_SERVERS=1 leaves out those tests.
# Arguments go to the test runner, such as the name of a test.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust 1.88 or later from https://rustup.rs" >&2
    exit 1
fi

target="${CARGO_TARGET_DIR:-target}"
mkdir -p "$target/tools/bin"
tools="$(cd "$target/tools" && pwd)"
PATH="$PATH:$tools/bin"

if ! command -v cargo-nextest >/dev/null; then
    echo "cargo-nextest is missing: building it into $target/tools, once, which takes a minute or two"
    # Unoptimised, as it waits for tests most of the time.
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$tools/build" \
        cargo install --debug --locked --quiet --root "$tools" cargo-nextest ||
        echo "cargo-nextest could not be built: \`cargo test\` runs the tests instead" >&2
    rm -rf "$tools/build"
fi

skipped() {
    echo "SKIPPED, by CACHEADO_SKIP_SERVERS=1: every test that needs Redis or MongoDB passes without having run" >&2
}

if [ "${CACHEADO_SKIP_SERVERS:-}" = 1 ]; then
    skipped
    trap skipped EXIT
elif ! scripts/servers.sh; then
    echo "Redis or MongoDB is missing: tests that need it will fail; CACHEADO_SKIP_SERVERS=1 leaves them out" >&2
fi

# One server of each kind, for the tests that can share it: starting one takes longer than most tests do. They end
# when file 4 is closed, as it is when this script ends in whichever way.
share_servers() {
    local pipe line
    pipe=$(mktemp -u)
    mkfifo -m 600 "$pipe"
    exec 3< <(exec "$target/debug/serve" shared <"$pipe")
    exec 4>"$pipe"
    rm "$pipe"
    while read -r line <&3 && [ -n "$line" ]; do
        export "${line?}"
    done
    export NEXTEST_PROFILE="${NEXTEST_PROFILE:-whole}"
    export NEXTEST_TEST_THREADS="${NEXTEST_TEST_THREADS:-$((3 * $(getconf _NPROCESSORS_ONLN)))}"
}

status=0
cargo test --quiet --all-features --doc || status=$?
if command -v cargo-nextest >/dev/null; then
    cargo nextest run --all-features --no-run
    # A few tests are quicker with servers of their own.
    shares=$([ $# -ne 0 ] || [ "${CACHEADO_SKIP_SERVERS:-}" = 1 ] || echo yes)
    if [ -n "$shares" ]; then
        share_servers
    fi
    # Nothing that it leaves behind is to keep the servers.
    cargo nextest run --all-features --no-fail-fast "$@" 3<&- 4>&- || status=$?
    if [ -n "$shares" ]; then
        exec 4>&-
        cat <&3 >/dev/null # until they have ended
    fi
else
    cargo test --all-features --no-fail-fast --lib --bins --examples --tests "$@" || status=$?
fi
exit "$status"
