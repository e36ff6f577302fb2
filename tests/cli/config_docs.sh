#!/usr/bin/env bash
# docs/config.md is what `gyre help config --markdown` prints, and the help names every field.
set -u
"$GYRE" help config --markdown | diff docs/config.md - || {
    echo "docs/config.md is out of date; run \`make docs\`"
    exit 1
}
"$GYRE" help config | grep -q '^optimizer.momentum \*$' || exit 1
[ "$("$GYRE" help config | grep -c '; default ')" -eq "$(grep -c '^| `' docs/config.md)" ] || exit 1
for wrong in "nothing" "config --pdf" "train more"; do
    # shellcheck disable=SC2086
    "$GYRE" help $wrong 2>&1 | grep -q '^gyre: error: usage: gyre help ' || exit 1
done
"$GYRE" help | grep -q '^  gyre train CONFIG' || exit 1
for words in "train --help" "help train" "train c.json --out x --help"; do
    # shellcheck disable=SC2086
    [ "$("$GYRE" $words | head -n 1 | cut -c 1-19)" = "  gyre train CONFIG" ] || exit 1
done
"$GYRE" --version | grep -q '^gyre [0-9.]*$' || exit 1
"$GYRE" trian 2>&1 | grep -q "^gyre: error: unknown command 'trian'" || exit 1
exit 0
