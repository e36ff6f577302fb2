#!/usr/bin/env bash
# metrics.h5 can be read at any moment of a run: h5dump and h5py beside a run that writes never fail
# and see whole rows. READS sets how often.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5"
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
    "schedule": {"policy": "triangular2", "base_lr": 0.001, "max_lr": 0.01, "stepsize": {"steps": 500}},
    "length": {"steps": 2000000}, "evaluate": {"every": {"steps": 200}}
}
JSON
"$GYRE" train "$T/config.json" --out "$T/run" --quiet 2>"$T/err" &
pid=$!
trap 'kill -TERM $pid 2>/dev/null; wait $pid; rm -rf "$T"' EXIT
for _ in $(seq 600); do
    [ -s "$T/run/metrics.h5" ] && break
    sleep 0.02
done
cat >"$T/read.py" <<'P'
import sys, time
import h5py, numpy as np
seen = set()
for i in range(int(sys.argv[2])):
    with h5py.File(sys.argv[1], "r") as f:
        train, validation, cycles = f["train"][:], f["validation"][:], f["cycles"][:]
    assert np.array_equal(train["step"], np.arange(len(train))), "a row is missing, torn or doubled"
    assert np.all(train["lr"] >= 0.001) and np.all(train["loss"] > 0), "a torn row"
    assert np.all(validation["step"] % 200 == 0) and np.all(cycles["end_step"] % 1000 == 0)
    seen.add(len(train))
    time.sleep(0.05)
assert len(seen) > 1, f"the file does not grow: {seen}"
P
/usr/bin/python3 "$T/read.py" "$T/run/metrics.h5" "${READS:-60}" || fail "h5py beside a running gyre"
for _ in $(seq "${READS:-20}"); do
    h5dump -d /train -s 0 -c 1 "$T/run/metrics.h5" >"$T/dump" || fail "h5dump beside a running gyre"
done
kill -0 $pid || fail "the run has ended: $(cat "$T/err")"
