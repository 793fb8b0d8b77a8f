#!/usr/bin/env python3
"""GFLOP/s of torch.matmul in f32 (cuBLAS with TF32 off on a GPU) at the sizes of benches/matmul.rs."""
import argparse, statistics, time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("device", nargs="?", choices=["cpu", "cuda"], default="cpu")
device = parser.parse_args().device

import torch

torch.backends.cuda.matmul.allow_tf32 = False
sync = torch.cuda.synchronize if device == "cuda" else (lambda: None)
sizes = [(128, 512, 784), (128, 256, 512), (784, 512, 128), (512, 512, 512), (1024, 1024, 1024)]
if device == "cuda":
    sizes += [(2048, 2048, 2048), (4096, 4096, 4096), (8192, 8192, 8192)]
name = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
print(f"# PyTorch {torch.__version__}, {device}, {name}, f32, TF32 off")
for m, n, k in sizes:
    a, b = torch.rand(m, k, device=device) - 0.5, torch.rand(k, n, device=device) - 0.5
    count = max(1, int(2e9 if device == "cpu" else 2e11) // (2 * m * n * k))
    times = []
    for repeat in range(8):
        sync(); begun = time.perf_counter()
        for _ in range(count):
            torch.matmul(a, b)
        sync(); times.append((time.perf_counter() - begun) / count)
    print(f"{m}x{n}x{k} {2e-9 * m * n * k / statistics.median(times[1:]):.1f} GFLOP/s")
