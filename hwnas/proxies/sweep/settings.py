"""What decides the scores of a sweep."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class SweepSettings:
    """Two sweeps of equal settings give equal scores.

    Attributes:
        space: text of the search space.
        proxies: names, in order.
        data: name of the data set that the batch was drawn from.
        batch: number of images in it.
        digest: of the images and labels themselves.
        seed: of the initialisation.
    """

    space: str
    proxies: tuple[str, ...]
    data: str
    batch: int
    digest: str
    seed: int


def digest_of(inputs: Tensor, targets: Tensor) -> str:
    """Hexadecimal digest of a batch, 32 characters."""
    found = hashlib.blake2b(digest_size=16)
    for tensor in (inputs, targets):
        found.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
