#!/usr/bin/env bash
# Runs the fine-tuning experiment of this folder: the pre-training, the 20 images, the range test and
# the arms, each in a folder of its own under DIR, then a table of them. What is finished is not run
# again, what was interrupted resumes; so the script can be stopped and started at any time.
set -u

usage() {
    cat >&2 <<END
usage: configs/experiment/run.sh --out DIR (--cifar FILE | --images FILE --init FILE) [options] [ARM...]
  --cifar FILE     CIFAR-10 as a gyre dataset: for the pre-training, and to take the images from
  --images FILE    a dataset of the images, instead of 20 of CIFAR-10
  --init FILE      a checkpoint to start from, instead of the pre-training
  --max-lr RATE    upper bound of the range (1.13e-3); all rates of the arms are scaled with it
  --gyre PROGRAM   the program (build/cpu/gyre of this tree)
  --launch WORDS   what to start it with, such as "mpirun -q -np 2"; for the pre-training alone, as a
                   batch of 4 is one shard
  --set KEY=VALUE  given to every arm; may be repeated
ARMs are files of configs/experiment without .json; all of them when none is given.
END
    exit 2
}

die() { # code, text
    echo "run.sh: $2" >&2
    exit "$1"
}

here=$(cd "$(dirname "$0")" && pwd)
gyre=$here/../../build/cpu/gyre
out='' cifar='' images='' init='' max_lr=1.13e-3 launch=''
sets=() arms=()
while [ $# -gt 0 ]; do
    case $1 in
    --out | --cifar | --images | --init | --max-lr | --gyre | --launch | --set) [ $# -ge 2 ] || usage ;;
    esac
    case $1 in
    --out) out=$2 && shift ;;
    --cifar) cifar=$2 && shift ;;
    --images) images=$2 && shift ;;
    --init) init=$2 && shift ;;
    --max-lr) max_lr=$2 && shift ;;
    --gyre) gyre=$2 && shift ;;
    --launch) launch=$2 && shift ;;
    --set) sets+=(--set "$2") && shift ;;
    -*) usage ;;
    *) arms+=("$1") ;;
    esac
    shift
done
[ -n "$out" ] || usage
[ -n "$cifar" ] || { [ -n "$images" ] && [ -n "$init" ]; } || usage
for file in "$cifar" "$images" "$init"; do
    [ -z "$file" ] || [ -f "$file" ] || die 2 "no file $file"
done
[ -x "$gyre" ] || die 2 "no program $gyre; run make, or give --gyre"
[[ $max_lr =~ ^[0-9]*\.?[0-9]+(e-?[0-9]+)?$ ]] || die 2 "--max-lr $max_lr: a rate was expected, such as 1.13e-3"
if [ ${#arms[@]} -eq 0 ]; then
    for file in "$here"/*.json; do
        name=$(basename "$file" .json)
        case $name in pretrain | range) ;; *) arms+=("$name") ;; esac
    done
fi
for name in "${arms[@]}"; do
    [ -f "$here/$name.json" ] || die 2 "no $name.json in $here"
done

# gyre_on CONFIG FOLDER COMMAND...: 6 (diverged) is a result; everything else but 0 ends the script,
# with the same code.
gyre_on() {
    local config=$1 folder=$2 code=0
    shift 2
    echo "== $(basename "$config" .json)"
    "$@" train "$config" --out "$folder" "${data[@]}" || code=$?
    case $code in 0 | 6) ;; *) exit $code ;; esac
}

mkdir -p "$out/configs" || exit 3
out=$(realpath "$out")
if [ -z "$init" ]; then
    data=(--set "data.path=\"$(realpath "$cifar")\"")
    # shellcheck disable=SC2086 # words
    gyre_on "$here/pretrain.json" "$out/pretrained" $launch "$gyre"
    init=$(printf '%s\n' "$out"/pretrained/checkpoints/step-*.h5 | tail -n 1)
fi
if [ -z "$images" ]; then
    images=$out/twenty.h5
    [ -f "$images" ] || "$here/few_images.py" "$cifar" -o "$images" || exit 3
fi
data=(--set "data.path=\"$(realpath "$images")\"" --set "model.init_from=\"$(realpath "$init")\"" "${sets[@]}")

if [ ! -d "$out/range" ]; then
    echo "== range"
    "$gyre" find "$here/range.json" --out "$out/range" "${data[@]}" || exit
fi

# The files have the range's upper bound, a half of it (also its middle) and a quarter.
scale() { awk -v x="$max_lr" -v part="$1" 'BEGIN { printf "%.17g", x * part }'; }
for name in "${arms[@]}"; do
    config=$out/configs/$name.json
    sed "s/1\.13e-3/$max_lr/; s/5\.65e-4/$(scale 0.5)/; s/2\.83e-4/$(scale 0.25)/" "$here/$name.json" >"$config"
    gyre_on "$config" "$out/$name" "$gyre"
done

for name in "${arms[@]}"; do
    printf '%-16s %s\n' "$name" "$("$gyre" eval "$out/$name" --data "$images" --part test 2>&1 | grep -m 1 '^test: \|error: ')"
done | tee "$out/table.txt"
