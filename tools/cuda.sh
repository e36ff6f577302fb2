#!/usr/bin/env bash
# Finds the CUDA toolkit with cuDNN and NCCL, for the Makefile: in CUDA_HOME; when that is not set,
# in /usr/local/cuda, in gyre's own folder of pip wheels (tools/deps.sh fills it), or in /usr (Debian's
# nvidia-cuda-toolkit). CUDA 12 and 13 will do. cuDNN and NCCL may also be the system's, or wheels. Prints words "nvcc:PATH", "include:DIR", "library:FILE"; or says on stderr what is missing
# and ends with 1.
#   CUDNN_HOME, NCCL_HOME   folders with include/ and lib/ of their own
set -u
wheels=${XDG_CACHE_HOME:-$HOME/.cache}/gyre/cuda
arch=$(uname -m)

# The first of the given folders that holds the file; "" when none does.
first_with() { # file, folder...
    local file=$1 folder
    shift
    for folder in "$@"; do
        [ -e "$folder/$file" ] && printf '%s' "$folder" && return
    done
}

# A library by its full path, so that no libX.so without a number is needed.
need() { # what, header, library, home...
    local what=$1 header=$2 library=$3 home include lib
    shift 3
    for home in "$@"; do
        [ -n "$home" ] || continue
        include=$(first_with "$header" "$home/include" "$home/include/$arch-linux-gnu")
        lib=$(first_with "$library" "$home/lib64" "$home/lib" "$home/lib/$arch-linux-gnu")
        [ -n "$include" ] && [ -n "$lib" ] || continue
        found+=("include:$include" "library:$lib/$library")
        return
    done
    missing+=("$what ($header, $library)")
}

# Fills found and missing.
look() { # toolkit
    local home=$1 beside=${1%/*} major
    found=() missing=()
    if [ -x "$home/bin/nvcc" ]; then
        found+=("nvcc:$home/bin/nvcc")
    else
        missing+=("the compiler ($home/bin/nvcc)")
    fi
    major=$(sed -n 's/^#define CUDART_VERSION *\([0-9]*\)[0-9][0-9][0-9]$/\1/p' \
        "$home/include/cuda_runtime_api.h" 2>/dev/null)
    [ -z "$major" ] || [ "$major" -ge 12 ] || missing+=("CUDA 12 or 13 ($home has $major)")
    need "the CUDA runtime" cuda_runtime_api.h "libcudart.so.${major:-13}" "$home"
    [ -e "$home/include/nvtx3/nvToolsExt.h" ] || missing+=("NVTX (nvtx3/nvToolsExt.h)")
    need cuDNN cudnn_graph.h libcudnn.so.9 "${CUDNN_HOME:-}" "$home" "$beside/cudnn" "$wheels-${major:-13}/nvidia/cudnn" /usr
    need NCCL nccl.h libnccl.so.2 "${NCCL_HOME:-}" "$home" "$beside/nccl" "$wheels-${major:-13}/nvidia/nccl" /usr
}

if [ -n "${CUDA_HOME:-}" ]; then
    places=("$CUDA_HOME")
else
    places=(/usr/local/cuda)
    [ -e "$wheels/complete" ] && places+=("$wheels/nvidia/cu13")
    [ -x /usr/bin/nvcc ] && places+=(/usr)
fi
for place in "${places[@]}"; do
    look "$place"
    [ ${#missing[@]} -eq 0 ] && break
done

if [ ${#missing[@]} -gt 0 ]; then
    {
        echo "make CUDA=1 needs the CUDA toolkit 12 or 13, cuDNN 9 and NCCL 2; looked in ${places[*]} and /usr."
        printf '  missing: %s\n' "${missing[@]}"
        echo "One of these helps:"
        echo "  make deps CUDA=1              fetches pip wheels into $wheels (1.8 GB, no root)"
        echo "  CUDA_HOME=DIR make CUDA=1     where a toolkit is; a cluster's module sets it"
        echo "  CUDNN_HOME=DIR NCCL_HOME=DIR  where those two lie elsewhere"
        echo "Without CUDA=1 nothing of this is needed: make builds for the CPU."
    } >&2
    exit 1
fi
printf '%s\n' "${found[@]}" | awk '!seen[$0]++' | tr '\n' ' '
