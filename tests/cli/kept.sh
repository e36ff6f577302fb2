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
exit 0
