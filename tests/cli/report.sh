#!/usr/bin/env bash
# gyre report from outside: the page and its tables hold what the cells say, are the same each time,
# overwrite nothing, and bad folders are refused in words.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
command -v gnuplot >/dev/null || { echo "gnuplot is not there"; exit 77; }
study() { /usr/bin/python3 "$lib/make_study.py" "$@" || fail "h5py is needed"; }
holds() { grep -qF -- "$2" "$1" || fail "no '$2' in $1"; }
lacks() { ! grep -qF -- "$2" "$1" || fail "'$2' in $1"; }

# A study with every kind of cell.
study s --state 20-cycles:2=diverged --state linear:3=failed --state 1-cycle:6=missing \
    --state 1-cycle:5=interrupted --state max_lr:1=nan
ends 0 "$GYRE" report s
[ "$(cat "$T/out")" = s/report/index.html ] || fail "said: $(cat "$T/out")"
page=s/report/index.html
head -c 500000 $page | grep -A3 '<h1>' | grep -q '5 cycles beat the constant midpoint by 1.*6 seeds, p = 0.031' ||
    fail "the verdict does not come first"
ends 0 "$GYRE" report s --target 0.5 --out fraction
grep -q "^gyre: warning: --target 0.5 is 0.5 %; 50 % is --target 50$" err || fail "$(cat err)"
for words in 'Choice: 5 cycles' '31 of 36 cells done (6 arms × 6 seeds), 2 diverged' '3 of 36 cells have no result yet' \
    'the planned comparison can be shown' 'fewer than 10' 'smallest possible p is 0.12' \
    'What one more seed would tell' 'the final mean of the constant midpoint' '>never<' \
    'disk full &lt;of &quot;logs&quot;&gt;' '>diverged<' 'Learning rate over steps'; do
    holds $page "$words"
done
for row in 'diverged</td>' 'failed</td>' 'missing</td>' 'interrupted</td>' 'done, without a finite result</td>'; do holds $page "$row"; done
lacks $page '<script'
lacks $page 'src='
# 4 kinds of curves, final values, 3 controls, rates; all ids differ
[ "$(grep -c '<figure>' $page)" -eq 9 ] || fail "$(grep -c '<figure>' $page) figures"
/usr/bin/python3 - $page <<'P' || fail "the page is not well-formed"
import re, sys
from html.parser import HTMLParser
text = open(sys.argv[1], encoding="utf-8").read()
ids = re.findall(r"\sid=[\"']([^\"']+)", text)
assert len(ids) == len(set(ids)), "an id twice"
for name in re.findall(r"href=[\"']#([^\"']+)", text) + re.findall(r"url\(#([^)]+)\)", text):
    assert name in ids, name
assert not re.search(r"https?://(?!www\.w3\.org/)", text), "something from elsewhere"
VOID = {"meta"}
class Check(HTMLParser):
    open = []
    def handle_starttag(self, tag, attrs):
        if tag not in VOID: self.open.append(tag)
    def handle_startendtag(self, tag, attrs): pass
    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())
c = Check(); c.feed(text); c.close()
assert not c.open, c.open
P
/usr/bin/python3 - <<'P' || fail "the tables do not say what the cells do"
import csv, json, statistics
rows = lambda n: list(csv.DictReader(open(f"s/report/{n}.csv")))
cells, arms, comparisons, curves = map(rows, ("cells", "arms", "comparisons", "curves"))
assert len(cells) == 36 and len(arms) == 6 and len(comparisons) == 9
value = {(c["arm"], c["seed"]): 100 * float(c["accuracy"]) for c in cells if c["state"] == "done" and c["accuracy"] != "NaN"}
for (arm, seed), v in value.items():
    assert abs(v - 100 * json.load(open(f"s/cells/{arm}/seed-{seed}/result.json"))["accuracy"]) < 1e-9
