"""examples/multi_task.rs in PyTorch."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import TensorDataset

from digits import digits, fit


class TwoTasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.digit = nn.Linear(64, 10)
        self.ink = nn.Linear(64, 1)

    def forward(self, image):
        trunk = self.trunk(image)
        return self.digit(trunk), self.ink(trunk).squeeze(1)


def loss_of(model, images, labels, ink):
    digit, found = model(images)
    return F.cross_entropy(digit, labels) + 5 * F.mse_loss(found, ink)


def main():
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train, test = [TensorDataset(*data.tensors, data.tensors[0].mean(1)) for data in digits(0.2)]
    model = TwoTasks().to(device)
    fit(model, loss_of, train, 20, 1e-3, device)
    images, labels, ink = test.tensors
    with torch.no_grad():
        digit, found = [output.cpu() for output in model(images.to(device))]
    print(f"accuracy of the digit: {(digit.argmax(1) == labels).float().mean().item():.4f}")
    print(f"mean error of the ink: {(found - ink).abs().mean().item():.4f}")


main()
