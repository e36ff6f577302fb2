#!/usr/bin/env bash
# Samples of networks that denoise: one picture, bit for bit, on any number of ranks; what each option does; samples of
# a run under way, which change nothing of it; and what is refused.
set -u
. "$(dirname "$0")/lib/common.sh"
export OMP_NUM_THREADS=2
cd "$T" || exit 1
make_dataset small.h5 200 40 8 3
make_dataset large.h5 40 8 12 3
make_dataset gray.h5 40 8 8 1

config() { # options of `denoise`, dataset, channels
    cat <<JSON
{
    "data": {"path": "$2", "augment": {"normalize": {"mean": [${3:-0.5, 0.5, 0.5}], "std": [${3:-0.5, 0.5, 0.5}]}}},
    "model": {"config": {"_class_name": "UNet2DModel", "block_out_channels": [8, 16], "layers_per_block": 1,
        "norm_num_groups": 4, "attention_head_dim": 4, "num_class_embeds": ${classes:-11},
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]}},
    "denoise": {"noise": "cosine"$1}, "batch": {"size": 20, "shards": 4}, "optimizer": {"name": "adamw"},
    "schedule": {"policy": "triangular", "base_lr": 0.0005, "max_lr": 0.005, "cycles": 2}, "length": {"steps": 40},
    "evaluate": {"every": {"steps": 20}}, "checkpoint": {"every": {"steps": 10}}
}
JSON
}
config ', "drop_condition": 0.2' small.h5 >config.json
ends 0 "$GYRE" train config.json --out run --quiet
sample=("$GYRE" sample run --seeds 0..5 --steps 6)

# One picture on 1, 2 and 4 ranks, with any number of threads, and again; numbers likewise.
ends 0 "${sample[@]}" -o one.png --latents one.h5
printf 'one.png\none.h5\n' | cmp - out || fail "$(cat out)"
grep -q '^checkpoint run/checkpoints/step-000000040.h5, after step 40: 6 samples in .* (DDIM, 6 steps, eta 0)$' err || fail "$(cat err)"
for n in 1 2 4; do
    ends 0 mpirun -q -np $n "${sample[@]}" -o ranks.png --latents ranks.h5
    cmp one.png ranks.png && cmp one.h5 ranks.h5 || fail "$n ranks make other samples"
done
OMP_NUM_THREADS=1 ends 0 "${sample[@]}" -o again.png --latents again.h5
cmp one.png again.png && cmp one.h5 again.h5 || fail "one thread makes other samples"
ends 0 mpirun -q -np 2 "${sample[@]}" --method ddpm -o ddpm.png --latents ddpm.h5
ends 0 "${sample[@]}" --method ddpm -o again.png --latents again.h5
cmp ddpm.png again.png && cmp ddpm.h5 again.h5 || fail "two ranks draw other noise"

# What the numbers and the pictures are. A seed's sample hangs on nothing but the seed and the options.
make() { ends 0 "$GYRE" sample run --steps 6 --quiet --latents "$@"; }
make part.h5 --seeds 5,2
make lone.h5 --seeds 4
make eta.h5 --seeds 0..5 --eta 0.5
make full.h5 --seeds 0..5 --eta 1
make trailing.h5 --seeds 0..5 --spacing trailing
make free.h5 --seeds 0..5 --clip no
make three.h5 --seeds 0..5 --class 3
make guided.h5 --seeds 0..5 --class 3 --guidance 3
make alone.h5 --seeds 0..5 --class 3 --guidance 0
make batch.h5 --seeds 0..5 --batch 2
make one_step.h5 --seeds 0..5 --steps 1
make all_steps.h5 --seeds 1 --steps 1000
/usr/bin/python3 - <<'P' || fail "the numbers"
import h5py, numpy as np
def read(name):
    f = h5py.File(name + ".h5")
    assert list(f) == ["latents"] and f["latents"].dtype == "<f4"
    return f["latents"][:]
one = read("one")
assert one.shape == (6, 8, 8, 3) and np.isfinite(one).all() and one.min() >= -1e-3 and one.max() <= 255.001
assert len({x.tobytes() for x in one}) == 6
assert np.array_equal(read("part"), one[[5, 2]]) and np.array_equal(read("lone"), one[[4]])
assert np.array_equal(read("batch"), one)
different = [read(n) for n in "eta full trailing free three guided ddpm one_step".split()] + [one]
for i, a in enumerate(different):
    for b in different[:i]:
        assert not np.array_equal(a, b), i
