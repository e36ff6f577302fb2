#!/usr/bin/env bash
# Every network of the zoo, trained for two steps, goes out by gyre export onnx and comes back by model.file: the logits
# of gyre eval are the same to 1e-6, under each kind of normalisation. So are those of a network with a node of every
# type.
# Slow.
set -u
. "$(dirname "$0")/lib/common.sh"
gyre=$(realpath "$GYRE")
make_dataset "$T/images.h5" 40 16 32 3
make_dataset "$T/digits.h5" 40 16 28 1
cd "$T" || exit 1

cat >compare.py <<'P'
import csv, sys
import numpy as np

there, back = [np.array([[float(v) for v in row[3:]] for row in list(csv.reader(open(f)))[1:]]) for f in sys.argv[1:]]
off = np.abs(there - back).max() / np.abs(there).max()
print(f"{off:.1e}")
assert there.shape == back.shape == (16, 10) and there.std(0).min() > 0
assert off <= 1e-6, off
P

# returns NAME DATA NORMALIZE MODEL: as "name": ..., or "file": ...
returns() {
    local name=$1
    cat >config.json <<END
{"data": {"path": "$2.h5", "augment": {"normalize": $3}}, "model": {$4}, "batch": {"size": 10},
 "schedule": {"policy": "constant", "base_lr": 1e-4}, "length": {"steps": 2}}
END
    rm -rf run there.csv back.csv
    ends 0 "$gyre" train config.json --out run --quiet
    ends 0 "$gyre" eval run --predictions there.csv
    ends 0 "$gyre" export onnx run -o net.onnx
    cat >back.json <<'END'
{"model": {"file": "net.onnx"}}
END
    ends 0 "$gyre" eval net.onnx --model back.json --data "$2.h5" --predictions back.csv
    /usr/bin/python3 compare.py there.csv back.csv >off 2>&1 || fail "$name, $3: $(tail -1 off)"
    echo "$name, $3: $(cat off)"
}

kinds=('"channel"' '"mean_image"' '"raw"' '{"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25]}')
count=0
for name in $("$gyre" help models | sed -n '/^$/q; s/^\([a-z][a-z0-9_]*\) .*/\1/p'); do
    case $name in
    unet) continue ;; # begins with noise, which no operator of ONNX draws
    lenet) returns lenet digits '"mean_image"' '"name": "lenet"' ;;
    *) returns "$name" images "${kinds[count % 4]}" "\"name\": \"$name\"" ;;
    esac
    count=$((count + 1))
done
[ $count -ge 22 ] || fail "$count networks"
returns cifar10_full images '"mean_image"' '"name": "cifar10_full"'
returns every images '"mean_image"' "\"file\": \"$lib/every_node.json\""
exit 0
