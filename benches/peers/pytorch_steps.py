#!/usr/bin/env python3
"""Training steps per second in PyTorch: the nets, batch sizes and losses of examples/benchmark.rs.

Usage: pytorch_steps.py [cpu|cuda] [NET ...]              (nets: big tiny wide; wide on a GPU alone)
       pytorch_steps.py cpu|cuda MODE --turns NAME        (modes: eager compile graph; graph on a GPU alone)

The first form prints one line a measurement: NET OPTIMIZER steps/s MODE. On a GPU the modes are eager, torch.compile
and a CUDA graph of the whole step. Each figure is the median of 7 repeats after a warm-up.
The second answers the lines of its standard input as protocol.rs says, so that run.py can let it take turns.
All in f32 with TF32 off; `sgd-f16` and `adam-f16` (eager, on a GPU) under autocast with a GradScaler. Data are random and already on the device; OMP_NUM_THREADS sets the threads of the CPU.
"""
import argparse, statistics, sys, time

parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
parser.add_argument("device", nargs="?", choices=["cpu", "cuda"], default="cpu")
parser.add_argument("rest", nargs="*", metavar="NET or MODE")
parser.add_argument("--turns", metavar="NAME")
arguments = parser.parse_args()
allowed = ["eager", "compile", "graph"] if arguments.turns else ["big", "tiny", "wide"]
for word in arguments.rest:
    if word not in allowed:
        parser.error(f"{word}: one of {', '.join(allowed)}")
if arguments.turns and len(arguments.rest) != 1:
    parser.error("--turns needs one MODE")

import torch, torch.nn as nn, torch.nn.functional as F

NETS = {"big": ([784, 512, 256, 10], 128), "tiny": ([64, 32, 10], 32), "wide": ([4096, 4096, 4096, 10], 4096)}
MODES = {"cpu": ["eager"], "cuda": ["eager", "compile", "graph"]}
SIDE = 512
# Seconds of a turn, of a chunk of steps at whose end the device is waited for, and before the first turn.
TURN, CHUNK, WARM_UP = 0.3, 0.1, 2.0


def build(widths, device):
    layers = []
    for i, (k, n) in enumerate(zip(widths, widths[1:])):
        layers += [nn.Linear(k, n)] + ([nn.ReLU()] if i + 2 < len(widths) else [])
    return nn.Sequential(*layers).to(device)


def optimizer_of(name, parameters, captured):
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=0.01)
    return torch.optim.Adam(parameters, lr=0.001, capturable=captured)


def capture(step):
    """A CUDA graph of the step, after a few on a stream beside the main one, as PyTorch's documentation asks."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def training(net, opt_name, mode, device):
    """A function that makes one step."""
    widths, batch = NETS[net]
    torch.manual_seed(1)
    model = build(widths, device)
    half = opt_name.endswith("-f16")
    optimizer = optimizer_of(opt_name.removesuffix("-f16"), model.parameters(), mode == "graph")
    x = torch.rand(batch, widths[0], device=device)
    y = torch.randint(0, 10, (batch,), device=device)
    forward = lambda x, y: F.cross_entropy(model(x), y)
    if mode == "compile":
        forward = torch.compile(forward)

    def step():
        optimizer.zero_grad(set_to_none=mode != "graph")
        forward(x, y).backward()
        optimizer.step()

    if half:
        scaler = torch.amp.GradScaler(device)

        def step():
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device, torch.float16):
                loss = forward(x, y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()

    return capture(step) if mode == "graph" else step


def product(mode, device):
    a, b = torch.rand(SIDE, SIDE, device=device), torch.rand(SIDE, SIDE, device=device)
    out = torch.empty(SIDE, SIDE, device=device)
    step = lambda: torch.matmul(a, b, out=out)
    return capture(step) if mode == "graph" else step


class Turns:
    """Steps in chunks whose length is found once, in the warm-up."""

    def __init__(self, step, device):
        self.step, self.sync = step, torch.cuda.synchronize if device == "cuda" else (lambda: None)
        self.count, begun = 1, time.perf_counter()
        while True:
            took = self.chunk()
            if took >= CHUNK and time.perf_counter() - begun > WARM_UP:
                return
            if took < CHUNK:
                self.count *= 2

    def chunk(self):
        self.sync(); begun = time.perf_counter()
        for _ in range(self.count):
            self.step()
        self.sync()
        return time.perf_counter() - begun

    def turn(self, seconds):
        """Steps per second."""
        made, took = 0, 0.0
        while took < seconds:
            took += self.chunk()
            made += self.count
        return made / took


def answer(name, device, mode):
    known = {}
    for line in sys.stdin:
        net, opt_name, seconds = line.split()
        begun = f"{name} {net} {opt_name}"
        half = opt_name in ("sgd-f16", "adam-f16") and (device, mode) == ("cuda", "eager")
        if net != "matmul" and (net not in NETS or not half and opt_name not in ("sgd", "adam")):
            print(begun, "unsupported", flush=True)
            continue
        if (net, opt_name) not in known:
            step = product(mode, device) if net == "matmul" else training(net, opt_name, mode, device)
            if float(seconds) == 0:
                step()
                if device == "cuda":
                    torch.cuda.synchronize()
                print(begun, "first", flush=True)
                continue
            known[net, opt_name] = Turns(step, device)
        scale = 2e-9 * SIDE**3 if net == "matmul" else 1.0
        print(begun, f"{known[net, opt_name].turn(float(seconds)) * scale:.2f}", flush=True)


def measure(nets, device):
    for net in nets:
        for opt_name in ("sgd", "adam"):
            for mode in MODES[device]:
                try:
                    turns = Turns(training(net, opt_name, mode, device), device)
                    rate = statistics.median(turns.turn(TURN) for _ in range(7))
                    print(f"{net} {opt_name} {rate:.1f} {mode}", flush=True)
                except Exception as error:  # a mode that this machine cannot run is reported, not hidden
                    print(f"{net} {opt_name} failed {mode}: {str(error).splitlines()[0]}", flush=True)


def main():
    device = arguments.device
    torch.backends.cuda.matmul.allow_tf32 = False
    where = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    if arguments.turns:
        name, (mode,) = arguments.turns, arguments.rest
        print(f"# {name}: PyTorch {torch.__version__}, {device}, {where}, {mode}", flush=True)
        return answer(name, device, mode)
    print(f"# PyTorch {torch.__version__}, {device}, {where}")
    measure(arguments.rest or (["big", "tiny"] if device == "cpu" else ["big", "tiny", "wide"]), device)


main()