assert np.array_equal(read("alone"), one)  # guidance 0: no class
assert read("free").max() > 255.001 or read("free").min() < -0.001
assert read("all_steps").shape == (1, 8, 8, 3)
P

# The picture: cells are the samples' pixels, enlarged; the last row has training pictures, the nearest ones.
/usr/bin/python3 - "$lib" <<'P' || fail "the picture"
import h5py, numpy as np, sys
sys.path.insert(0, sys.argv[1])
from png_file import read_png, find
picture = read_png("one.png")
f = h5py.File("one.h5")["latents"][:]
pixels = np.clip(np.rint(f), 0, 255).astype(int)
train = h5py.File("small.h5")["train/images"][:].astype(int)
nearest = [int(np.argmin(((train - x) ** 2).sum((1, 2, 3)))) for x in f.astype("f8")]
found = find(picture, (pixels, train[nearest]))
assert found == {(r, k) for r in (0, 1) for k in range(6)}, sorted(found)
P

# The noise to begin with can come from a file.
/usr/bin/python3 - <<'P' || fail "the start"
import h5py, numpy as np
x = np.random.RandomState(1).normal(size=(3, 8, 8, 3)).astype("<f4")
h5py.File("start.h5", "w")["latents"] = x
h5py.File("turned.h5", "w")["latents"] = x[::-1]
h5py.File("other.h5", "w")["latents"] = np.zeros((3, 6, 8, 3), "<f4")
h5py.File("flat.h5", "w")["latents"] = np.zeros((3, 6), "<f4")
h5py.File("none.h5", "w")["x"] = x
P
make from_file.h5 --start start.h5
make turned_out.h5 --start turned.h5 --seeds 7..9
/usr/bin/python3 -c '
import h5py, numpy as np
a, b = (h5py.File(f"{n}.h5")["latents"][:] for n in ("from_file", "turned_out"))
assert a.shape == (3, 8, 8, 3) and np.array_equal(a, b[::-1])' || fail "the noise of a file"

# Several runs are rows, with their own networks; classes by name.
ends 0 "$GYRE" train config.json --out second --quiet --set seed=2 --set length.steps=10
ends 0 "$GYRE" sample run second run/checkpoints/step-000000030.h5 --steps 4 --seeds 0,1 -o rows.png --latents rows.h5
make first.h5 --seeds 0,1 --steps 4
/usr/bin/python3 -c '
import h5py, numpy as np
a, b = (h5py.File(f"{n}.h5")["latents"][:] for n in ("rows", "first"))
assert a.shape == (6, 8, 8, 3) and np.array_equal(a[:2], b) and not np.array_equal(a[2:4], b)' || fail "rows"
mv small.h5 away.h5
ends 0 "$GYRE" sample run --steps 2 --seeds 0 -o moved.png
grep -q "^no row of nearest training pictures: the dataset '.*small.h5' is not there$" err || fail "$(cat err)"
refused 3 "is not there" "$GYRE" sample run --steps 2 --seeds 0 -o moved.png --nearest
ends 0 "$GYRE" sample run --steps 6 --seeds 0..5 -o found.png --data away.h5
cmp one.png found.png || fail "the dataset that was moved"
refused 3 "has other samples than" "$GYRE" sample run --steps 2 --seeds 0 -o moved.png --data large.h5
ends 0 "$GYRE" sample run --steps 2 --seeds 0 -o moved.png --no-nearest
[ ! -s err ] || ! grep -q nearest err || fail "$(cat err)"
mv away.h5 small.h5

