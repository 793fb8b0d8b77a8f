#!/usr/bin/env python3
"""Predictions per second in onnxruntime: the nets of protocol.rs, as exporters write them.

Usage: onnx_predict.py --turns NAME

Answers the lines of its standard input as protocol.rs says; OPTIMIZER is `predict-ROWS`. One session each, with the
threads that onnxruntime takes by itself, on random rows that lie ready.
"""
import argparse, sys, time

parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
parser.add_argument("--turns", metavar="NAME", required=True)
arguments = parser.parse_args()

import numpy, onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper

NETS = {"big": [784, 512, 256, 10], "tiny": [64, 32, 10]}
CHUNK, WARM_UP = 0.1, 2.0


def session(widths):
    random = numpy.random.default_rng(1)
    nodes, weights, value = [], [], "x"
    for i, (k, n) in enumerate(zip(widths, widths[1:])):
        w = (random.random((k, n), dtype=numpy.float32) - 0.5) / k**0.5
        weights += [numpy_helper.from_array(w, f"w{i}"), numpy_helper.from_array(numpy.zeros(n, numpy.float32), f"b{i}")]
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"]))
        value = f"y{i}"
        nodes.append(helper.make_node("Softmax" if i + 2 == len(widths) else "Relu", [f"z{i}"], [value]))
    shape = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
    graph = helper.make_graph(nodes, "net", [shape("x", widths[0])], [shape(value, widths[-1])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def rate(run, seconds):
    """Calls per second; those of a chunk are not looked at by the clock."""
    run()
    begun = time.perf_counter()
    run()
    count = max(1, int(CHUNK / max(time.perf_counter() - begun, 1e-7)))
    made, begun = 0, time.perf_counter()
    while True:
        for _ in range(count):
            run()
        made += count
        took = time.perf_counter() - begun
        if took >= seconds:
            return made / took


print(f"# {arguments.turns}: onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}", flush=True)
known = {}
for line in sys.stdin:
    net, work, seconds = line.split()
    if net not in NETS or not work.startswith("predict-"):
        print(f"{arguments.turns} {net} {work} unsupported", flush=True)
        continue
    if (net, work) not in known:
        x = numpy.random.default_rng(2).random((int(work.removeprefix("predict-")), NETS[net][0]), dtype=numpy.float32)
        net_session = session(NETS[net])
        known[net, work] = lambda s=net_session, x=x: s.run(None, {"x": x})
        rate(known[net, work], WARM_UP)
    print(f"{arguments.turns} {net} {work} {rate(known[net, work], float(seconds)):.2f}", flush=True)
