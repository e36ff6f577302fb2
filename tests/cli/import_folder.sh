#!/usr/bin/env bash
# gyre data import folder: what a person sees of it, exit codes, that nothing is overwritten or left
# behind, and that a signal ends it cleanly. tests/unit/test_folder.c looks at what is written.
set -u
. "$(dirname "$0")/lib/common.sh"
images=$PWD/tests/data/images
shared=$PWD/../shared/data
gyre=$PWD/$O/oom/gyre
cd "$T" || exit 1
import=("$GYRE" data import folder)

# A folder of two classes.
mkdir -p tree/a tree/b
cp "$images"/{rgb.png,two.mpo,mislabelled.jpg} tree/a
cp "$images"/{cmyk.jpg,gray.png,palette.png} tree/b
ends 0 "${import[@]}" tree -o x.h5 --size 8x6
[ "$(cat out)" = "x.h5: 6 training and 0 test images of 8 x 6 x 3 in 2 classes, 0.0 MB" ] || fail "$(cat out)"
[ ! -s err ] || fail "not quiet: $(cat err)"
ends 0 "$GYRE" data info x.h5
grep -q '1  b  *3$' out || fail "$(cat out)"
ends 0 "${import[@]}" tree -o gray.h5 --size 5 --channels 1 --fit pad --split 0.3 --seed 3 --threads 3
grep -q "4 training and 2 test images of 5 x 5 x 1" out || fail "$(cat out)"

# What is there stays, and what fails leaves nothing.
cp x.h5 kept
refused 3 "--force" "${import[@]}" tree -o x.h5 --size 4
cmp x.h5 kept || fail "an existing output was touched"
ends 0 "${import[@]}" tree -o x.h5 --size 8x6 --force --threads 1
cmp x.h5 kept || fail "equal imports are not equal files"
refused 3 "nowhere" "${import[@]}" tree -o nowhere/x.h5 --size 4
refused 3 "cannot be listed" "${import[@]}" missing -o y.h5 --size 4
refused 3 "cannot be listed" "${import[@]}" x.h5 -o y.h5 --size 4

# Options.
for size in 0 x 4x 4x4x4 32768 -1 99999999999999999999 4.5; do refused 2 "--size" "${import[@]}" tree -o y.h5 --size "$size"; done
for split in 0 1 x 0.5x nan -0.1; do refused 2 "--split" "${import[@]}" tree -o y.h5 --size 4 --split "$split"; done
refused 2 "crop, pad or stretch" "${import[@]}" tree -o y.h5 --size 4 --fit squeeze
refused 2 "3 (RGB) or 1 (gray)" "${import[@]}" tree -o y.h5 --size 4 --channels 2
refused 2 "--threads" "${import[@]}" tree -o y.h5 --size 4 --threads 0
refused 2 "--seed" "${import[@]}" tree -o y.h5 --size 4 --seed x
refused 2 "--size is for" "$GYRE" data import cifar tree -o y.h5 --size 4
refused 2 "usage: gyre data" "$GYRE" data info x.h5 --strict
refused 2 "--size" "${import[@]}" tree -o y.h5 --size

# Sizes: one is taken as it is, two need --size.
mkdir -p same/a same/b
cp "$images"/rgb.png same/a
cp "$images"/gray.png same/b
ends 0 "${import[@]}" same -o same.h5
grep -q "images of 36 x 47 x 3" out || fail "$(cat out)"
cp "$images"/tall.png same/b
refused 2 "'b/tall.png' has 50 x 23 pixels, another picture 36 x 47; --size" "${import[@]}" same -o y.h5

# Broken files are told by name, in order, and counted.
head -c 900 "$images/rgb.jpg" >tree/a/cut.jpg
: >tree/b/empty.png
printf 'GIF89a..........' >"$(printf 'tree/b/caf\351.png')"
ends 0 "${import[@]}" tree -o broken.h5 --size 8x6
cmp broken.h5 kept || fail "broken files changed the others"
diff err - <<'WORDS' || fail "$(cat err)"
left out: 'a/cut.jpg' is a damaged JPEG file, or one of a rare kind: Premature end of JPEG file
left out: 'b/caf\xE9.png' is a GIF picture; JPEG and PNG are read
left out: 'b/empty.png' is empty
gyre: warning: pictures left out: 3 of 9
WORDS
ends 3 "${import[@]}" tree -o y.h5 --size 8x6 --strict
grep -q "^left out: 'a/cut.jpg'" err || fail "$(cat err)"
grep -q "^gyre: error: .*3 of 9 pictures" err || fail "$(cat err)"

