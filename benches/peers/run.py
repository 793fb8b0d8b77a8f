#!/usr/bin/env python3
"""axone against its peers, in one run, side by side. Python's standard library suffices.

Usage: run.py [ROW ...] [--rounds N] [--seconds S] [--device software] [--out FILE] [--python PYTHON]
              [--target DIR] [--programs DIR] [--without PROGRAM ...] [--build]

Rows: see ROWS below; all but `cuda`, `grid-search` and `predict` without an argument. A row lets its programs take turns
(A B C A B C ...) for N rounds of S seconds and prints the median of each, how far its rounds spread, and the ratio
axone / peer: the ratio of the medians, and the least and the largest ratio of one round. The sections go to
benches/results/DATE-peers.md; a row that is run again replaces its section. `--build` builds the programs of the rows
and stops.
--target DIR takes the builds (target/peers; each program has a folder of its own there). --programs DIR has built
programs instead. --python has PyTorch, scikit-learn for `grid-search`, or onnx and onnxruntime for `predict`.
Measure on a quiet machine: the load average at the start of each row stands in its section.
"""
import argparse, datetime, os, platform, statistics, subprocess, tempfile, time
from programs import HERE, ROOT, Programs, cargo, clean_build, crates

# Title; axone's program; the peers; the work as (net, optimizer).
ROWS = {
    "gpu-big": ("784-512-256-10, batch 128, on the adapter", "axone-gpu", ["burn-wgpu", "meganeura"], [("big", "sgd")]),
    "gpu-tiny": ("64-32-10, batch 32, on the adapter", "axone-gpu", ["burn-wgpu", "meganeura"], [("tiny", "sgd")]),
    "gpu-matmul": ("product of 512 x 512 x 512 in f32, on the adapter", "axone-gpu", ["burn-wgpu"], [("matmul", "-")]),
    "cpu-big": ("784-512-256-10, batch 128, on the CPU", "axone-cpu",
                ["pytorch-cpu", "burn-flex-1", "burn-flex-2", "candle-1", "candle-2"], [("big", "sgd"), ("big", "adam")]),
    "cpu-tiny": ("64-32-10, batch 32, on the CPU", "axone-cpu",
                 ["candle-1", "candle-2", "burn-flex-1", "burn-flex-2", "pytorch-cpu"], [("tiny", "sgd")]),
    "predict": ("predictions of 784-512-256-10 and 64-32-10 by rows, on the CPU", "axone-cpu", ["onnxruntime"],
                [(net, f"predict-{rows}") for net in ("big", "tiny") for rows in (1, 16, 1000, 10000)]),
    "grid-search": ("grid search of a course: 24 points, 5 folds, L-BFGS on the digits, two cores", "axone-grid",
                    ["scikit-learn"], [("grid", "lbfgs")]),
    "cold": ("from the start of the process to the end of the first step of 784-512-256-10, nothing cached",
             "axone-gpu", ["burn-wgpu"], [("big", "sgd")]),
    "lean": ("what a program without optional features is made of", "axone", ["bare"], []),
    "cuda": ("on an NVIDIA GPU", "axone-gpu", ["pytorch-eager", "pytorch-compile", "pytorch-graph"],
             [("big", "sgd"), ("big", "adam"), ("tiny", "sgd"), ("tiny", "adam"), ("wide", "sgd"), ("big", "sgd-f16"),
              ("wide", "sgd-f16"), ("matmul", "-")]),
}
# Between two turns: PyTorch's threads spin for a while after their last work.
PAUSE = 0.3


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--device", default="software")
    parser.add_argument("--out")
    parser.add_argument("--python", default="python3")
    parser.add_argument("--target", default=os.path.join(os.environ.get("CARGO_TARGET_DIR", f"{ROOT}/target"), "peers"))
    parser.add_argument("--programs")
    parser.add_argument("--without", nargs="*", default=[], metavar="PROGRAM")
    parser.add_argument("--build", action="store_true")
    options = parser.parse_args()
    rows = options.rows or [row for row in ROWS if row not in ("cuda", "grid-search", "predict")]
    if unknown := [row for row in rows if row not in ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there is {', '.join(ROWS)}")
    prebuilt = options.programs and os.path.abspath(options.programs)
    programs = Programs(options.device, os.path.abspath(options.target), prebuilt, options.python)
    today = datetime.date.today().isoformat()
    out = options.out or f"{ROOT}/benches/results/{today}-peers.md"
    for row in rows:
        title, ours, peers, work = ROWS[row]
        names = [name for name in [ours, *peers] if name not in options.without]
        if row != "lean" and not options.programs:
            for crate in dict.fromkeys(programs.table[name] for name in names if programs.table[name].crate):
                programs.build(crate)
        if options.build:
            continue
        begun, load = time.monotonic(), os.getloadavg()[0]
        facts = f"{title}. {today}, commit {commit()}, {machine()}, load average {load:.2f} at the start"
        # A row that is stopped has given what it had.
        body = []
        measure = {"lean": lean, "cold": cold, "grid-search": grid_search}.get(row, turns)
        for body in measure(programs, names, work, options):
            keep(out, row, [f"{facts}, {time.monotonic() - begun:.0f} s.", "", *body])
        print("\n".join([f"{row}: {facts}, {time.monotonic() - begun:.0f} s.", "", *body, ""]), flush=True)


def turns(programs, names, work, options):
    running = [programs.start(name) for name in names]
    rates = {}
    for net, optimizer in work:
        for program in running:
            program.ask(net, optimizer, 0.2)
        for _ in range(options.rounds):
            for program in running:
                time.sleep(PAUSE)
                answer = program.ask(net, optimizer, options.seconds)
                number = None if answer in (None, "unsupported") else float(answer)
                rates.setdefault((net, optimizer), {}).setdefault(program.name, []).append(number)
        body = [f"{options.rounds} rounds of {options.seconds:g} s."]
        for (done, how), by_name in rates.items():
            unit = "GFLOP/s" if done == "matmul" else "steps/s"
            body += ["", *figures(f"{done} {how}".removesuffix(" -"), unit, by_name)]
        yield body + about(running)
    for program in running:
        program.stop()


def cold(programs, names, work, options):
    (net, optimizer), seconds = work[0], {name: [] for name in names}
    rounds = min(options.rounds, 3)
    for _ in range(rounds):
        for name in names:
            with tempfile.TemporaryDirectory() as empty:
                # Mesa's cache is off; whatever else keeps one finds an empty home.
                environment = {"MESA_SHADER_CACHE_DISABLE": "true", "HOME": empty, "XDG_CACHE_HOME": empty}
                program = programs.start(name, environment)
                answer = program.ask(net, optimizer, 0)
                took = time.perf_counter() - program.begun
                seconds[name].append(took if answer == "first" else None)
                program.stop()
    yield [f"{rounds} rounds, each in a new process.", "", *figures("first step", "s", seconds, less_is_better=True)]


def grid_search(programs, names, work, options):
    (net, solver), running = work[0], [programs.start(name) for name in names]
    seconds, scores = {name: [] for name in names}, {name: [] for name in names}
    for program in running:
        program.ask(net, solver, 0)  # warm
    for seed in range(1, options.rounds + 1):
        for program in running:
            time.sleep(PAUSE)
            took, _, means = (program.ask(net, solver, seed) or "").partition(";")
            seconds[program.name].append(float(took) if took else None)
            scores[program.name].append([float(mean) for mean in means.split(",")] if means else [])
    body = [f"{options.rounds} rounds, each with a seed of its own.", "",
            *figures("24 points, 5 folds", "s", seconds, less_is_better=True), "",
            "Mean accuracy of a point over the seeds, and how many standard errors lie between the two:", "",
            *levels(scores)]
    yield body + about(running)
    for program in running:
        program.stop()


def levels(scores):
    """A table: a line for each point of the grid."""
    names = list(scores)
    lines = ["| alpha, units | " + " | ".join(names) + " | standard errors |", "|---|" + "---|" * (len(names) + 1)]
    if any(not means for by_seed in scores.values() for means in by_seed):
        return lines + ["| failed |" + " |" * (len(names) + 1)]
    points = [f"{alpha}, {units}" for alpha in (0.001, 0.01, 1, 2) for units in (5, 20, 50, 100, 150, 200)]
    for i, point in enumerate(points):
        columns = [[means[i] for means in scores[name]] for name in names]
        means = [statistics.mean(column) for column in columns]
        spread = sum(statistics.variance(column) / len(column) for column in columns) ** 0.5 if len(columns[0]) > 1 else 0
        apart = f"{(means[0] - means[1]) / spread:+.1f}" if spread else ""
        lines.append(f"| {point} | " + " | ".join(f"{mean:.4f}" for mean in means) + f" | {apart} |")
    lines.append("| best of a search | "
                 + " | ".join(f"{statistics.mean(map(max, scores[name])):.4f}" for name in names) + " | |")
    return lines


def figures(what, unit, by_name, less_is_better=False):
    """A table: a line for each program, the first of which is axone's."""
    lines = [f"| {what} | {unit}, median | rounds | axone / peer | in one round |", "|---|---|---|---|---|"]
    ours, *_ = by_name.values()
    for name, numbers in by_name.items():
        good = [number for number in numbers if number is not None]
        if len(good) < len(numbers):
            lines.append(f"| {name} | failed or unsupported | | | |")
            continue
        ratio = span = ""
        if numbers is not ours and None not in ours:
            pairs = [a / b for a, b in zip(ours, numbers)]
            ratio = f"{statistics.median(ours) / statistics.median(numbers):.2f}"
            span = f"{min(pairs):.2f} to {max(pairs):.2f}"
        lines.append(f"| {name} | {short(statistics.median(numbers))} | {short(min(numbers))} to {short(max(numbers))}"
                     f" | {ratio} | {span} |")
    if less_is_better:
        lines += ["", "Less is better: a ratio below 1 is axone's."]
    return lines


def short(number):
    return f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"


def about(running):
    lines = [""]
    for program in running:
        lines.append(f"- {program.about or program.name}" + (f": {program.failure}" if program.failure else ""))
    return lines


def lean(programs, names, work, options):
    rounds, built = min(options.rounds, 3), {"axone": [], "bare": []}
    target = os.path.join(programs.target, "clean")
    for crate in built:
        cargo("fetch", "--locked", crate=crate)  # downloads are not part of a build
    for _ in range(rounds):
        for crate in built:
            built[crate].append(clean_build(crate, target))
    lines = [f"Clean release builds, {rounds} rounds in turn; programs without symbols.", "",
             "| | crates | clean build, s | rounds | MB |", "|---|---|---|---|---|"]
    # The program around axone is not counted.
    counts = {"axone": crates(None, "--no-default-features"), "bare": crates("bare")}
    for crate, results in built.items():
        seconds = [result[0] for result in results]
        lines.append(f"| {crate} | {counts[crate]} | {statistics.median(seconds):.1f} |"
                     f" {min(seconds):.1f} to {max(seconds):.1f} | {results[0][1] * 1e-6:.1f} |")
    lines.append(f"| axone, default features | {crates(None)} | | | |")
    for name, crate, arguments in [("burn-wgpu", "burn", ["--features", "wgpu"]), ("meganeura", "meganeura", []),
                                   ("burn-flex", "burn", ["--features", "flex"]), ("candle", "candle", [])]:
        lines.append(f"| {name} | {crates(crate, *arguments) - 1} | | | |")
    ratios = [a[0] / b[0] for a, b in zip(built["axone"], built["bare"])]
    yield lines + ["", f"Clean build, axone / bare: {statistics.median(ratios):.2f}"
                    f" ({min(ratios):.2f} to {max(ratios):.2f})."]


def commit():
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=HERE, capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def machine():
    name = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as lines:
            name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores of {name}"


def keep(path, row, lines):
    """Puts the row's section into the file, in place of the one that stands there."""
    sections = {}
    if os.path.exists(path):
        with open(path) as file:
            for section in file.read().split("\n## ")[1:]:
                sections[section.split("\n", 1)[0].strip()] = section.split("\n", 1)[1].strip()
    sections[row] = "\n".join(lines).strip()
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as file:
        file.write("# axone against its peers\nWritten by `benches/peers/run.py`, which says how it was measured.\n")
        for name in sorted(sections, key=list(ROWS).index):
            file.write(f"\n## {name}\n{sections[name]}\n")


if __name__ == "__main__":
    main()
