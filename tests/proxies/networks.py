"""Small networks that the proxy tests share, with weights from their own generator."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas import as_network

CLASSES = 5
SHAPE = (3, 8, 8)


def fill(module: nn.Module, seed: int = 0) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            fan_in = max(1, parameter[0].numel()) if parameter.ndim > 1 else 1
            bias = 1.0 if parameter.ndim == 1 and "weight" in name else 0.0
            parameter.copy_(drawn * (2 / fan_in) ** 0.5 * (1 if parameter.ndim > 1 else 0.1) + bias)
    return module


def batch(images: int = 6, seed: int = 1, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(images, *SHAPE, generator=generator, dtype=torch.float64).to(dtype)
    return inputs, torch.randint(0, CLASSES, (images,), generator=generator)


def chain(*, bias: bool = True, normalised: bool = False, seed: int = 0) -> nn.Sequential:
    """Two convolutions and a linear layer, with ReLUs between, in float64."""
    layers: list[nn.Module] = [nn.Conv2d(3, 6, 3, padding=1, bias=bias)]
    layers += [nn.BatchNorm2d(6)] if normalised else []
    layers += [nn.ReLU(), nn.Conv2d(6, 4, 3, stride=2, bias=bias), nn.ReLU(), nn.Flatten()]
    layers += [nn.Linear(36, CLASSES, bias=bias)]
    module = nn.Sequential(*layers).double()
    fill(module, seed)
    return module


class ManyParts(nn.Module):
    """Batch normalisation, dropout, an in-place activation on the input, a frozen and an orphan layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.orphan = nn.Linear(3, 2)
        self.drop = nn.Dropout(0.4)
        self.head = nn.Linear(6, CLASSES)
        self.head.weight.requires_grad_(False)
        self.calls = 0
        self.kept: Tensor | None = None
        fill(self)
        self.double()

    def forward(self, images: Tensor) -> Tensor:
        self.calls += 1
        images.mul_(2)
        features = F.relu(self.norm(self.first(images)), inplace=True)
        self.kept = features.mean((2, 3))
        logits: Tensor = self.head(self.drop(self.kept))
        return logits


def maps(module: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Stages of any of these networks: what its convolutions and normalisations return, and a pooled one."""
    found: list[Tensor] = []
    parts = [part for part in module.modules() if isinstance(part, (nn.Conv2d, nn.BatchNorm2d))]
    hooks = [part.register_forward_hook(lambda _part, _inputs, out: found.append(out)) for part in parts]
    module(inputs)
    for hook in hooks:
        hook.remove()
    return [*found, F.avg_pool2d(found[-1], 2)]


def described(module: nn.Module) -> dict[str, Any]:
    """What `score` needs beside the batch for all proxies: the module's network, and stages."""
    copied = copy.deepcopy(module).float()
    return {"network": as_network(copied, torch.zeros(2, *SHAPE)), "stages": maps}


def encoder() -> nn.Module:
    """One transformer layer over 4 tokens of 8 numbers; eval mode, where torch would fuse it."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation="relu", batch_first=True).eval()
    return fill(layer)
