#!/usr/bin/env bash
# gyre export [csv]: every number of the tables comes back with the same bits.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
/usr/bin/python3 "$lib/make_run.py" run 500 3 nan || fail "h5py is needed"
"$GYRE" export csv run >names || fail "export"
[ "$(cat names)" = "$(printf 'run/csv/%s.csv\n' train validation cycles)" ] || fail "$(cat names)"
"$GYRE" export csv run -o "other place" >/dev/null || fail "export -o"
cmp run/csv/train.csv "other place/train.csv" || fail "two exports differ"
/usr/bin/python3 - <<'P' || fail "the CSV files are not the tables"
import csv, h5py, numpy as np
with h5py.File("run/metrics.h5", "r") as f:
    for name in ("train", "validation", "cycles"):
        table, rows = f[name][:], list(csv.reader(open(f"run/csv/{name}.csv")))
        assert rows[0] == list(table.dtype.names), rows[0]
        assert len(rows) == len(table) + 1, (name, len(rows))
        for row, text in zip(table, rows[1:]):
            for value, number in zip(row, text):
                assert np.array_equal(value, type(value)(number), equal_nan=True), (name, text)
    assert len(f["train"]) == 500 and np.isnan(f["train"]["loss"][-1])
P
for bad in "2 export" "2 export csv" "2 export csv run more" "2 export xlsx run" "2 export csv run --bad" "3 export csv missing"; do
    set -- $bad
    code=$1
    shift
    "$GYRE" "$@" >/dev/null 2>err
    rc=$?
    [ $rc -eq "$code" ] && [ "$(wc -l <err)" -eq 1 ] || fail "gyre $*: exit $rc, $(cat err)"
done
"$GYRE" export run >/dev/null || fail "csv is meant where no format is named"
cp -r run ./csv && "$GYRE" export ./csv >/dev/null || fail "a run folder with the name of a format"
rm -r csv
[ ! -e missing ] || fail "a missing run was made"
"$GYRE" export csv run >/dev/null || fail "a second export of the same run"
[ "$(ls run/csv | wc -l)" -eq 3 ] || fail "a copy of what is the same: $(ls run/csv)"
# What somebody added is kept beside the export.
echo "99,mine" >>run/csv/train.csv
"$GYRE" export csv run >/dev/null 2>err || fail "an export over a changed one"
grep -q "'run/csv/train.csv' is not the beginning of this export, .*that file is 'run/csv/train.csv.before' now" err || fail "$(cat err)"
tail -n 1 run/csv/train.csv.before | grep -q mine && ! grep -q mine run/csv/train.csv || fail "rows were lost"
for name in train validation cycles; do # somebody else's, or a link: nothing is written at all
    for kind in file link; do
        rm -rf mine && mkdir mine
        echo 'id,label' >mine.csv
        if [ $kind = file ]; then cp mine.csv "mine/$name.csv"; else ln -s ../mine.csv "mine/$name.csv"; fi
        "$GYRE" export csv run -o mine 2>err
        [ $? -eq 3 ] && grep -q "mine/$name.csv' would be overwritten, but gyre did not write it" err || fail "$(cat err)"
        [ "$(ls mine)" = "$name.csv" ] && [ "$(cat "mine/$name.csv")" = id,label ] || fail "mine/$name.csv was touched"
    done
done
echo mine >file
"$GYRE" export csv run -o file 2>err
[ $? -eq 3 ] && [ "$(cat file)" = mine ] || fail "a file in the folder's place: $(cat err)"
