#!/usr/bin/env bash
# Classes that are empty, called alike or wrongly: said once, by name, where a dataset is imported,
# described and trained with; files of names and labels in every form that editors write.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_pictures pool
picture=100
# idx DIR FIRST LAST [PREFIX [TEST]]: images of labels FIRST to LAST, 6 of each to train, 2 to test.
idx() {
    mkdir -p "$1"
    /usr/bin/python3 - "$@" <<'P' || fail "python3 is needed"
import struct, sys
d, a, b = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
prefix, test = sys.argv[4:6] if len(sys.argv) > 5 else ("", "t10k")
for s, n in (("train", 6), (test, 2)):
    labels = bytes(list(range(a, b + 1)) * n)
    stem = d + "/" + prefix + s
    open(stem + "-images-idx3-ubyte", "wb").write(struct.pack(">IIII", 2051, len(labels), 4, 4) + bytes(x * 9 % 256 for x in labels for _ in range(16)))
    open(stem + "-labels-idx1-ubyte", "wb").write(struct.pack(">II", 2049, len(labels)) + labels)
P
}
import() { ends 0 "$GYRE" data import "$@" --force; }
warned() { # WORDS...: just one warning, with these words
    [ "$(grep -c 'gyre: warning: ' err)" -eq 1 ] || fail "warnings: $(cat err)"
    for words; do grep -qF -- "$words" err || fail "no '$words' in: $(cat err)"; done
}
names_are() { # NAME...: of x.h5
    ends 0 "$GYRE" data info x.h5
    [ "$(sed -n 's/^  *[0-9][0-9]*  \([^ ]*\)  .*/\1/p' out | tr '\n' ' ')" = "$* " ] || fail "not $*: $(cat out)"
}

