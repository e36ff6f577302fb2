#!/usr/bin/env bash
# Names that others chose (files, classes, keys, arms) reach no terminal as control characters: with
# ESC, a newline, DEL and a character that turns text round in each of them, no command prints one.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
bad=$'e\033[31m\nx\177\342\200\256y'

# shown CODE COMMAND...: what it prints has none of these characters, but newlines at the ends of
# lines, and the name that is bad as what it is.
shown() {
    local code=$1
    shift
    ends "$code" "$@"
    cat "$T/out" "$T/err" | LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae' &&
        fail "raw characters from: $*"
    cat "$T/out" "$T/err" | grep -q '^x' && fail "a line of its own: $*"
    cat "$T/out" "$T/err" | grep -qF 'x\x7F\xE2\x80\xAEy' || fail "not named by: $* ($(cat "$T/out" "$T/err"))"
}

make_dataset images.h5 64 16
/usr/bin/python3 - "$bad" <<'PY' || fail "h5py is needed"
import h5py, numpy, sys
with h5py.File("images.h5", "r+") as f:
    if "names" in f: del f["names"]
    f["names"] = numpy.array([sys.argv[1].encode()] + [b"class%d" % i for i in range(1, 10)])
PY
cat >config.json <<'JSON'
{"data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 8},
 "schedule": {"policy": "triangular", "base_lr": 0.01, "max_lr": 0.1, "cycles": 1}, "length": {"steps": 8}}
JSON

# A class of a dataset, and a dataset's own name.
shown 0 "$GYRE" data info images.h5
cp images.h5 "$bad.h5"
shown 0 "$GYRE" data info "$bad.h5"
shown 0 "$GYRE" inspect "$bad.h5"
shown 0 "$GYRE" data manifest "$bad.h5" -o "$bad.json"
ends 0 "$GYRE" train config.json --out "$bad" --quiet
shown 0 "$GYRE" eval "$bad"
shown 0 "$GYRE" inspect "$bad"
shown 0 "$GYRE" export csv "$bad"

# What stands in a config, and on the command line.
/usr/bin/python3 - "$bad" <<'PY'
import json, sys
c = json.load(open("config.json"))
json.dump({**c, "data": {"path": sys.argv[1]}}, open("path.json", "w"))
json.dump({**c, sys.argv[1]: 1}, open("key.json", "w"))
arms = [{"name": sys.argv[1], "set": {}}]
json.dump({"base": "config.json", "seeds": 1, "controls": False, "arms": arms}, open("arm.json", "w"))
json.dump({"base": "config.json", "seeds": 1, "controls": False, "arms": [], "name": sys.argv[1]}, open("name.json", "w"))
json.dump({"base": sys.argv[1], "seeds": 1, "controls": False, "cycles": [1]}, open("base.json", "w"))
json.dump({"base": "config.json", "seeds": 1, "policies": [sys.argv[1]]}, open("policy.json", "w"))
PY
shown 3 "$GYRE" train path.json --out new --quiet
shown 2 "$GYRE" schedule key.json
shown 2 "$GYRE" schedule config.json --set "$bad=1"
shown 2 "$GYRE" schedule config.json --set "schedule.policy=$bad"
shown 2 "$GYRE" schedule config.json --set "$bad"
for study in arm name policy; do shown 2 "$GYRE" study $study.json --out new; done
shown 3 "$GYRE" study base.json --out new
for command in "data info" "data import idx -o x.h5" "eval" "inspect" "export csv" "plot" "report" "schedule" "train --out new" "study --out new" "find"; do
    # shellcheck disable=SC2086
    "$GYRE" $command none >out 2>err
    # shellcheck disable=SC2086
    shown $? "$GYRE" $command "none$bad"
done
shown 2 "$GYRE" train config.json "--$bad"
shown 2 "$GYRE" train config.json --out x --stop-after "$bad"
shown 2 "$GYRE" help "$bad" x
shown 2 "$GYRE" "$bad"
if command -v gnuplot >/dev/null; then
    shown 2 "$GYRE" plot "$bad"
    shown 2 "$GYRE" report "$bad"
    shown 2 "$GYRE" schedule config.json --plot "$bad.svg"
fi

# A figure is well-formed, whatever the run is called.
if command -v gnuplot >/dev/null; then
    odd=$'\377<&>\'"\001'
    cp -r "$bad" "$odd$bad"
    ends 0 "$GYRE" plot "$odd$bad" -o one.svg
    ends 0 "$GYRE" plot "$odd$bad" "$bad" -o two.svg
    for figure in one two; do
        /usr/bin/python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' $figure.svg || fail "$figure.svg is not well-formed"
    done
    grep -qF '\xFF' one.svg || fail "the name is not shown"
fi

# Pictures, and the folders that are their classes.
mkdir -p "pictures/$bad" pictures/b
touch "pictures/$bad/$bad.png" pictures/b/1.png
shown 3 "$GYRE" data import folder pictures -o p.h5
exit 0
