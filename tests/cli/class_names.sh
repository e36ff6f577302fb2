#!/usr/bin/env bash
# A checkpoint knows the names of its classes: eval refuses a dataset of other ones, and shows the first
# difference. Where one of the two has numbers alone there is none, and a run of before such names resumes.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset plain.h5 200 60
/usr/bin/python3 - <<'P' || fail "datasets"
import shutil, h5py, numpy as np
def named(name, names, pad=0):
    shutil.copy("plain.h5", name + ".h5")
    with h5py.File(name + ".h5", "r+") as f:
        f["names"] = np.array([n.encode() for n in names], f"S{max(pad, *(len(n.encode()) for n in names))}")
animals = ["cat", "dog", "ox", "é" * 31 + "x", "cow", "hen", "ant", "bee", "elk", "fly"]
named("animals", animals)
named("padded", animals, 100)
named("moved", [animals[0], animals[2], animals[1], *animals[3:]])
named("more", animals + ["yak"])
named("other", animals[:9] + ["Fly"])
named("numbers", [str(i) for i in range(10)])
shutil.copy("plain.h5", "fewer.h5")
with h5py.File("fewer.h5", "r+") as f:
    for part in ("train", "test"):
        labels = f[part + "/labels"][:]
        f[part + "/labels"][:] = np.minimum(labels, 7)
shutil.copy("fewer.h5", "eight.h5")
with h5py.File("eight.h5", "r+") as f:
    f["names"] = np.array([n.encode() for n in animals[:8]], "S63")
P
cat >config.json <<'JSON'
{
    "data": {"path": "animals.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 1},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 6}
}
JSON
train=("$GYRE" train config.json --quiet --out)
ends 0 "${train[@]}" run
newest=run/checkpoints/step-000000006.h5
/usr/bin/python3 - $newest <<'P' || fail "the names in the checkpoint"
import sys, h5py
names = h5py.File(sys.argv[1])["state/class_names"]
assert names.shape == (10,) and not h5py.check_vlen_dtype(names.dtype), names
assert [n.decode() for n in names[:]] == ["cat", "dog", "ox", "é" * 31 + "x", "cow", "hen", "ant", "bee", "elk", "fly"], names[:]
assert names.attrs.keys() == set()
P

# The same classes, however they are stored.
ends 0 "$GYRE" eval run
grep -q '^  cow .* %' out || fail "$(cat out)"
cp out own
for same in padded plain numbers; do # the two last are no contradiction, and the network knows the names
    ends 0 "$GYRE" eval run --data $same.h5
    cmp out own || fail "$same: $(cat out)"
done

# Other ones.
start="has other classes than the network was trained on: class"
refused 3 "'moved.h5' $start 1 is 'ox' in moved.h5, 'dog' in $newest" "$GYRE" eval run --data moved.h5
refused 3 "$start 9 is 'Fly' in other.h5, 'fly' in $newest" mpirun -q -np 2 "$GYRE" eval run --data other.h5
refused 3 "$start 10 is 'yak' in more.h5, and $newest has only 10 classes" "$GYRE" eval run --data more.h5
refused 3 "$start 8 is 'elk' in $newest, and eight.h5 has only 8 classes" "$GYRE" eval run --data eight.h5
ends 0 "$GYRE" eval run --data fewer.h5 # no names: perhaps a part of them
grep -q "^gyre: warning: 'fewer.h5' has labels of 8 classes, the model knows 10$" err || fail "$(cat err)"
cp moved.h5 animals.h5 # in the place of the run's own
refused 3 "$start 1 is 'ox'" "$GYRE" eval run

# A run whose classes are called otherwise since resumes, and says so once.
ends 0 "${train[@]}" half --set data.path=padded.h5 --stop-after 3
ends 0 mpirun -q -np 1 "${train[@]}" half --set data.path=moved.h5 --stop-after 5
[ "$(grep -c "classes are called otherwise than when the run was trained so far: class 1 is 'ox' in the dataset, 'dog' in half/checkpoints/step-000000003.h5" err)" -eq 1 ] || fail "$(cat err)"
ends 0 "${train[@]}" half --set data.path=moved.h5
! grep -q "called otherwise" err || fail "$(cat err)"

# A network of nameless classes takes any names, for as many classes as it has.
ends 0 "${train[@]}" plain --set data.path=plain.h5 --stop-after 3
ends 0 "$GYRE" eval plain --data moved.h5
! grep -q warning err || fail "$(cat err)"
refused 3 "has labels of 11 classes, the model knows 10" "$GYRE" eval plain --data more.h5

# Its checkpoint is what gyre wrote before it wrote names: the run resumes, also on a dataset with names.
ends 0 "${train[@]}" plain --set data.path=padded.h5
[ "$("$GYRE" inspect plain --hash)" = "$("$GYRE" inspect run --hash)" ] || fail "another run"
refused 3 "$start 1 is 'ox'" "$GYRE" eval plain --data moved.h5
exit 0
