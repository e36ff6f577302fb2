#!/usr/bin/env bash
# A damaged newest checkpoint: each block of 4 KiB is changed, or the file cut there, in turn. It is
# always noticed, the run resumes from the checkpoint before, says so, and ends as it would have.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5" 300 60
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 12},
    "checkpoint": {"every": {"steps": 4}, "keep": 2}
}
JSON
train=("$GYRE" train "$T/config.json" --quiet --set threads=1 --out)
ends 0 "${train[@]}" "$T/whole"
expected=$("$GYRE" inspect "$T/whole" --hash)
ends 0 "${train[@]}" "$T/run" --stop-after 8
cp -r "$T/run" "$T/stopped"
newest=checkpoints/step-000000008.h5
blocks=$((($(stat -c %s "$T/run/$newest") + 4095) / 4096))
[ "$blocks" -gt 50 ] || fail "only $blocks blocks"

goes_on() { # what was done
    ends 0 "${train[@]}" "$T/run"
    grep -q "step-000000008.h5' is .*; trying the checkpoint before it" "$T/err" || fail "$1: $(cat "$T/err")"
    [ "$("$GYRE" inspect "$T/run" --hash)" = "$expected" ] || fail "$1: another run"
    same_tables "$T/whole" "$T/run" || fail "$1: other tables"
    rm -r "$T/run"
    cp -r "$T/stopped" "$T/run"
}

# All of them are noticed; every 12th one is gone on with, since that takes longer.
for i in $(seq 0 $((blocks - 1))); do
    cp "$T/stopped/$newest" "$T/run/$newest"
    byte=$((4096 * i + i * 37 % 1000))
    [ "$byte" -lt "$(stat -c %s "$T/run/$newest")" ] || byte=$((4096 * i))
    old=$(od -An -tu1 -j $byte -N1 "$T/run/$newest")
    printf "\\x$(printf %x $((255 - old)))" | dd of="$T/run/$newest" bs=1 seek=$byte conv=notrunc status=none
    refused 3 "step-000000008.h5" "$GYRE" inspect "$T/run" --hash
    [ $((i % 12)) -ne 1 ] || goes_on "byte $byte changed"
    truncate -s $((4096 * i)) "$T/run/$newest"
    refused 3 "step-000000008.h5" "$GYRE" inspect "$T/run" --hash
    [ $((i % 12)) -ne 2 ] || goes_on "cut at $((4096 * i))"
done

# A damaged one is no longer among those to keep, and the newest is one that can be read.
truncate -s 4096 "$T/run/$newest"
ends 0 "${train[@]}" "$T/run" --stop-after 6 --set checkpoint.every.steps=1 --set checkpoint.keep=1
[ -e "$T/run/$newest.damaged" ] || fail "not set aside: $(ls "$T/run/checkpoints")"
"$GYRE" inspect "$T/run" | grep -q 'checkpoint after 6 updates' || fail "the newest is another"
ends 0 "${train[@]}" "$T/run"
[ "$("$GYRE" inspect "$T/run" --hash)" = "$expected" ] || fail "another run behind a damaged checkpoint"
rm -r "$T/run"
cp -r "$T/stopped" "$T/run"

# None is left that can be read: the run is not begun anew over it.
for f in "$T"/run/checkpoints/*.h5; do truncate -s 100 "$f"; done
ends 3 "${train[@]}" "$T/run"
grep -q "no checkpoint of '$T/run' can be read (of 2 that are there); move the run away" "$T/err" || fail "$(cat "$T/err")"
echo "$blocks blocks"
