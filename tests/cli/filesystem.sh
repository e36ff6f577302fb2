#!/usr/bin/env bash
# File systems that do not know every call (of networks, of user programs): what they cannot do is a
# warning, once, and everything is written all the same. A disk that fails stays an error.
set -u
. "$(dirname "$0")/lib/common.sh"
cd "$T" || exit 1
make_dataset images.h5 100 20
gcc -O1 -shared -fPIC -o unable.so "$lib/unable.c" -ldl || fail "the preload library"
cat >study.json <<'JSON'
{
    "name": "calls", "seeds": 2, "cycles": [1], "controls": ["midpoint"],
    "base": {
        "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2},
        "schedule": {"base_lr": 0.001, "max_lr": 0.02}, "length": {"steps": 4}
    }
}
JSON
cat >config.json <<'JSON'
{
    "data": {"path": "images.h5"}, "model": {"name": "mlp"}, "batch": {"size": 20, "shards": 2},
    "schedule": {"policy": "constant", "base_lr": 0.01}, "length": {"steps": 6},
    "checkpoint": {"every": {"steps": 2}}
}
JSON
without() { # calls, error number, command...
    local calls=$1 number=$2
    shift 2
    ends 0 env LD_PRELOAD="$T/unable.so" UNABLE="$calls" UNABLE_ERRNO="$number" "$@"
}
number() { /usr/bin/python3 -c "import errno; print(errno.$1)"; }
once() { [ "$(grep '^gyre: warning: ' err | grep -vc 'no better than a guess')" -eq 1 ] && grep -qF "$1" err || fail "not one warning '$1': $(cat err)"; }

ends 0 "$GYRE" train config.json --out whole --quiet
for name in EINVAL EBADF; do
    without folder-fsync "$(number $name)" "$GYRE" train config.json --out "run-$name" --quiet
    once "the file system cannot sync 'run-$name'"
    [ "$("$GYRE" inspect "run-$name" --hash)" = "$("$GYRE" inspect whole --hash)" ] || fail "$name: another run"
done
without "fsync folder-fsync" "$(number EINVAL)" "$GYRE" train config.json --out run --quiet
once "the file system cannot sync"
for name in ENOTSUP ENOSYS; do without folder-fsync "$(number $name)" "$GYRE" export csv run; done
for reason in "EIO folder-fsync" "EIO fsync" "EBADF fsync" "EROFS folder-fsync"; do
    ends 3 env LD_PRELOAD="$T/unable.so" UNABLE="${reason#* }" UNABLE_ERRNO="$(number "${reason% *}")" \
        "$GYRE" export csv run -o "csv ${reason}"
    grep -q 'fsync of .* failed' err || fail "$reason: $(cat err)"
done
if [ "$(id -u)" -ne 0 ]; then # root may read everything
    mkdir -m 300 blind
    "$GYRE" export csv run -o blind >out 2>err || fail "a folder that cannot be listed: $(cat err)"
fi

# study.json is made by one process of several: by a link, else by a rename, else by an empty file.
for calls in "link 1" "link renameat2 22"; do
    rm -rf study
    without "${calls% *}" "${calls##* }" "$GYRE" study study.json --out study --quiet
    [ -s study/study.json ] && [ -z "$(find study -name "*tmp*")" ] || fail "$calls: $(ls study)"
    without "${calls% *}" "${calls##* }" "$GYRE" study study.json --out study --quiet
done
rm -rf study
without flock 38 "$GYRE" study study.json --out study --quiet
once "cannot lock 'study/cells/"
without flock 37 "$GYRE" train config.json --out free --quiet
once "cannot lock 'free/lock'"
exit 0
