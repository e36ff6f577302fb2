#!/usr/bin/env bash
# Slow.
# A disk that fails: each call of each save of a checkpoint fails in turn, with several errors. The
# run continues with a warning, the newest good checkpoint loads, and a resume ends as if nothing had
# been. So does a run whose metrics.h5 finds the disk full. The last checkpoint must be written, and
# checkpoint.required makes all of them so: exit 3.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 300 60
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
    "schedule": {"policy": "constant", "base_lr": 0.01},
    "length": {"steps": 6}, "evaluate": {"every": {"steps": 6}},
    "checkpoint": {"every": {"steps": 5}, "keep": 2, "best": true}
}
JSON
train=("$GYRE" train "$T/config.json" --quiet --set threads=1 --out)
make_fault
faulty() { # path, kind, at, count, command...
    local settings=(LD_PRELOAD="$T/fault.so" FAULT_PATH="$1" FAULT="$2" FAULT_AT="$3" FAULT_COUNT="$4" FAULT_LOG="$T/hits")
    shift 4
    rm -f "$T/hits"
    env "${settings[@]}" "$@" 2>"$T/err"
}
ends 0 "${train[@]}" "$T/whole"
expected=$("$GYRE" inspect "$T/whole" --hash)

# After a fault: what is there loads, and the same command ends as the whole run.
recovers() { # run folder
    if [ -d "$T/$1/checkpoints" ] && [ -n "$(find "$T/$1/checkpoints" -name 'step-*.h5')" ]; then
        "$GYRE" inspect "$T/$1" --hash >/dev/null || fail "$1: the newest checkpoint does not load"
        ! find "$T/$1" -name '*.tmp.*' | grep -q . || fail "$1: a temporary file was left"
    fi
    ends 0 "${train[@]}" "$T/$1"
    [ "$("$GYRE" inspect "$T/$1" --hash)" = "$expected" ] || fail "$1 is another run"
    folders+=("$T/$1.$((saves++))")
    mv "$T/$1" "${folders[-1]}"
    [ ${#folders[@]} -lt 20 ] || compare
}
compare() { # Python takes longer to start than a run
    same_tables "$T/whole" "${folders[@]}" || fail "other tables after a fault"
    rm -rf "${folders[@]}"
    folders=()
}

saves=0 folders=()
for kind in ENOSPC EIO short; do
    for k in $(seq 400); do
        rc=0
        faulty /checkpoints "$kind" "$k" 1 "${train[@]}" "$T/run" || rc=$?
        [ -s "$T/hits" ] || break # fewer calls than k: all have failed once
        case $rc in
        0) ;;
        3) # a failed close, or the last checkpoint's own
            grep -q '^gyre: error: ' "$T/err" || fail "$kind at call $k: no error ($(cat "$T/err"))" ;;
        *) fail "$kind at call $k ($(cat "$T/hits")): exit $rc, $(cat "$T/err")" ;;
        esac
        recovers run
    done
    [ "$k" -gt 12 ] || fail "$kind: only $k calls in all saves"
done

# The first save fails: a warning that names the reason, and the run continues to its end.
faulty /checkpoints ENOSPC 1 1 "${train[@]}" "$T/warned" || fail "a failed save ended the run: $(cat "$T/err")"
grep -q '^gyre: warning: .*No space left on device; training continues without this checkpoint' "$T/err" || fail "$(cat "$T/err")"
recovers warned
rc=0
faulty /checkpoints EROFS 1 1 "${train[@]}" "$T/required" --set checkpoint.required=true || rc=$?
[ $rc -eq 3 ] && grep -q 'Read-only file system' "$T/err" || fail "checkpoint.required: exit $rc, $(cat "$T/err")"

# The disk is full when rows are to be written, for a while: they wait.
for k in $(seq 40); do
    rc=0
    faulty metrics.h5 ENOSPC "$k" 1 "${train[@]}" "$T/rows" || rc=$?
    [ -s "$T/hits" ] || break
    [ $rc -eq 0 ] || [ $rc -eq 3 ] || fail "metrics.h5 at call $k ($(cat "$T/hits")): exit $rc, $(cat "$T/err")"
    recovers rows
done
compare
echo "$saves faults"
