#!/usr/bin/env bash
# What a person has put into gyre's files, or beside them, is still there afterwards: nothing that gyre
# did not write is replaced, emptied or removed in silence.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 300 60
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 30}, "evaluate": {"every": {"steps": 10}},
    "checkpoint": {"every": {"steps": 10}, "best": true}
}
JSON
train=("$GYRE" train config.json --quiet --set threads=1 --out)
warns() { grep -qF -- "gyre: warning: $1" err || fail "no '$1' in: $(cat err)"; }
h5py() { /usr/bin/python3 -c "import h5py, numpy as np; f = h5py.File('$1', 'a'); $2" || fail "h5py: $2"; }

# ---- groups, datasets, links and attributes in metrics.h5
ends 0 "${train[@]}" plain --stop-after 10
ends 0 "${train[@]}" plain
[ ! -s err ] && [ ! -e plain/metrics.h5.before ] || fail "kept without need: $(cat err)"
resume_with() { # what is said, the change
    rm -rf run && cp -r begun run
    h5py run/metrics.h5 "$2"
    cp run/metrics.h5 own.h5
    ends 0 "${train[@]}" run --stop-after 20
    warns "'run/metrics.h5' holds what gyre did not write ($1); that file is 'run/metrics.h5.before' now"
    [ "$(wc -l <err)" -eq 1 ] && cmp -s own.h5 run/metrics.h5.before || fail "$1 is lost: $(cat err)"
    h5py run/metrics.h5 "assert set(f) == {'train', 'validation', 'cycles'} and len(f['train']) == 20"
}
ends 0 "${train[@]}" begun --stop-after 10
resume_with "/notes" "f.create_group('notes')['mine'] = np.arange(5)"
resume_with "/nowhere" "f['nowhere'] = h5py.SoftLink('/gone')"
resume_with "/else" "f['else'] = h5py.ExternalLink('else.h5', '/x')"
resume_with "attributes of /" "f.attrs['who'] = 'me'"
resume_with "attributes of /train" "f['train'].attrs['unit'] = 'nats'"
resume_with "/a, /b, /c, /d and 2 more" "[f.create_group(x) for x in 'abcdef']"
h5py run/metrics.h5 "f['again'] = 1"
ends 0 "${train[@]}" run
warns "'run/metrics.h5' holds what gyre did not write (/again); that file is 'run/metrics.h5.before-2' now"
cmp -s own.h5 run/metrics.h5.before || fail "the first one was replaced"
same_tables plain run || fail "another run"
cp -r begun damaged
head -c 3000 begun/metrics.h5 >damaged/metrics.h5 # not replaced: what is in it is for the user to say
before=$(picture_of damaged)
refused 3 "move it away to go on without its rows" "${train[@]}" damaged
[ "$(picture_of damaged)" = "$before" ] || fail "a damaged metrics.h5 was touched"

# ---- figures and pages: own ones are made anew, changed and foreign ones are left
if command -v gnuplot >/dev/null; then
    ends 0 "$GYRE" plot plain
    ends 0 "$GYRE" plot plain -o plain/plots/curves.png
    rm plain/plots/curves.gp # a picture tells by itself whose it is
    ends 0 "$GYRE" plot plain
    ends 0 "$GYRE" plot plain -o plain/plots/curves.png
    ends 0 "$GYRE" report plain
    ends 0 "$GYRE" report plain
    left() { # file, command...: as the user has it
        local file=$1 own
        shift
        own=$(cksum <"$file")
        refused 3 "'$file' would be overwritten, but gyre did not write it, or not as it is now; give another name" "$@"
        [ "$(cksum <"$file")" = "$own" ] || fail "$file was touched"
    }
    kept=plain/plots/curves
    cp -r plain/plots plots
    for change in 's/font/Font/' '$a <!-- mine -->'; do
        sed -i "$change" $kept.svg && left $kept.svg "$GYRE" plot plain
        cp plots/* plain/plots
    done
    printf mine >>$kept.png && left $kept.png "$GYRE" plot plain -o $kept.png
    cp plots/* plain/plots
    for name in gp dat; do
        echo "# mine" >>$kept.$name && left $kept.$name "$GYRE" plot plain
        cp plots/* plain/plots
    done
    sed -i 's/^set grid.*/set grid linewidth 3/; 3i # thicker' $kept.gp && left $kept.gp "$GYRE" plot plain
    sed -i 's/<h1>/<p>my words<\/p><h1>/' plain/report/index.html && left plain/report/index.html "$GYRE" report plain
    mkdir other
    echo '<svg xmlns="http://www.w3.org/2000/svg"></svg>' >other/own.svg
    cp plots/curves.gp other/own.gp # gyre's, beside a picture of the user's
    left other/own.svg "$GYRE" plot plain -o other/own.svg
    ln -s own.svg other/link.svg
    left other/link.svg "$GYRE" plot plain -o other/link.svg
else
    echo "  skip  figures and pages: gnuplot is not there"
fi
exit 0