for a in arms:
    v = [x for (arm, _), x in value.items() if arm == a["arm"]]
    assert int(a["final_seeds"]) == len(v) and abs(float(a["final_mean"]) - statistics.mean(v)) < 1e-9
    assert abs(float(a["final_sd"]) - statistics.stdev(v)) < 1e-9
for c in comparisons:
    d = [x - value[c["against"], s] for (arm, s), x in value.items() if arm == c["arm"] and (c["against"], s) in value]
    assert int(c["seeds"]) == len(d) and abs(float(c["difference"]) - statistics.mean(d)) < 1e-9
assert sum(c["planned"] == "1" for c in comparisons) == 1
assert {c["curve"] for c in curves} == {"accuracy", "loss", "training_loss", "accuracy_at_minima", "loss_at_minima"}
grid = {int(c["step"]) for c in curves if c["curve"] == "accuracy"}
assert grid == set(range(20, 401, 20)), grid  # 20 cycles have no more points than the others
minima = [int(c["step"]) for c in curves if c["curve"] == "accuracy_at_minima" and c["arm"] == "5-cycles"]
assert minima == [80, 160, 240, 320, 400]
P

# The same study gives the same report; what the machine adds are seconds, in one section and column.
without_cost() { sed '/<section id="cost">/,/<\/section>/d; /<!-- gyre checksum/d' "$1"; }
cp -r s again
sed -i 's/"seconds": 12.5/"seconds": 99.5/' again/cells/*/*/result.json
rm -r again/report
ends 0 "$GYRE" report again
cmp <(without_cost s/report/index.html) <(without_cost again/report/index.html) || fail "two reports differ"
! cmp -s s/report/index.html again/report/index.html || fail "cost is not in its section"
cmp <(sed 's/,[^,]*$//' s/report/cells.csv) <(sed 's/,[^,]*$//' again/report/cells.csv) || fail "cells.csv differs"
for name in arms comparisons curves; do cmp s/report/$name.csv again/report/$name.csv || fail "$name.csv differs"; done

