#!/usr/bin/env bash
# The tests' own runner: at its end it names what failed, and what was skipped and why; launches of
# mpirun share no session folder; where slurmd cannot start, a test of Slurm is skipped with the reason.
set -u
. "$(dirname "$0")/lib/common.sh"
root=$PWD
mkdir -p "$T/suite/tests/cli"
cp tests/run.sh "$T/suite/tests" && ln -s "$root/tests/bin" "$T/suite/tests/bin"
cd "$T/suite" || exit 1
test_of() { cat >"tests/cli/$1.sh"; }
echo 'echo "  skip  a figure: no gnuplot"' | test_of partly
echo 'echo "the middle is missing"; exit 3' | test_of broken
echo 'echo first; echo "no fortune here"; exit 77' | test_of left
for i in 1 2; do echo "mpirun -q -np 1 printenv OMPI_MCA_orte_tmpdir_base >'$T/session$i'" | test_of launch$i; done
ends 1 env O=build JOBS=3 tests/run.sh cli
cat >"$T/expected" <<'E'
Skipped:
  skip  cli/left.sh: no fortune here
  part of cli/partly.sh: a figure: no gnuplot
Failed:
  FAIL  cli/broken.sh (exit 3), build/test-logs/cli_broken.sh.log
3 passed, 1 failed, 1 skipped
E
tail -n 6 "$T/out" | cmp "$T/expected" || fail "the end: $(cat "$T/out")"
grep -q 'the middle is missing' "$T/out" || fail "the output of what failed is not shown"
ends 0 env O=build tests/run.sh cli/launch1 cli/partly
one=$(cat "$T/session1") two=$(cat "$T/session2")
[ -n "$one" ] && [ -n "$two" ] && [ "$one" != "$two" ] || fail "launches share a session folder: '$one' '$two'"

# Slurm that is installed, but whose slurmd finds no cgroup file system.
[ "$(id -u)" -eq 0 ] || exit 0
cd "$root" || exit 1
mkdir "$T/fakes"
fake() { (echo '#!/bin/bash' && cat) >"$T/fakes/$1" && chmod +x "$T/fakes/$1"; }
fake munged <<'F'
for word; do case $word in --socket=*) exec /usr/bin/python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); time.sleep(60)' "${word#*=}" ;; esac; done
F
fake slurmctld <<<'exec sleep 60'
fake slurmd <<'F'
echo "[2026-01-01T00:00:00.000] error: cgroup namespace 'freezer' not mounted. aborting" >"$(dirname "$SLURM_CONF")/slurmd.log"
exit 1
F
for program in sbatch scancel squeue; do fake $program <<<'exit 0'; done
fake sinfo <<<'exit 1'
# shellcheck disable=SC2016 # for the other shell
ends 77 env PATH="$T/fakes:$PATH" bash -c '. tests/cli/lib/common.sh; . tests/cli/lib/slurm.sh; slurm_start; echo started'
[ "$(tail -n 1 "$T/out")" = "slurmd does not start here: cgroup namespace 'freezer' not mounted. aborting" ] || fail "$(cat "$T/out")"
exit 0
