#!/usr/bin/env bash
# Every Python example of docs/formats.md is run, in the order of the page, in one folder.
set -u
. "$(dirname "$0")/lib/common.sh"
make_dataset "$T/images.h5"
cat >"$T/config.json" <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 100},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 10}
}
JSON
ends 0 "$GYRE" train "$T/config.json" --out "$T/run"
/usr/bin/python3 - "$PWD/docs/formats.md" "$T" <<'P' || fail "an example of docs/formats.md"
import os, re, sys
text = open(sys.argv[1]).read()
os.chdir(sys.argv[2])
examples = re.findall(r"<!-- test: (\w+) -->\n```python\n(.*?)```", text, re.S)
assert len(examples) == text.count("```python") >= 2, "an example without a test"
for name, code in examples:
    print("--", name)
    exec(compile(code, name, "exec"), {})
P
