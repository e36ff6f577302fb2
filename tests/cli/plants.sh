#!/usr/bin/env bash
# The bugs that tests/gpu/plants/plants.sh plants still fit the sources (it runs with `make soak-gpu`).
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
for plant in tests/gpu/plants/*.patch; do
    git apply --check "$plant" >"$T/out" 2>&1 || fail "$plant does not fit: $(cat "$T/out")"
done
