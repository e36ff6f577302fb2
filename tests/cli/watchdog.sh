#!/usr/bin/env bash
# A rank that hangs ends the whole job with exit code 5 and says where it hung.
set -u
out=$(timeout 60 mpirun -q -np 2 "$O/tests/mpi/mpi_comm" stuck 2>&1)
rc=$?
[ $rc -eq 5 ] || { echo "exit code $rc, expected 5: $out"; exit 1; }
grep -q "stuck for more than .* in phase 'reduction' of step 12" <<<"$out" || { echo "$out"; exit 1; }
