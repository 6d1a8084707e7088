#!/usr/bin/env bash
# Counts the instructions of a hit in memory, which do not depend on what else the machine does, and fails where one
# costs over 5 % more than `benches/budgets.txt` says. `--update` writes the counts there instead.
#
# Each process draws its own hash seeds, which moves a count by a tenth of an instruction: what is counted are the hits
# alone, by the name of the function that they are in. Valgrind counts no instruction of the kernel's, such as those
# of its clock.
set -euo pipefail
cd "$(dirname "$0")/.."
budgets="$PWD/benches/budgets.txt"
hits=20000

if ! command -v valgrind >/dev/null; then
    install="apt-get install --yes valgrind"
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "error: valgrind is missing; install it, as by: sudo $install" >&2
        exit 1
    fi
    $install
fi

cargo build --release --package cacheado-gate
program="${CARGO_TARGET_DIR:-target}/release/cacheado-gate"

# The instructions of one hit of this workload.
count() {
    local log
    if ! log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*counted*' \
        "$program" "$1" "$hits" 2>&1 </dev/null); then
        printf 'error: the hits of `%s` could not be counted\n%s\n' "$1" "$log" >&2
        return 1
    fi
    awk -v hits="$hits" '/Collected/ { count = $NF / hits } END { printf "%.0f\n", count; exit count < 1 }' <<<"$log" ||
        { echo "error: callgrind has not met \`counted\`" >&2 && return 1; }
}

failed=0
counted=()
while read -r workload budget; do
    instructions=$(count "$workload")
    counted+=("$workload $instructions")
    verdict=$(awk -v count="$instructions" -v budget="$budget" \
        'BEGIN { print (count > budget * 1.05) ? "TOO MUCH" : (count < budget * 0.95) ? "ok, and the budget can be lowered" : "ok" }')
    echo "$workload: $instructions instructions a hit, of $budget: $verdict"
    [ "$verdict" != "TOO MUCH" ] || failed=1
done < <(grep -v '^#' "$budgets")

if [ "${1:-}" = "--update" ]; then
    head=$(grep '^#' "$budgets")
    printf '%s\n' "$head" "${counted[@]}" >"$budgets"
elif [ "$failed" -ne 0 ]; then
    echo "error: a hit costs over 5 % more than its budget. Where that is worth it: $0 --update, and say why" >&2
    exit 1
fi
