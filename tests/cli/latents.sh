#!/usr/bin/env bash
# Latents with contexts: a dataset of means, deviations and a table of contexts is described, trained on by a network
# that reads them, evaluated, sampled from and resumed, with the same bits on any number of ranks; what does not fit
# is one line that says so.
set -u
. "$(dirname "$0")/lib/common.sh"
export OMP_NUM_THREADS=1
cd "$T" || exit 1
cp "$lib/safetensors_file.py" .
make_latents() { /usr/bin/python3 "$lib/make_latents.py" "$@" || fail "h5py is needed"; }
make_latents small.h5 32 8 8 2 5 3 6
mkdir net
cat >net/config.json <<'JSON'
{
    "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.42.1", "sample_size": 8, "in_channels": 2,
    "out_channels": 2, "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4,
    "cross_attention_dim": 6, "attention_head_dim": [2, 4], "use_linear_projection": true,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]
}
JSON
cat >config.json <<'JSON'
{
    "data": {"path": "small.h5", "augment": {"normalize": "raw"}},
    "model": {"config": "net"}, "denoise": {"noise": "scaled_linear", "drop_condition": 0.25, "offset": 0.02},
    "batch": {"size": 8, "shards": 4}, "length": {"steps": 4}, "optimizer": {"name": "adamw"},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "checkpoint": {"every": {"steps": 1}}
}
JSON
hash_of() { "$GYRE" inspect --hash="${2:-state}" "$1"; }
same() { [ "$(hash_of "$1" "${3:-state}")" = "$(hash_of "$2" "${3:-state}")" ] || fail "$1 and $2 differ"; }
differs() { [ "$(hash_of "$1")" != "$(hash_of "$2")" ] || fail "$1 and $2 are the same"; }

ends 0 "$GYRE" data info small.h5
grep -q '^  latents      8 x 8 x 2 (height, width, channels) of f32, means and deviations$' out || fail "$(cat out)"
grep -q '^  contexts     5 of 3 tokens x 6 channels; context 0 is that of no caption$' out || fail "$(cat out)"

# The network by its config: its input is drawn, and it has the dataset's contexts.
ends 0 "$GYRE" model config.json --json
grep -q '"name": "latent", "type": "latent"' out || fail "$(head -5 out)"
grep -q '"name": "context", "type": "context", "input": "diffuse", "tokens": 3, "channels": 6, "drop": 0.25' out || fail "$(grep context out | head -2)"

# One run, on one rank and on four, with one thread and with two, in parts, and as nodes.
ends 0 "$GYRE" train config.json --out one --quiet
ends 0 mpirun -np 4 "$GYRE" train config.json --out four --quiet
same one four
ends 0 "$GYRE" train config.json --out threads --quiet --set threads=2
same one threads
ends 0 "$GYRE" train config.json --out parts --quiet --stop-after 2
mv net moved
ends 0 mpirun -np 2 "$GYRE" train parts/config.json --out parts --quiet
same one parts
mv moved net
"$GYRE" model config.json --json >nodes.json
ends 0 "$GYRE" train config.json --out nodes --quiet --set model.config=null --set model.file=nodes.json --set denoise=null
same one nodes
same_tables one four || fail "other tables"
ends 0 "$GYRE" train config.json --out never --quiet --set denoise.drop_condition=0
differs one never
/usr/bin/python3 - <<'P' || fail "copies of the dataset"
import h5py, shutil
for name, key in (("still", "train/latents"), ("other", "contexts")):
    shutil.copy("small.h5", name + ".h5")
    with h5py.File(name + ".h5", "r+") as f:
        x = f[key][:]
        if name == "still":
            x[..., 2:] = 0
        else:
            x[1:] += 1
        f[key][...] = x
P
ends 0 "$GYRE" train config.json --out still --quiet --set data.path=still.h5
differs one still # deviations are drawn from
ends 0 "$GYRE" train config.json --out other --quiet --set data.path=other.h5
differs one other # contexts are read
refused 2 "has other images or labels than the dataset this run was trained on" "$GYRE" train config.json --out one --quiet --set data.path=other.h5

# Evaluation, the same each time; on a dataset with other contexts, too.
ends 0 "$GYRE" eval one
cp out first
ends 0 "$GYRE" eval one
cmp first out || fail "another score"
ends 0 "$GYRE" eval one --data other.h5
refused 2 "--bounds: expected a network of images, found one of latents" "$GYRE" eval one --bounds
refused 2 "--samples: expected a network of images, found one of latents" "$GYRE" eval one --samples 4

