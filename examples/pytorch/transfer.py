"""examples/transfer.rs in PyTorch."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import TensorDataset

from digits import accuracy, digits, fit

EXAMPLES = 50
SEEDS = 5


def network(head, classes, seed, device):
    """A body whose layers keep their names, and a head of its own name."""
    torch.manual_seed(seed)
    layers = [("body_1", nn.Linear(64, 64)), ("relu_1", nn.ReLU()), ("body_2", nn.Linear(64, 64)), ("relu_2", nn.ReLU())]
    return nn.Sequential(OrderedDict([*layers, (head, nn.Linear(64, classes))])).to(device)


def loss_of(model, images, labels):
    return F.cross_entropy(model(images), labels)


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train, test = digits(0.3)
    images, labels = train[:EXAMPLES]
    few, odd = TensorDataset(images, labels % 2), TensorDataset(test.tensors[0], test.tensors[1] % 2)

    old = network("digit", 10, 0, device)
    fit(old, loss_of, train, 30, 1e-3, device)
    transferred, from_scratch = 0.0, 0.0
    for seed in range(1, SEEDS + 1):
        new, alone = network("odd", 2, seed, device), network("odd", 2, seed, device)
        copied = new.load_state_dict(old.state_dict(), strict=False)
        if seed == 1:
            print(copied)
        for body in (new.body_1, new.body_2):
            body.requires_grad_(False)
        fit(new, loss_of, few, 1000, 1e-3, device)
        transferred += accuracy(new, odd, device)
        fit(alone, loss_of, few, 1000, 1e-3, device)
        from_scratch += accuracy(alone, odd, device)
    print(f"TRANSFERRED: {transferred / SEEDS:.4f}")
    print(f"FROM_SCRATCH: {from_scratch / SEEDS:.4f}")


main()
