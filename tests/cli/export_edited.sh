#!/usr/bin/env bash
# What gyre exports is replaced by a newer export as long as it is as gyre wrote it. Once a person, or another program,
# has changed it, it stays: networks, which end with a checksum or have one in front, and tables, which keep their name.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset small.h5 80 8 8 3
mkdir net
cat >net/config.json <<'JSON'
{
    "_class_name": "UNet2DModel", "sample_size": 8, "block_out_channels": [8, 16], "layers_per_block": 1,
    "norm_num_groups": 4, "norm_eps": 1e-06, "attention_head_dim": 4,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]
}
JSON
cat >config.json <<'JSON'
{
    "data": {"path": "small.h5"}, "batch": {"size": 8, "shards": 1}, "length": {"steps": 4},
    "schedule": {"policy": "constant", "base_lr": 0.001}, "checkpoint": {"every": {"steps": 2}}
}
JSON
ends 0 "$GYRE" train config.json --out run --quiet --set model.name=small_cnn
ends 0 "$GYRE" train config.json --out unet --quiet --set model.config=net --set 'denoise={"noise": "cosine"}'
early=run/checkpoints/step-000000002.h5

# The changes, by the content of a file: bytes at several places, and a file that another program wrote anew.
cat >change.py <<'P'
import json, struct, sys

how, path = sys.argv[1:]
content = open(path, "rb").read()


def fields(data):
    """Those of a protobuf message, as (number, bytes of all)."""
    def varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                return value, at

    at, out = 0, []
    while at < len(data):
        begin = at
        tag, at = varint(at)
        size, at = varint(at)
        at += size if tag & 7 == 2 else 0
        out.append((tag >> 3, data[begin:at]))
    return out


if how == "saved" and path.endswith(".onnx"):  # as protobuf does: in the order of their numbers
    content = b"".join(data for _, data in sorted(fields(content), key=lambda f: f[0]))
elif how == "saved" and path.endswith(".safetensors"):
    size = struct.unpack("<Q", content[:8])[0]
    header = json.dumps(json.loads(content[8:8 + size])).encode()
    content = struct.pack("<Q", len(header)) + header + content[8 + size:]
elif how == "saved":
    content = json.dumps(json.loads(content), indent=2).encode() + b"\n"
elif how == "longer":
    content += b"\n"
else:
    at = int(float(how) * (len(content) - 1))
    content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
open(path, "wb").write(content)
P

stays() { # file, command: that writes it
    local file=$1 how was
    shift
    ends 0 "$@"
    cp "$file" own
    ends 0 "$@"
    cmp own "$file" || fail "$file: two exports differ"
    for how in 0 0.1 0.3 0.5 0.7 0.9 0.99 1 longer saved; do
        /usr/bin/python3 change.py $how "$file" || fail "change.py $how $file"
        was=$(cksum <"$file")
        refused 3 "'$file' would be overwritten, but gyre did not write it, or not as it is now; give another name" "$@"
        [ "$(cksum <"$file")" = "$was" ] || fail "$file, changed at $how: replaced"
        cp own "$file"
    done
    ends 0 "$@"
}
for format in onnx safetensors; do
    stays net.$format "$GYRE" export $format run -o net.$format
    ends 0 "$GYRE" export $format $early -o net.$format # another network of gyre's
    cmp -s own net.$format && fail "net.$format: not replaced"
done
stays made/config.json "$GYRE" export safetensors unet -o made/
stays made/diffusion_pytorch_model.safetensors "$GYRE" export safetensors unet -o made/
ends 0 "$GYRE" train config.json --out again --quiet --set model.config=made --set 'denoise={"noise": "cosine"}'

# A table has no room for a checksum: another one is kept.
ends 0 "$GYRE" eval run --predictions p.csv
ends 0 "$GYRE" eval run --predictions p.csv
! grep -q warning err && [ ! -e p.csv.before ] || fail "kept without need: $(cat err)"
sed -i 's/^0,.*/&,mine/' p.csv && cp p.csv own
ends 0 "$GYRE" eval run --predictions p.csv
grep -qxF "gyre: warning: 'p.csv' held other predictions; that file is 'p.csv.before' now" err || fail "$(cat err)"
cmp own p.csv.before || fail "what was changed in p.csv is lost"
exit 0
