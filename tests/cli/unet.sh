#!/usr/bin/env bash
# U-Nets of diffusers: a folder of config.json and weights goes in and comes out, a run keeps the network, and what does
# not fit is one line that says so.
set -u
. "$(dirname "$0")/lib/common.sh"
export OMP_NUM_THREADS=1
cd "$T" || exit 1
cp "$lib/safetensors_file.py" .
make_dataset small.h5 80 8 8 3
mkdir net
cat >net/config.json <<'JSON'
{
    "_class_name": "UNet2DModel", "_diffusers_version": "0.42.1", "sample_size": 8, "block_out_channels": [8, 16],
    "layers_per_block": 1, "norm_num_groups": 4, "num_class_embeds": 11, "norm_eps": 1e-06, "attention_head_dim": 4,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]
}
JSON
cat >config.json <<'JSON'
{
    "data": {"path": "small.h5", "augment": {"normalize": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}},
    "model": {"config": "net"}, "denoise": {"noise": "cosine", "predict": "v", "drop_condition": 0.25},
    "batch": {"size": 8, "shards": 2}, "length": {"steps": 4}, "optimizer": {"name": "adamw"},
    "schedule": {"policy": "constant", "base_lr": 0.001}, "checkpoint": {"every": {"steps": 1}}
}
JSON
hash_of() { "$GYRE" inspect --hash="${2:-state}" "$1"; }
same() { [ "$(hash_of "$1" "${3:-state}")" = "$(hash_of "$2" "${3:-state}")" ] || fail "$1 and $2 differ"; }

# By its folder, its file, and as nodes: one run. The run keeps the config, and goes on without the file.
ends 0 "$GYRE" train config.json --out one --quiet
ends 0 "$GYRE" train config.json --out file --quiet --set model.config=net/config.json
same one file
ends 0 "$GYRE" model net/config.json --image 8x8x3
grep -q '^conv_out  *conv  *8 x 8 x 3 ' out || fail "$(cat out)"
"$GYRE" model config.json --json >nodes.json || fail "model --json"
grep -q '"name": "diffuse", "type": "diffuse", "noise": "cosine", .*"predict": "v"' nodes.json || fail "$(sed -n 1,4p nodes.json)"
ends 0 "$GYRE" train config.json --out nodes --quiet --set model.config=null --set model.file=nodes.json --set denoise=null
same one nodes
ends 0 "$GYRE" train config.json --out parts --quiet --stop-after 2
mv net moved
ends 0 "$GYRE" train parts/config.json --out parts --quiet
same one parts
mv moved net
sed 's/"attention_head_dim": 4/"attention_head_dim": 8, "dropout": 0.5/' net/config.json >changed.json
refused 2 'model.config: run has "attention_head_dim":4,' "$GYRE" train config.json --out parts --quiet --set model.config=changed.json
refused 2 'denoise.predict: run has "v", config has "epsilon"' "$GYRE" train config.json --out one --quiet --set denoise.predict=epsilon
ends 0 "$GYRE" eval one

# Out as a folder, which comes in again: the same parameters. The checkpoint alone is enough.
ends 0 "$GYRE" export safetensors one -o made/
printf 'made/config.json\nmade/diffusion_pytorch_model.safetensors\n' | cmp - out || fail "$(cat out)"
mkdir alone
cp one/checkpoints/step-000000004.h5 alone/it.h5
ends 0 "$GYRE" export safetensors alone/it.h5 -o again/
cmp made/config.json again/config.json || fail "another config"
cmp made/diffusion_pytorch_model.safetensors again/diffusion_pytorch_model.safetensors || fail "other weights"
/usr/bin/python3 - <<'P' || fail "the folder"
import json
from safetensors_file import read
config, given = json.load(open("made/config.json")), json.load(open("net/config.json"))
for key, value in given.items():
    assert key == "_diffusers_version" or config[key] == value, (key, config[key], value)
arrays = read("made/diffusion_pytorch_model.safetensors")[1]
assert arrays["mid_block.attentions.0.to_q.weight"].shape == (16, 16)
assert arrays["down_blocks.1.resnets.0.conv_shortcut.weight"].shape == (16, 8, 1, 1)
assert arrays["class_embedding.weight"].shape == (11, 32)
P
start=("$GYRE" train config.json --quiet --set length.steps=1 --set schedule.base_lr=1e-30)
ends 0 "${start[@]}" --out from --set model.config=made --set model.init_from=made
same one from parameters
! grep -q "drawn\|not of" err || fail "$(cat err)"

