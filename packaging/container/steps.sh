#!/usr/bin/env bash
# What a container of gyre is made with, on Debian 12, as root: the two recipes beside it run this, and so
# does the test of a fresh machine (tools/fresh-root.sh packaging/container/steps.sh).
#
#   CUDA=1    the default: with the CUDA backend, its toolkit and libraries as pip wheels (1.8 GB, kept,
#             since the program runs with them)
#   CUDA=     for the CPU alone
set -eu
cd "$(dirname "$0")/../.."
CUDA=${CUDA-1}
export DEBIAN_FRONTEND=noninteractive XDG_CACHE_HOME=${XDG_CACHE_HOME:-/opt}
apt-get update -qq
apt-get install -y --no-install-recommends make git ca-certificates python3-pip >/dev/null
make deps CUDA="$CUDA"
make -j"$(nproc)" CUDA="$CUDA"
make install CUDA="$CUDA" PREFIX=/usr/local
rm -rf /var/lib/apt/lists/*
cd / && OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 gyre doctor
