#!/usr/bin/env bash
# A random rank is killed at a random moment, KILLS times, and the run goes on with another number of
# ranks each time: it ends with the parameters and tables of a run that nobody disturbed.
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

done_early=0 hung=0
for i in $(seq "$kills"); do
    n=$((1 << (i % 3)))
    # mpirun itself may hang or crash when a rank is killed while it ends (seen in PMIx 4.2's finalize)
    timeout -k 5 30 mpirun -q -np $n "${train[@]}" "$T/run" >"$T/out" 2>"$T/err" &
    limit=$!
    sleep "$(printf '0.%03d' $((150 + RANDOM % 400)))"
    launcher=$(pgrep -P $limit || echo 0)
    mapfile -t ranks < <(pgrep -P "$launcher" -f "$T/run")
    if [ ${#ranks[@]} -gt 0 ]; then
        kill -KILL "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null
    fi
    rc=0
    wait $limit || rc=$?
    [ $rc -ne 139 ] || ! grep -q 'PMIx_server_finalize' "$T/err" || rc=137
    case $rc in
    137 | 141) ;; # 141: mpirun itself died, of a pipe to a rank that was gone (seen on a busy machine)
    124) hung=$((hung + 1)) && pkill -KILL -f "$T/run" ;;
    0) done_early=$((done_early + 1)) ;;
    *) fail "kill $i on $n ranks: exit $rc, $(cat "$T/err")" ;;
    esac
done
[ $done_early -le $((kills / 4)) ] || fail "the run ended before $done_early of $kills kills: make it longer"
LIMIT=600 ends 0 mpirun -q -np 2 "${train[@]}" "$T/run"
[ "$("$GYRE" inspect "$T/run" --hash)" = "$("$GYRE" inspect "$T/whole" --hash)" ] || fail "another run"
same_tables "$T/whole" "$T/run" || fail "other tables"
echo "$kills kills, $done_early of them after the end, $hung launchers hung"

# Killed in the very first moments: whatever is left in the folder, the same command starts the run.
for leftover in lock config.json.tmp.4711 both; do
    rm -rf "$T/early"
    mkdir "$T/early"
    [ $leftover = config.json.tmp.4711 ] || echo "host vm, process 4711" >"$T/early/lock"
    [ $leftover = lock ] || echo '{"seed"' >"$T/early/config.json.tmp.4711"
    ends 0 "${train[@]}" "$T/early" --stop-after 2
    [ ! -e "$T/early/config.json.tmp.4711" ] || fail "a temporary file stays"
done
