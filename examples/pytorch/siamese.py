"""examples/siamese.rs in PyTorch."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))

    def forward(self, a, b):
        return ((self.tower(a) - self.tower(b)).square().sum(1) + 1e-6).sqrt()


def contrastive(distance, same):
    return (same * distance.square() + (1 - same) * F.relu(1 - distance).square()).mean()


def pairs(images, labels, count):
    """Each image with `count` others: every second one of its own digit."""
    left, right, same = [], [], []
    for i, label in enumerate(labels):
        for k in range(count):
            wanted = k % 2 == 0
            start = i + 1 + k * len(labels) // count
            others = (j % len(labels) for j in range(start, start + len(labels)))
            j = next((j for j in others if (labels[j] == label) == wanted and j != i), None)
            if j is not None:
                left.append(i)
                right.append(j)
                same.append(float(wanted))
    return TensorDataset(images[left], images[right], torch.tensor(same))


def main():
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images / 16, dtype=torch.float32)
    split = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=1)
    train, test = pairs(split[0], split[2], 12), pairs(split[1], split[3], 12)

    model = Siamese().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(10):
        total = 0.0
        for a, b, same in DataLoader(train, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            loss = contrastive(model(a.to(device), b.to(device)), same.to(device))
            loss.backward()
            optimizer.step()
            total += loss.item() * len(same)
        print(f"epoch {epoch + 1}: loss {total / len(train):.4f}")

    a, b, same = test.tensors
    with torch.no_grad():
        distances = model(a.to(device), b.to(device)).cpu()
    right = ((distances < 0.5) == (same == 1)).float().mean().item()
    print(f"pairs told apart: {right:.4f}")


main()
