#!/usr/bin/env bash
# Looks at all sources with clang-format, shellcheck, cppcheck and clang-tidy (`make lint`); nothing
# may be found. The files .clang-tidy say what is not looked for, and why. FLAGS are the compiler's,
# from the Makefile. cuda/*.c is left out where the CUDA toolkit is not, and so are the kernels, which
# make gpu-kernels-lint looks at.
set -u
cd "$(dirname "$0")/.." || exit 2
read -ra flags <<<"$FLAGS"
mapfile -t sources < <(git ls-files -co --exclude-standard -- 'src/*.c' 'tests/*.c' 'benchmarks/*.c' ':!tests/gpu/*')
if toolkit=$(tools/cuda.sh 2>/dev/null); then
    for found in $toolkit; do
        [[ $found != include:* ]] || flags+=(-isystem "${found#include:}")
    done
    sources+=(cuda/*.c)
else
    echo "  skip  cuda/*.c: no CUDA toolkit"
fi
mapfile -t headers < <(git ls-files -co --exclude-standard -- '*.h')
mapfile -t scripts < <(git ls-files -co --exclude-standard -- '*.sh' '*.bash' '*.sbatch' .ci/run tests/bin)

missing=()
for program in clang-format clang-tidy cppcheck shellcheck; do
    command -v $program >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "make lint needs: apt-get install --no-install-recommends ${missing[*]}"
    exit 1
fi

failed=0
look() { # name, command...
    local name=$1 start=$SECONDS out
    shift
    if out=$("$@" 2>&1); then
        printf '  ok    %s (%d s)\n' "$name" $((SECONDS - start))
    else
        failed=1
        printf '  FAIL  %s\n%s\n' "$name" "$out"
    fi
}

tidy() { printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 1 sh -c 'clang-tidy --quiet "$@" -- '"${flags[*]}"' 2>/dev/null' _; }

look clang-format clang-format --dry-run --Werror "${sources[@]}" "${headers[@]}"
look shellcheck shellcheck -S warning -x -P SCRIPTDIR "${scripts[@]}"
look cppcheck cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
    --error-exitcode=1 -j "$(nproc)" -D_GNU_SOURCE -D__linux__ -D__x86_64__ -Iinclude "${sources[@]}"
look clang-tidy tidy
exit $failed
