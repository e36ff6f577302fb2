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
refused 3 "move it away to continue without its rows" "${train[@]}" damaged
[ "$(picture_of damaged)" = "$before" ] || fail "a damaged metrics.h5 was touched"

rm -rf run && cp -r begun run
mkdir far && mv run/metrics.h5 far && ln -s ../far/metrics.h5 run/metrics.h5
cp far/metrics.h5 own.h5
ends 0 "${train[@]}" run --stop-after 20
warns "'run/metrics.h5' holds what gyre did not write (it is a link); that file is 'run/metrics.h5.before' now"
[ -L run/metrics.h5.before ] && cmp -s own.h5 far/metrics.h5 || fail "the link, or what it leads to, is lost"

# ---- damaged checkpoints: each keeps a name of its own
rm -rf run && cp -r begun run
for i in 1 2; do # the same step twice
    ends 0 "${train[@]}" run --stop-after 20
    for name in step-000000020 best; do printf '%s' $i >run/checkpoints/$name.h5; done
    ends 0 "${train[@]}" run --stop-after 20
    grep -qF "the damaged best.h5 is" err || fail "best.h5: $(cat err)"
done
for name in step-000000020 best; do
    [ "$(cat run/checkpoints/$name.h5.damaged)" = 1 ] && [ "$(cat run/checkpoints/$name.h5.damaged-2)" = 2 ] ||
        fail "$name: $(ls run/checkpoints)"
done

# ---- files of the user's in a run's folder
rm -rf run && cp -r begun run
touch run/notes.tmp.1 run/checkpoints/weights.h5.tmp.2 run/metrics.h5.tmp.3 run/checkpoints/step-000000020.h5.tmp.4
echo mine >run/profile.txt
ends 0 "${train[@]}" run --profile
warns "'run/profile.txt' would be overwritten, but gyre did not write it"
[ "$(cat run/profile.txt)" = mine ] || fail "profile.txt was replaced"
[ -e run/notes.tmp.1 ] && [ -e run/checkpoints/weights.h5.tmp.2 ] || fail "a file with a temporary's name was removed"
[ ! -e run/metrics.h5.tmp.3 ] && [ ! -e run/checkpoints/step-000000020.h5.tmp.4 ] || fail "gyre's own temporary files stay"
stage=(--extend '{"length": {"steps": 10}, "policy": "constant", "base_lr": 0.001}')
sed -i '1a // the good one' run/config.json
cp run/config.json own.json
ends 0 "${train[@]}" run "${stage[@]}"
warns "'run/config.json' is not as gyre wrote it; that file is 'run/config.json.before' now"
cmp -s own.json run/config.json.before || fail "a comment is lost"
ends 0 "$GYRE" train run/config.json --quiet --out run "${stage[@]/0.001/0.002}"
[ ! -e run/config.json.before-2 ] || fail "kept without need"

# ---- folders that hold no run, whatever is in them
untouched() { # code, words, folder
    local before
    before=$(cd "$3" && find . -exec stat -c '%n %Y %s' {} \; | sort)
    refused "$1" "$2" "${train[@]}" "$3"
    [ "$(cd "$3" && find . -exec stat -c '%n %Y %s' {} \; | sort)" = "$before" ] || fail "$3 was touched: $(ls -la "$3")"
}
mkdir project locked linked
cp config.json project
echo mine >locked/lock
ln -s ../config.json linked/lock
untouched 3 "'project' holds a config.json, but no run of gyre; choose another --out" project
untouched 3 "'locked' is not empty and holds no run of gyre" locked
untouched 3 "'linked' is not empty and holds no run of gyre" linked
rm -rf run && cp -r begun run
echo "my lock" >run/lock
untouched 3 "'run/lock' is not gyre's, and would be emptied" run

# ---- a study: a result that was damaged, a study.json that was changed by hand
study() { # seeds
    echo "{\"name\": \"s\", \"base\": \"config.json\", \"seeds\": $1, \"cycles\": [2], \"controls\": [\"midpoint\"]}" >study.json
}
sed -i 's/"policy": "constant", "base_lr": 0.01/"policy": "triangular", "base_lr": 0.001, "max_lr": 0.02, "cycles": 2/' config.json
study 1
ends 0 "$GYRE" study study.json --out results --quiet
cell=results/cells/midpoint/seed-1
for i in 1 2; do
    echo "my words $i" >$cell/result.json
    ends 0 "$GYRE" study study.json --out results --quiet
    grep -qF "the damaged result is '$cell/result.json.damaged" err || fail "$(cat err)"
done
grep -q "words 1" $cell/result.json.damaged && grep -q "words 2" $cell/result.json.damaged-2 || fail "$(ls $cell)"
rm -r $cell/{checkpoints,config.json,lock,log.jsonl,metrics.h5} # no run is left, only what was set aside
echo "my words 3" >$cell/result.json
ends 0 "$GYRE" study study.json --out results --quiet
grep -q "words 3" $cell/result.json.damaged-3 || fail "$(ls $cell)"
sed -i '1s/{/{"mine": 1,/' results/study.json
cp results/study.json own.json
study "[1, 2]"
ends 0 "$GYRE" study study.json --out results --quiet
warns "'results/study.json' is not as gyre wrote it; that file is 'results/study.json.before' now"
cmp -s own.json results/study.json.before || fail "what was added to study.json is lost"
study 3
ends 0 "$GYRE" study study.json --out results --quiet
[ ! -e results/study.json.before-2 ] || fail "kept without need"

# ---- outputs that are links, or came during the work
ln -s nowhere.json link.json
refused 3 "--write: 'link.json' exists" "$GYRE" find config.json --out range --write link.json
mkdir -p photos/{a,b}
/usr/bin/python3 -c "
import zlib, struct
def chunk(t, d): return struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
png = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 4, 4, 8, 0, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(bytes(20))) + chunk(b'IEND', b'')
for x in 'ab': [open(f'photos/{x}/{i}.png', 'wb').write(png) for i in range(3)]"
ln -s nowhere.h5 dangling.h5
ln -s images.h5 link.h5
own=$(cksum <images.h5)
for link in dangling link; do
    refused 3 "'$link.h5' exists; --force replaces it" "$GYRE" data import folder photos -o $link.h5
    [ -L $link.h5 ] || fail "$link.h5 was replaced"
    ends 0 "$GYRE" data import folder photos -o $link.h5 --force
    [ ! -L $link.h5 ] && [ -s $link.h5 ] && [ ! -e nowhere.h5 ] || fail "$link.h5: $(ls -l *.h5)"
done
[ "$(cksum <images.h5)" = "$own" ] || fail "what a link leads to was replaced"
"$GYRE" find config.json --quiet --set threads=1 --steps 5000 --repeats 1 --out range >out 2>err &
pid=$!
for _ in $(seq 600); do [ -d range ] && break || sleep 0.02; done
kill -STOP $pid
if [ -e range/find.h5 ]; then
    echo "  skip  a file that comes during a range test: the test was over too soon"
else
    echo mine >range/find.h5
fi
kill -CONT $pid
wait $pid || fail "$(cat err)"
if grep -qx mine range/find.h5; then
    grep -qx "range/find-2.h5" out && [ -s range/find-2.h5 ] || fail "not beside it: $(cat out)"
fi

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
