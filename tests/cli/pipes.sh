#!/usr/bin/env bash
# A file that a user names may be a pipe without a writer: no command waits for it for ever.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 200 40
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 1}, "length": {"steps": 4}}
JSON
ends 0 "$GYRE" train config.json --out run --quiet
ends 0 "$GYRE" schedule <(cat config.json)
ends 0 "$GYRE" train <(cat config.json) --set data.path="$T/images.h5" --out piped --quiet
mkfifo pipe
mkdir folder
mkfifo folder/data_batch_1.bin folder/train-images-idx3-ubyte
sed 's/"mlp"/"mlp", "init_from": "pipe"/' config.json >weights.json
sed 's/images.h5/pipe/' config.json >data.json

cp -r run logged
rm logged/log.jsonl
mkfifo logged/log.jsonl

together=()
# pipe CODES COMMAND...: ends with one of them, and an error.
pipe() {
    local codes=$1 rc=0 err
    shift
    err=$(timeout 25 "$@" 2>&1 >/dev/null) || rc=$?
    [[ " $codes " == *" $rc "* ]] || fail "exit $rc: $* ($err)"
    grep -q 'gyre: error: .*pipe\|gyre: error: .*folder\|gyre: error: .*logged' <<<"$err" || fail "$*: $err"
}
for command in 'train pipe --out a' 'schedule pipe' 'find pipe --out b' 'study pipe --out c' 'eval pipe' 'inspect pipe' \
    'inspect pipe --hash' 'export csv pipe -o d' 'train weights.json --out e' 'train data.json --out f' 'data info pipe' \
    'eval run --data pipe' 'data import folder -o g.h5' 'plot pipe -o h.svg' 'report pipe --out i'; do
    # shellcheck disable=SC2086 # words
    pipe '2 3' "$GYRE" $command &
    together+=($!)
done
pipe '2 3' mpirun -q -np 2 "$GYRE" train pipe --out j &
together+=($!)
pipe '2 3' "$GYRE" train logged/config.json --out logged --extend '{"policy": "constant", "base_lr": 0.1, "length": {"steps": 2}}' &
together+=($!)
for p in "${together[@]}"; do wait "$p" || exit 1; done