# Folders that make no dataset.
mkdir -p none/a one flat
refused 3 "holds no pictures" "${import[@]}" none -o y.h5 --size 4
cp -r tree/a one/a
rm one/a/cut.jpg
refused 2 "one class, 'a'" "${import[@]}" one -o y.h5 --size 4
cp "$images"/*.png flat
refused 2 "--labels FILE.csv" "${import[@]}" flat -o y.h5 --size 4
printf 'file,label\nrgb.png,colour\ngray.png,gray\none_bit.png,gray\n' >labels.csv
ends 0 "${import[@]}" flat -o flat.h5 --size 4 --labels labels.csv
grep -q "3 training" out || fail "$(cat out)"
printf 'sub//../rgb.png,colour\ngray.png,gray\n' >labels.csv
refused 3 "line 1: 'sub//../rgb.png' is absolute or has '..'" "${import[@]}" flat -o y.h5 --size 4 --labels labels.csv
printf 'gray.png,gray\n%s/flat/rgb.png,colour\n' "$PWD" >labels.csv
refused 3 "line 2: '$PWD/flat/rgb.png' is absolute" "${import[@]}" flat -o y.h5 --size 4 --labels labels.csv
printf './/rgb.png,colour\n././gray.png,gray\none_bit.png,gray\n' >labels.csv
ends 0 "${import[@]}" flat -o dots.h5 --size 4 --labels labels.csv
cmp flat.h5 dots.h5 || fail "dots in a path matter"
printf 'rgb.png,colour\n./rgb.png,gray\n' >labels.csv
refused 3 "'rgb.png' twice" "${import[@]}" flat -o y.h5 --size 4 --labels labels.csv

# Images that come twice: held out and trained on, in two classes; twice in one class does no harm.
mkdir -p twice/{train,test}/{a,b} twice/val/b
cp "$images"/rgb.png twice/train/a/1.png
cp "$images"/rgb.png twice/train/a/2.png
cp "$images"/gray.png twice/train/b/3.png
ends 0 "${import[@]}" twice/train -o twice.h5
[ ! -s err ] || fail "a warning without a cause: $(cat err)"
cp "$images"/one_bit.png twice/test/a/0.png
cp "$images"/gray.png twice/val/b/4.png
cp "$images"/rgb.png twice/test/b/5.png
cp "$images"/rgb.png twice/test/a/6.png
ends 0 "${import[@]}" twice -o twice.h5 --force
diff err - <<'WORDS' || fail "$(cat err)"
gyre: warning: pictures of validation or test that are training pictures too: 3, the first is 'test/a/6.png', the same as 'train/a/1.png'; take them out of one part, or the score is too high
gyre: warning: images that are in several classes: 1, the first is 'test/a/6.png', the same as 'test/b/5.png'
WORDS

# An output that is an input would be lost.
printf 'rgb.png,colour\ngray.png,gray\n' >labels.csv
ln -s flat/gray.png link.h5
lost() { # words, options...
    ends 2 "${import[@]}" flat --size 4 --labels labels.csv --force "${@:2}"
    grep -qF "$1" err || fail "no '$1' in: $(cat err)"
}
before="$(picture_of flat) $(cksum <labels.csv)"
lost "the output 'labels.csv' is the input 'labels.csv'" -o labels.csv
lost "the output 'link.h5' is the input 'flat/gray.png'" -o link.h5
lost "has a picture's name" -o flat/palette.png
[ "$before" = "$(picture_of flat) $(cksum <labels.csv)" ] || fail "an input was written over"
rm link.h5
ends 0 "${import[@]}" flat -o flat/out.h5 --size 4 --labels labels.csv # a dataset may lie there
ends 0 "${import[@]}" flat -o flat/out.h5 --size 4 --labels labels.csv --force
rm flat/out.h5
ln -s ../one one/loop
ln -s self one/self
ln -s .. one/a/up
refused 2 "one class, 'a'" "${import[@]}" one -o y.h5 --size 4

# Memory that runs out: an error that says so, or the same file; nothing leaks (OOM=all: every request).
# With an error too the file may be there, and whole: it is read once more to say what it holds.
requests() { # k: the k-th request of the import fails
    rm -f oom.h5 log
    OOM_AT=$1 OOM_LOG=log timeout 20 "$gyre" data import folder tree -o oom.h5 --size 8x6 --split 0.5 --threads 2 --quiet >out 2>err
}
requests 0
cp oom.h5 oom_kept
count=$(sed -n 's/^count //p' log)
[ "${OOM:-}" = all ] && stride=1 || stride=9
for ((k = 1; k <= count; k += stride)); do
    requests "$k"
    case $? in
    0) cmp oom.h5 oom_kept || fail "request $k: another file" ;;
    4) grep -q "memory\|cannot start" err && { [ ! -e oom.h5 ] || cmp oom.h5 oom_kept; } || fail "request $k: $(cat err)" ;;
    *) fail "request $k: $(cat err)" ;;
    esac
    ! grep -q leak log || fail "request $k: leaks"
done
[ "$count" -gt 100 ] || fail "$count requests"

# A full disk.
if [ -w /dev/shm ] && mkdir /dev/shm/gyre-import.$$ 2>/dev/null; then
    small=/dev/shm/gyre-import.$$
    (
        ulimit -f 100 # blocks of 1024 bytes; a signal comes with it
        trap '' XFSZ
        "${import[@]}" same -o $small/y.h5 --size 400 >out 2>err
    )
    rc=$?
    left=$(ls $small)
    rm -rf $small
    [ $rc -eq 3 ] && [ -z "$left" ] || fail "a file that may not grow: exit $rc, left '$left': $(cat err)"
fi

# The bar on a terminal, the end by a signal: many names for one large picture.
if command -v script >/dev/null; then
    mkdir -p many/a many/b
    python3 - <<'PYTHON' || fail "no large picture"
import struct, zlib
def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
rows = b"".join(b"\0" + bytes(3 * 2000) for _ in range(2000))
open("many/a/0.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2000, 2000, 8, 2, 0, 0, 0))
                                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PYTHON
    for i in $(seq 60); do ln many/a/0.png many/b/$i.png; done
    timeout 60 script -qec "'$GYRE' data import folder many -o many.h5 --size 2" typescript >/dev/null </dev/null
    grep -q "$(printf '\r')\[=* *\]  picture [0-9]*/61  [0-9]* %" typescript || fail "no bar: $(cat -v typescript)"
    for s in TERM USR1 KILL; do
        "${import[@]}" many -o signal.h5 --size 2 --threads 1 >out 2>err &
        pid=$!
        for _ in $(seq 200); do ls signal.h5.tmp.* >/dev/null 2>&1 && break || sleep 0.02; done
        kill -$s $pid
        wait $pid 2>/dev/null
        rc=$?
        [ $s = KILL ] && break
        [ $rc -eq 130 ] || fail "exit $rc after SIG$s: $(cat err)"
        grep -q "interrupted" err || fail "$(cat err)"
    done
    # What nothing can remove is named by the next import, and what is somebody else's is not.
    touch "signal.h5.tmp.$$" signal.h5.tmp.x
    ends 0 "${import[@]}" many -o signal.h5 --size 2 --quiet
    grep -q "^'signal.h5.tmp.$pid' (.* MB) is left of a process that was killed; remove it" err &&
        [ "$(grep -c 'is left of' err)" -eq 1 ] || fail "$(cat err; ls signal.h5*)"
    rm signal.h5*
