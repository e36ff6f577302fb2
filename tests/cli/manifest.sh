#!/usr/bin/env bash
# A manifest of several files trains the very run that one file with all rows trains; a file that is
# gone, changed or cut short, before or during a run, is an error that names it.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset whole.h5 300 60
/usr/bin/python3 - <<'P' || fail "h5py is needed"
import h5py

with h5py.File("whole.h5", "r") as f:
    cuts = {"a": (0, 120, 0, 20), "b": (120, 130, 20, 20), "c": (130, 300, 20, 60)}
    for name, (first, last, test_first, test_last) in cuts.items():
        with h5py.File(name + ".h5", "w") as g:
            for what in ("images", "labels"):
                g["train/" + what] = f["train/" + what][first:last]
                if test_last > test_first:
                    g["test/" + what] = f["test/" + what][test_first:test_last]
P
ends 0 "$GYRE" data manifest a.h5 b.h5 c.h5 -o all.json
grep -q "^all.json: 300 training, 0 validation and 60 test images in 3 files" out || fail "$(cat out)"
ends 0 "$GYRE" data info all.json
grep -q "manifest of 3 files, their checksums right" out || fail "info: $(cat out)"
content=$(grep content out)
ends 0 "$GYRE" data info whole.h5
[ "$(grep content out)" = "$content" ] || fail "content: $(grep content out), not $content"
ends 0 "$GYRE" inspect all.json
refused 3 "exists; --force" "$GYRE" data manifest a.h5 b.h5 c.h5 -o all.json
refused 3 "missing.h5" "$GYRE" data manifest a.h5 missing.h5 -o other.json
refused 2 "usage: gyre data" "$GYRE" data manifest a.h5
refused 2 "one file, or copies of one" "$GYRE" data manifest a.h5 ./a.h5 -o other.json
refused 2 "ends in .json" "$GYRE" data manifest a.h5 b.h5 -o other
cp a.h5 kept.h5
ln -s b.h5 link.json # by another name
refused 2 "ends in .json" "$GYRE" data manifest a.h5 b.h5 -o a.h5 --force
refused 2 "the output 'link.json' is the input 'b.h5'" "$GYRE" data manifest a.h5 b.h5 -o link.json --force
cmp a.h5 kept.h5 && ends 0 "$GYRE" data info b.h5 || fail "an input was written over"
rm link.json kept.h5
# A part with a label too many is told by its name and its own row.
/usr/bin/python3 - <<'P' || fail "h5py is needed"
import h5py
import numpy

with h5py.File("whole.h5", "r") as f, h5py.File("named.h5", "w") as g, h5py.File("more.h5", "w") as h:
    for file, label in ((g, 0), (h, 2)):
        file["train/images"] = f["train/images"][:4]
        file["train/labels"] = numpy.array([0, 1, 0, label], numpy.int32)
        file["names"] = numpy.array(["ox", "cow"], "S")
P
refused 3 "more.h5': /train/labels[3] is 2" "$GYRE" data manifest named.h5 more.h5 -o other.json
[ ! -e other.json ] || fail "a manifest of missing files was made"

# More files, or longer names, than a manifest has room for.
# shellcheck disable=SC2046
refused 2 "'other.json': a manifest has at most 4096 files, found 4097; make fewer" "$GYRE" data manifest $(seq 4097) -o other.json
deep=$(printf "%0230d/" $(seq 15))
mkdir -p "$deep" && /usr/bin/python3 - "$deep" <<'P' || fail "h5py is needed"
import h5py, numpy, os, sys

os.chdir(sys.argv[1])
for i in range(310):
    with h5py.File(f"{i}.h5", "w") as f:
        f["train/images"] = numpy.full((1, 2, 2, 1), i % 251, "u1")
        f["train/labels"] = numpy.array([i // 251], "<i4")
P
(cd "$deep" && refused 2 "'$T/other.json' would have 1" "$GYRE" data manifest *.h5 -o "$T/other.json") || exit 1
grep -q "a manifest has at most 1048576: name fewer and larger files, or put it into the folder of its files" err || fail "$(cat err)"
[ "$(ls other.json*)" = "" ] || fail "a manifest that is too large was left"
(cd "$deep" && ends 0 "$GYRE" data manifest *.h5 -o short.json) || exit 1

cat >config.json <<'JSON'
{
    "data": {"path": "whole.h5"}, "model": {"name": "mlp"}, "batch": {"size": 32, "shards": 2},
    "schedule": {"policy": "triangular", "base_lr": 0.01, "max_lr": 0.05, "cycles": 1},
    "length": {"epochs": 2}
}
JSON
ends 0 "$GYRE" train config.json --out one
ends 0 mpirun -q -np 2 "$GYRE" train config.json --out all --set data.path=all.json
same_tables one all || fail "the manifest's run is another one"

again() { # words: a fresh run, and going on with one, are refused
    refused 3 "$1" "$GYRE" train config.json --out new --set data.path=all.json
    refused 3 "$1" mpirun -q -np 2 "$GYRE" train config.json --out new --set data.path=all.json
    [ ! -e new ] || fail "a run folder was made"
}
mv b.h5 kept.h5
again "b.h5"
cp a.h5 b.h5
again "b.h5' has changed since"
mv kept.h5 b.h5

# Cut short while a run has it open: the rows behind are missed at the next epoch at the latest.
for ranks in 1 2; do
    ends 0 "$GYRE" data manifest a.h5 b.h5 c.h5 -o all.json --force
    cp c.h5 kept.h5
    mpirun -q -np $ranks "$GYRE" train config.json --out "cut$ranks" --set data.path=all.json \
        --set length.epochs=100000 >out 2>err &
    run=$!
    for _ in $(seq 300); do
        [ -s "cut$ranks/metrics.h5" ] && break
        sleep 0.1
    done
    truncate -s 3000 c.h5
    wait $run
    rc=$?
    [ $rc -eq 3 ] || fail "a cut on $ranks ranks: exit $rc: $(cat err)"
    grep -q "c.h5' has been cut short: it had" err || fail "a cut: $(cat err)"
    mv kept.h5 c.h5
done
exit 0
