#!/usr/bin/env bash
# The engines that compute a run are known before its first step, recorded, and compared: over ranks
# and with those of the run that is resumed. On fakes, whose GPUs are what FAKE_DEVICE_JSON says.
set -u
. "$(dirname "$0")/lib.sh"
devices=$PWD/tests/gpu/devices
config "$T/config.json" cifar10_quick 4
checks=0

# trains CODE DEVICES RANKS RUN ARGUMENTS...
trains() {
    local rc=0
    checks=$((checks + 1))
    FAKE_DEVICE_JSON=$2 on_fakes "$FAKES" "$3" "$GYRE" train "$T/config.json" --out "$T/$4" "${@:5}" || rc=$?
    [ $rc -eq "$1" ] || fail "$4 on $2: exit $rc instead of $1: $(tail -n 5 "$T/err")"
}
# engines RUN: of each launch, a line each
engines() { grep '"event":"start"' "$T/$1/log.jsonl" | grep -o '(engines [0-9a-f]*)'; }
same() { [ -n "$1" ] && [ "$1" = "$2" ] || fail "$3: '$1' and '$2'"; }
differ() { [ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ] || fail "$3: '$1' and '$2'"; }

h100=$devices/h100.json a100=$devices/a100.json
FAKE_LOG=$T/log trains 0 "$h100" 1 whole
trains 0 "$a100" 1 other
differ "$(engines whole)" "$(engines other)" "an A100 has the engines of an H100"
trains 0 "$h100" 2 pair
same "$(engines whole)" "$(engines pair)" "two ranks have other engines than one"
trains 0 "$h100" 1 called --set graph=false
same "$(engines whole)" "$(engines called)" "a called step has other engines than a recorded one"
trains 0 "$h100" 1 bf16 --set precision=bf16
differ "$(engines whole)" "$(engines bf16)" "bf16 has the engines of f32"

# All plans of a step are made before the first one runs: cuDNN is asked for nothing more.
FAKE_LOG=$T/log trains 0 "$h100" 1 half --stop-after 2
grep -n '^cudnnBackendExecute 1;' "$T/log" >/dev/null || fail "no plan runs: $(tail -n 3 "$T/log")"
later=$(sed '1,/^cudnnBackendExecute 1;/d' "$T/log" | grep -c '^cudnnBackendGetAttribute ')
[ "$later" -eq 0 ] || fail "plans are made while steps run: cuDNN is asked $later times"

# A resume by other engines may give other bits, and is told apart.
trains 2 "$a100" 1 half
grep -q "a resume here may differ in the last bits: .*$(engines whole).*$(engines other)" "$T/err" || fail "the engines are not named: $(cat "$T/err")"
trains 0 "$h100" 1 half
[ "$(hash_of "$T/half")" = "$(hash_of "$T/whole")" ] || fail "the resume has other bits"

# Ranks whose GPUs have other engines: all are told of it, though both GPUs call themselves alike.
trains 0 "$h100,$a100" 2 mixed
grep -q "warning: 2 ranks on unlike machines .*$(engines whole).*$(engines other).*; a run elsewhere may differ in the last bits" "$T/err" ||
    fail "ranks with other engines are not told: $(cat "$T/err")"
echo "engines: $checks checks passed"