# While a run trains: pictures at some steps and at minima and at the end, on any number of ranks, which change no bit.
sampling=(--set sample.every.steps=15 --set sample.minima=true --set sample.seeds=0..2 --set sample.steps=3)
ends 0 "$GYRE" train config.json --out with "${sampling[@]}" --set output.tensorboard=true
[ "$(cd with/samples && echo *)" = "step-000000015.png step-000000021.png step-000000030.png step-000000040.png" ] || fail "$(ls with/samples)"
grep -q '^step 15: samples with/samples/step-000000015.png$' err || fail "$(cat err)"
[ "$("$GYRE" inspect run --hash=state)" = "$("$GYRE" inspect with --hash=state)" ] || fail "samples change the run"
same_tables run with || fail "samples change the tables"
ends 0 mpirun -q -np 4 "$GYRE" train config.json --out with4 "${sampling[@]}" --quiet
ends 0 "$GYRE" sample with/checkpoints/step-000000030.h5 --seeds 0..2 --steps 3 --latents thirty.h5 --quiet
diff -r with/samples with4/samples || fail "four ranks make other pictures"
/usr/bin/python3 - "$lib" <<'P' || fail "TensorBoard's pictures"
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import read_events
pictures = read_events.read("with")[3]["samples"]
files = {int(p.stem[5:]): p.read_bytes() for p in pathlib.Path("with/samples").glob("*.png")}
assert pictures == files, (sorted(pictures), sorted(files))
P
# A run that was stopped, and comes to some steps again, keeps what it made.
ends 0 "$GYRE" train config.json --out resumed "${sampling[@]}" --quiet --stop-after 17 --set output.tensorboard=true
before=$(stat -c %y resumed/samples/step-000000015.png)
rm resumed/checkpoints/step-000000017.h5
ends 0 "$GYRE" train config.json --out resumed "${sampling[@]}" --set output.tensorboard=true
! grep -q 'step 15: samples' err || fail "the picture of step 15 was made twice"
[ "$(stat -c %y resumed/samples/step-000000015.png)" = "$before" ] || fail "the picture of step 15 was written twice"
diff -r with/samples resumed/samples || fail "a resume makes other pictures"
/usr/bin/python3 -c '
import sys
sys.path.insert(0, sys.argv[1])
import read_events
assert sorted(read_events.read("resumed")[3]["samples"]) == [15, 21, 30, 40]' "$lib" || fail "TensorBoard's pictures after a resume"
# A run with an average of its weights: that is what is sampled, also while it trains, and it changes no bit.
average=(--set average.kind=ema --set average.decay=0.9)
ends 0 "$GYRE" train config.json --out averaged "${average[@]}" --quiet
ends 0 "$GYRE" train config.json --out averaged_with "${average[@]}" "${sampling[@]}" --quiet
[ "$("$GYRE" inspect averaged --hash=state)" = "$("$GYRE" inspect averaged_with --hash=state)" ] || fail "samples change a run with averages"
ends 0 "$GYRE" sample averaged --seeds 0..2 --steps 3 -o average.png --latents average.h5
grep -q 'after step 40, the average of its weights: 3 samples' err || fail "$(cat err)"
ends 0 "$GYRE" sample averaged --seeds 0..2 --steps 3 --weights last -o last.png --latents last.h5
cmp -s average.h5 last.h5 && fail "--weights last is the average"
/usr/bin/python3 - "$lib" <<'P' || fail "samples of the average"
import pathlib, sys
sys.path.insert(0, sys.argv[1])
from png_file import read_png, find
a, b, c = (read_png(n) for n in ("average.png", "last.png", "averaged_with/samples/step-000000040.png"))
cells = lambda name: __import__("numpy").rint(__import__("h5py").File(name)["latents"][:]).clip(0, 255).astype(int)
assert find(c, [cells("average.h5")]) == {(0, k) for k in range(3)}
assert not find(c, [cells("last.h5")])
P
# A network that was trained at some times alone.
ends 0 "$GYRE" train config.json --out late --quiet --set denoise.from=500 --set length.steps=5
ends 0 "$GYRE" sample late --seeds 0 --steps 2 -o late.png
grep -q 'warning: the network is trained at times 500 to 999 alone' err || fail "$(cat err)"
# What cannot be written is a warning.
ends 0 "$GYRE" train config.json --out blocked_run --quiet --stop-after 10 "${sampling[@]}"
touch blocked_run/samples
ends 0 "$GYRE" train config.json --out blocked_run --quiet "${sampling[@]}"
grep -q "cannot make folder\|Not a directory" err && grep -q "training continues without these samples" err || fail "$(cat err)"

