#!/usr/bin/env bash
# Slow.
# The end comes before each write of metrics.h5 in turn, while it is begun, grows and has room: the
# same command resumes, and ends with the rows of an undisturbed run. So it does when the
# end comes between two files of one save: best.h5 is then the best all the same.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 300 60
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "stepsize": {"steps": 50}},
    "length": {"steps": 300}, "evaluate": {"every": {"steps": 150}, "minima": false},
    "checkpoint": {"every": {"steps": 150}, "keep": 2, "best": true}
}
JSON
train=("$GYRE" train "$T/config.json" --quiet --set threads=1 --out)
make_fault
ends 0 "${train[@]}" "$T/whole"
expected=$("$GYRE" inspect "$T/whole" --hash)

kills=0 folders=()
killed_in() { # path
    local k rc run
    for k in $(seq 100); do
        rc=0 run=$T/run$kills
        rm -f "$T/hits"
        env LD_PRELOAD="$T/fault.so" FAULT_PATH="$1" FAULT=kill FAULT_AT="$k" FAULT_LOG="$T/hits" \
            timeout 60 "${train[@]}" "$run" 2>"$T/err" || rc=$?
        [ -s "$T/hits" ] || { rm -r "$run" && break; }
        [ $rc -eq 137 ] || fail "$1 at call $k: exit $rc, $(cat "$T/err")"
        ends 0 "${train[@]}" "$run"
        [ "$("$GYRE" inspect "$run" --hash)" = "$expected" ] || fail "$1 at call $k: another run"
        cmp "$T/whole/checkpoints/best.h5" "$run/checkpoints/best.h5" || fail "$1 at call $k: another best.h5"
        folders+=("$run")
        kills=$((kills + 1))
    done
    [ "$k" -gt 4 ] || fail "$1: only $k calls"
}
killed_in metrics.h5
killed_in checkpoints/best.h5
same_tables "$T/whole" "${folders[@]}" || fail "other tables"

# A best.h5 that could not be written is missing, whatever the rows say: the next evaluation makes one.
ends 0 "${train[@]}" "$T/again" --stop-after 150
rm "$T/again/checkpoints/best.h5"
ends 0 "${train[@]}" "$T/again"
[ -e "$T/again/checkpoints/best.h5" ] || fail "no best.h5"
echo "$kills kills"
