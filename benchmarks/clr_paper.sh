#!/usr/bin/env bash
# Runs the configs of configs/clr_paper and sets their accuracies beside the paper's.
#
#   benchmarks/clr_paper.sh --data cifar10.h5                      # all rows, seed 1
#   benchmarks/clr_paper.sh --data cifar10.h5 --seeds 1,2,3 table1-triangular2 table1-fixed
#
# The dataset is made by: gyre data import cifar cifar-10-batches-bin -o cifar10.h5
# Each run has a folder of its own, DIR/NAME/seed-N. What is finished is not run again, what was
# interrupted resumes; so the script can be stopped and started again at any time. Afterwards, and
# with --table alone, DIR/table.md is written from the runs that are there.
set -u

usage() {
    cat >&2 <<END
usage: benchmarks/clr_paper.sh --data FILE [options] [NAME...]
  --data FILE      CIFAR-10 as a gyre dataset
  --out DIR        folder of the runs and of table.md (clr-paper)
  --seeds A,B,...  seeds of each row (1)
  --gyre PROGRAM   the program (build/cpu/gyre of this tree)
  --launch WORDS   what to start it with, such as "mpirun -q -np 2"
  --set KEY=VALUE  given to every run; may be repeated
  --table          run nothing, write the table
NAMEs are files of configs/clr_paper without .json; all of them when none is given.
END
    exit 2
}

root=$(cd "$(dirname "$0")/.." && pwd)
configs=$root/configs/clr_paper
gyre=$root/build/cpu/gyre
out=clr-paper data='' seeds=1 launch='' only_table=no
sets=() names=()
while [ $# -gt 0 ]; do
    case $1 in
    --data | --out | --seeds | --gyre | --launch | --set) [ $# -ge 2 ] || usage ;;
    esac
    case $1 in
    --data) data=$2 && shift ;;
    --out) out=$2 && shift ;;
    --seeds) seeds=$2 && shift ;;
    --gyre) gyre=$2 && shift ;;
    --launch) launch=$2 && shift ;;
    --set) sets+=(--set "$2") && shift ;;
    --table) only_table=yes ;;
    -*) usage ;;
    *) names+=("$1") ;;
    esac
    shift
done
if [ ${#names[@]} -eq 0 ]; then
    for file in "$configs"/*.json; do names+=("$(basename "$file" .json)"); done
fi
for name in "${names[@]}"; do
    [ -f "$configs/$name.json" ] && continue
    echo "clr_paper.sh: no $name.json in $configs; there are:" >&2
    (cd "$configs" && printf '  %s\n' *.json | sed 's/\.json$//') >&2
    exit 2
done
if [ "$only_table" = no ] && [ ! -f "$data" ]; then
    [ -z "$data" ] && usage
    echo "clr_paper.sh: no dataset $data" >&2
    exit 2
fi
[ -x "$gyre" ] || { echo "clr_paper.sh: no program $gyre; run make, or give --gyre" >&2 && exit 2; }
[[ $seeds =~ ^[0-9]+(,[0-9]+)*$ ]] || usage
IFS=, read -ra seed_list <<<"$seeds"
[ "$only_table" = yes ] || data=$(realpath "$data")

# "81.4 25000": the paper's accuracy and steps, from the config's second line.
paper_of() {
    sed -n '2s/.*: \([0-9.]*\) % after \([0-9]*\) steps\.$/\1 \2/p' "$configs/$1.json"
}

# Prints the plan, then runs it row by row. 99 (preempted) and 130 (interrupted) end the script, a
# diverged run (6) is a result; whatever else went wrong is said, and the next one is run.
run_all() {
    local name seed steps dir rc failed=0 total=0
    for name in "${names[@]}"; do
        read -r _ steps <<<"$(paper_of "$name")"
        echo "$name: $steps steps, seeds ${seed_list[*]}"
        total=$((total + steps * ${#seed_list[@]}))
    done
    echo "in all $((${#names[@]} * ${#seed_list[@]})) runs, $total steps; in $out"
    for name in "${names[@]}"; do
        for seed in "${seed_list[@]}"; do
            dir=$out/$name/seed-$seed
            mkdir -p "$out/$name"
            echo "== $name, seed $seed"
            # shellcheck disable=SC2086 # words
            $launch "$gyre" train "$configs/$name.json" --out "$dir" --set seed="$seed" \
                --set data.path="\"$data\"" "${sets[@]}"
            rc=$?
            case $rc in
            0 | 6) ;;
            99 | 130 | 137 | 143) exit $rc ;;
            *) failed=$rc && echo "== $name, seed $seed: exit $rc" >&2 ;;
            esac
        done
    done
    return $failed
}

# One line for each run that there is: name, seed, steps done, accuracy at the end and at the last
# minimum of the rate, seconds.
read_runs() {
    local name seed dir
    for name in "${names[@]}"; do
        for seed in "${seed_list[@]}"; do
            dir=$out/$name/seed-$seed
            [ -f "$dir/metrics.h5" ] || continue
            "$gyre" export csv "$dir" >/dev/null || continue
            awk -F, -v name="$name" -v seed="$seed" '
                FNR == 1 { part++; for (i = 1; i <= NF; i++) at[part, $i] = i; next }
                part == 1 { steps = $at[1, "step"]; last = $at[1, "accuracy"]; time = $at[1, "seconds"] }
                part == 2 { low = $at[2, "accuracy"] }
                END { print name, seed, steps + 0, last == "" ? "nan" : last, low == "" ? "nan" : low, time + 0 }
            ' "$dir/csv/validation.csv" "$dir/csv/cycles.csv"
        done
    done
}

# Means over the seeds that ran to the paper's number of steps.
print_table() {
    echo "| row | paper | gyre | deviation | difference | at the last minimum | runs | steps | seconds a run |"
    echo "|---|---|---|---|---|---|---|---|---|"
    for name in "${names[@]}"; do
        local accuracy steps
        read -r accuracy steps <<<"$(paper_of "$name")"
        echo "$runs" | awk -v name="$name" -v paper="$accuracy" -v steps="$steps" '
            $1 == name && $3 >= steps {
                n++; sum += 100 * $4; squares += (100 * $4) ^ 2; time += $6
                if ($5 != "nan") { minima++; low += 100 * $5 }
            }
            $1 == name && $3 < steps { cut++ }
            END {
                left = cut ? sprintf(" (%d unfinished)", cut) : ""
                if (!n) {
                    printf "| %s | %.1f | – | – | – | – | 0%s | %d | – |\n", name, paper, left, steps
                    exit
                }
                mean = sum / n
                spread = squares - n * mean * mean
                dev = n > 1 ? sprintf("%.2f", sqrt(spread > 0 ? spread / (n - 1) : 0)) : "–"
                printf "| %s | %.1f | %.2f | %s | %+.2f | %s | %d%s | %d | %.0f |\n", name, paper, mean, dev,
                    mean - paper, minima ? sprintf("%.2f", low / minima) : "–", n, left, steps, time / n
            }'
    done
}

rc=0
[ "$only_table" = yes ] || run_all || rc=$?
runs=$(read_runs)
{
    echo "# CIFAR-10 rows of the CLR paper (arXiv 1506.01186), accuracies in %"
    echo
    print_table
    echo
    echo "gyre: mean over seeds of the accuracy on the 10,000 test images after the last step; deviation: of"
    echo "one run, over seeds. Made by benchmarks/clr_paper.sh, seeds $seeds."
} >"$out/table.md" || exit 3
cat "$out/table.md"
exit $rc
