#!/usr/bin/env bash
# Explores orders of memory of the memory store's locks with the model checker loom, and thread schedules of the
# engine with shuttle: single flight, and every way to evict during a load. ITERATIONS (default 3000) schedules a
# test of the engine; a failing one prints how to replay it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --quiet -p cacheado-model --test gate
export RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/model"
exec cargo test --quiet -p cacheado-model --profile model -- "$@"
