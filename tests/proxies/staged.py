"""A network of four stages with everything that hooks on modules would miss."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .networks import CLASSES, fill


class Staged(nn.Module):
    """Functional activations, a layer that is called twice, a grouped and an orphan convolution, dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.twice = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.down = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.deeper = nn.Conv2d(12, 16, 3, stride=2, padding=1)
        self.orphan = nn.Conv2d(3, 5, 1)
        self.head = nn.Linear(16, CLASSES)
        fill(self)
        self.double()

    def maps(self, images: Tensor) -> list[Tensor]:
        images = images.mul_(1.0)
        first = F.relu(self.norm(self.stem(images)))
        second = first + self.twice(F.relu(self.twice(first)))
        third = F.relu_(self.down(second))
        return [first, second, third, F.relu(self.deeper(third))]

    def forward(self, images: Tensor) -> Tensor:
        features = F.dropout(self.maps(images)[-1].mean((2, 3)), 0.5, self.training)
        logits: Tensor = self.head(features)
        return logits


def maps(module: nn.Module, images: Tensor) -> list[Tensor]:
    """What to pass as `stages` for a `Staged`."""
    assert isinstance(module, Staged)
    return module.maps(images)


def blind(module: nn.Module, images: Tensor) -> list[Tensor]:
    """The stages of a network whose last stage does not depend on what is before it."""
    first = maps(module, images)[0]
    return [first, torch.zeros_like(first)]
