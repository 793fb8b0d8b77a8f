"""examples/pinn.rs in PyTorch."""

import torch
from torch import nn

EPOCHS = 8000


def slope(u, x):
    return torch.autograd.grad(u.sum(), x, create_graph=True)[0]


def main():
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    function = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1)).to(device)
    optimizer = torch.optim.Adam(function.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    x = torch.linspace(0, 1.5, 64, device=device).unsqueeze(1).requires_grad_()
    start = torch.zeros(1, 1, device=device, requires_grad=True)
    for _ in range(EPOCHS):
        u = function(x)
        equation = (slope(slope(u, x), x) + 9 * u).square().mean()
        at_start = function(start)
        conditions = (at_start.square() + (slope(at_start, start) - 3).square()).mean()
        optimizer.zero_grad()
        (equation + 10 * conditions).backward()
        optimizer.step()
        schedule.step()
    print(f"equation_loss: {equation.item():.1e}")
    print(f"conditions_loss: {conditions.item():.1e}")

    between = torch.linspace(0, 1.5, 1001, device=device).unsqueeze(1)
    with torch.no_grad():
        worst = (function(between) - (3 * between).sin()).abs().max().item()
    print(f"worst error: {worst:.6f}")


main()
