#!/usr/bin/env bash
# Signals that ask a run to end, those that would end it unasked, and a reader of its
# messages that goes away.
set -u
. "$(dirname "$0")/lib/common.sh"
docs=$PWD/docs
cd "$T" || exit 1
make_dataset images.h5 200 40
cat >long.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2},
 "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "stepsize": {"steps": 50}},
 "length": {"steps": 1000000000}, "evaluate": {"every": {"steps": 100000}}}
JSON
sed 's/1000000000/300/; s/100000}/100}/' long.json >short.json
echo '{"base": "long.json", "seeds": 2, "cycles": [1000]}' >study.json
sed 's/long/short/; s/1000/3/' study.json >short-study.json

trap 'kill -KILL $(jobs -p) 2>/dev/null; rm -rf "$T"' EXIT

# WORDS are in PATH, a file or folder, at last.
when() {
    for _ in $(seq 300); do
        grep -rqs -- "$1" "$2" && return
        sleep 0.05
    done
    fail "no '$1' in $2"
}

# stops SIGNAL COMMAND...: the signal comes when it is at work in the folder SIGNAL-COMMAND; exit 99.
stops() {
    local folder=$1-$2 rc=0
    "$GYRE" "$2" "$3" --out "$folder" >"$folder.out" 2>&1 &
    trap 'kill -KILL $! 2>/dev/null' EXIT
    when '"event":"start"' "$folder"
    kill "-$1" $!
    wait $! || rc=$?
    [ $rc -eq 99 ] || fail "$2: exit $rc after SIG$1 ($(tail -n 2 "$folder.out"))"
    find "$folder" -name 'step-*.h5' | grep -q . || fail "$2: no checkpoint after SIG$1"
}
signals=(INT TERM HUP USR1 USR2 XCPU)
together=()
for s in "${signals[@]}"; do
    stops "$s" train long.json &
    together+=($!)
    case $s in HUP | USR2 | XCPU) stops "$s" study study.json & ;; *) continue ;; esac
    together+=($!)
done
for p in "${together[@]}"; do wait "$p" || exit 1; done
ends 99 bash -c "ulimit -S -t 1; exec '$GYRE' train long.json --out limited --quiet"
ends 0 env GYRE="$GYRE" sh -c 'nohup "$GYRE" train short.json --out hup --quiet & sleep 0.2; kill -HUP $!; wait $!'

# mpirun passes both on to its ranks
for s in USR1 USR2; do
    mpirun -q -np 2 "$GYRE" train long.json --out ranks-$s --quiet 2>ranks.err &
    when '"event":"start"' ranks-$s
    kill -$s $!
    wait $! && fail "mpirun ends with 0 after SIG$s"
    grep -q 'stopped by a signal.*with a checkpoint' ranks.err || fail "SIG$s under mpirun: $(cat ranks.err)"
done

# Codes that are mpirun's own: after Ctrl-C, and of a rank that was killed. They stand in a table.
mpirun -q -np 2 "$GYRE" train long.json --out ranks-INT --quiet 2>ranks.err &
when '"event":"start"' ranks-INT
kill -INT $! && rc=0
wait $! || rc=$?
[ $rc -eq 1 ] || fail "exit $rc after Ctrl-C under mpirun: $(cat ranks.err)"
# shellcheck disable=SC2016 # for the other shell
ends 137 mpirun -q -np 2 sh -c 'kill -KILL $$'
grep -q '^| mpirun ends with 137, 205 or 1 | 137: .*killed.*; 205: .*; 1: .*Ctrl-C' "$docs/slurm.md" || fail "mpirun's codes are in no table"

# find keeps the sweeps that are whole, and the same command goes on from them
range=("$GYRE" find short.json --quick --steps 2000 --from 1e-5 --to 0.01)
"${range[@]}" --repeats 100 --out range >range.out 2>range.err &
until [ "$(grep -c 'step 201/' range.err)" -ge 2 ]; do kill -0 $! && sleep 0.05 || fail "find has ended"; done
kill -HUP $! && rc=0
wait $! || rc=$?
[ $rc -eq 99 ] || fail "find: exit $rc ($(tail -n 2 range.err))"
grep -q "with [0-9]* of 100 sweeps .*kept in 'range/find.partial.h5': the same command goes on" range.err || fail "$(tail -n 2 range.err)"
/usr/bin/python3 - <<'PY' || fail "find.partial.h5 has not the whole repeats"
import h5py
f = h5py.File("range/find.partial.h5")
whole = f["search"]["whole"][0]
assert 1 <= whole < 100 and len(f["sweep"]) == 2000 * whole, (whole, len(f["sweep"]))
PY
before=$(cksum range/find.partial.h5)
ends 2 "${range[@]}" --repeats 99 --out range --quiet
grep -q "left by a range test of another config or with other options" err || fail "another search: $(cat err)"
[ "$(cksum range/find.partial.h5)" = "$before" ] || fail "what a stopped find had left was replaced"
"$GYRE" find short.json --steps 1000000 --repeats 100 --out none >none.out 2>none.err &
when 'range test of' none.err
kill -TERM $! && rc=0
wait $! || rc=$?
[ $rc -eq 99 ] && [ ! -e none/find.h5 ] || fail "find in its first repeat: exit $rc ($(cat none.err))"

# The reader of the messages goes away, and the run continues.
left() { # COMMAND...: ends with 0 though its messages have no reader
    { "$@" 2>&1 && echo well >said || echo "exit $?" >said; } | true
    [ "$(cat said)" = well ] || fail "$(cat said) when nobody reads: $*"
}
ends 0 "$GYRE" train short.json --out whole --quiet
left "$GYRE" train short.json --out piped
[ "$("$GYRE" inspect piped --hash)" = "$("$GYRE" inspect whole --hash)" ] || fail "another run when nobody reads"
left "$GYRE" study short-study.json --out piped-study
{ "${range[@]}" --repeats 1 --out piped-range >range.out; echo $? >said; } 2>&1 | true
[ "$(cat said)" = 0 ] && [ -s piped-range/find.h5 ] || fail "find when nobody reads: exit $(cat said)"

# A limit on the size of files has words.
(ulimit -f 4 && ends 3 "$GYRE" train short.json --out small --quiet) || exit 1
grep -q '^gyre: error: .*small/checkpoints/.*: File too large' err || fail "$(cat err)"
