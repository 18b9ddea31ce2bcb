"""The batch that proxies see."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

PROXY_BATCH = 64


@lru_cache(maxsize=4)
def proxy_batch(
    data: str | None, shape: tuple[int, ...], classes: int, seed: int, batch: int
) -> tuple[Tensor, Tensor]:
    """Inputs `[batch, *shape]` and labels `[batch]`, normalised images of `data` or noise."""
    import torch

    generator = np.random.default_rng(seed)
    if data is None:
        noise = generator.standard_normal((batch, *shape), dtype=np.float32)
        return torch.from_numpy(noise), torch.from_numpy(generator.integers(classes, size=batch))
    from hwnas.training import load

    return load(data, resolution=shape[-1]).batch(batch, seed)
