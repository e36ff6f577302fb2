#!/usr/bin/env bash
# The configs that people begin with: the import that a config's comment gives, on 24 pictures, makes a
# dataset that it takes, and it trains two steps. The largest network only has its nodes printed.
set -u
# shellcheck source=tests/cli/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export OMP_NUM_THREADS=1
configs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../configs" && pwd) || exit 1
cd "$T" || exit 1
make_dataset cifar10.h5 20 10 32 3
make_pictures all
for k in {0..23}; do
    mkdir -p photos/$((k % 2)) && mv "all/$k.png" photos/$((k % 2))
done

for config in "$configs"/*.json; do
    name=$(basename "$config" .json) data=cifar10.h5
    case $name in
    demo) continue ;; # tools/demo.sh trains it
    cifar10_wide_resnet28_10)
        ends 0 "$GYRE" model "$config" --set "data.path=$T/cifar10.h5"
        continue
        ;;
    pictures*)
        read -r -a import < <(sed -n 's|^ *// *gyre \(data import .*\)|\1|p' "$config")
        data=${import[5]}
        [ -e "$data" ] || ends 0 "$GYRE" "${import[@]}" --channels 3
        ;;
    esac
    LIMIT=240 ends 0 "$GYRE" train "$config" --out run --quiet --set "data.path=$T/$data" \
        --set batch.size=2 --set batch.shards=1 --set evaluate.batch=5 --stop-after 2
    rm -r run
done
exit 0
