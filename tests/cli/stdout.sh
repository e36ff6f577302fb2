#!/usr/bin/env bash
# What a command prints must be out before it says that all went well: on a full disk each of them
# ends with exit code 3 and one line that says why.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 64 16
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 8},
 "schedule": {"policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "cycles": 1}, "length": {"steps": 8}}
JSON
echo '{"base": "config.json", "seeds": 2, "cycles": [1]}' >study.json
ends 0 "$GYRE" train config.json --out run --quiet

# Two ranks say it once and end alike.
full() { # COMMAND...
    "$@" >/dev/full 2>err
    local rc=$?
    [ $rc -eq 3 ] || fail "exit $rc with a full disk: $* ($(cat err))"
    [ "$(grep -c "gyre: error: cannot write to stdout" err)" = 1 ] || fail "$*: $(cat err)"
}
full "$GYRE" --version
full "$GYRE" --help
full "$GYRE" help study
full "$GYRE" help config
full "$GYRE" data info images.h5
full "$GYRE" data manifest images.h5 -o parts.json
full "$GYRE" schedule config.json
full "$GYRE" inspect run --hash
full "$GYRE" eval run
full "$GYRE" export csv run
full "$GYRE" doctor
full "$GYRE" study study.json --count
full mpirun -q -np 2 sh -c "exec '$GYRE' study study.json --count >/dev/full"
if command -v gnuplot >/dev/null; then
    full "$GYRE" plot run
    full "$GYRE" report run
fi
exit 0
