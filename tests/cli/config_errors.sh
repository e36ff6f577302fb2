#!/usr/bin/env bash
# Bad configs through the program: one line on stderr that names the file and the place, exit code 2
# on one rank and on two, and no file made.
set -u
. "$(dirname "$0")/lib/common.sh"

config() { printf '%s\n' "$1" >"$T/bad.json"; }
bad() { # code, words
    refused "$1" "$2" "$GYRE" train "$T/bad.json" --out "$T/run"
    refused "$1" "$2" mpirun -q -np 2 "$GYRE" train "$T/bad.json" --out "$T/run"
    [ ! -e "$T/run" ] || fail "a refused config made a run folder"
}

config '{
  "seed": 1
  "reduce": "fast"
}'
bad 2 "$T/bad.json:3:3: JSON syntax error"
config '{"optimizer": {"momentun": 0.9}}'
bad 2 "$T/bad.json: unknown key optimizer.momentun; the nearest is optimizer.momentum"
config '{"seed": 1, "seed": 2}'
bad 2 "$T/bad.json: key seed is given twice"
config '{"batch": {"size": "many"}}'
bad 2 "$T/bad.json: batch.size: expected whole number 1..2147483647, found \"many\""
config '{"optimizer": {"momentum": 1.5}}'
bad 2 "$T/bad.json: optimizer.momentum: expected number 0..0.999999, found 1.5"
config '{"data": {"path": "d.h5"}, "model": {"name": "lenet"}, "length": {"steps": 4}}'
bad 2 "no batch.size"
# batch norm over one value trains nothing; over two, it is unsteady
make_dataset "$T/images.h5" 40 8 32 3
config '{"data": {"path": "images.h5"}, "model": {"name": "resnet18"}, "batch": {"size": 8, "shards": 8},
    "schedule": {"policy": "constant", "base_lr": 0.02}, "length": {"steps": 1}}'
bad 2 "$T/bad.json: batch norm layer4.0.downsample.1 of resnet18 would take its statistics from one value"
refused 2 "statistics from one value" "$GYRE" find "$T/bad.json" --out "$T/run" --steps 40
ends 0 "$GYRE" train "$T/bad.json" --out "$T/two" --set batch.shards=4
grep -q "warning: batch norm layer4.0.downsample.1 takes its statistics from two values a shard" "$T/err" || fail "two values: $(cat "$T/err")"
refused 2 "--set optimizer.momentum=high: " \
    "$GYRE" train "$T/bad.json" --out "$T/run" --set optimizer.momentum=high
refused 3 "$T/nowhere.json" "$GYRE" train "$T/nowhere.json" --out "$T/run"

# ---- keys that nothing reads are said, as a schedule's are, on stderr and in the log
config '{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 8},
    "schedule": {"policy": "constant", "base_lr": 0.001}, "length": {"steps": 1}}'
unread() { # WORDS SETTING...: one line on stderr, or none
    local words=$1 sets=()
    for set in "${@:2}"; do sets+=(--set "$set"); done
    rm -rf "$T/unread"
    ends 0 "$GYRE" train "$T/bad.json" --quiet --out "$T/unread" "${sets[@]}"
    [ "$(grep 'without effect' "$T/err")" = "${words:+gyre: warning: $words}" ] || fail "not '$words': $(cat "$T/err")"
    [ -z "$words" ] || grep -qF "\"event\":\"warning\",\"text\":\"$words\"" "$T/unread/log.jsonl" || fail "$(cat "$T/unread/log.jsonl")"
}
unread "without effect with adamw: optimizer.momentum" optimizer.name=adamw optimizer.momentum=0.5
unread "without effect with sgd: optimizer.beta1, optimizer.eps" optimizer.beta1=0.5 optimizer.eps=0.1
unread "without effect with rmsprop: optimizer.beta2" optimizer.name=rmsprop optimizer.rms_decay=0.9 optimizer.beta2=0.9
unread "without effect without data.augment.resized_crop.size: data.augment.resized_crop.ratio" data.augment.resized_crop.ratio=2
unread "" optimizer.name=adadelta optimizer.momentum=0.5 optimizer.eps=0.1
unread "" optimizer.name=adam optimizer.momentum=0.9 optimizer.beta1=0.5

# ---- names of other tools, likely spellings, and no unlikely guess
echo '{}' >"$T/empty.json"
set_to() { refused 2 "$2" "$GYRE" schedule "$T/empty.json" --set "$1"; }
set_to lr=0.1 "unknown key lr; the rate is schedule.base_lr, and schedule.max_lr where it moves"
set_to optimizer.lr=0.1 "unknown key optimizer.lr; the rate is schedule.base_lr"
set_to epochs=3 'unknown key epochs; the run'"'"'s length is "length": {"epochs": 10}'
set_to batch_size=3 "the samples of a step, over all ranks, are batch.size"
set_to wd=0.1 "weight decay is optimizer.weight_decay"
set_to weight_decay=0.1 "the nearest is optimizer.weight_decay"
set_to workers=3 "are threads"
set_to early_stopping=3 "there is no early stopping"
set_to seeds=3 "it is a key of a study"
set_to data.augment.hflip=true "it is data.augment.mirror"
set_to data.augment.flip=true "it is data.augment.mirror"
set_to schedule.step_size_up=2000 'half a cycle is "schedule.stepsize"'
set_to optimizer.alpha=0.9 "optimizer.rms_decay"
set_to data.drop_last=true "it is data.last_batch"
set_to data.validation=val 'found "val"; did you mean "validation"?'
set_to data.validation=validaton 'found "validaton"; did you mean "validation"?'
refused 2 "unknown option '--resume'; \`gyre train\` with the same config and --out DIR resumes what DIR holds" "$GYRE" train "$T/empty.json" --resume run
set_to optimizer.name=SGD 'found "SGD"; did you mean "sgd"?'
set_to schedule.policy=OneCycleLR 'did you mean "one_cycle"?'
set_to schedule.policy=StepLR 'did you mean "multistep"?'
set_to optimizer=adam "for a single value take optimizer.name"
for guess in name=x foo=1 zzzzzz=1 optimizer.name=lion; do
    set_to "$guess" "--set $guess: "
    ! grep -qE "nearest|did you mean" "$T/err" || fail "an unlikely guess: $(cat "$T/err")"
done
refused 2 "unknown option '--lr'; the rate is schedule.base_lr" "$GYRE" train "$T/empty.json" --lr 0.1
grep -qF -- "--set KEY=VALUE" "$T/err" || fail "no way out: $(cat "$T/err")"
refused 2 "unknown option '--batch-size=3'; the samples of a step" "$GYRE" train "$T/empty.json" --batch-size=3
refused 2 "unknown command 'trian'; did you mean 'train'?" "$GYRE" trian
refused 2 "unknown command 'zzz'; \`gyre --help\`" "$GYRE" zzz
exit 0