# Labels that begin at 1, as EMNIST's letters: at import, in info, train, find and a study, once each.
idx letters 1 26 emnist-letters- test
import idx letters -o x.h5
shift_words="the training labels are 1 to 26, but classes count from 0: class 0 has no training image; subtract 1"
warned "$shift_words"
ends 0 "$GYRE" data info x.h5
warned "$shift_words"
cat >config.json <<'JSON'
{
    "data": {"path": "x.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 1}, "length": {"steps": 4},
    "schedule": {"policy": "constant", "base_lr": 0.01}
}
JSON
once() { # COMMAND...
    ends 0 "$@" --quiet
    [ "$(grep -cF "$shift_words" err)" -eq 1 ] || fail "$*: $(cat err)"
}
once "$GYRE" train config.json --out run
once mpirun -q -np 2 "$GYRE" train config.json --out ranks --set batch.shards=2
once "$GYRE" find config.json --steps 40 --repeats 1 --out range
echo '{"name": "s", "base": "config.json", "seeds": 2, "arms": [{"name": "a", "set": {}}], "controls": false, "evaluations": 1}' >study.json
ends 0 "$GYRE" study study.json --out cells
[ "$(grep -cF "$shift_words" err)" -eq 1 ] || fail "study: $(cat err)"
refused 2 "model.classes is 26, but '$T/x.h5' has 27 classes: $shift_words" "$GYRE" train config.json --out no --set model.classes=26

# Gaps, and names of no class.
/usr/bin/python3 - <<'P' || fail "h5py is needed"
import h5py, numpy as np
def write(name, labels, test=(), names=None):
    with h5py.File(name, "w") as f:
        for part, l in (("train", labels), ("test", test)):
            if len(l):
                f[part + "/images"] = np.zeros((len(l), 4, 4, 1), "u1")
                f[part + "/labels"] = np.array(l, "<i4")
        if names: f["names"] = np.array(names, "S63")
write("gaps.h5", [0, 1, 900])
write("five.h5", [5, 6, 7])
write("named.h5", [0, 1], test=[2], names=[b"ox", b"cow", b"calf", b"yak"])
write("alike.h5", [0, 1, 2], names=[b"ox", b"\x1b[31mred\n", b"o x"])
P
info_warns() { ends 0 "$GYRE" data info "$1" && shift && warned "$@"; }
info_warns gaps.h5 "cannot be learned: 898 of 901, '2', '3', '4', '5' and 894 more; number the classes from 0 without gaps"
info_warns five.h5 "are 5 to 7, but classes count from 0: classes 0 to 4 have no training image; subtract 5"
info_warns named.h5 "cannot be learned: 2 of 4, 'calf', 'yak'; 1 of them has images in another part"
info_warns alike.h5 "differ only in case, blanks or Unicode form: 'o x', 'ox'"
grep -qF '1  \x1B[31mred\x0A    ' out || fail "raw escapes: $(cat -v out)"

# Folders: case, composed and decomposed letters, blanks; a class that has only test pictures.
alike() { # A B
    rm -rf t
    mkdir -p "t/$1" "t/$2" t/zebra
    for d in t/*; do cp "pool/$((picture++)).png" "$d"; done
    import folder t -o x.h5 --quiet
    warned "differ only in case, blanks or Unicode form: " "; where they mean one class"
}
alike Cat cat
alike "$(printf 'caf\303\251')" "$(printf 'cafe\314\201')"
alike "$(printf '\303\211cole')" "$(printf 'e\314\201cole')"
alike "$(printf '\355\225\234\352\265\255')" "$(printf '\341\204\222\341\205\241\341\206\253\341\204\200\341\205\256\341\206\250')"
alike "$(printf 'Vi\341\273\207t')" "$(printf 'vie\314\243\314\202t')"
alike "hot dog" "hotdog"
rm -rf t
mkdir -p t/cafe "t/$(printf 'caf\303\251')" t/resume
for d in t/*; do cp "pool/$((picture++)).png" "$d"; done
import folder t -o x.h5 --quiet
[ ! -s err ] || fail "accents tell classes apart: $(cat err)"
mkdir t/empty
import folder t -o x.h5 --quiet
warned "empty folders, which make no class: 1, the first is 'empty'"
rmdir t/empty
mkdir -p p/train p/test && cp -r t/* p/train && cp -r t/* p/test && mv p/test/resume p/test/Resume
import folder p -o x.h5 --quiet
grep -q "cannot be learned: 1 of 4, 'Resume'; 1 of them has" err && grep -q "case.*'Resume', 'resume'" err || fail "$(cat err)"

# Files of names: a byte order mark, three ends of lines, blanks, Latin-1; what is not clear is refused.
idx m 0 2
named() { # CONTENT NAME...
    # shellcheck disable=SC2059
    printf "$1" >m/names.txt
    shift
    import idx m -o x.h5
    [ ! -s err ] || fail "$(cat err)"
    names_are "$@"
}
not_named() { # CONTENT WORDS
    # shellcheck disable=SC2059
    printf "$1" >m/names.txt
    refused 3 "$2" "$GYRE" data import idx m -o y.h5
}
named '\357\273\277z\303\244hn\nzwei\ndrei\n' "$(printf 'z\303\244hn')" zwei drei
named 'one\rtwo\rthree\r' one two three
named '\tone \r\ntwo\t\r\nthree\r\n\r\n\n' one two three
named 'z\344hn\nzwei\nd\033rei' 'z\xE4hn' zwei 'd\x1Brei'
not_named 'one\n\ntwo\nthree\n' "names.txt', line 2 is empty"
not_named 'one\ntwo\none\n' "names.txt' has the class name 'one' twice"
not_named '\377\376o\0n\0e\0\n\0' "begins as UTF-16; UTF-8 was expected"
not_named 'one\ntwo\0\nthree\n' "it has a byte 0"
not_named 'one\ntwo\n' "has 2, but labels go up to 2: 3 names were expected"
not_named "one\n$(printf 'x%.0s' $(seq 70))\nthree\n" "names.txt', line 2: the class name 'xxx"
printf 'one\ntwo\nthree\nfour\nfive\n' >m/names.txt
import idx m -o x.h5
warned "cannot be learned: 2 of 5, 'four', 'five'"
mkdir cifar && for f in 1 2 3 4 5; do head -c 6146 /dev/zero >cifar/data_batch_$f.bin; done
cp cifar/data_batch_1.bin cifar/test_batch.bin
seq -f 'class%.0f' 0 9 | tr '\n' '\r' >cifar/batches.meta.txt
import cifar cifar -o x.h5
names_are $(seq -f 'class%.0f' 0 9)

# Names of files: folders of such names are passed over; other sets are found, not mixed.
rm m/names.txt
for f in m/*-ubyte; do mv "$f" "${f/-idx/.idx}" && mkdir "$f" && cp "${f/-idx/.idx}" "$f"; done
import idx m -o x.h5
grep -q "18 training and 6 test images" out || fail "$(cat out)"
gzip letters/*
import idx letters -o x.h5
idx letters 0 3 emnist-digits- test
refused 3 "training images of 2 datasets: 'emnist-digits-', 'emnist-letters-'; put" "$GYRE" data import idx letters -o y.h5
idx letters 0 4
import idx letters -o x.h5
grep -q "30 training and 10 test images" out || fail "$(cat out)"
grep -q "train-images is taken, and the files that begin with 'emnist-digits-', 'emnist-letters-' are left out" err || fail "$(cat err)"

# What lies beside the files that are taken is the same, or named.
no() { refused 3 "$1" "$GYRE" data import "${@:2}" -o y.h5; }
idx beside 0 2 && idx shifted 1 3 && cp -r beside gz && gzip -k gz/*
import idx gz -o x.h5
gzip -c <shifted/train-labels-idx1-ubyte >gz/train-labels-idx1-ubyte.gz
no "'gz/train-labels-idx1-ubyte' and 'gz/train-labels-idx1-ubyte.gz' hold different data; move the one" idx gz
cp -r beside two && cp beside/t10k-images-idx3-ubyte two/test-images-idx3-ubyte
no "'two/t10k-images-idx3-ubyte' and 'two/test-images-idx3-ubyte' are both test images" idx two
printf '0 cat\n1 dog\n2 sea cow\n' >beside/labels.txt
import idx beside -o x.h5
grep -q "'beside/labels.txt': the number that each line begins with is its class's" err || fail "$(cat err)"
ends 0 "$GYRE" data info x.h5
grep -q '^ *2  sea cow  ' out && grep -q '^ *0  cat  ' out || fail "$(cat out)"
printf 'cat\ndog\nsea cow\n' >beside/names.txt
import idx beside -o x.h5
printf 'cat\ncow\ndog\n' >beside/names.txt
ends 3 "$GYRE" data import idx beside -o y.h5
grep -q "names.txt and labels.txt in 'beside' name different classes" err || fail "$(cat err)"
rm beside/names.txt && printf '1 dog\n0 cat\n2 cow\n' >beside/labels.txt
no "'beside/labels.txt', line 1: '1 dog' begins with another class's number than 0; sort" idx beside
printf '1 euro\n2 euro\n5 euro\n' >beside/labels.txt
import idx beside -o x.h5
ends 0 "$GYRE" data info x.h5
grep -q '^ *0  1 euro  ' out || fail "$(cat out)"
idx single 0 0
no "all images of 'single' are of one class: there is nothing to tell apart" idx single
mkdir both && head -c 30740 /dev/zero | tee both/train.bin both/test.bin both/data_batch_{1..5}.bin >both/test_batch.bin
no "'both' holds both data_batch_1.bin (CIFAR-10) and train.bin (CIFAR-100); put the files of one" cifar both

# Files of labels: one error where none of them is found, and what is there.
mkdir -p flat/train && for i in $(seq 30); do cp pool/$i.png flat/img$i.png; done
csv() { # WORDS CONTENT
    # shellcheck disable=SC2059
    printf "$2" >l.csv
    refused 3 "$1" "$GYRE" data import folder flat --labels l.csv -o y.h5 --size 4
}
csv "'l.csv' names 2 files, and none is in 'flat': the first is 'img7' (line 1 is taken as a header), there is 'img7.png'" 'id,breed\nimg7,x\nimg2,y\n'
csv "the first is 'img7', there is 'img7.png'" 'img7,x\nimg2,y\n'
csv "the first is 'train/img7.png', there is 'img7.png'" 'train/img7.png,x\ntrain/img2.png,y\n'
csv "separated by semicolons" 'img7.png;x\nimg2.png;y\n'
csv "line 2: more than two fields" 'img7.png,x\nimg2.png,y,3\n'
csv "'img7.png' twice" 'img7.png,x\nimg2.png,y\nimg7.png,y\n'
(echo id,breed && for i in $(seq 45); do echo "img$i.png,$((i % 2))"; done) | tr '\n' '\r' >l.csv
ends 0 "$GYRE" data import folder flat --labels l.csv -o x.h5 --force --quiet
[ "$(grep -c "^left out: 'img" err)" -eq 10 ] && [ "$(wc -l <err)" -eq 12 ] || fail "$(cat err)"
grep -q "^left out: and 5 more$" err && grep -q "pictures left out: 15 of 45" err || fail "$(cat err)"
for header in x1,y 'img_1,label 2'; do # with a digit, which names of files have
    printf '%s\nimg1.png,cat\nimg2.png,dog\nimg3.png,C\xe2\x80\x8bat\n' "$header" >l.csv
    ends 0 "$GYRE" data import folder flat --labels l.csv -o x.h5 --force --quiet
    grep -q "3 training .* in 3 classes" out && grep -q "'l.csv': line 1, '$header', is taken as a header" err || fail "$(cat out err)"
    grep -q "differ only in case, blanks or Unicode form: 'C.*at', 'cat'" err || fail "$(cat err)"
done
printf 'img_1,cat\nimg2.png,cat\nimg3.png,dog\n' >l.csv # an ending that was forgotten is no header
ends 0 "$GYRE" data import folder flat --labels l.csv -o x.h5 --force --quiet
grep -q "pictures left out: 1 of 3" err || fail "$(cat err)"
printf 'img1.png,x\nimg2.png,NA\n' >l.csv
ends 0 "$GYRE" data import folder flat --labels l.csv -o x.h5 --force --quiet
grep -q "the class 'NA' may stand for images without a label" err || fail "$(cat err)"

# One label that is far too great: the classes that have images are listed.
/usr/bin/python3 - <<'P' || fail "h5py is needed"
import h5py, numpy as np
with h5py.File("great.h5", "w") as f:
    f["train/images"], f["train/labels"] = np.zeros((4, 2, 2, 1), "u1"), np.array([0, 1, 999999, 1], "<i4")
P
ends 0 "$GYRE" data info great.h5
[ "$(wc -l <out)" -lt 20 ] && grep -q '^ *999999  999999 .* 1$' out && grep -q '^  and 999997 classes without any image$' out || fail "$(head -n 30 out)"

# A seal tells shorter from longer.
head -c 100 /dev/zero >>x.h5
refused 3 "has added 100 bytes behind its end" "$GYRE" data info x.h5
[ ! -e y.h5 ] || fail "a refused import wrote a file"
exit 0
