#!/usr/bin/env bash
# tools/deps.sh: silent when all is there; with nothing there, each of its probes says no and names its
# package, and nothing is installed.
set -u
. "$(dirname "$0")/lib/common.sh"
bash=$(command -v bash)

ends 0 tools/deps.sh
[ ! -s "$T/out" ] || fail "not silent: $(cat "$T/out")"
mkdir "$T/bin"
ln -s "$(command -v uname)" "$(command -v id)" "$T/bin/"
ends 1 env PATH="$T/bin" ROOT="$T" SLURM=1 DEPS=show "$bash" tools/deps.sh
grep -q "^Install them with:  sudo apt-get install -y --no-install-recommends " "$T/out" || fail "$(cat "$T/out")"
missing=$(sed -n 's/^Missing Debian packages: //p' "$T/out")
probes=0
while read -r probe package _; do
    case $probe in need_file | need_program) ;; *) continue ;; esac
    [ "$package" != '()' ] || continue
    [[ " $missing " == *" $package "* ]] || fail "$probe $package cannot say no"
    probes=$((probes + 1))
done < <(grep -E '^ *need_(file|program) ' tools/deps.sh)
[ "$(wc -w <<<"$missing")" -eq "$probes" ] && [ "$probes" -gt 15 ] || fail "$probes probes, missing: $missing"

# Slurm is not wanted where it was not asked for, nor where its packages would start a service.
mkdir "$T/sbin"
for slurm in '' 1; do
    [ -z "$slurm" ] || touch "$T/sbin/init"
    ends 1 env PATH="$T/bin" ROOT="$T" SLURM=$slurm DEPS=show "$bash" tools/deps.sh
    grep -qE 'slurm|munge' "$T/out" && fail "SLURM='$slurm': $(cat "$T/out")"
done
exit 0
