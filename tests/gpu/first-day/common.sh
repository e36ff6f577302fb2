# What the stages share: running the program, and comparing runs. Source it.
# shellcheck shell=bash
gyre=$PWD/$O/gyre
fakes=() small=() config=configs/cifar10_resnet20.json
if [ -n "$REHEARSE" ]; then
    f=$PWD/$O/fakes
    fakes=(env "LD_PRELOAD=$f/libfakecuda.so:$f/libfakenccl.so:$f/libfakecudnn.so" "LD_LIBRARY_PATH=$f:${LD_LIBRARY_PATH:-}")
    small=(--set batch.size=8 --set batch.shards=8) config=configs/cifar10_quick.json
else
    export FAKES=no # for lib.sh
fi

skip() { echo "$*" && exit 77; }
cannot() { echo "$*" && exit 78; }

# The numbers of ranks; the largest; the smallest and the largest.
export GPUS=${GPUS:-$(cat "$T/gpus" 2>/dev/null || echo 1)}
counts() { for n in 1 2 4 8; do [ "$n" -gt 1 ] && [ "$n" -gt "$GPUS" ] || echo "$n"; done; }
most() { counts | tail -n 1; }
ends() { counts | sed -n '1p; 1!{$p}'; }

# on RANKS PROGRAM ARGUMENTS...
on() { mpirun -q --bind-to none -np "$1" "${fakes[@]}" "${@:2}"; }
gyre() { on "$1" "$gyre" "${@:2}"; }

# train NAME RANKS STEPS ARGUMENTS...: some steps of $config without evaluation, in the folder $T/NAME.
train() {
    local name=$1 ranks=$2 steps=$3
    shift 3
    [ -z "$REHEARSE" ] || steps=4
    [ -s "$T/images.h5" ] || cannot "there are no images to train with"
    gyre "$ranks" train "$config" --out "$T/$name" --stop-after "$steps" --set backend=cuda \
        --set data.path="$T/images.h5" --set data.validation=none "$@" "${small[@]}"
}
# run NAME RANKS STEPS ARGUMENTS...: that in silence, with tables in $T/NAME/csv; a failure ends the stage.
run() { train "$@" --quiet && "$gyre" export csv "$T/$1" >/dev/null || exit; }

column() { # RUN, NAME
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next } { print $c }' "$T/$1/csv/train.csv"
}

# The images per second of a run: the median over its steps but the first 20 (2 in a rehearsal).
median_speed() {
    column "$1" samples_per_s | tail -n "+$([ -n "$REHEARSE" ] && echo 3 || echo 21)" | sort -g |
        awk '{ a[NR] = $1 } END { print NR ? a[int((NR + 1) / 2)] : 0 }'
}

# beside WHAT RUN COUNTS MATH IMAGES: a run's speed beside what gpu_model.py predicts from these counts.
beside() {
    local gpu predicted=0
    gpu=$(sed -n 's/^gpu 0 [^,]*\([AH][12]00\).*/\1/p' "$T/doctor" 2>/dev/null)
    [ -z "$REHEARSE" ] || gpu=H100
    [ -z "$3" ] || [ -z "$gpu" ] || predicted=$(/usr/bin/python3 benchmarks/gpu_model.py --rate "$gpu" "$3" "$4" "$5") || return
    awk -v what="$1" -v s="$(median_speed "$2")" -v p="$predicted" 'BEGIN {
        printf "%s: %.0f images/s", what, s
        if (p > 0) printf ", predicted %.0f: %.2f of it", p, s / p
        print "" }'
}

# close_to RUN OTHER LIMIT: the greatest relative difference of their losses.
close_to() {
    paste <(column "$1" loss) <(column "$2" loss) | awk -v limit="$3" -v what="$1 and $2" '
        { d = ($1 - $2) / ($2 != 0 ? $2 : 1); if (d < 0) d = -d; if (!(d <= most)) most = d }
        END { printf "%s: losses of %d steps differ by at most %.2g of them (allowed %.2g)\n", what, NR, most, limit
              exit !(NR > 0 && most <= limit) }'
}

# same RUN OTHER: losses, norms of gradients and the parameters at the end.
same() {
    local mine other
    mine=$("$gyre" inspect "$T/$1" --hash) && other=$("$gyre" inspect "$T/$2" --hash) || return
    if [ "$mine" != "$other" ] || ! cmp <(column "$1" loss; column "$1" grad_norm) <(column "$2" loss; column "$2" grad_norm); then
        echo "$1 and $2: different bits, parameters $mine and $other"
        return 1
    fi
    echo "$1 and $2: the same bits, parameters $mine"
}

# Sets $sanitizer: in PATH, or in a toolkit.
find_sanitizer() {
    local found place
    [ -z "$REHEARSE" ] || skip "compute-sanitizer wants a real GPU"
    found=$(tools/cuda.sh 2>/dev/null) found=${found#nvcc:}
    for place in "$(command -v compute-sanitizer)" "${CUDA_HOME:+$CUDA_HOME/bin/compute-sanitizer}" \
        "${found%%/bin/nvcc *}/bin/compute-sanitizer" /usr/local/cuda/bin/compute-sanitizer; do
        [ -x "$place" ] && sanitizer=$place && return
    done
    skip "no compute-sanitizer in PATH, CUDA_HOME or the toolkit"
}

# check TOOL WHAT COMMAND...: prints what the tool says of it.
check() {
    local rc=0 log=$T/$1-$2.log
    "$sanitizer" --tool "$1" --error-exitcode 9 --print-limit 5 "${@:3}" >"$log" 2>&1 || rc=$?
    if [ $rc -eq 0 ]; then
        echo "$2: $(grep SUMMARY "$log" || echo 'no summary')"
    else
        cat "$log"
        echo "$2: exit $rc"
    fi
    return $rc
}
