"""examples/distillation.rs in PyTorch."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import TensorDataset

from digits import accuracy, digits, fit

TEMPERATURE = 3.0
TEACHER = 0.9 * TEMPERATURE**2
FEW = 150
SEEDS = 5


def labels_alone(model, images, labels):
    return F.cross_entropy(model(images), labels)


def with_teacher(model, images, labels, soft):
    logits = model(images)
    return 0.1 * F.cross_entropy(logits, labels) + TEACHER * F.cross_entropy(logits / TEMPERATURE, soft)


def student(seed, device):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10)).to(device)


def main():
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train, test = digits(0.3)
    body = [nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 256), nn.ReLU()]
    teacher = nn.Sequential(*body, nn.Linear(256, 10)).to(device)
    fit(teacher, labels_alone, train, 40, 1e-3, device)

    few = TensorDataset(*train[:FEW])
    with torch.no_grad():
        soft = F.softmax(teacher(few.tensors[0].to(device)) / TEMPERATURE, 1).cpu()
    taught = TensorDataset(*few.tensors, soft)
    alone, distilled = 0.0, 0.0
    for seed in range(1, SEEDS + 1):
        model = student(seed, device)
        fit(model, labels_alone, few, 200, 3e-3, device)
        alone += accuracy(model, test, device)
        model = student(seed, device)
        fit(model, with_teacher, taught, 200, 3e-3, device)
        distilled += accuracy(model, test, device)
    print(f"TEACHER: {accuracy(teacher, test, device):.4f}")
    print(f"STUDENT_ALONE: {alone / SEEDS:.4f}")
    print(f"STUDENT_TAUGHT: {distilled / SEEDS:.4f}")


main()
