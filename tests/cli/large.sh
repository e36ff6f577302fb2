#!/usr/bin/env bash
# A dataset that may not be in memory: 1.25 GiB in holes of a sparse file, trained from on one rank
# and on two with 700 MB of addresses for each, so that mapping or loading it would fail, and with
# little of it resident.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
LIMIT=300
/usr/bin/python3 "$lib/sparse_dataset.py" part.h5 1.25 || fail "h5py is needed"
[ "$(du -k part.h5 | cut -f1)" -lt 100000 ] || { echo "this file system keeps no holes"; exit 77; }
ends 0 "$GYRE" data manifest part.h5 -o large.json
cat >config.json <<'JSON'
{
    "data": {"path": "large.json", "validation": "none"}, "model": {"name": "mlp"},
    "batch": {"size": 32, "shards": 2}, "optimizer": {"momentum": 0},
    "schedule": {"policy": "constant", "base_lr": 0.001}, "length": {"steps": 12}
}
JSON
cat >limited.py <<'P'
import os, resource, subprocess, sys

limit = 700_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
rc = subprocess.run(sys.argv[1:]).returncode
with open(f"resident.{os.getpid()}", "w") as f:
    f.write(f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024}\n")
sys.exit(rc)
P
for ranks in 1 2; do
    ends 0 mpirun -q -np $ranks /usr/bin/python3 limited.py "$GYRE" train config.json --out "run$ranks"
    [ "$(cat resident.* | wc -l)" -eq $ranks ] || fail "$ranks ranks: $(cat resident.*)"
    for mib in $(cat resident.*); do
        [ "$mib" -lt 400 ] || fail "$mib MiB were resident on $ranks ranks"
    done
    rm resident.*
done
same_tables run1 run2 || fail "two ranks train another run"

# Without its manifest the file is as good, but has to be read as a whole for its content's hash.
ends 0 "$GYRE" train config.json --out run1 --set data.path=part.h5
grep -q "already done" out err || fail "the content is another one: $(cat out err)"
exit 0
