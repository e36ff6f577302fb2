#!/usr/bin/env bash
# docs/config.md is what `gyre help config --markdown` prints, and the help names every field.
set -u
"$GYRE" help config --markdown | diff docs/config.md - || {
    echo "docs/config.md is out of date; run \`make docs\`"
    exit 1
}
"$GYRE" help config | grep -q '^optimizer.momentum \*$' || exit 1
[ "$("$GYRE" help config | grep -c '; default ')" -eq "$(grep -c '^| `' docs/config.md)" ] || exit 1
for wrong in "" "nothing" "config --pdf"; do
    # shellcheck disable=SC2086
    "$GYRE" help $wrong 2>&1 | grep -q '^gyre: error: usage: gyre help config' || exit 1
done
exit 0
