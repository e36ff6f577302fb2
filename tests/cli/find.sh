#!/usr/bin/env bash
# gyre find from outside: the same bits on any number of ranks, what it writes and refuses to write,
# tests that tell nothing, and "find" as a rate of a config.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 900 230 10
LIMIT=${LIMIT:-120} # ranks that spin on a busy machine

cat >"$T/config.json" <<'JSON'
{
    // what a person wrote
    "data": {"path": "images.h5"}, /* stays */
    "model": {"name": "small_cnn"},
    "batch": {"size": 64, "shards": 4},
    "schedule": {"cycles": 3},
    "length": {"steps": 40},
    "evaluate": {"every": {"steps": 20}}
}
JSON
find=("$GYRE" find "$T/config.json" --quiet)
quick=(--quick --repeats 2 --steps 80 --every 4 --from 1e-6)

# same_find DIR DIR...: equal files, and no table is empty.
same_find() {
    local first=$1
    /usr/bin/python3 - "$first" <<'PYTHON' || fail "the tables of $first"
import sys, h5py
first = h5py.File(sys.argv[1] + "/find.h5")
one, two = (first["sweep"][first["sweep"]["repeat"] == r] for r in (0, 1))
assert 60 < len(one) <= 80 and 60 < len(two) <= 80 and len(first["validation"]) > 30
assert one["lr"][0] == two["lr"][0] == 1e-6 and one["lr"][-1] <= 10
assert one["loss"][0] != two["loss"][0], "both repeats are one"
PYTHON
    for other in "${@:2}"; do
        cmp "$first/find.h5" "$other/find.h5" || fail "$first and $other differ"
    done
}

# ---- one result on any number of ranks, workers, and at any time
for n in 1 2 4; do
    ends 0 mpirun -q -np $n "${find[@]}" "${quick[@]}" --out "$T/np$n"
    grep -q "^suggested: base_lr" "$T/out" || fail "no suggestion: $(cat "$T/out")"
done
ends 0 "${find[@]}" "${quick[@]}" --out "$T/threads" --set threads=3
same_find "$T/np1" "$T/np2" "$T/np4" "$T/threads"

# ---- what it wrote
"$GYRE" inspect "$T/np1/find.h5" | tail -n +2 >"$T/again" || fail "inspect"
grep -vF "$T" "$T/out" | diff - "$T/again" || fail "a file read back says something else"
for words in "base\\\\_lr" "max\\\\_lr" "valley" "logscale"; do
    grep -q "$words" "$T/np1/find.gp" || fail "no $words in the figure"
done
cp "$T/np1/find.h5" "$T/np1/find.gp" "$T"
ends 0 "$GYRE" plot "$T/np1/find.h5" -o "$T/figure.png"
[ -s "$T/figure.png" ] || fail "no figure"

# ---- verified, and a config with the bounds: comments stay, and it trains
ends 0 "${find[@]}" "${quick[@]}" --verify --out "$T/verified" --write "$T/new.json"
grep -q "verified with 40 steps" "$T/out" || fail "not verified"
base=$(sed -n 's/^suggested: base_lr \([^,]*\), max_lr \([^,]*\),.*/\1/p' "$T/out")
max=$(sed -n 's/^suggested: base_lr \([^,]*\), max_lr \([^,]*\),.*/\2/p' "$T/out")
grep -q "// what a person wrote" "$T/new.json" && grep -q "/\* stays \*/" "$T/new.json" || fail "comments are gone"
grep -qF "\"schedule\": {\"base_lr\": $base, \"max_lr\": $max, \"cycles\": 3}" "$T/new.json" || fail "$(cat "$T/new.json")"
mkdir "$T/below"
ends 0 "${find[@]}" "${quick[@]}" --out "$T/moved" --write "$T/below/new.json"
ends 0 "${find[@]}" "${quick[@]}" --out "$T/set" --write "$T/below/set.json" --set optimizer.momentum=0.8
grep -q '"momentum":.*0.8' "$T/below/set.json" || fail "--set is lost"
for config in new.json below/new.json; do
    ends 0 "$GYRE" train "$T/$config" --quiet --out "$T/run-${config//\//-}"
done
hash=$("$GYRE" inspect "$T/run-new.json" --hash)
[ "$("$GYRE" inspect "$T/run-below-new.json" --hash)" = "$hash" ] || fail "a config in another folder is another run"

# ---- "find" in a config: the same run as with the numbers, once and for all
sweep=(--set schedule.base_lr=find --set schedule.max_lr=find)
ends 0 "$GYRE" train "$T/config.json" --out "$T/train" "${sweep[@]}" --stop-after 20
grep -q "range test of small_cnn" "$T/err" || fail "no range test"
base=$(sed -n 's/.*"base_lr":\([0-9.e-]*\),.*/\1/p' "$T/train/log.jsonl")
max=$(sed -n 's/.*"max_lr":\([0-9.e-]*\),.*/\1/p' "$T/train/log.jsonl")
grep -q '"event":"find"' "$T/train/log.jsonl" || fail "no event"
[ -s "$T/train/find.h5" ] || fail "no find.h5"
grep -q "\"base_lr\":.*$base," "$T/train/config.json" || fail "the run's config has no number"
ends 0 mpirun -q -np 2 "$GYRE" train "$T/config.json" --out "$T/train" "${sweep[@]}"
! grep -q "range test" "$T/err" || fail "a resume searched again"
ends 0 "$GYRE" train "$T/config.json" --quiet --out "$T/numbers" --set schedule.base_lr="$base" --set schedule.max_lr="$max"
[ "$("$GYRE" inspect "$T/train" --hash)" = "$("$GYRE" inspect "$T/numbers" --hash)" ] || fail "a search leaves a trace"
same_tables "$T/numbers" "$T/train" || fail "a search leaves a trace in the tables"
refused 2 'base_lr: "find" is no rate yet' "$GYRE" schedule "$T/config.json" --set schedule.base_lr=find
refused 2 'number 0..1e+30 or "find", found "seek"' "$GYRE" schedule "$T/config.json" --set schedule.base_lr=seek

