"""examples/dqn.rs in PyTorch."""

import copy
import random

import torch
from torch import nn

from cart import is_lost, pushed, start

CARTS = 8
ROUNDS = 10_000
BATCH = 128
MEMORY = 50_000
RATE = 1e-3
DISCOUNT = 0.99
FOLLOW = 0.01
MOST_STEPS = 500


def learn(model, target, optimizer, moments, device):
    """Double Q-learning: the network says which push is best, and the copy what it is worth."""
    states, right, following, is_last = [torch.stack(part).to(device) for part in zip(*moments)]
    with torch.no_grad():
        best = model(following).argmax(1, keepdim=True)
        later = target(following).gather(1, best).squeeze(1)
        wanted = torch.where(is_last, 0.0, 1 - DISCOUNT + DISCOUNT * later)
    worth = model(states).gather(1, right.long().unsqueeze(1)).squeeze(1)
    optimizer.zero_grad()
    (0.5 * (worth - wanted).square().mean()).backward()
    optimizer.step()
    with torch.no_grad():
        for old, new in zip(target.parameters(), model.parameters()):
            old.lerp_(new, FOLLOW)


@torch.no_grad()
def mean_return(model, device):
    """Steps until the pole falls, at most 500, when each push is the best known; the mean of 20 carts."""
    carts, steps = start(20), torch.zeros(20)
    lost = is_lost(carts)
    for _ in range(MOST_STEPS):
        steps += (~lost).float()
        best = model(carts.to(device)).argmax(1).cpu()
        carts = torch.where(lost.unsqueeze(1), carts, pushed(carts, best == 1))
        lost = lost | is_lost(carts)
    return steps.mean().item()


def main():
    torch.manual_seed(1)
    random.seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)).to(device)
    target = copy.deepcopy(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    carts, ages, memory = start(CARTS), torch.zeros(CARTS), []
    best = (0.0, copy.deepcopy(model.state_dict()))
    for round in range(ROUNDS):
        with torch.no_grad():
            wanted = model(carts.to(device)).argmax(1).cpu() == 1
        curious = max(1 - round / (0.5 * ROUNDS), 0.02)
        right = torch.where(torch.rand(CARTS) < curious, torch.rand(CARTS) < 0.5, wanted)
        following = pushed(carts, right)
        lost = is_lost(following)
        for i, moment in enumerate(zip(carts, right, following, lost)):
            if len(memory) < MEMORY:
                memory.append(moment)
            else:
                memory[(round * CARTS + i) % MEMORY] = moment
        ages += 1
        over = lost | (ages == MOST_STEPS)
        carts = torch.where(over.unsqueeze(1), start(CARTS), following)
        ages[over] = 0
        if len(memory) >= 10 * BATCH:
            learn(model, target, optimizer, random.choices(memory, k=BATCH), device)
        if (round + 1) % 500 == 0:
            mean = mean_return(model, device)
            print(f"round {round + 1:>5}: mean return {mean:.1f}")
            if mean > best[0]:
                best = (mean, copy.deepcopy(model.state_dict()))
            optimizer.param_groups[0]["lr"] = RATE * (1 - (round + 1) / (ROUNDS + 500))
    model.load_state_dict(best[1])
    print(f"MEAN_RETURN: {mean_return(model, device):.1f}")


main()
