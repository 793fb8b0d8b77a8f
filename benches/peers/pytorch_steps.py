#!/usr/bin/env python3
"""Training steps per second in PyTorch: the nets, batch sizes and losses of examples/benchmark.rs.

Usage: pytorch_steps.py [cpu|cuda] [NET ...]   (nets: big tiny wide; wide on a GPU alone)

Prints one line a measurement: NET OPTIMIZER steps/s MODE. On a GPU the modes are eager, torch.compile and a CUDA
graph of the whole step, all in f32 with TF32 off; data are random and already on the device. Each figure is the
median of 7 repeats after a warm-up.
"""
import statistics, sys, time
import torch, torch.nn as nn, torch.nn.functional as F

NETS = {"big": ([784, 512, 256, 10], 128), "tiny": ([64, 32, 10], 32), "wide": ([4096, 4096, 4096, 10], 4096)}


def build(widths, device):
    layers = []
    for i, (k, n) in enumerate(zip(widths, widths[1:])):
        layers += [nn.Linear(k, n)] + ([nn.ReLU()] if i + 2 < len(widths) else [])
    return nn.Sequential(*layers).to(device)


def optimizer_of(name, parameters, cuda_graph):
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=0.01)
    return torch.optim.Adam(parameters, lr=0.001, capturable=cuda_graph)


def steps_per_second(run, device):
    sync = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    count = 1
    while True:
        sync(); begun = time.perf_counter()
        for _ in range(count):
            run()
        sync(); took = time.perf_counter() - begun
        if took > 0.3:
            break
        count *= 2
    times = []
    for _ in range(7):
        sync(); begun = time.perf_counter()
        for _ in range(count):
            run()
        sync(); times.append((time.perf_counter() - begun) / count)
    return 1.0 / statistics.median(times)


def measure(net, opt_name, mode, device):
    widths, batch = NETS[net]
    torch.manual_seed(1)
    model = build(widths, device)
    optimizer = optimizer_of(opt_name, model.parameters(), mode == "cuda graph")
    x = torch.rand(batch, widths[0], device=device)
    y = torch.randint(0, 10, (batch,), device=device)

    def step():
        optimizer.zero_grad(set_to_none=mode != "cuda graph")
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    if mode == "compile":
        forward = torch.compile(lambda x, y: F.cross_entropy(model(x), y))

        def step():
            optimizer.zero_grad(set_to_none=True)
            forward(x, y).backward()
            optimizer.step()

    if mode == "cuda graph":
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(5):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return steps_per_second(graph.replay, device)
    for _ in range(5):
        step()
    return steps_per_second(step, device)


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    nets = sys.argv[2:] or (["big", "tiny"] if device == "cpu" else ["big", "tiny", "wide"])
    torch.backends.cuda.matmul.allow_tf32 = False
    name = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"# PyTorch {torch.__version__}, {device}, {name}")
    for net in nets:
        for opt_name in ("sgd", "adam"):
            for mode in ["eager"] if device == "cpu" else ["eager", "compile", "cuda graph"]:
                try:
                    print(f"{net} {opt_name} {measure(net, opt_name, mode, device):.1f} {mode}", flush=True)
                except Exception as error:  # a mode that this machine cannot run is reported, not hidden
                    print(f"{net} {opt_name} failed {mode}: {str(error).splitlines()[0]}", flush=True)


main()
