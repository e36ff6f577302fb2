#!/usr/bin/env bash
# Slow.
# A study is killed at random moments, KILLS times, in whatever it is doing, each time on another
# number of ranks; it ends with the results and tables of an undisturbed one.
set -u
. "$(dirname "$0")/lib/common.sh"
kills=${KILLS:-10}
RANDOM=${SEED:-1}
make_dataset "$T/images.h5" 600 200
cat >"$T/study.json" <<'JSON'
{
    "base": {
        "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 64, "shards": 4},
        "schedule": {"base_lr": 0.001, "max_lr": 0.02}, "length": {"steps": 1500},
        "checkpoint": {"every": {"steps": 100}}
    },
    "seeds": 2, "cycles": [1, 5], "arms": [
        {"name": "wild", "set": {"schedule": {"policy": "constant", "base_lr": 1e20}}}]
}
JSON
ends 0 "$GYRE" study "$T/study.json" --out "$T/whole" --quiet
results() { (cd "$1/cells" && for f in */*/result.json; do echo "$f $(sed 's/"seconds":[^,]*,//' "$f")"; done); }

same_study() {
    [ "$(results "$T/whole")" = "$(results "$T/study")" ] || fail "other results: $(diff <(results "$T/whole") <(results "$T/study"))"
    local cell
    for cell in "$T"/whole/cells/*/seed-*/; do
        same_tables "$cell" "$T/study${cell#"$T/whole"}" || fail "other tables"
    done
}

# On a busy machine a study may end before its kill: then another one is begun.
hits=0 ended=0
while [ $hits -lt "$kills" ] && [ $ended -lt $((3 * kills)) ]; do
    n=$((1 << (hits % 3)))
    setsid timeout -k 5 30 mpirun -q -np $n "$GYRE" study "$T/study.json" --out "$T/study" --quiet --parallel-cells $((n > 1 ? 2 : 1)) >"$T/out" 2>"$T/err" &
    group=$!
    sleep "$(printf '%d.%03d' $((RANDOM % 2)) $((100 + RANDOM % 900)))"
    kill -KILL -- -$group 2>/dev/null # mpirun's ranks are in groups of their own: it is they who
    pkill -KILL -f "study $T/study.json" # would continue
    if wait $group; then
        ended=$((ended + 1))
        same_study
        rm -rf "$T/study"
    else
        hits=$((hits + 1))
    fi
done
[ $hits -eq "$kills" ] || fail "$ended launches ended before their kill: make the study longer"
# On one rank: with a peer, each step of a busy machine takes as long as both wait for a core.
LIMIT=240 ends 0 "$GYRE" study "$T/study.json" --out "$T/study"
same_study
echo "$hits kills; $ended launches had ended before"
