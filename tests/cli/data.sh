#!/usr/bin/env bash
# gyre data: exit codes, that files which are there stay as they are, and what info says.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1

# An MNIST-like folder: 6 training and 4 test images of 2 x 3, classes 0 to 2.
mkdir mnist
idx() { # file, rank, content in printf's octal; dimensions are the rest
    # shellcheck disable=SC2059
    local name=$1 rank=$2 content=$3
    shift 3
    printf "\\0\\0\\010\\00$rank" >"mnist/$name"
    for d in "$@"; do printf "\\0\\0\\0\\$(printf %03o "$d")" >>"mnist/$name"; done
    printf "$content" >>"mnist/$name"
}
idx train-images-idx3-ubyte 3 "$(printf '\\%03o' $(seq 1 36))" 6 2 3
idx train-labels-idx1-ubyte 1 '\0\1\2\0\1\0' 6
idx t10k-images-idx3-ubyte 3 "$(printf '\\%03o' $(seq 101 124))" 4 2 3
idx t10k-labels-idx1-ubyte 1 '\2\2\1\0' 4
printf 'ox\ncow\ncalf\n' >mnist/names.txt

expect() { # exit code, words of the one error line, arguments...
    local code=$1 words=$2 rc
    shift 2
    "$GYRE" data "$@" >out 2>err
    rc=$?
    [ $rc -eq "$code" ] || fail "gyre data $*: exit $rc, not $code: $(cat err)"
    if [ "$code" -ne 0 ]; then
        [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || fail "gyre data $*: $(cat out err)"
        grep -q "^gyre: error: " err || fail "gyre data $*: $(cat err)"
    fi
    grep -qF -- "$words" out err || fail "gyre data $*: no '$words' in: $(cat out err)"
}

expect 0 "small.h5: 6 training and 4 test images of 2 x 3 x 1 in 3 classes" import idx mnist -o small.h5
[ ! -s err ] || fail "import is not quiet on stderr: $(cat err)"
ls small.h5.tmp.* 2>/dev/null && fail "a temporary file is left"

# sum 1..36 = 666: mean 18.5, variance (36^2 - 1) / 12
expect 0 "mean 18.5000, deviation 10.3883" info small.h5
for line in 'sealed by gyre' '2 x 3 x 1' '6 images' '4 images' '0  ox  *3  *1$' '1  cow  *2  *1$' '2  calf  *1  *2$'; do
    grep -q -- "$line" out || fail "info: no '$line' in: $(cat out)"
done

# What is there stays, unless it is to be replaced.
cp small.h5 kept
expect 3 "--force" import idx mnist -o small.h5
cmp small.h5 kept || fail "an existing output was touched"
expect 3 "missing" import idx missing -o small.h5 --force
cmp small.h5 kept || fail "a failed import touched its output"
expect 0 "small.h5" import idx mnist -o small.h5 --force
cmp small.h5 kept || fail "equal imports are not equal files"

# No input is written over.
before=$(cksum mnist/*)
for file in train-images-idx3-ubyte t10k-labels-idx1-ubyte names.txt; do
    expect 2 "the output 'mnist/$file' is the input" import idx mnist -o mnist/$file --force
done
mkdir official
head -c 6146 /dev/zero | tee official/train.bin >official/test.bin
expect 2 "the output 'official/test.bin' is the input" import cifar official -o official/test.bin --force
[ "$before" = "$(cksum mnist/*)" ] && [ "$(stat -c %s official/test.bin)" -eq 6146 ] || fail "an input was written over"

# The example of docs/formats.md makes a dataset.
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
    awk '/<!-- test: dataset -->/ { on = 1; next } on && /^```$/ { exit } on && !/^```/' \
        "$lib/../../../docs/formats.md" >example.py
    /usr/bin/python3 example.py || fail "the example of docs/formats.md"
    expect 0 "from another program" info mine.h5
    grep -q '3  cow  *20  *5$' out || fail "info: $(cat out)"
else
    echo "the example of docs/formats.md was left out: no h5py"
fi

# Usage.
expect 2 "usage: gyre data"
expect 2 "usage: gyre data" import idx mnist
expect 2 "usage: gyre data" import idx -o x.h5
expect 2 "usage: gyre data" info
expect 2 "usage: gyre data" info small.h5 -o x.h5
expect 2 "usage: gyre data" show small.h5
expect 2 "png" import png mnist -o x.h5
expect 2 "--bad" import idx mnist -o x.h5 --bad
expect 2 "-o" import idx mnist -o

# Input and output.
expect 3 "nowhere" import idx mnist -o nowhere/x.h5
expect 3 "mnist" import idx mnist -o mnist --force
expect 3 "CIFAR-10" import cifar mnist -o x.h5
expect 3 "missing.h5" info missing.h5
expect 3 "names.txt" info mnist/names.txt
printf x | dd of=small.h5 bs=1 seek=900 conv=notrunc status=none
expect 3 "damaged" info small.h5
head -c 3000 kept >cut.h5
expect 3 "cut short" info cut.h5
# A header that announces more than the file holds, and than any memory.
cp -r mnist large
printf '\0\0\010\003\377\377\377\377\0\0\020\0\0\0\020\0xyz' >large/train-images-idx3-ubyte
printf '\0\0\010\001\377\377\377\377xyz' >large/train-labels-idx1-ubyte
for packed in no yes; do
    expect 3 "announces 4294967295 images of 4096 x 4096 pixels" import idx large -o x.h5
    [ $packed = yes ] || gzip large/train-images-idx3-ubyte
done
[ ! -e x.h5 ] || fail "a failed import left a file"
[ "$(id -u)" -eq 0 ] || { mkdir shut && chmod 500 shut && expect 3 "shut" import idx mnist -o shut/x.h5; }
"$GYRE" data info kept >/dev/full 2>err
[ $? -eq 3 ] || fail "a full disk behind info: $(cat err)"
exit 0
