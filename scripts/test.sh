#!/usr/bin/env bash
# Runs all tests: first the code in the documentation, then everything else, in a process of its own each.
# Installs what is missing (the test runner cargo-nextest, into the target directory); without a network it
# falls back to `cargo test`. Arguments go to the test runner, such as the name of a test.
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

# Tests of remote backends will start their servers themselves; what those need is to be installed here.

status=0
cargo test --quiet --doc || status=$?
if command -v cargo-nextest >/dev/null; then
    cargo nextest run --no-fail-fast "$@" || status=$?
else
    cargo test --no-fail-fast --lib --bins --examples --tests "$@" || status=$?
fi
exit "$status"
