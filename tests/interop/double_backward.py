"""Derivatives of derivatives by PyTorch's double backward, for tests/common/derivatives.rs.

    python tests/interop/double_backward.py > tests/fixtures/derivatives/double_backward.json

For each function: u = a layer of 4 with it and a layer of 1, on 2 inputs; slope = du/dx, bend = d(Σ slope)/dx; the loss is
the mean of u² + Σ slope² + Σ bend², and its gradients by the parameters are third derivatives of the function. All in
double precision, from inputs and weights that are numbers of single precision. Made with PyTorch 2.15.0.
"""

import argparse

argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()

import json

import torch
import torch.nn.functional as F

ROWS = 4  # whose inverse is exact in single precision, in which axone divides by it
FUNCTIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, torch.tensor(0.01).item()),
    "elu": F.elu,
    "selu": F.selu,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "softplus": F.softplus,
    "softsign": F.softsign,
    "hard_sigmoid": lambda x: torch.clamp(x + 3, 0, 6) / 6,  # F.hardsigmoid has no second derivative
    "mish": F.mish,
    "softmax": lambda x: F.softmax(x, 1),
    "log_softmax": lambda x: F.log_softmax(x, 1),
    "formula": lambda x: torch.sin(x) * torch.exp(-x * x) + torch.log(x * x + 0.5) + torch.sqrt(x * x + 1) / (2 + torch.cos(x)),
}


def numbers(*shape):
    return (2 * torch.rand(shape, dtype=torch.float32) - 1).double().requires_grad_()


def case(function):
    x, w1, b1, w2, b2 = numbers(ROWS, 2), numbers(2, 4), numbers(1, 4), numbers(4, 1), numbers(1, 1)
    parameters = [w1, b1, w2, b2]
    u = function(x @ w1 + b1) @ w2 + b2
    (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
    bend = torch.zeros_like(x)
    if slope.requires_grad:
        (found,) = torch.autograd.grad(slope.sum(), x, create_graph=True, allow_unused=True)
        bend = bend if found is None else found
    loss = (u.square().sum(1) + slope.square().sum(1) + bend.square().sum(1)).mean()
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    gradients = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, gradients)]
    flat = lambda tensors: [tensor.detach().flatten().tolist() for tensor in tensors]
    return {"x": x.detach().flatten().tolist(), "parameters": flat(parameters), "values": flat([u, slope, bend]), "loss": loss.item(), "gradients": flat(gradients)}


torch.manual_seed(14)
cases = {name: case(function) for name, function in FUNCTIONS.items()}
print("{" + ",\n".join(f"{json.dumps(name)}: {json.dumps(found)}" for name, found in cases.items()) + "}")
