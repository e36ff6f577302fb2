"""configs/cifar10_94.json beside the port of its recipe to PyTorch: accuracy and wall time.

    python3 speed_94.py GYRE CIFAR OUT [--seeds 5] [--precision bf16] [--threads 2] [--table]

CIFAR is the folder of data_batch_1.bin and so on. gyre and airbench_port.py train one seed after the other in turns, each
scored once, at its end, by six views. Seconds are from the start to that score, without Python's own start. What is done
is in OUT/results.jsonl, and not done again: stop it and start it at will. --table prints what there is.
"""
import argparse, json, os, pathlib, shutil, statistics, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent


def run(command, threads):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                          env=dict(os.environ, OMP_NUM_THREADS=str(threads)))
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def gyre(a, seed):
    data, out = a.out / "cifar10.h5", a.out / f"gyre-{a.precision}-{seed}"
    if not data.exists():
        run([a.gyre, "data", "import", "cifar", a.cifar, "-o", data], a.threads)
    shutil.rmtree(out, ignore_errors=True)  # of a run that was stopped: its time would be a part's
    begun = time.monotonic()
    run([a.gyre, "train", HERE.parent / "configs/cifar10_94.json", "--out", out, "--quiet", "--set", f"data.path={data}",
         "--set", f"seed={seed}", "--set", f"precision={a.precision}", "--set", "evaluate.every.epochs=99"], a.threads)
    seconds = time.monotonic() - begun
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {"accuracy": [e["accuracy"] for e in lines if e["event"] == "evaluation"][-1], "seconds": round(seconds, 2)}


def port(a, seed):
    return json.loads(run([sys.executable, HERE / "airbench_port.py", a.cifar, "--seed", seed, "--precision", a.precision,
                           "--threads", a.threads], a.threads))


def table(rows):
    print("| program | precision | seeds | accuracy | deviation | seconds |\n|---|---|---|---|---|---|")
    for who, precision in sorted({(r["program"], r["precision"]) for r in rows}):
        own = [r for r in rows if (r["program"], r["precision"]) == (who, precision)]
        scores = [100 * r["accuracy"] for r in own]
        print(f"| {who} | {precision} | {len(own)} | {statistics.mean(scores):.2f} % | "
              f"{statistics.stdev(scores) if len(own) > 1 else 0:.2f} | {statistics.median(r['seconds'] for r in own):.0f} |")


def main():
    parser = argparse.ArgumentParser()
    for name in ("gyre", "cifar", "out"):
        parser.add_argument(name, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--precision", choices=("f32", "bf16"), default="bf16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--table", action="store_true")
    a = parser.parse_args()
    a.out.mkdir(exist_ok=True)
    results = a.out / "results.jsonl"
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    for seed in range(1, a.seeds + 1) if not a.table else []:
        for program in (gyre, port):
            key = {"program": program.__name__, "precision": a.precision, "seed": seed}
            if any(key.items() <= r.items() for r in rows):
                continue
            rows.append({**key, **program(a, seed)})
            with results.open("a") as f:
                f.write(json.dumps(rows[-1]) + "\n")
            print(rows[-1], flush=True)
    table(rows)


if __name__ == "__main__":
    main()
