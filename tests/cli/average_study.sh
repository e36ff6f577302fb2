#!/usr/bin/env bash
# Averages beside the cells of a study: result.json, the report and its CSV have the last weights and each average side
# by side, and what the arms are compared by is unchanged by averages that nothing takes.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 400 100
cat >base.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "small_cnn"}, "batch": {"size": 32, "shards": 2},
    "schedule": {"base_lr": 0.001, "max_lr": 0.05}, "length": {"steps": 40},
    "average": {"kind": "none", "statistics": 64, "beside": {"ema": true, "swa": true, "minima": true}}
}
JSON
echo '{"name": "averages", "base": "base.json", "seeds": [1, 2], "cycles": [2], "controls": ["midpoint"], "evaluations": 4}' >study.json
ends 0 "$GYRE" study study.json --out with --quiet
grep -q "arm constant.*no minimum\|average minima: the rate has no minimum" with/cells/*/seed-1/log.jsonl || fail "no warning of an arm without minima"
sed -i '/"average"/d; s/{"steps": 40},/{"steps": 40}/' base.json
ends 0 "$GYRE" study study.json --out without --quiet
ends 0 "$GYRE" report with
ends 0 "$GYRE" report without
cat >check.py <<'P'
import csv, glob, json, h5py, numpy as np
kinds = "last", "ema", "swa", "minima"
cells = sorted(glob.glob("with/cells/*/*/"))
assert len(cells) == 4, cells
for cell in cells:
    result = json.load(open(cell + "result.json"))
    plain = json.load(open(cell.replace("with/", "without/", 1) + "result.json"))
    table = h5py.File(cell + "metrics.h5")["averages"][()]
    assert table["step"].tolist() == [10, 20, 30, 40]
    for key, value in plain.items():
        assert key == "seconds" or result[key] == value, (cell, key)
    for kind in kinds:
        assert result[kind + "_accuracy"] == table[f"metric_{kind}"][-1], (cell, kind)
        assert kind + "_accuracy" not in plain
    assert result["last_accuracy"] == result["accuracy"]
    if result["arm"] != "2-cycles":
        assert result["minima_accuracy"] == result["last_accuracy"]
rows = list(csv.DictReader(open("with/report/averages.csv")))
assert len(rows) == 4 * 4 * 4, len(rows)
for row in rows:
    table = h5py.File(f"with/cells/{row['arm']}/seed-{row['seed']}/metrics.h5")["averages"][()]
    at = table[table["step"] == int(row["step"])][0]
    for column, name in ("loss", "loss"), ("accuracy", "metric"):
        assert float(row[column]) == at[f"{name}_{row['weights']}"], row
page = open("with/report/index.html").read()
part = page[page.index(">Averages of the weights<"):]
part = part[:part.index("</table>")]
want = {}
for row in rows:
    if row["step"] == "40":
        want.setdefault((row["arm"], row["weights"]), []).append(100 * float(row["accuracy"]))
assert part.count("<tr") == 1 + len(want) == 9, part
for (arm, weights), values in want.items():
    gain = np.mean(values) - np.mean(want[arm, "last"])
    assert f">{np.mean(values):.4g}<" in part, (arm, weights, part)
    assert weights == "last" or f">{gain:+.3g}<" in part, (arm, weights, gain, part)
assert "Averages of the weights" not in open("without/report/index.html").read()
P
/usr/bin/python3 check.py || fail "not side by side"
[ ! -e without/report/averages.csv ] || fail "scores of no averages"
exit 0
