#!/usr/bin/env bash
# docs/config.md and docs/nodes.md are what `gyre help config --markdown` and `gyre help nodes
# --markdown` print, and the help names every field.
set -u
"$GYRE" help nodes --markdown | diff docs/nodes.md - || {
    echo "docs/nodes.md is out of date; run \`make docs\`"
    exit 1
}
"$GYRE" help nodes | grep -q '^    "channels": whole number 1 or more, or "classes"; required$' || exit 1
"$GYRE" help config --markdown | diff docs/config.md - || {
    echo "docs/config.md is out of date; run \`make docs\`"
    exit 1
}
"$GYRE" help config | grep -q '^optimizer.momentum \*$' || exit 1
[ "$("$GYRE" help config | tr -s '\n ' ' ' | grep -o '; default ' | wc -l)" -eq "$(grep -c '^| `' docs/config.md)" ] || exit 1
for wrong in "nothing" "config --pdf" "train more"; do
    # shellcheck disable=SC2086
    "$GYRE" help $wrong 2>&1 | grep -q '^gyre: error: .* usage: gyre help ' || exit 1
done
"$GYRE" --version | grep -q '^gyre [0-9.]*$' || exit 1
"$GYRE" trian 2>&1 | grep -q "^gyre: error: unknown command 'trian'" || exit 1
exit 0