# Cells that were computed on unlike machines are counted.
start='{"event":"start","machine":"gyre; kernels for'
for cell in again/cells/*/*; do [ ! -f "$cell/result.json" ] || echo "$start avx2\"}" >"$cell/log.jsonl"; done
ends 0 "$GYRE" report again
lacks again/report/index.html "machine than"
lacks again/report/index.html "unlike machines"
echo "$start sse41\"}" >again/cells/linear/seed-1/log.jsonl
echo '{"event":"resume","machine":"gyre; kernels for avx512_core"}' >>again/cells/1-cycle/seed-2/log.jsonl
echo '{"event":"resume","machine":"2 ranks on unlike machines (1): rank 0 on"}' >again/cells/max_lr/seed-2/log.jsonl
ends 0 "$GYRE" report again
holds again/report/index.html "1 of 34 cells were computed on another machine than the first; 2 of 34 cells were computed on unlike machines (proc"

# A run's own report has what a cell's result has.
make_dataset data.h5
cat >run.json <<'JSON'
{"data": {"path": "data.h5", "validation": {"split": 0.2}}, "model": {"name": "mlp"}, "batch": {"size": 50}, "length": {"steps": 8},
 "schedule": {"base_lr": 0.01, "max_lr": 0.1, "cycles": 1}}
JSON
ends 0 "$GYRE" train run.json --out run --quiet
ends 0 "$GYRE" train run.json --out run --quiet --extend '{"policy": "constant", "base_lr": 0.01, "length": {"steps": 4}}'
ends 0 "$GYRE" report run
/usr/bin/python3 - "$("$GYRE" inspect run --hash)" <<'P' || fail "$(cat run/report/cells.csv)"
import csv, json, sys
(row,) = csv.DictReader(open("run/report/cells.csv"))
test = [e for e in map(json.loads, open("run/log.jsonl")) if e["event"] == "test"][-1]
assert row["hash"] == sys.argv[1].split()[0], sys.argv[1]
assert float(row["test_accuracy"]) == test["accuracy"] and test["step"] == 12
P
holds run/report/index.html "triangular, then constant rate, 1 cycle"

# A report is made anew over its own files, and over no others.
ends 0 "$GYRE" report s
for name in index.html cells.csv arms.csv comparisons.csv curves.csv; do
    rm -rf mine
    mkdir mine
    echo mine >mine/$name
    refused 3 "gyre did not write it" "$GYRE" report s --out mine
    [ "$(ls mine)" = $name ] && [ "$(cat mine/$name)" = mine ] || fail "mine/$name was touched"
done
rm -rf mine
mkdir -p mine/figures
echo mine >mine/figures/final.svg
refused 3 "gyre did not write it" "$GYRE" report s --out mine
[ "$(cat mine/figures/final.svg)" = mine ] || fail "mine/figures/final.svg was touched"
ends 0 "$GYRE" report s --out "el se/where" --target 79
[ -s "el se/where/index.html" ] && [ -s "el se/where/figures/final.svg" ] || fail "--out"
holds "el se/where/index.html" "target 79.00 %, as asked for"

# Few seeds show nothing; 20 have a bootstrap; no plan, no controls, groups.
study three --seeds 3
ends 0 "$GYRE" report three
holds three/report/index.html "no difference that 3 seeds could show (smallest possible p is 0.25)"
holds three/report/index.html "no comparison at all can be shown"
study twenty --seeds 20 --no-plan --arms 5-cycles
ends 0 "$GYRE" report twenty
holds twenty/report/index.html "bootstrap interval"
holds twenty/report/index.html "each of them can be shown"
lacks twenty/report/index.html "fewer than 10"
study alone --no-controls --seeds 2
ends 0 "$GYRE" report alone
holds alone/report/index.html "There is no control to compare with"
[ "$(wc -l <alone/report/comparisons.csv)" -eq 1 ] || fail "comparisons without a control"
study groups --seeds 2 --groups "200 images,2000 images"
ends 0 "$GYRE" report groups
holds groups/report/index.html "Over dataset sizes"
holds groups/report/index.html "2000 images"
[ -s groups/report/figures/groups.svg ] || fail "no figure over groups"
/usr/bin/python3 - <<'P' || fail "a comparison between groups"
import csv
for c in csv.DictReader(open("groups/report/comparisons.csv")):
    assert c["arm"].endswith(c["group"].replace(" ", "-")) and c["against"].endswith(c["group"].replace(" ", "-")), c
P

# Markup in names stays text.
study s2 --seeds 1 --name '<b>"x"&</b>'
ends 0 "$GYRE" report s2
holds s2/report/index.html '<h1>&lt;b&gt;&quot;x&quot;&amp;&lt;/b&gt;</h1>'

# Nor is text a spreadsheet's formula; numbers are numbers.
study formulas --seeds 2 --groups '=1+1,@sum' --state 20-cycles-@sum:2=failed
sed -i 's/"message": "[^"]*"/"message": "-2+3"/' formulas/cells/*/*/result.json
ends 0 "$GYRE" report formulas
/usr/bin/python3 - <<'P' || fail "a formula in a cell"
import csv
for name in ("cells", "arms", "comparisons", "curves"):
    rows = list(csv.DictReader(open(f"formulas/report/{name}.csv")))
    assert {r["group"] for r in rows} == {"'=1+1", "'@sum"}, (name, rows[0])
    for row in rows:
        for key, value in row.items():
            if value[:1] in "=+-@" and value: assert float(value) <= 0, (name, key, value)
    if name == "cells": assert any(r["message"] == "'-2+3" for r in rows), rows[-1]
P

