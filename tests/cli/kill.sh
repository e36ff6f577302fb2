#!/usr/bin/env bash
# Slow.
# A random rank is killed at a random moment, KILLS times, and the run resumes with another number of
# ranks each time: it ends with the parameters and tables of an undisturbed run.
set -u
. "$(dirname "$0")/lib/common.sh"
kills=${KILLS:-8}
steps=$((2000 * kills))
RANDOM=${SEED:-1}
make_dataset "$T/images.h5" 900 230
cat >"$T/config.json" <<JSON
{
    "data": {"path": "images.h5", "augment": {"mirror": true}},
    "model": {"name": "mlp"}, "batch": {"size": 128, "shards": 4},
    "schedule": {"policy": "triangular2", "base_lr": 0.001, "max_lr": 0.01, "stepsize": {"steps": 700}},
    "length": {"steps": $steps}, "evaluate": {"every": {"steps": 350}},
    "checkpoint": {"every": {"steps": 100}, "keep": 3, "best": true}
}
JSON
train=("$GYRE" train "$T/config.json" --quiet --out)
LIMIT=600 ends 0 "${train[@]}" "$T/whole"

same_run() {
    [ "$("$GYRE" inspect "$T/run" --hash)" = "$("$GYRE" inspect "$T/whole" --hash)" ] || fail "another run"
    same_tables "$T/whole" "$T/run" || fail "other tables"
}

# kill_one RANKS: starts or resumes, kills, and returns the launcher's code.
kill_one() {
    # mpirun itself may hang or crash when a rank is killed while it ends (seen in PMIx 4.2's finalize)
    timeout -k 5 30 mpirun -q -np "$1" "${train[@]}" "$T/run" >"$T/out" 2>"$T/err" &
    local limit=$! launcher ranks
    sleep "$(printf '0.%03d' $((150 + RANDOM % 400)))"
    launcher=$(pgrep -P $limit || echo 0)
    mapfile -t ranks < <(pgrep -P "$launcher" -f "$T/run")
    if [ ${#ranks[@]} -gt 0 ]; then
        kill -KILL "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null
    fi
    wait $limit
}

# On a busy machine a run may end before its kill: then another one is begun.
hits=0 ended=0 hung=0
while [ $hits -lt "$kills" ] && [ $ended -lt $((3 * kills)) ]; do
    n=$((1 << (hits % 3))) rc=0
    kill_one $n || rc=$?
    [ $rc -ne 139 ] || ! grep -q 'PMIx_server_finalize' "$T/err" || rc=137
    case $rc in
    137 | 141) ;; # 141: mpirun itself died, of a pipe to a rank that was gone (seen on a busy machine)
    124) hung=$((hung + 1)) && pkill -KILL -f "$T/run" ;;
    0) same_run && rm -rf "$T/run" && ended=$((ended + 1)) && continue ;;
    *) fail "kill $((hits + 1)) on $n ranks: exit $rc, $(cat "$T/err")" ;;
    esac
    hits=$((hits + 1))
done
[ $hits -eq "$kills" ] || fail "the run ended before $ended of its kills: make it longer"
LIMIT=600 ends 0 mpirun -q -np 2 "${train[@]}" "$T/run"
same_run
echo "$hits kills, $hung launchers hung; $ended runs had ended before"

# Killed in the very first moments: whatever is left in the folder, the same command starts the run.
for leftover in lock config.json.tmp.4711 both; do
    rm -rf "$T/early"
    mkdir "$T/early"
    [ $leftover = config.json.tmp.4711 ] || echo "host vm, process 4711" >"$T/early/lock"
    [ $leftover = lock ] || echo '{"seed"' >"$T/early/config.json.tmp.4711"
    ends 0 "${train[@]}" "$T/early" --stop-after 2
    [ ! -e "$T/early/config.json.tmp.4711" ] || fail "a temporary file stays"
done
