#!/usr/bin/env bash
# Folders that are parts of the dataset: taken by their usual names, or the import stops and says which
# folders look like parts; none becomes a class in silence, and a class may still be called "train".
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
import=("$GYRE" data import folder)

make_pictures pool
picture=0

# tree NAME PATH...: a folder with a picture at each path; PATH/ means two of them, 1.png and 2.png.
tree() {
    local name=$1 path file
    rm -rf "$name"
    shift
    for path; do
        case $path in */) set -- "$path"1.png "$path"2.png ;; *) set -- "$path" ;; esac
        for file; do mkdir -p "$name/$(dirname "$file")" && cp "pool/$((picture++ % 256)).png" "$name/$file"; done
    done
}
parts() { # NAME "WORDS OF IMPORT" CLASSES: imported, quietly, as these
    ends 0 "${import[@]}" "$1" -o x.h5 --force --quiet
    grep -qF "x.h5: $2" out || fail "$1: $(cat out)"
    [ ! -s err ] || fail "$1: $(cat err)"
    ends 0 "$GYRE" data info x.h5
    [ "$(sed -n 's/^  *[0-9][0-9]*  \([^ ]*\)  .*/\1/p' out | xargs)" = "$3" ] || fail "$1: $(cat out)"
}
stops() { # NAME WORDS...
    refused 2 "$2" "${import[@]}" "$1" -o y.h5 --size 4
    grep -qF -- "--no-parts" err || fail "no way out: $(cat err)"
    [ ! -e y.h5 ] || fail "$1: a file was written"
    ends 0 "${import[@]}" "$1" -o z.h5 --force --quiet --no-parts
}

# The usual names, in any case.
tree a train/cat/ train/dog/ valid/cat/ test/dog/
parts a "4 training, 2 validation and 2 test images" "cat dog"
tree a Training/cat/ Training/dog/ Testing/cat/
parts a "4 training and 2 test images" "cat dog"
tree a Train/cat/ Train/dog/ Val/cat/
parts a "4 training, 2 validation and 0 test images" "cat dog"
tree a TRAIN/cat/ TRAIN/dog/ dev/cat/ tst/dog/
parts a "4 training, 2 validation and 2 test images" "cat dog"
tree a training_set/cat/ training_set/dog/ test_set/cat/
parts a "4 training and 2 test images" "cat dog"
tree a train-images/cat/ train-images/dog/ development/cat/
parts a "4 training, 2 validation and 0 test images" "cat dog"

# Archives often hold a folder of their own name.
tree a train/train/cat/ train/train/dog/ test/test/cat/
parts a "4 training and 2 test images" "cat dog"
tree a train/train/cat/ train/train/dog/
parts a "4 training and 0 test images" "cat dog"
tree a photos/photos/train/cat/ photos/photos/train/dog/ photos/photos/test/cat/
parts a "4 training and 2 test images" "cat dog"
tree a train/train/cat/ train/train/dog/ train/val/cat/
parts a "4 training, 2 validation and 0 test images" "cat dog"
tree a train/seg_train/cat/ train/seg_train/dog/ test/seg_test/cat/
parts a "4 training and 2 test images" "cat dog"

# What may be meant in two ways.
tree a train/cat/ train/dog/ test/cat/ extra/cat/
stops a "look like parts of the dataset: 'test', 'train', but others beside them do not: 'extra'"
tree a train/cat/ train/dog/ eval/cat/
stops a "'train', but others beside them do not: 'eval'"
tree a val/cat/ val/dog/ test/cat/
stops a "'test', 'val'; none of them is for training"
tree a train/cat/ train/dog/ val/cat/ valid/dog/
stops a "'train', 'val', 'valid' two are for the same part"
tree a train/cat/ Train/dog/ test/dog/
stops a "two are for the same part"
tree a seg_train/cat/ seg_train/dog/ seg_test/dog/
stops a "'seg_test', 'seg_train'; rename them to train, validation and test"
tree a train1/cat/ train1/dog/ test1/dog/ more/cat/
stops a "'test1', 'train1', but others"
tree a bottle/train/ bottle/test/ screw/train/
stops a "'a/bottle': these folders look like parts of the dataset: 'test', 'train', but lie in"
tree a train/a/cat/ train/train/cat/ test/a/
stops a "'a/train': these folders look like parts of the dataset: 'train', but lie in"
tree a many/1.png
for i in $(seq 9); do mkdir -p a/x$i a/train/c && cp "pool/$i.png" a/x$i; done
cp pool/99.png a/train/c
stops a "'many', 'x1', 'x2', 'x3' and 6 more;"

