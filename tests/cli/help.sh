#!/usr/bin/env bash
# Every command explains each of its options and operands; the usage, the explanations and the parser
# agree; no line is longer than 80 columns.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1

narrow() { [ -z "$(awk 'length($0) > 80' "$1")" ] || fail "wider than 80 columns: $(awk 'length($0) > 80' "$1")"; }

# A value that the option takes, by the word that stands for it in the help.
value_of() {
    case $1 in
    N | K | R | "N|HxW") echo 8 ;;
    "3|1") echo 3 ;;
    RATE | FRACTION | ETA | W) echo 0.5 ;;
    VALUE) echo 50 ;;
    PAIR) echo x.npy,y.npy ;;
    LENGTH) echo 20 epochs ;;
    HxWxC) echo 8x8x1 ;;
    *"|"*) echo "${1%%|*}" ;;
    *) echo x ;;
    esac
}

"$GYRE" help >all
grep -v '^[A-Z][a-z ]* are in /' all >listed
narrow listed
for place in docs/config.md configs/demo.json slurm/study.sh; do
    folder=$(sed -n "s|^[A-Z][a-z ]* are in \(/.*/${place%%/*}\)\$|\1|p" all)
    [ -e "$folder/${place#*/}" ] || fail "no $place: $(cat all)"
done
"$GYRE" --help | cmp all - || fail "--help"
"$GYRE" 2>&1 | cmp all - || fail "no word at all"
commands=$(sed -n 's/^  \([a-z]*\) .*/\1/p' all)
[ "$(echo "$commands" | wc -l)" -ge 12 ] || fail "commands: $commands"

for command in $commands; do
    "$GYRE" help "$command" >page || fail "no help for $command"
    "$GYRE" "$command" x --help | cmp page - || fail "$command --help is another page"
    narrow page
    grep -q '^exit codes:$' page || fail "$command: no exit codes"
    grep -q "^usage: gyre $command" page || fail "$command: no usage"
    # The usage up to the empty line, the explanations behind it.
    sed '/^$/q' page | grep -o -- '--[a-z-]*' | sort -u >used
    sed -n 's/^  \(--[a-z-]*\).*/\1/p' page | sort -u >explained
    cmp used explained || fail "$command: the usage has $(cat used), explained are $(cat explained)"
    # Each has words, on its line or the next.
    awk '/^  [^ ]/ && !/^  .*  [^ ]/ {getline next_line; if (index(next_line, "                        ") != 1) {print; exit 1}}' page ||
        fail "$command: an option without words"
    # All of them, with a value where they have one, pass the parser: what it misses are operands.
    arguments=()
    while read -r option value; do
        arguments+=("$option")
        value=${value%%,*}
        [ -z "$value" ] || arguments+=("$(value_of "$value")")
    done < <(sed -n 's/^  \(--[a-z-]*\)\( [^ ,]*\)\{0,1\}.*/\1\2/p' page)
    [ "$command" = doctor ] && continue
    ends 2 "$GYRE" "$command" "${arguments[@]}"
    grep -q "expected.*usage: gyre $command.*\`gyre help $command\` explains" "$T/err" ||
        fail "$command: $(cat "$T/err")"
    refused 2 "unknown option '--nonsense'" "$GYRE" "$command" --nonsense
done
refused 2 "'--nonsense' was not expected; usage: gyre doctor" "$GYRE" doctor --nonsense

refused 2 "unknown option '-Z'" "$GYRE" export -Z
refused 2 "did you mean --stop-after?" "$GYRE" train --stop-aftr 3
refused 2 "missing value after '--out'" "$GYRE" train c.json --out
refused 2 "--quiet takes no value, found '--quiet=3'" "$GYRE" train c.json --quiet=3
refused 2 "--out: a value (DIR) was expected, found nothing" "$GYRE" train c.json --out ""
refused 2 "--output: a value (FILE) was expected, found nothing" "$GYRE" plot run -o ""
refused 2 "unknown command 'trian'; did you mean 'train'?" "$GYRE" trian
while read -r word meant; do
    refused 2 "unknown command '$word'; did you mean '$meant'?" "$GYRE" "$word"
done <<WORDS
evaluate eval
test eval
resume train
lr-find find
import data import
version --version
-V --version
WORDS
refused 2 "unknown option '--output'; did you mean --out?" "$GYRE" train c.json --output q
refused 2 "unknown option '--output=q'; did you mean --out?" "$GYRE" find c.json --output=q
for command in train study; do
    refused 2 "unknown option '--resume'; \`gyre $command\` with the same config and --out DIR resumes what DIR holds" "$GYRE" $command c.json --resume
done
refused 2 "unknown option '-x'; usage: gyre data" "$GYRE" data import folder a -o b -x
ends 3 "$GYRE" data import folder nowhere -o new.h5 -q
refused 2 "found 'trian'; did you mean 'train'?; \`gyre help\` lists" "$GYRE" help trian
"$GYRE" help data >page
for words in "help data import" "help data import folder" "help data manifest"; do
    # shellcheck disable=SC2086
    "$GYRE" $words | cmp - page || fail "gyre $words is not gyre help data"
done
"$GYRE" help export csv | cmp - <("$GYRE" help export) || fail "help export csv"

# What mpirun makes of a run's end, for the commands that run under it.
for command in train find study eval; do
    "$GYRE" help $command >page
    grep -q "^  137, 205  .*mpirun's: a rank was killed" page && grep -q "^  1  .*Ctrl-C" page || fail "$command: $(cat page)"
done
! "$GYRE" help plot | grep -q 137 || fail "gyre plot runs under no mpirun"

for page in "help config" "help models"; do
    # shellcheck disable=SC2086
    "$GYRE" $page >page
    narrow page
done
exit 0
