#!/usr/bin/env bash
# ONNX files that gyre cannot take: one line that says why, exit 3, and never a crash, a hang or a
# large allocation; types of weights that become float32; a normalisation that the config contradicts.
set -u
. "$(dirname "$0")/lib/common.sh"
here=tests/data/onnx
gyre=$(realpath "$GYRE")
/usr/bin/python3 "$lib/onnx_file.py" "$T" || fail "no files"

limited() { (ulimit -v 4000000 && exec "$@"); } # bytes in KiB: what a sound file of this size asks for
[ -z "${SAN:-}" ] || limited() { "$@"; }
export -f limited
while IFS=$'\t' read -r name words; do
    [ "$name" != empty ] || continue
    LIMIT=60 refused 3 "$words" bash -c 'limited "$@"' _ "$gyre" model "$T/$name.onnx"
done <"$T/bad.txt"

# Cut anywhere.
size=$(stat -c %s $here/squeeze.preserve.onnx)
for ((cut = 1; cut < size; cut += size / 40)); do
    head -c $cut $here/squeeze.preserve.onnx >"$T/cut.onnx"
    refused 3 "cut.onnx'" "$gyre" model "$T/cut.onnx"
done
# Nothing, and something else under such a name.
for content in "" garbage; do
    printf '%s' "$content" >"$T/no.onnx"
    refused 3 "has the name of an ONNX file and does not begin as one does" "$gyre" model "$T/no.onnx"
done
# Weights that lie beside it: gone, and cut.
cp $here/plain.dynamo.onnx "$T"
refused 3 "no file in the ONNX file's folder" "$gyre" model "$T/plain.dynamo.onnx"
head -c 5000 $here/plain.dynamo.onnx.data >"$T/plain.dynamo.onnx.data"
refused 3 "which has 5000; copy the file of weights anew" "$gyre" model "$T/plain.dynamo.onnx"

# ---- weights of other types, and in other fields
/usr/bin/python3 "$lib/onnx_data.py" "$T/d.h5" 3 8 8
cat >"$T/config.json" <<'END'
{"data": {"path": "d.h5"}, "model": {"file": "plain.onnx"}, "batch": {"size": 8}, "length": {"steps": 2},
 "schedule": {"policy": "constant", "base_lr": 0.05}}
END
for name in plain typed half double doubles; do
    ends 0 "$gyre" train "$T/config.json" --set "model.file=$name.onnx" --out "$T/$name" --quiet
    case $name in
    plain | typed) grep -q "became float32" "$T/err" && fail "$name: $(cat "$T/err")" ;;
    half) grep -q "its weights of float16 became float32" "$T/err" || fail "$name: $(cat "$T/err")" ;;
    *) grep -q "its weights of float64 became float32" "$T/err" || fail "$name: $(cat "$T/err")" ;;
    esac
    same_tables "$T/plain" "$T/$name" || fail "$name: other weights" # all are whole 64ths
done

# ---- a normalisation in front becomes the config's
for name in unit pixels; do
    ends 0 "$gyre" train "$T/config.json" --set "model.file=$name.onnx" --out "$T/$name" --quiet
    grep -q '"normalize":{"mean":\[0.5,0.25,0.125\],"std":\[0.25,0.25,0.25\]}' <(tr -d '[:space:]' <"$T/$name/config.json") ||
        fail "$name: $(grep -A4 normalize "$T/$name/config.json")"
done
same_tables "$T/unit" "$T/pixels" || fail "pixels differ from shares of 255"
ends 0 "$gyre" train "$T/config.json" --set 'data.augment.normalize={"mean":[0.5,0.25,0.125],"std":[0.25,0.25,0.25]}' \
    --set model.file=unit.onnx --out "$T/same" --quiet
refused 2 'data.augment.normalize is "raw", but the network normalises its input itself, by {"mean":[0.5,0.25,0.125]' \
    "$gyre" train "$T/config.json" --set data.augment.normalize=raw --set model.file=unit.onnx --out "$T/no" --quiet

# ---- files of other kinds, where another one is meant
cd "$T" || exit 1
printf 'PK\003\004archive/data.pkl' >new.pt
printf '\200\002}q\000.' >old.pth
/usr/bin/python3 -c 'import struct; open("net.safetensors", "wb").write(struct.pack("<Q", 2) + b"{}")'
torch="is a file of torch.save, which only Python reads: to_gyre(model, example, \"net.onnx\") of gyre-exchange"
for file in new.pt old.pth; do
    refused 2 "$torch" "$gyre" train config.json --set model.file=$file --out no
    refused 2 "$torch" "$gyre" model $file
    refused 2 "$torch" "$gyre" train $file --out no
    refused 3 "$torch" "$gyre" train config.json --set data.path=$file --out no
    refused 3 "$torch" "$gyre" train config.json --set model.init_from=$file --out no
done
refused 2 "is a safetensors file, which has weights without their network; it is for model.init_from" \
    "$gyre" train config.json --set model.file=net.safetensors --out no
refused 3 "is a safetensors file" "$gyre" train config.json --set data.path=net.safetensors --out no
refused 2 "is an HDF5 file; a dataset is for data.path, a checkpoint or other weights are for model.init_from" \
    "$gyre" train config.json --set model.file=d.h5 --out no
refused 2 "is an HDF5 file" "$gyre" train config.json --set model.file="$(echo plain/checkpoints/step*2.h5)" --out no
refused 3 "is an ONNX file; it is for model.file" "$gyre" train config.json --set data.path=plain.onnx --out no
refused 2 "is an ONNX file; it is for model.file" "$gyre" train plain.onnx --out no
refused 2 "unknown model \"plain.onnx\"; the file of a network, ONNX or JSON, is for model.file" \
    "$gyre" train config.json --set model.file=null --set model.name=plain.onnx --out no
exit 0
