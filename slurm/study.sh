#!/usr/bin/env bash
# Submits a study: an array with a task for each cell, and a job that writes the report when all of
# them have ended.
#
#   slurm/study.sh STUDY.json DIR [--allow-inexact] [OPTIONS of sbatch for the cells]
#   slurm/study.sh study.json results --ntasks=2 --time=1:00:00
#   slurm/study.sh study.json results --array=3,7       # these cells alone, and the report again
#
# What the site requires of both jobs is said in sbatch's variables, such as SBATCH_ACCOUNT and
# SBATCH_PARTITION. What the jobs print is in DIR.slurm.
set -eu
export GYRE_HOME
GYRE_HOME=$(cd "$(dirname "$0")/.." && pwd)
. "$GYRE_HOME/slurm/launch.sh"

[ $# -ge 2 ] || gyre_die "usage: slurm/study.sh STUDY.json DIR [--allow-inexact] [OPTIONS of sbatch for the cells]"
study=$1 dir=$2
shift 2
ours=() theirs=()
for option in "$@"; do # gyre's own goes behind the script, the others to sbatch
    if [ "$option" = --allow-inexact ]; then ours+=("$option"); else theirs+=("$option"); fi
done
program=$(gyre_program)
cells=$("$program" study "$study" --count)
logs=${dir%/}.slurm # a new study needs an empty folder
mkdir -p "$logs"
array=$(sbatch --parsable --output="$logs/cell-%a.out" --array="0-$((cells - 1))" ${theirs[@]+"${theirs[@]}"} \
    "$GYRE_HOME/slurm/study.sbatch" "$study" "$dir" ${ours[@]+"${ours[@]}"})
array=${array%%;*} # where there are several clusters its name follows
report=$(sbatch --parsable --output="$logs/report.out" --dependency="afterany:$array" \
    "$GYRE_HOME/slurm/report.sbatch" "$dir")
echo "array $array: $cells cells in $dir; job ${report%%;*} then writes $dir/report/index.html"
