#!/usr/bin/env bash
# Finds what gyre needs and is not there, and installs it with apt: as root, or with DEPS=yes
# through sudo; otherwise prints the command to type. Every probe is a file or a program of the
# package it stands for, so it can say no. Fast when nothing is missing.
#   DEPS=show     only prints the command;  ROOT=DIR  looks for files there (a test uses both)
#   CUDA=1        the CUDA toolkit as well, by pip
#   SLURM=1       what the tests under a real Slurm need, where installing it starts no service
set -u

missing=()
need_file() { # package, file...
    local package=$1
    shift
    for f in "$@"; do [ -e "${ROOT:-}$f" ] && return; done
    missing+=("$package")
}
need_program() { command -v "$2" >/dev/null 2>&1 || missing+=("$1"); }

arch=$(uname -m)-linux-gnu
need_program gcc gcc
need_program python3 python3
need_file libc6-dev /usr/include/stdio.h
need_program pkg-config pkg-config
need_program openmpi-bin mpirun
need_file libopenmpi-dev "/usr/lib/$arch/openmpi/include/mpi.h"
need_file libdnnl-dev /usr/include/oneapi/dnnl/dnnl.h
need_file libhdf5-dev /usr/include/hdf5/serial/hdf5.h
need_file liblapacke-dev /usr/include/lapacke.h
need_file libcjson-dev /usr/include/cjson/cJSON.h
need_file zlib1g-dev /usr/include/zlib.h
need_file libjpeg62-turbo-dev /usr/include/jpeglib.h
need_file libpng-dev /usr/include/png.h
need_program protobuf-c-compiler protoc-c
need_file libprotobuf-c-dev /usr/include/protobuf-c/protobuf-c.h
need_file libonnx-dev /usr/include/onnx/onnx.proto
need_file librandom123-dev /usr/include/Random123/philox.h
need_file libxxhash-dev /usr/include/xxhash.h
need_file libcmocka-dev /usr/include/cmocka.h
need_program gnuplot-nox gnuplot
need_file dataset-fashion-mnist /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
need_program hdf5-tools h5dump
need_program procps pgrep
need_file python3-h5py /usr/lib/python3/dist-packages/h5py/__init__.py

# Debian's packages start munged at once on a machine that has an init system, except under a policy against
# it (as in container images): such a machine is left as it is, and the tests are skipped.
if [ -n "${SLURM:-}" ] && { [ ! -e "${ROOT:-}/sbin/init" ] || [ -x "${ROOT:-}/usr/sbin/policy-rc.d" ]; }; then
    need_file slurmctld /usr/sbin/slurmctld
    need_file slurmd /usr/sbin/slurmd
    need_file slurm-client /usr/bin/sbatch
    need_file slurm-wlm-basic-plugins "/usr/lib/$arch/slurm-wlm/mpi_pmix.so"
    need_file munge /usr/sbin/munged
fi

[ -z "${CUDA:-}" ] || need_program g++ g++ # nvcc works through it

# Where a toolkit is found already, it is taken.
toolkit() {
    [ -n "${CUDA:-}" ] && [ "${DEPS:-}" != show ] || exit 0
    found=$("${0%/*}/cuda.sh" 2>/dev/null) && {
        found=${found%%/bin/nvcc *}
        echo "The CUDA toolkit is in ${found#nvcc:}"
        exit 0
    }
    compiler=${CUDA_HOME:-/usr/local/cuda}/bin/nvcc
    [ -n "${CUDA_HOME:-}" ] || [ -x "$compiler" ] || compiler=/usr/bin/nvcc
    if "$compiler" --version 2>/dev/null | grep -q 'release 12\.'; then # its libraries are missing
        "${0%/*}/cuda-wheels.sh" 12 && exec "${0%/*}/cuda.sh" >/dev/null
    fi
    [ -n "${CUDA_HOME:-}" ] && exec "${0%/*}/cuda.sh" # says what that folder lacks
    exec "${0%/*}/cuda-wheels.sh"
}

[ ${#missing[@]} -eq 0 ] && toolkit

echo "Missing Debian packages: ${missing[*]}"
install="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "${DEPS:-}" != show ] && [ "$(id -u)" -eq 0 ]; then
    sudo=
elif [ "${DEPS:-}" = yes ]; then
    sudo=sudo
else
    echo "Install them with:  sudo $install"
    echo "or let make do it:  make DEPS=yes"
    exit 1
fi
$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo $install >/dev/null || {
    echo "apt could not install them; the command was: $sudo $install"
    exit 1
}
toolkit
