# What the scripts in tests/cli share: source it. Gives $T, a scratch folder that goes away.
# shellcheck shell=bash
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export TMPDIR=$T PATH=$lib/../../bin:$PATH # see tests/bin/mpirun
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1
unset SLURM_NTASKS # the tests' own mpirun may run inside of a job
# After a code other than 0 mpirun gives its ranks so many seconds to end; ours have ended.
export OMPI_MCA_odls_base_sigkill_timeout=0

fail() {
    echo "FAILED: $*"
    exit 1
}

# ends CODE COMMAND...: its output is in $T/out and $T/err.
ends() {
    local code=$1 rc=0
    shift
    timeout "${LIMIT:-180}" "$@" >"$T/out" 2>"$T/err" || rc=$?
    [ $rc -eq "$code" ] || fail "exit $rc instead of $code: $* ($(tail -n 5 "$T/err"))"
}

# refused CODE WORDS COMMAND...: with one line on stderr that has these words.
refused() {
    local code=$1 words=$2
    shift 2
    LIMIT=60 ends "$code" "$@" # longer is a hang, also on a busy machine
    [ "$(wc -l <"$T/err")" -eq 1 ] || fail "not one line: $(cat "$T/err")"
    grep -q "^gyre: error: " "$T/err" || fail "no 'gyre: error: ': $(cat "$T/err")"
    grep -qF -- "$words" "$T/err" || fail "no '$words' in: $(cat "$T/err")"
}

# The files under a folder with their contents and times, to see that nothing was touched. A run's
# lock may be taken and given back.
picture_of() { (cd "$1" && find . -type f ! -name lock -exec sh -c 'stat -c "%n %Y %s" "$1"; cksum <"$1"' _ {} \; | sort); }

# make_dataset FILE [TRAIN [TEST [SIDE [CHANNELS]]]]: small images of 10 classes that can be learned.
make_dataset() { /usr/bin/python3 "$lib/make_dataset.py" "$@" || fail "h5py is needed"; }

# make_pictures FOLDER: 0.png to 255.png, of which no two are the same.
make_pictures() { /usr/bin/python3 "$lib/make_pictures.py" "$1" || fail "no pictures"; }

# $T/fault.so, to be preloaded: see fault.c. Before the address sanitizer's own, should that be there.
export ASAN_OPTIONS=verify_asan_link_order=0
make_fault() { gcc -O1 -shared -fPIC -o "$T/fault.so" "$lib/fault.c" -ldl || fail "the preload library"; }

# The tables of two run folders, without the columns that tell the time.
same_tables() { /usr/bin/python3 "$lib/same_tables.py" "$@"; }