# ---- tests that tell nothing say so, and why
none() { # words, arguments...
    local words=$1
    shift
    ends 0 "${find[@]}" --quick --steps 100 --out "$T/none" "$@"
    grep -q "^no reliable suggestion: .*$words" "$T/out" || fail "not '$words': $(cat "$T/out")"
    rm -r "$T/none"
}
none "diverged at rate 1.*e+25, .*lower --from" --from 1e25 --to 1e30 --repeats 2 # at the first step
none "the curve is flat" --from 1e-13 --to 1e-11 --repeats 2
grep -q "^gyre: warning: --to 1e-11: 32-bit weights do not move" "$T/err" || fail "rates without effect: $(cat "$T/err")"
none "still falling at the last rate" --from 1e-6 --to 1e-3 --repeats 2 # never
none "falls from the first rate on" --from 0.01 --to 10 --repeats 2
none "the network is trained already" --repeats 2 --set model.init_from="$(echo "$T"/numbers/checkpoints/*.h5)" --set optimizer.momentum=0 --to 1e-4
ends 2 "${find[@]}" --quick --out "$T/none" --from 1e-12 --to 1e-10 --repeats 1 --write "$T/none.json"
[ ! -e "$T/none.json" ] || fail "a config without bounds was written"
refused 2 "the range test gives no reliable suggestion" "$GYRE" train "$T/config.json" --quiet --out "$T/nothing" --set schedule.base_lr=0 --set schedule.max_lr=find --set optimizer.clip_norm=1e-30
[ ! -e "$T/nothing" ] || fail "a run began without a rate"

# ---- what cannot be is said before the search
cp "$T/config.json" "$T/kept.json"
refused 3 "'$T/kept.json' exists" "${find[@]}" --out "$T/x" --write "$T/kept.json"
cmp -s "$T/config.json" "$T/kept.json" || fail "a config was overwritten"
refused 3 "--write: cannot write '$T/nodir/new.json': No such file" "${find[@]}" --out "$T/x" --write "$T/nodir/new.json"
refused 3 "is not empty" "${find[@]}" --out "$T/np1"
refused 2 "the first below the second" "${find[@]}" --out "$T/x" --from 1 --to 0.1
refused 2 "--to 0.2 or more was expected" "${find[@]}" --out "$T/x" --from 0.1 --to 0.1000000000000001
refused 2 "--to 0.2 or more was expected" "${find[@]}" --out "$T/x" --from 0.1 --to 0.199 --linear
refused 2 "expected a rate above 0" "${find[@]}" --out "$T/x" --from -1
refused 2 "a range test takes 40 to" "${find[@]}" --out "$T/x" --steps 5
refused 2 "at most 100" "${find[@]}" --out "$T/x" --repeats 1000
refused 2 "stages[0] has rates of its own" "${find[@]}" --out "$T/x" --write "$T/y.json" \
    --set 'schedule.stages=[{"length": {"steps": 40}, "max_lr": 0.1}]'
[ ! -e "$T/x" ] || fail "a refused search left a folder"
mkdir "$T/bad"
echo "no HDF5" >"$T/bad/find.h5"
refused 3 "not readable as HDF5" "$GYRE" plot "$T/bad/find.h5"

# ---- without gnuplot everything but the figure is written, and that is said before the search
mkdir "$T/no-programs"
few=(--quick --repeats 1 --steps 60 --from 1e-5)
ends 0 env PATH="$T/no-programs" "${find[@]}" "${few[@]}" --out "$T/bare/" --write "$T/bare/new.json"
grep -q "^gyre: warning: gnuplot was not found, .*gyre plot $T/bare\` draws" "$T/err" || fail "$(cat "$T/err")"
[ -s "$T/bare/find.h5" ] && [ -s "$T/bare/new.json" ] || fail "not written: $(ls "$T/bare")"
[ ! -e "$T/bare/find.svg" ] && ! grep -q "find.svg" "$T/out" || fail "a figure without gnuplot"
# nor does a gnuplot that fails cost the config
printf '#!/bin/sh\nexit 1\n' >"$T/no-programs/gnuplot"
chmod +x "$T/no-programs/gnuplot"
ends 3 env PATH="$T/no-programs" "${find[@]}" "${few[@]}" --out "$T/bad-plot" --write "$T/bad-plot.json"
[ -s "$T/bad-plot.json" ] || fail "no config, since there is no figure"

# ---- repeats in which nothing is random say so
ends 0 "$GYRE" train "$T/config.json" --quiet --out "$T/still" --set schedule.policy=constant --set schedule.base_lr=1e-9 --set length.steps=1
ends 0 "${find[@]}" --quick --repeats 2 --steps 60 --from 1e-5 --out "$T/alike" --set data.order=sequential \
    --set model.init_from="$(echo "$T"/still/checkpoints/*.h5)"
grep -q "the 2 repeats are the same run: nothing in them is random" "$T/out" || fail "$(cat "$T/out")"

# ---- without samples for a validation the loss decides
ends 0 "${find[@]}" "${quick[@]}" --out "$T/few" --set batch.size=880 --set batch.shards=1
grep -q "^suggested" "$T/out" || fail "$(cat "$T/out")"
exit 0
