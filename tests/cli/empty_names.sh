#!/usr/bin/env bash
# A shell's variable that is not set: an empty argument, or value of an option, is a usage error of
# every command, before anything is read or written. The options are those that `gyre help` explains.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
commands="data find schedule train study plot report eval inspect export"
for command in $commands; do
    "$GYRE" help "$command" >help || fail "gyre help $command"
    echo "$command"
    grep -oE -- '--[a-z][a-z-]* [A-Z]' help | sed "s/ .\$//; s/^/$command /"
done | sort -u >cases
[ "$(wc -l <cases)" -gt 35 ] || fail "only $(wc -l <cases) cases: $(cat cases)"
while read -r command option; do
    refused 2 "an empty shell variable?" "$GYRE" "$command" ${option:+any "$option"} ""
    [ -z "$option" ] || grep -q "^gyre: error: $option: " err || fail "the option is not named: $(cat err)"
done <cases
refused 2 "an empty shell variable?" "$GYRE" report any --out=
refused 2 "an empty shell variable?" mpirun -q -np 2 "$GYRE" train any --out ""
[ "$(ls -I 'mpirun*' | tr '\n' ' ')" = "cases err help out " ] || fail "something was written: $(ls)"

# Paths in a config.
make_dataset images.h5 60 20
echo '{"data": {"path": "images.h5"}, "batch": {"size": 20}, "length": {"steps": 2}, "schedule": {"policy": "constant", "base_lr": 0.01}}' >config.json
for key in data.path model.init_from output.dir model.name; do
    refused 2 "$key" "$GYRE" train config.json --out run --set "$key="
    refused 2 "$key" "$GYRE" train config.json --out run --set "$key=\"\""
done
[ ! -e run ] || fail "a run was made"
echo "$(wc -l <cases) cases"
