#!/usr/bin/env bash
# The configs that people begin with: each is read, holds together and takes a few steps, on noise of the
# size that it is for. The largest network only has its nodes printed.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1
configs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../configs" && pwd) || exit 1
for size in 32 72 256; do make_dataset "$T/$size.h5" 20 10 $size 3; done

for config in "$configs"/*.json; do
    name=$(basename "$config" .json)
    case $name in
    demo | cifar10_wide_resnet28_10)
        ends 0 "$GYRE" model "$config" --set "data.path=$T/32.h5" --set data.validation=test
        continue
        ;;
    cifar10_*) size=32 ;;
    pictures64_*) size=72 ;;
    pictures224_*) size=256 ;;
    *) fail "no test knows the size of $config" ;;
    esac
    LIMIT=240 ends 0 "$GYRE" train "$config" --out "$T/run" --quiet --set "data.path=$T/$size.h5" \
        --set data.validation=test --set batch.size=2 --set batch.shards=1 --set evaluate.batch=5 --stop-after 2
    rm -r "$T/run"
done
exit 0