# Files of another time, with less, with more, and with other shapes.
/usr/bin/python3 - <<'P' || fail "files of weights"
from safetensors_file import read, write
arrays = read("made/diffusion_pytorch_model.safetensors")[1]
old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
def renamed(name):
    for new, before in old.items():
        name = name.replace(f".{new}.", f".{before}.")
    return name
write("old.safetensors", {renamed(k): v for k, v in arrays.items()})
write("less.safetensors", {k: v for k, v in arrays.items() if k != "mid_block.resnets.1.conv2.weight"})
write("more.safetensors", {**arrays, "add_embedding.weight": arrays["conv_in.weight"]})
write("shape.safetensors", {**arrays, "class_embedding.weight": arrays["class_embedding.weight"][:5]})
P
ends 0 "${start[@]}" --out old --set model.init_from=old.safetensors
same one old parameters
! grep -q "drawn\|not of" err || fail "$(cat err)"
ends 0 "${start[@]}" --out less --set model.init_from=less.safetensors
grep -q "^drawn, since the file has none: mid_block.resnets.1.conv2.weight (16, 16, 3, 3)$" err || fail "$(cat err)"
ends 0 "${start[@]}" --out more --set model.init_from=more.safetensors
grep -q "^in the file, but not of this network: add_embedding.weight (8, 3, 3, 3)$" err || fail "$(cat err)"
ends 0 "${start[@]}" --out shape --set model.init_from=shape.safetensors
grep -q "class_embedding.weight" err || fail "$(cat err)"
refused 3 "mid_block.resnets.1.conv2.weight" "$GYRE" eval less.safetensors --model config.json
refused 3 "class_embedding.weight" "$GYRE" eval shape.safetensors --model config.json

# Configs of other networks, and data that does not fit.
train=("$GYRE" train config.json --out no --quiet)
sed 's/UNet2DModel/UNet3DConditionModel/' net/config.json >condition.json
refused 2 'model.config: _class_name: expected "UNet2DModel" or "UNet2DConditionModel", which are what gyre builds, found "UNet3DConditionModel"' "${train[@]}" --set model.config=condition.json
sed 's/"AttnDownBlock2D"/"SkipDownBlock2D"/' net/config.json >blocks.json
refused 2 'model.config: down_block_types[1]: expected "DownBlock2D" or "AttnDownBlock2D"' "${train[@]}" --set model.config=blocks.json
sed 's/"norm_num_groups": 4/"norm_num_groups": 3/' net/config.json >groups.json
refused 2 "model.config: block_out_channels[0]: expected a multiple of the 3 groups" "${train[@]}" --set model.config=groups.json
sed 's/\[8, 16\]/[8, 16, 16]/' net/config.json >lists.json
refused 2 "need a value for each level, found 3, 2 and 2" "${train[@]}" --set model.config=lists.json
sed 's/"num_class_embeds": 11/"num_class_embeds": 10/' net/config.json >classes.json
refused 2 "expected at least 11, one for each class and one for none, found 10" "${train[@]}" --set model.config=classes.json
make_dataset odd.h5 32 8 9 3
refused 2 "with 2 levels the sides of images must be multiples of 2, found 9 x 9" "${train[@]}" --set data.path=odd.h5
refused 3 "nowhere" "${train[@]}" --set model.config=nowhere
echo '[1, 2]' >list.json
refused 2 "expected an object, as diffusers' config.json is one" "${train[@]}" --set model.config=list.json
echo '{"_class_name": ' >cut.json
refused 2 "cut.json" "${train[@]}" --set model.config=cut.json
refused 2 "found model.name and model.config" "${train[@]}" --set model.name=unet
refused 2 "denoise: these keys are for unet alone, and the network is small_cnn" "${train[@]}" --set model.config=null --set model.name=small_cnn
refused 2 "denoise: these keys are for unet alone; a network of model.layers says it in its node" "${train[@]}" --set model.config=null --set model.file=nodes.json

# A config.json that gyre did not write stays; another network has no folder.
refused 3 "net/config.json" "$GYRE" export safetensors one -o net
ends 0 "$GYRE" train config.json --quiet --out small --set model.config=null --set model.name=small_cnn --set denoise=null --set length.steps=1
refused 2 "a folder, as -o names one, is for U-Nets of diffusers" "$GYRE" export safetensors small -o other/
exit 0
