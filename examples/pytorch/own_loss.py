"""examples/own_loss.rs in PyTorch."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Swish(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.7 * x)


def asymmetric(output, target):
    missing = target - output
    return torch.where(missing > 0, 3 * missing, -missing).mean()


def days(count):
    """Temperature and day of the week, scaled, and what is sold: a curve with noise that grows with the temperature."""
    heat, day, noise = (2 * torch.rand(3, count, 1) - 1).unbind(0)
    return TensorDataset(torch.cat([heat, day], 1), (3 * day).sin() + heat + (0.6 + 0.4 * heat) * noise)


def main():
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train, test = days(3000), days(1000)
    model = nn.Sequential(nn.Linear(2, 32), Swish(), nn.Linear(32, 1)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        for inputs, sold in DataLoader(train, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            asymmetric(model(inputs.to(device)), sold.to(device)).backward()
            optimizer.step()

    inputs, asked = test.tensors
    with torch.no_grad():
        baked = model(inputs.to(device)).cpu()
    print(f"cost of a day: {asymmetric(baked, asked).item():.4f}")
    print(f"days with enough: {(baked >= asked).float().mean().item():.4f}")


main()
