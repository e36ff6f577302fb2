#!/usr/bin/env bash
# What tools say about the kernels without running them: registers and shared memory of every kernel,
# as ptxas gave them while the kernels were built in O (with its warnings, of local memory, spills
# and double precision among them, as errors), against tests/gpu/kernels/registers.txt; the loads and
# stores in their machine code against sass.txt; cppcheck and clang-tidy on the source as the emulator
# compiles it.
#   O=... CUDA_HOME=... tests/gpu/kernels/static.sh [--write | --lint]
# --write makes registers.txt and sass.txt anew; --lint runs only the last two, which otherwise are left out.
set -u
cd "$(dirname "$0")/../../.." || exit 2
nvcc=${CUDA_HOME:?where the CUDA toolkit is}/bin/nvcc
golden=tests/gpu/kernels/registers.txt
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
kernels=(cuda/*.cu)
failed=0

say() { # name, output of what failed
    if [ -z "$2" ]; then
        echo "  ok    $1"
    else
        failed=1
        printf '  FAIL  %s\n%s\n' "$1" "$2"
    fi
}

# ---- ptxas

# "relu_kernel<float, 4>: sm_90, 28 registers, 0 bytes shared" of what ptxas said
usage() {
    c++filt | awk '
        /Compiling entry function/ {
            name = $0
            sub(/^[^\047]*\047/, "", name)
            arch = name
            sub(/\047 for \047.*$/, "", name)
            sub(/^.*\047 for \047/, "", arch)
            sub(/\047.*$/, "", arch)
            sub(/^void /, "", name)
            depth = 0
            for (i = 1; i <= length(name); i++) { # up to the parameters
                c = substr(name, i, 1)
                if (c == "<") depth++
                if (c == ">") depth--
                if (c == "(" && depth == 0) { name = substr(name, 1, i - 1); break }
            }
        }
        /bytes spill stores/ { split($0, part, ", "); split(part[2], spill, " ") }
        /Used [0-9]+ registers/ {
            match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
            shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH) + 0 : 0
            printf "%s: %s, %d registers, %d bytes shared, %d bytes spilled\n", name, arch, registers, shared, spill[1]
        }'
}

resources() { # --write or nothing
    local file
    for file in "${kernels[@]}"; do
        usage <"${O:?the build folder}/$file.o.said" >>"$work/usage" || exit 2
    done
    {
        echo "# Made by tests/gpu/kernels/static.sh --write with $("$nvcc" --version | grep -o 'V[0-9.]*$')"
        LC_ALL=C sort "$work/usage"
    } >"$work/registers"
    [ -s "$work/usage" ] || { echo "  FAIL  $O holds no kernels that nvcc compiled: make CUDA=1 gpu-build"; exit 2; }
    [ "$1" = --write ] && cp "$work/registers" "$golden"
    if [ "$(head -n 1 "$golden" 2>/dev/null)" = "$(head -n 1 "$work/registers")" ]; then
        say "registers and shared memory of $(wc -l <"$work/usage") kernels" \
            "$(diff -U 0 "$golden" "$work/registers" | tail -n +3)"
    else
        echo "  skip  $golden: it was made with another nvcc"
    fi
}

# ---- machine code: 128-bit loads, loads in flight, local memory

# cuobjdump is beside nvcc, or in PATH (pip install nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm).
sass() { # --write or nothing
    local file disassembler golden=tests/gpu/kernels/sass.txt local_memory
    disassembler=$(command -v "${nvcc%/*}/cuobjdump" cuobjdump | head -n 1)
    if [ -z "$disassembler" ]; then
        echo "  skip  $golden: no cuobjdump beside nvcc or in PATH"
        return
    fi
    {
        head -n 1 "$work/registers" | sed 's/$/, of sm_90/'
        for file in "${kernels[@]}"; do "$disassembler" -sass -arch sm_90 "$O/$file.o"; done | tests/gpu/kernels/sass.py
    } >"$work/sass"
    [ "$1" = --write ] && cp "$work/sass" "$golden"
    local_memory=$(grep -v ' 0 local$' "$work/sass" | tail -n +2)
    say "no local memory in the machine code of $(($(wc -l <"$work/sass") - 1)) kernels" "$local_memory"
    if [ "$(head -n 1 "$golden" 2>/dev/null)" = "$(head -n 1 "$work/sass")" ]; then
        say "loads and stores in the machine code" "$(diff -U 0 "$golden" "$work/sass" | tail -n +3)"
    else
        echo "  skip  $golden: it was made with another nvcc"
    fi
}

# ---- cppcheck, clang-tidy
lint() {
    local shim=(-x c++ -std=c++17 -Iinclude -Icuda -Itests/gpu/emulator)
    if command -v cppcheck >/dev/null; then
        say cppcheck "$(cppcheck --quiet --language=c++ --std=c++17 --inline-suppr \
            --enable=warning,performance,portability --error-exitcode=1 -Iinclude -Icuda \
            -Itests/gpu/emulator -D__x86_64__ "${kernels[@]}" tests/gpu/emulator/emulator*.cc 2>&1)"
    else
        echo "  skip  cppcheck: not installed"
    fi
    # The check that is off: a rule or a pair is a struct with functions, and no class.
    if command -v clang-tidy >/dev/null; then
        say clang-tidy "$(printf '%s\n' "${kernels[@]}" | xargs -P "$(nproc)" -I FILE clang-tidy --quiet \
            --checks=-misc-non-private-member-variables-in-classes FILE -- "${shim[@]}" -isystem "$CUDA_HOME/include" 2>/dev/null)"
    else
        echo "  skip  clang-tidy: not installed"
    fi
    if command -v clang-format >/dev/null; then
        say "layout" "$(clang-format --dry-run --Werror cuda/*.{c,cu,h} tests/gpu/*/*.{c,cc,h} 2>&1)"
    else
        echo "  skip  layout: clang-format is not installed"
    fi
}

case ${1:-} in
--lint) lint ;;
--write | '') resources "${1:-}" && sass "${1:-}" ;;
*) echo "tests/gpu/kernels/static.sh: --write, --lint or nothing expected, found '$1'" >&2 && exit 2 ;;
esac
exit $failed
