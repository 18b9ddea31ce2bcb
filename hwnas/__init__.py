"""Hardware-aware neural architecture search: measure a device, predict, search under a budget, verify.

>>> import hwnas
>>> space = hwnas.spaces.MobileNetV2(resolution=96, classes=10)
>>> architecture = space.sample(1, seed=0)[0]
>>> hwnas.count(architecture).whole.params > 100_000
True

Subpackages are imported when they are first used, so that counting and choosing a space do not wait
for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hwnas.api import as_network, count, plan, to_onnx, to_tflite

if TYPE_CHECKING:
    from hwnas import (
        cost,
        differentiable,
        latency,
        network,
        objectives,
        proxies,
        report,
        search,
        spaces,
        tinynas,
        training,
    )

SUBPACKAGES = (
    "cost",
    "differentiable",
    "latency",
    "network",
    "objectives",
    "proxies",
    "report",
    "search",
    "spaces",
    "tinynas",
    "training",
)

__all__ = [
    "as_network",
    "cost",
    "count",
    "differentiable",
    "latency",
    "network",
    "objectives",
    "plan",
    "proxies",
    "report",
    "search",
    "spaces",
    "tinynas",
    "to_onnx",
    "to_tflite",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in SUBPACKAGES:
        return import_module(f"hwnas.{name}")
    raise AttributeError(f"module 'hwnas' has no attribute {name!r}")
