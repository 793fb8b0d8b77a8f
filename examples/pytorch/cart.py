"""examples/common/cart.rs with PyTorch's tensors: many carts at once, a row each."""

import math

import torch

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, TIME = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02


def pushed(state, right):
    """The state 0.02 s later (Euler's method)."""
    x, v, angle, spin = state.unbind(1)
    sin, cos, total = angle.sin(), angle.cos(), CART + POLE
    force = torch.where(right, FORCE, -FORCE)
    push = (force + POLE * HALF_LENGTH * spin * spin * sin) / total
    turn = (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4 / 3 - POLE * cos * cos / total))
    push = push - POLE * HALF_LENGTH * turn * cos / total
    return torch.stack([x + TIME * v, v + TIME * push, angle + TIME * spin, spin + TIME * turn], 1)


def is_lost(state):
    return (state[:, 0].abs() > 2.4) | (state[:, 2].abs() > math.radians(12))


def start(count):
    """Carts at rest, nearly upright."""
    return 0.1 * torch.rand(count, 4) - 0.05