# ---- refused
cat >plain.json <<'JSON'
{"data": {"path": "small.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20}, "length": {"steps": 2},
 "schedule": {"policy": "constant", "base_lr": 0.01}}
JSON
ends 0 "$GYRE" train plain.json --out plain --quiet
config '' small.h5 >always.json
ends 0 "$GYRE" train always.json --out always --quiet --set length.steps=5
classes=null config '' small.h5 >classless.json
ends 0 "$GYRE" train classless.json --out classless --quiet --set length.steps=5
classes=null config '' large.h5 >large.json
ends 0 "$GYRE" train large.json --out large --quiet --set length.steps=5
no() { refused 2 "$1" "$GYRE" sample "${@:2}"; }
no "'plain': expected a network that denoises, which alone makes samples; its loss is cross_entropy" plain -o x.png
no "class: expected a number of 0 to 9, found '10'" run -o x.png --class 10
no "class: expected a number of 0 to 9, found 'dog'" run -o x.png --class dog
no "class: the network takes no class" classless -o x.png --class 1
no "class: expected a class, since the network was never trained without one" always -o x.png
no "guidance: expected a network that was also trained without its class" always -o x.png --class 1 --guidance 2
no "guidance: expected a class that it leads to" run -o x.png --guidance 2
no "--guidance: expected number 0..1000, found 'much'" run -o x.png --guidance much
no "steps: expected 1 to 1000, the times of the network, found 1001" run -o x.png --steps 1001
no "--steps: expected whole number >= 1, found '0'" run -o x.png --steps 0
no "--eta: expected number 0..1, found '2'" run -o x.png --eta 2
no "--eta: is for method ddim" run -o x.png --eta 0.5 --method ddpm
no "--method: expected one of ddim, ddpm, found 'euler'" run -o x.png --method euler
for seeds in abc 3..1 1, 1..2..3 -1 9007199254740992 0..5000 "1 2"; do
    no "--seeds: expected whole numbers and ranges of them, as 0..7 or 3,5,8, 4096 at most, found '$seeds'" run -o x.png --seeds="$seeds"
done
no "--seeds: expected 3, as many as 'start.h5' has samples, found 2" run -o x.png --start start.h5 --seeds 0,1
no "has noise of 6 x 8 x 3 (height, width, channels), the network takes 8 x 8 x 3" run -o x.png --start other.h5
refused 3 "expected floats /latents of (samples, height, width, channels), found shape (3, 6)" "$GYRE" sample run -o x.png --start flat.h5
refused 3 "expected floats /latents of (samples, height, width, channels), found none" "$GYRE" sample run -o x.png --start none.h5
no "rows need samples of one size: 'large' makes 12 x 12 x 3 (height, width, channels), the first run 8 x 8 x 3" run large -o x.png
no "a run folder or checkpoint was expected" -o x.png
no "-o FILE.png or --latents FILE was expected" run
no "a name that ends in .png was expected" run -o x.jpg
refused 3 "nowhere/x.png" "$GYRE" sample run -o nowhere/x.png
refused 3 "nowhere/x.h5" "$GYRE" sample run --latents nowhere/x.h5
refused 3 "'absent' does not exist" "$GYRE" sample absent -o x.png
refused 3 "'small.h5' is a dataset" "$GYRE" sample small.h5 -o x.png
echo mine >mine.png
refused 3 "'mine.png' would be overwritten" "$GYRE" sample run -o mine.png --steps 1
refused 3 "'start.h5' would be overwritten" "$GYRE" sample run --latents start.h5 --steps 1
ends 0 "${sample[@]}" -o one.png --latents one.h5 --quiet # its own files are replaced
[ ! -s err ] || fail "$(cat err)"
[ ! -e x.png ] && [ ! -e x.h5 ] || fail "a refused command wrote a file"
train=("$GYRE" train config.json --out no --quiet)
refused 2 'denoise.steps' "${train[@]}" --set denoise.steps=1
refused 2 'config.json: sample.class: expected a number of 0 to 9' "${train[@]}" --set sample.every.steps=5 --set sample.class=12
refused 2 'sample.seeds: expected whole numbers' "${train[@]}" --set sample.every.steps=5 --set sample.seeds=x
refused 2 'config.json: sample: expected sample.every or sample.minima beside the other keys' "${train[@]}" --set sample.steps=5
refused 2 'sample.steps: expected 1 to 1000' "${train[@]}" --set sample.minima=true --set sample.steps=2000
refused 2 'expected a network that denoises' "$GYRE" train plain.json --out no --quiet --set sample.minima=true
[ ! -e no ] || fail "a refused run made a folder"
exit 0
