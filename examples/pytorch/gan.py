"""examples/gan.rs in PyTorch."""

import math

import torch
from torch import nn

ROUNDS = 3000
CRITIC_STEPS = 5
BATCH = 128
MODES = 8


def network(outputs):
    return nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))


def centres(modes):
    turns = math.tau * modes / MODES
    return 2 * torch.stack([turns.cos(), turns.sin()], 1)


def points(device):
    """Points of the data: a centre and a little noise."""
    return (centres(torch.randint(MODES, (BATCH,))) + 0.1 * torch.randn(BATCH, 2)).to(device)


def penalty_of(critic, real, made):
    share = torch.rand(BATCH, 1, device=real.device)
    between = (real + share * (made - real)).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((slope.square().sum(1) + 1e-12).sqrt() - 1).square().mean()


def main():
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator, critic = network(2).to(device), network(1).to(device)
    of_generator = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
    of_critic = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
    for round in range(ROUNDS):
        for _ in range(CRITIC_STEPS):
            real = points(device)
            with torch.no_grad():
                made = generator(torch.randn(BATCH, 2, device=device))
            gap = (critic(made) - critic(real)).mean()
            penalty = penalty_of(critic, real, made)
            of_critic.zero_grad()
            (gap + 10 * penalty).backward()
            of_critic.step()
        of_generator.zero_grad()
        (-critic(generator(torch.randn(BATCH, 2, device=device))).mean()).backward()
        of_generator.step()
        if (round + 1) % (ROUNDS // 5) == 0:
            print(f"round {round + 1:>5}: gap {gap.item():.3f}, penalty {penalty.item():.4f}")

    with torch.no_grad():
        made = generator(torch.randn(8 * BATCH, 2, device=device)).cpu()
    turns = torch.atan2(made[:, 1], made[:, 0]) / math.tau + 1
    modes = (turns * MODES).round().long() % MODES
    near = (made - centres(modes)).norm(dim=1) < 0.4
    counts = torch.bincount(modes[near], minlength=MODES)
    print(f"centres found: {(counts >= len(made) // 50).sum().item()}")
    print(f"points near one: {near.float().mean().item():.4f}")


main()
