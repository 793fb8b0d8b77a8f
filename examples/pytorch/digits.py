"""Digits and the loop that every program writes again."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


def digits(test_size):
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images / 16, labels, test_size=test_size, stratify=labels, random_state=1)
    images, labels = [torch.tensor(part, dtype=torch.float32) for part in split[:2]], map(torch.tensor, split[2:])
    return [TensorDataset(*part) for part in zip(images, labels)]


def fit(model, loss_of, data, epochs, rate, device):
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=rate)
    model.train()
    for _ in range(epochs):
        for batch in DataLoader(data, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            loss_of(model, *(part.to(device) for part in batch)).backward()
            optimizer.step()
    model.eval()


@torch.no_grad()
def accuracy(model, data, device):
    images, labels = data.tensors
    return (model(images.to(device)).argmax(1).cpu() == labels).float().mean().item()
