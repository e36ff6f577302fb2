#!/usr/bin/env bash
# A dataset's own validation part: train, find and study evaluate it, and a part that is not there is an
# error that names those that are.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
/usr/bin/python3 - <<'P' || fail "h5py is needed"
import h5py, numpy as np
r = np.random.RandomState(7)
p = r.randint(0, 160, (10, 8, 8, 1))
def write(name, **parts):
    with h5py.File(name, "w") as f:
        for part, count in parts.items():
            l = np.arange(count) % 10
            f[part + "/images"] = (p[l] + r.randint(0, 96, (count, 8, 8, 1))).astype("u1")
            f[part + "/labels"] = l.astype("<i4")
write("three.h5", train=300, validation=110, test=70)
write("two.h5", train=300, validation=110)
write("plain.h5", train=300, test=70)
write("one.h5", train=300)
P
cat >config.json <<'JSON'
{
    "data": {"path": "three.h5", "validation": "validation"}, "model": {"name": "mlp"},
    "batch": {"size": 20, "shards": 2}, "length": {"steps": 30}, "evaluate": {"every": {"steps": 15}},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.05, "cycles": 2}
}
JSON
train=("$GYRE" train config.json --out)

# Progress speaks of validation, and the test part is scored once, at the end.
ends 0 "${train[@]}" run
grep -q '300 training and 110 validation samples' err || fail "plan: $(cat err)"
grep -q '^step 30: validation loss' err && grep -q '^test loss' err || fail "progress: $(cat err)"
grep -q '"validation":[[:space:]]*"validation"' run/config.json || fail "echo: $(cat run/config.json)"
ends 0 "$GYRE" eval run --part validation
[ "$(/usr/bin/python3 -c 'import h5py; print("%.2f" % (100 * h5py.File("run/metrics.h5")["validation"][-1]["accuracy"]))')" = \
    "$(sed -n 's/.*accuracy \([0-9.]*\) %.*/\1/p' out)" ] || fail "eval scores something else: $(cat out)"

# The same samples on two ranks.
ends 0 mpirun -q -np 2 "${train[@]}" ranks --quiet
ends 0 "$GYRE" inspect run --hash
mv out hash
ends 0 "$GYRE" inspect ranks --hash
cmp out hash || fail "two ranks end elsewhere"

# A part that is not there.
refused 2 "has no part /validation; it has train (300 images) and test (70). \"test\" evaluates that part, {" "${train[@]}" no --set data.path=plain.h5
refused 2 "has no part /test; it has train (300 images) and validation (110). \"validation\" evaluates that part, {" "${train[@]}" no --set data.path=two.h5 --set data.validation=test
refused 2 "it has train (300 images)." "${train[@]}" no --set data.path=one.h5
refused 2 '"validation", "none" or' "${train[@]}" no --set data.validation=valid
refused 2 "has no part /validation; it has" "$GYRE" find config.json --set data.path=one.h5
[ ! -e no ] || fail "a run folder was made"

# A group of another name is no part, and said once; a part that is another one's link is refused.
/usr/bin/python3 - <<'P' || fail "h5py is needed"
import h5py, shutil
for name in "val", "linked", "other":
    shutil.copy("two.h5" if name == "val" else "one.h5", name + ".h5")
with h5py.File("val.h5", "a") as f:
    f.move("validation", "val")
    f.create_group("meta")["size"] = 8
with h5py.File("linked.h5", "a") as f: f["test"] = f["train"]
with h5py.File("other.h5", "a") as f: f["test/images"], f["test/labels"] = f["train/images"], f["train/labels"][:]
P
unread="'$T/val.h5' has images in /val, which are not read: parts are called /train, /validation and /test"
ends 2 "${train[@]}" no --set data.path=val.h5
grep -qF "$unread" err || fail "$(cat err)"
ends 0 mpirun -q -np 2 "${train[@]}" without --quiet --set data.path=val.h5 --set data.validation=none
[ "$(grep -cF "$unread" err)" -eq 1 ] || fail "$(cat err)"
ends 0 "$GYRE" data info val.h5
grep -q "'val.h5' has images in /val," err || fail "$(cat err)"
for file in linked other; do
    refused 3 "'$file.h5': /test/images is the same object as /train/images, a link; give" "$GYRE" data info $file.h5
done

# A range test scores the part, all training images are swept.
ends 0 "$GYRE" find config.json --steps 40 --repeats 1 --out range
grep -q 'scored on 110 validation samples' err || fail "find: $(cat err)"

# A study compares its arms on the part.
cat >study.json <<'JSON'
{"name": "parts", "base": "config.json", "seeds": 1, "cycles": [1], "controls": false, "evaluations": 2}
JSON
ends 0 "$GYRE" study study.json --out cells --quiet
grep -q '"validation":[[:space:]]*"validation"' cells/study.json || fail "study: $(ls -R cells)"
sed 's/config.json/two.json/' study.json >other.json
sed 's/three.h5/one.h5/' config.json >two.json
refused 2 "has no part /validation; it has train (300 images)" "$GYRE" study other.json --out others
exit 0