# Parts in another language have the same classes in each, and no pictures of their own.
tree a treino/cat/ treino/dog/ treino/ox/ validacao/cat/ validacao/dog/ teste/dog/
stops a "'a': the folders 'teste', 'treino', 'validacao' hold folders of the same names ('cat', 'dog'), as the parts"
refused 2 "do; rename them to train, validation and test (or training, val, valid, dev, testing), or give" "${import[@]}" a -o y.h5
tree a обучение/cat/ обучение/dog/ проверка/cat/ проверка/dog/
stops a "hold folders of the same names ('cat', 'dog')"
tree a photos/photos/学習/cat/ photos/photos/学習/dog/ photos/photos/テスト/cat/
refused 2 "the folders 'テスト', '学習' hold folders of the same names" "${import[@]}" a -o y.h5
tree a fold1/fold1/cat/ fold1/fold1/dog/ fold2/fold2/cat/ fold2/fold2/dog/ fold2/fold2/cat-2/ fold2/fold2/do/
stops a "the folders 'fold1', 'fold2' hold folders of the same names"
tree a treino/cat/ treino/dog/ validacao/cat/ validacao/dog/ teste/
stops a "the folders 'treino', 'validacao' hold folders of the same names"
tree a treino/cat/ treino/dog/ treino/all.png teste/cat/ teste/dog/
stops a "the folders 'teste', 'treino' hold folders of the same names ('cat', 'dog')"
# Classes with folders of their own in them are none of that.
tree a cat/ cat/old/ cat/new/ dog/ dog/old/ dog/new/
parts a "12 training and 0 test images" "cat dog"
tree a cat/tabby/ cat/black/ dog/black/ dog/brown/ dog/white/
parts a "10 training and 0 test images" "cat dog"
tree a cat/1/ dog/1/ ox/1/
parts a "6 training and 0 test images" "cat dog ox"
tree a cat/old/ cat/new/ dog/old/ dog/new/ ox/ cow/ pig/
parts a "14 training and 0 test images" "cat cow dog ox pig"

# One folder around the classes is named.
tree a PetImages/Cat/ PetImages/Dog/
refused 2 "When the folders in 'PetImages' are the classes, import that folder" "${import[@]}" a -o y.h5
tree a flowers/flowers/daisy/ flowers/flowers/rose/more/
refused 2 "When the folders in 'flowers/flowers' are the classes" "${import[@]}" a -o y.h5
tree a cat/ cat/old/
refused 2 "Each class needs a folder of its own" "${import[@]}" a -o y.h5

# A class that is called as a part, and holds pictures itself, is one; a word is said of it.
tree a train/ car/ bus/
ends 0 "${import[@]}" a -o x.h5 --force --quiet
grep -q "6 training and 0 test images of .* in 3 classes" out || fail "$(cat out)"
[ "$(wc -l <err)" -eq 1 ] && grep -q "warning: taken as a class, .*'train'; --no-parts says" err || fail "$(cat err)"
ends 0 "${import[@]}" a -o x.h5 --force --quiet --no-parts
[ ! -s err ] || fail "--no-parts: $(cat err)"
tree a bullet_train/ test_tube/ cat/
parts a "6 training and 0 test images" "bullet_train cat test_tube"
tree a train/train/ train/car/ test/train/ test/car/
parts a "4 training and 4 test images" "car train"
refused 2 "--no-parts is for" "$GYRE" data import idx a -o y.h5 --no-parts

# Lines of a CSV file name parts by their folders, or folders mean nothing.
tree a train/1.png train/2.png test/1.png
printf 'train/1.png,cat\ntrain/2.png,dog\ntest/1.png,cat\n' >l.csv
ends 0 "${import[@]}" a -o x.h5 --labels l.csv --force --quiet
grep -q "2 training and 1 test images" out || fail "$(cat out)"
ends 0 "${import[@]}" a -o x.h5 --labels l.csv --force --quiet --no-parts
grep -q "3 training and 0 test images" out || fail "$(cat out)"
printf 'label,file\ncat,train/1.png\ndog,train/2.png\ncat,test/1.png\n' >l.csv
refused 3 "'l.csv' has labels in its first column and files in its second; exchange them" "${import[@]}" a -o y.h5 --labels l.csv
tree a val/1.png new/2.png test/1.png
printf 'val/1.png,cat\nnew/2.png,dog\ntest/1.png,cat\n' >l.csv
refused 2 "'l.csv': these folders look like parts of the dataset: 'test', 'val', but others" "${import[@]}" a -o y.h5 --labels l.csv
exit 0
