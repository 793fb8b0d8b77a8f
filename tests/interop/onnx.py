"""Holds exports against the checker of ONNX and onnxruntime.

    pip install onnx onnxruntime numpy && python tests/interop/onnx.py

A folder as argument has the files already; else the ignored test `exports_for_other_libraries` writes them.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", nargs="?")
    arguments = parser.parse_args()

import numpy as np

# This file's folder would hide the package.
sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).parent]
import onnx
import onnxruntime

TOLERANCE = 1e-5


def read(path):
    """The arrays of a safetensors file of f32."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for name, info in header.items():
        begin, end = (8 + length + at for at in info["data_offsets"])
        arrays[name] = np.frombuffer(data[begin:end], np.float32).reshape(info["shape"])
    return arrays


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    arrays = read(path.with_suffix(".safetensors"))
    session = onnxruntime.InferenceSession(str(path))
    inputs = {}
    for info in session.get_inputs():
        sides = [side if isinstance(side, int) else -1 for side in info.shape]
        inputs[info.name] = arrays[f"in_{info.name}"].reshape(sides)
    worst = 0.0
    for i, result in enumerate(session.run(None, inputs)):
        wanted = arrays[f"out_{i}"]
        worst = max(worst, float(np.max(np.abs(result - wanted) / np.maximum(np.abs(wanted), 1))))
    print(f"{path.name}: checked, {len(model.graph.node)} nodes, off by {worst:.1e} at most")
    assert worst < TOLERANCE


def main():
    with tempfile.TemporaryDirectory() as folder:
        if arguments.folder:
            folder = arguments.folder
        else:
            test = ["cargo", "test", "--all-features", "--test", "formats", "exports_for_other", "--", "--ignored"]
            subprocess.run(test, check=True, env=os.environ | {"AXONE_ONNX": folder})
        files = sorted(Path(folder).glob("*.onnx"))
        assert files, "no exports"
        for path in files:
            check(path)


if __name__ == "__main__":
    main()
