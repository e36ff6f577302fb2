#!/usr/bin/env bash
# HDF5 files whose structure is damaged, with or without a right seal: whoever reads them ends with
# code 3 and one line that names the file, on one rank and on two. Never a crash, never a hang.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset d.h5 60 20
cat >config.json <<'JSON'
{
    "data": {"path": "d.h5"}, "model": {"name": "mlp"}, "batch": {"size": 16, "shards": 2},
    "schedule": {"policy": "triangular", "base_lr": 0.001, "max_lr": 0.01, "cycles": 1},
    "length": {"steps": 12}, "checkpoint": {"every": {"steps": 6}}
}
JSON
cat >damage.py <<'PYTHON'
import ctypes, re, struct, sys

how, path = sys.argv[1:3]
data = bytearray(open(path, "rb").read())
UNLIMITED = b"\xff" * 8

def chunk_of_no_dimensions():
    """HDF5 divides by its size: the layout message of a table, version 3, in chunks, of rank 2."""
    found = re.search(rb"\x03\x02(\x02.{8})\x00\x01\x00\x00\x48\x00\x00\x00", data, re.S)
    data[found.start(1):found.end(1)] = bytes(9)

def rows(now, wanted):
    at = data.index(struct.pack("<Q", now) + UNLIMITED)
    data[at:at + 8] = struct.pack("<Q", wanted)

def value(wanted, column):
    """A column of the one row of /settings in find.h5: behind from and to, steps, linear, repeats."""
    at = data.index(struct.pack("<dd", 1e-5, 1.0)) + 8 * column
    data[at:at + 8] = struct.pack("<q", wanted)

def seal():
    class Hash(ctypes.Structure):
        _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]
    xxh = ctypes.CDLL("libxxhash.so.0").XXH3_128bits_withSeed
    xxh.restype = Hash
    xxh.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    rest, content = bytes(data[512:]), struct.unpack_from("<Q", data, 72)[0]
    h = xxh(rest, len(rest), content)
    data[48:56] = struct.pack("<Q", len(rest))
    data[56:72] = struct.pack(">QQ", h.high, h.low)

def extent(rank, now, wanted):
    """The first extent of the first dataset of this rank that has it."""
    at = data.index(bytes([1, rank, 1, 0, 0, 0, 0, 0]) + struct.pack("<Q", now)) + 8
    data[at:at + 8] = struct.pack("<Q", wanted)
    seal()

def symbols():
    """No table of a group's members is what it says it is."""
    data[:] = data.replace(b"SNOD", b"SNUD")
    seal()

exec(how)
open(path, "wb").write(data)
PYTHON
damage() { /usr/bin/python3 "$T/damage.py" "$@" || fail "cannot damage: $*"; }

ends 0 "$GYRE" train config.json --out run --stop-after 6
cp -r run whole
checkpoint=checkpoints/step-000000006.h5

# metrics.h5: what reads it, and a run that would continue to write into it
metrics() { # words; a resume on one rank or two
    refused 3 "$1" "$GYRE" export csv run
    grep -qF "run/metrics.h5" "$T/err" || fail "the file is not named: $(cat "$T/err")"
    refused 3 "$1" "$GYRE" inspect run
    local before
    before=$(picture_of run)
    shift
    refused 3 "run/metrics.h5" "$@" "$GYRE" train config.json --out run
    grep -qF "move it away" "$T/err" || fail "no way out is named: $(cat "$T/err")"
    [ "$(picture_of run)" = "$before" ] || fail "a damaged run was touched"
    cp whole/metrics.h5 run/
}
damage 'chunk_of_no_dimensions()' run/metrics.h5
metrics "damaged: HDF5 crashed on it (signal 8)" mpirun -q -np 2
for wanted in 2**61 2**62 2**63+1; do
    damage "rows(6, $wanted)" run/metrics.h5
    metrics "run/metrics.h5"
done
damage 'data[:] = data[:len(data) // 2]' run/metrics.h5
metrics "run/metrics.h5"

# Sound files whose tables are not gyre's: what was expected, what was found, what to do.
validation() { # the table's columns: (NAME, TYPE), ...
    /usr/bin/python3 - "$1" <<'P' || fail "h5py is needed"
import ast, sys, h5py, numpy
with h5py.File("run/metrics.h5", "r+") as f:
    del f["validation"]
    f.create_dataset("validation", (0,), dtype=numpy.dtype(ast.literal_eval(sys.argv[1])), maxshape=(None,))
P
}
whole="('step', '<i8'), ('epoch', '<i8'), ('cycle', '<i8'), ('loss', '<f8')"
validation "[$whole, ('gain', '<f8'), ('seconds', '<f8')]"
metrics "/validation has 'gain' as column 5, 'accuracy' was expected; was it written by another program"
validation "[$whole, ('accuracy', '<f8'), ('seconds', '<i8')]"
metrics "/validation has column 'seconds' of another type than f64, which was expected; was it written by"
validation "[$whole, ('accuracy', '<f8'), ('both', '<f4', 2)]"
metrics "/validation has 'both' as column 6, 'seconds' was expected; was it written by"
validation "[$whole, ('both', '<f8', 2)]"
metrics "/validation has 5 columns, 6 were expected; was it written by"
validation "[$whole]"
metrics "/validation has 1 dimensions of elements of 32 bytes; rows of 6 columns of 8 bytes were expected; was it"

# checkpoints: the seal is right, what it seals is not
checkpoint() { # damage
    cp "whole/$checkpoint" bad.h5
    damage "$1" bad.h5
    refused 3 "'bad.h5'" "$GYRE" inspect --hash bad.h5
    refused 3 "'bad.h5'" "$GYRE" eval bad.h5 --data d.h5
}
for wanted in 2**61 2**62; do
    checkpoint "extent(1, 10, $wanted)" # of fc3.bias
    checkpoint "extent(2, 10, $wanted)" # of fc3.weight
done
checkpoint 'symbols()'
cp bad.h5 "run/$checkpoint"
ends 3 mpirun -q -np 2 "$GYRE" train config.json --out run
grep -qF "$(basename "$checkpoint")" "$T/err" || fail "the checkpoint is not named: $(cat "$T/err")"
cp "whole/$checkpoint" "run/$checkpoint"
ends 0 "$GYRE" train config.json --out run # nothing of it all has stayed

# weights from elsewhere: 2^32 + 10 rows are no 10 rows
/usr/bin/python3 - <<'P' || fail "h5py is needed"
import h5py
with h5py.File("long.h5", "w") as f:
    f.create_dataset("parameters/fc3.bias", shape=((1 << 32) + 10,), dtype="f4", chunks=(1 << 16,), fillvalue=1e-3)
P
refused 3 "long.h5" "$GYRE" train config.json --out other --set model.init_from="$T/long.h5" || exit 1

# find.h5
ends 0 "$GYRE" find config.json --out range --steps 40 --repeats 1 --from 1e-5 --to 1 --quiet
cp range/find.h5 find.h5
range() { # damage, words
    damage "$1" range/find.h5
    refused 3 "$2" "$GYRE" plot range -o plot.svg
    grep -qF "range/find.h5" "$T/err" || fail "the file is not named: $(cat "$T/err")"
    cp find.h5 range/
}
range 'value(2**32+1, 4)' "/settings.repeats is 4294967297, at most 100 was expected"
range 'value(-1, 4)' "/settings.repeats"
range 'value(0, 4)' "not those of a range test"
for wanted in 2**61 2**62 2**63+1; do range "rows(40, $wanted)" "sweep"; done
exit 0