# Samples as latents: of a context, led to it, of none; the same on any number of ranks.
sample=("$GYRE" sample one --steps 4 --seeds 0..3 --quiet)
ends 0 "${sample[@]}" --latents none.h5
ends 0 "${sample[@]}" --latents two.h5 --class 2
ends 0 "${sample[@]}" --latents led.h5 --class 2 --guidance 3
ends 0 mpirun -np 2 "${sample[@]}" --latents ranks.h5 --class 2 --guidance 3 --batch 2
ends 0 "${sample[@]}" --latents prompts.h5 --class 2 --data other.h5
/usr/bin/python3 - <<'P' || fail "the samples"
import h5py, numpy as np
read = lambda name: h5py.File(name + ".h5")["latents"][:]
none, two, led = read("none"), read("two"), read("led")
assert none.shape == (4, 8, 8, 2) and np.isfinite(led).all()
assert np.abs(none - two).max() > 1e-3 and np.abs(read("prompts") - two).max() > 1e-3
assert (read("ranks") == led).all()
P
# The same while it trains, which changes no bit of the run; what is there already is not made again.
made=(config.json --quiet --set sample.every.steps=2 --set 'sample={"seeds": "0..3", "steps": 4}')
ends 0 mpirun -np 2 "$GYRE" train "${made[@]}" --out making
same one making
[ "$(ls making/samples)" = "$(printf '%s\n' step-00000000{2,4}.h5)" ] || fail "$(ls making/samples)"
cmp making/samples/step-000000004.h5 none.h5 || fail "other samples than gyre sample's"
ends 0 "$GYRE" train "${made[@]}" --out halves --stop-after 3
cmp making/samples/step-000000002.h5 halves/samples/step-000000002.h5 || fail "other samples before a stop"
ends 0 "$GYRE" train halves/config.json --out halves --quiet
cmp making/samples/step-000000004.h5 halves/samples/step-000000004.h5 || fail "other samples after a resume"

refused 2 "--class: expected a number of 0 to 4" "${sample[@]}" --latents no.h5 --class 5
refused 2 "samples of 2 channels are no pictures" "${sample[@]}" -o no.png
mv small.h5 away.h5
refused 3 "small.h5' is not there" "${sample[@]}" --latents no.h5
ends 0 "${sample[@]}" --latents again.h5 --class 2 --data away.h5
cmp again.h5 two.h5 || fail "other samples"
mv away.h5 small.h5

# Out as diffusers' folder, and in again.
ends 0 "$GYRE" export safetensors one -o made/
/usr/bin/python3 - <<'P' || fail "the folder"
import json
from safetensors_file import read
config, given = json.load(open("made/config.json")), json.load(open("net/config.json"))
for key, value in given.items():
    assert key == "_diffusers_version" or config[key] == value, (key, config[key], value)
arrays = read("made/diffusion_pytorch_model.safetensors")[1]
block = "down_blocks.0.attentions.0.transformer_blocks.0"
assert arrays[block + ".attn2.to_k.weight"].shape == (8, 6) and block + ".attn2.to_k.bias" not in arrays
assert arrays["down_blocks.0.attentions.0.proj_in.weight"].shape == (8, 8)
assert not [k for k in arrays if "context" in k]
P
start=("$GYRE" train config.json --quiet --set length.steps=1 --set schedule.base_lr=1e-30)
ends 0 "${start[@]}" --out from --set model.config=made --set model.init_from=made
same one from parameters
! grep -q "drawn\|not of" err || fail "$(cat err)"

# Data that is not as it should be.
train=("$GYRE" train config.json --out no --quiet)
for bad in "range:3:/train/contexts[3] is 5; expected is a row of /contexts, 0 to 4" \
    "lone:3:/train/contexts and no table /contexts" "table:3:/train/labels and the table /contexts" \
    "nan:3:/contexts[1] holds nan" "odd:3:the first half of the channels holds means" "names:3:/names has 4 names"; do
    IFS=: read -r kind code words <<<"$bad"
    make_latents bad.h5 44 8 8 2 5 3 6 "$kind"
    refused "$code" "$words" "${train[@]}" --set data.path=bad.h5
done
make_latents size.h5 32 8 8 2 5 3 4
refused 2 "node context: expected a dataset with contexts of 3 tokens x 6 channels, found 3 x 4" "${train[@]}" --set data.path=size.h5
make_latents wide.h5 32 8 8 3 5 3 6
refused 2 "in_channels 2 and out_channels 2: the latents have 3 channels" "${train[@]}" --set data.path=wide.h5
make_dataset plain.h5 200 8 8 3
sed 's/"in_channels": 2/"in_channels": 3/; s/"out_channels": 2/"out_channels": 3/' net/config.json >pixels.json
refused 2 "node context: expected a dataset with contexts of 77 tokens x 6 channels (/contexts), found one without contexts" "${train[@]}" --set data.path=plain.h5 --set model.config=pixels.json
refused 2 'data.augment.normalize: expected "raw", since the dataset has latents' "${train[@]}" --set data.augment.normalize=channel

# Weights with less, with more, and with other shapes.
/usr/bin/python3 - <<'P' || fail "files of weights"
from safetensors_file import read, write
arrays = read("made/diffusion_pytorch_model.safetensors")[1]
key = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
write("less.safetensors", {k: v for k, v in arrays.items() if k != key})
write("more.safetensors", {**arrays, "add_embedding.weight": arrays["conv_in.weight"]})
write("shape.safetensors", {**arrays, key: arrays[key][:, :3]})
P
ends 0 "${start[@]}" --out less --set model.init_from=less.safetensors
grep -q "^drawn, since the file has none: .*attn2.to_k.weight (8, 6)$" err || fail "$(cat err)"
ends 0 "${start[@]}" --out more --set model.init_from=more.safetensors
grep -q "^in the file, but not of this network: add_embedding.weight (8, 2, 3, 3)$" err || fail "$(cat err)"
ends 0 "${start[@]}" --out shape --set model.init_from=shape.safetensors
grep -q "attn2.to_k.weight" err || fail "$(cat err)"
refused 3 "attn2.to_k.weight" "$GYRE" eval less.safetensors --model config.json
refused 3 "attn2.to_k.weight" "$GYRE" eval shape.safetensors --model config.json
exit 0
