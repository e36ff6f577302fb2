#!/usr/bin/env bash
# Fetches the CUDA toolkit, cuDNN and NCCL as pip wheels into a folder of gyre's own, without root:
# ${XDG_CACHE_HOME:-$HOME/.cache}/gyre/cuda. The file `complete` there lists what was installed, and is
# written last, so that a broken-off download is begun anew.
#   12    for a CUDA 12 toolkit that is here: cuDNN and NCCL alone, beside that folder (cuda-12); the
#         compiler of CUDA 12 is in no wheel
set -u
wheels=${XDG_CACHE_HOME:-$HOME/.cache}/gyre/cuda
# One toolkit, so pinned: the compiler with its headers and back end (nvcc, crt, nvvm, cccl), what reads
# machine code for tests (cuobjdump, nvdisasm), the
# runtime, NVTX; cuDNN with what it loads when it runs (cublas has its cublasLt; nvrtc); NCCL.
packages=(
    nvidia-cuda-nvcc==13.0.88
    nvidia-cuda-crt==13.0.88
    nvidia-nvvm==13.0.88
    nvidia-cuda-cccl==13.0.85
    nvidia-cuda-cuobjdump==13.2.86
    nvidia-cuda-nvdisasm==13.2.86
    nvidia-cuda-runtime==13.0.96
    nvidia-nvtx==13.0.85
    nvidia-cudnn-cu13==9.19.1.2
    nvidia-cublas==13.0.2.14
    nvidia-cuda-nvrtc==13.0.88
    nvidia-nccl-cu13==2.28.9
)

size="1.8 GB" what="the CUDA toolkit, cuDNN and NCCL"
if [ "${1:-}" = 12 ]; then
    wheels=$wheels-12 size="1.6 GB" what="cuDNN and NCCL for CUDA 12"
    packages=(
        nvidia-cudnn-cu12==9.19.0.56
        nvidia-cublas-cu12==12.9.1.4
        nvidia-cuda-nvrtc-cu12==12.9.86
        nvidia-nccl-cu12==2.28.9
    )
fi

printf '%s\n' "${packages[@]}" | cmp -s - "$wheels/complete" && exit 0
command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 || {
    echo "The CUDA toolkit can be fetched by pip, which is not here; install it (apt-get install python3-pip),"
    echo "or install CUDA 13, cuDNN 9 and NCCL 2 as NVIDIA's pages say."
    exit 1
}
echo "Fetching $what into $wheels ($size)"
rm -rf "$wheels.part" && mkdir -p "$wheels.part" &&
    python3 -m pip install --quiet --no-deps --no-cache-dir --disable-pip-version-check \
        --root-user-action=ignore --target "$wheels.part" "${packages[@]}" &&
    printf '%s\n' "${packages[@]}" >"$wheels.part/complete" &&
    rm -rf "$wheels" && mv "$wheels.part" "$wheels" || {
    echo "pip could not fetch them (see above). Where no package index is reached, install CUDA 13,"
    echo "cuDNN 9 and NCCL 2 as NVIDIA's pages say, and run: CUDA_HOME=DIR make CUDA=1"
    exit 1
}
