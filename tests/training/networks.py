"""Small networks and data sets that the tests of training share."""

import numpy as np
import torch
from torch import nn

from hwnas.training.dataset import DataSet, channel_statistics


def convnet(classes: int = 10, width: int = 16, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(4 * width),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(4 * width * 16, classes),
        )


def dark_and_light(count: int = 64, side: int = 32) -> DataSet:
    """Two classes that anything can tell apart: the second one is lighter."""
    rng = np.random.default_rng(0)
    labels = torch.arange(count) % 2
    pixels = rng.integers(0, 128, (count, 3, side, side), dtype=np.uint8)
    images = torch.from_numpy(pixels) + (100 * labels).to(torch.uint8).view(-1, 1, 1, 1)
    half = count // 2
    mean, std = channel_statistics(images[:half])
    return DataSet(
        "dark-and-light",
        images[:half],
        labels[:half],
        images[half:],
        labels[half:],
        ("dark", "light"),
        mean,
        std,
    )