# Nothing begun; one cell; all diverged.
study none --seeds 2 --state '*:*=missing'
ends 0 "$GYRE" report none
holds none/report/index.html "Nothing can be said yet"
study one --state '*:*=missing' --state 5-cycles:1=done
ends 0 "$GYRE" report one
holds one/report/index.html "both have finished with no seed"
study burnt --seeds 2 --state '*:*=diverged'
ends 0 "$GYRE" report burnt
holds burnt/report/index.html "Every arm diverged with all seeds (6 cells): no accuracy to compare. So did every control."
lacks burnt/report/index.html '<p class="choice">'

# Arms that diverged, or are not there yet, are neither chosen nor passed over in silence.
study split --seeds 10 --effect 2 --state 5-cycles:2=diverged --state 5-cycles:5=diverged --state 1-cycle:4=missing
ends 0 "$GYRE" report split
page=split/report/index.html
for words in '5 cycles diverged with 2 of 10 seeds. Where both finished, 5 cycles beat the constant midpoint by 2.' \
    'Choice: 20 cycles, the only arm that finished with all seeds' \
    'Not ranked: 1 cycle (1 of 10 cells without a result yet), 5 cycles (diverged with 2 of 10 seeds).' \
    '57 of 60 cells done (6 arms × 10 seeds), 2 diverged' '>better where both finished<' '>8 of 10, 2 diverged<' \
    '>9 of 10, 1 not there yet<' '>10 of 10<' '(2 cells diverged and are not in it)' 'fewer than 10 pairs (here from 8)'; do
    holds $page "$words"
done
/usr/bin/python3 - <<'P' || fail "arms.csv does not say who is ranked"
import csv
arms = {a["arm"]: (a["diverged"], a["without_result"], a["ranked"]) for a in csv.DictReader(open("split/report/arms.csv"))}
assert arms["5-cycles"] == ("2", "0", "0") and arms["1-cycle"] == ("0", "1", "0"), arms
assert arms["20-cycles"] == ("0", "0", "1") and arms["midpoint"] == ("0", "0", "0"), arms
P

# Cells that cannot be read are named, and the others reported.
study hurt --seeds 2
echo '{' >hurt/cells/1-cycle/seed-1/result.json
echo rubbish >hurt/cells/5-cycles/seed-2/metrics.h5
ends 0 "$GYRE" report hurt
holds hurt/report/index.html "seed-1/result.json"
holds hurt/report/index.html "seed-2/metrics.h5"

# A run by itself.
for kind in whole plain nan; do
    /usr/bin/python3 "$lib/make_run.py" "run $kind" 500 3 $kind
    ends 0 "$GYRE" report "run $kind"
    holds "run $kind/report/index.html" "Learning rate over steps"
    [ "$(ls "run $kind/report")" = "$(printf 'cells.csv\ncurves.csv\nfigures\nindex.html')" ] || fail "files of a run"
done
holds "run whole/report/index.html" "Accuracy at each minimum"
holds "run whole/report/index.html" "test accuracy at the last step."
holds "run nan/report/index.html" "diverged"

mkdir nothing
refused 3 "holds neither a study (study.json) nor a run (metrics.h5)" "$GYRE" report nothing
refused 3 "holds neither" "$GYRE" report missing
[ ! -e nothing/report ] && [ ! -e missing ] || fail "a folder was made"
mkdir empty
echo '{}' >empty/study.json
refused 3 "study.json" "$GYRE" report empty
refused 2 "one folder was expected" "$GYRE" report
refused 2 "one folder was expected" "$GYRE" report s s
refused 2 "--target" "$GYRE" report s --target best
refused 2 "--target" "$GYRE" report s --target 101
refused 2 "unknown option" "$GYRE" report s --html

# Without gnuplot there is no page, but the tables are there, and said to be.
rm -r s/report
refused 3 "gnuplot was not found" env PATH=/nowhere "$GYRE" report s
holds "$T/err" "the CSV files are written to 's/report', the page is not"
[ "$(ls s/report)" = "$(printf 'arms.csv\ncells.csv\ncomparisons.csv\ncurves.csv\nfigures')" ] || fail "files without gnuplot: $(ls s/report)"
exit 0