fi
# More than there is room for. No picture can be read, so that none is written.
mkdir -p room/a room/b && touch room/{a,b}/{1..1500}.png
if [ "$(df --output=avail -B 1000000000 . | tail -n 1)" -lt 9000 ]; then
    ends 3 "${import[@]}" room -o room.h5 --size 32767 --quiet
    grep -q "warning: 'room.h5' will have 9663.1 GB (images of 32767 x 32767 x 3), and its file system has" err || fail "$(cat err)"
fi
left=$(find . -name '*.tmp*' -o -name y.h5 -o -name signal.h5)
[ -z "$left" ] || fail "left: $left"

# Pictures of other formats are counted by their endings, whatever the first file passed over is.
mkdir -p other/cat other/dog only/cat
for c in cat dog; do cp "$images/gray.png" other/$c/1.png; done
touch other/README.txt other/cat/{1,2,3}.webp other/dog/1.GIF only/cat/1.HEIC only/notes.txt
ends 0 "$GYRE" data import folder other -o other.h5
grep -q "names do not end as a JPEG's or PNG's: 5, the first is 'README.txt'; pictures among them, to be converted to PNG or JPEG: 3 .webp, 1 .gif$" err || fail "$(cat err)"
refused 3 "none of its 2 files, the first is 'cat/1.HEIC', has a name that ends in .jpg, .jpeg or .png; pictures among them, to be converted to PNG or JPEG: 1 .heic" \
    "$GYRE" data import folder only -o only.h5

# 37 photographs, where they are.
[ -d "$shared/dogs37" ] || { echo "all but the photographs: no ../shared/data/dogs37"; exit 77; }
(cd "$shared/dogs37/images" && for f in *.jpg; do echo "$f,${f%_*}"; done) >dogs.csv
ends 0 "${import[@]}" "$shared/dogs37/images" -o dogs.h5 --size 64 --labels dogs.csv --split 0.2
grep -q "30 training and 7 test images of 64 x 64 x 3 in 7 classes" out || fail "$(cat out)"
exit 0
