#!/usr/bin/env bash
# Explores thread schedules of the engine with the model checker shuttle: single flight, and every way to
# evict during a load. ITERATIONS (default 3000) schedules a test; a failing one prints how to replay it.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/model"
exec cargo test --quiet -p cacheado-model --release -- "$@"
