"""Labelled images that are not read yet: what each file format offers to `load`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Pixels = NDArray[np.uint8]

MAX_BYTES = 8 * 1024**3


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    `labels` is [N]; `read` takes ascending indices [n] into them and gives the images, uint8 [n, C, H, W].
    """

    labels: Indices
    read: Callable[[Indices], Pixels]

    def subset(self, chosen: Indices) -> Split:
        """Give the part at the ascending indices `chosen` [n]; nothing is read."""
        return Split(self.labels[chosen], lambda indices: self.read(chosen[indices]))

    def images(self) -> Pixels:
        """Read every image, uint8 [N, C, H, W]."""
        return self.read(np.arange(len(self.labels)))


@dataclass(frozen=True)
class Source:
    """A data set on disk: `test` is None where it has no test part, `classes` where it names none.

    `mirrors` says whether a mirrored image keeps its label.
    """

    train: Split
    test: Split | None = None
    classes: tuple[str, ...] | None = None
    mirrors: bool = True


def allocate(count: int, channels: int, height: int, width: int) -> Pixels:
    """Give room for images, uint8 [count, channels, height, width].

    Raises ValueError where they take more than 8 GiB.
    """
    needed = count * channels * height * width
    if needed > MAX_BYTES:
        raise ValueError(
            f"{count} images of {channels}x{height}x{width} take {needed / 1024**3:.1f} GiB of memory, "
            f"more than {MAX_BYTES // 1024**3} GiB: give a smaller resolution or a limit"
        )
    return np.empty((count, channels, height, width), dtype=np.uint8)


def hold_out(labels: Indices, fraction: float, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """Split [N] labels into ascending indices (kept, held out), `fraction` of each class held out.

    A class of two or more images is in both parts; a single image is kept.
    Raises ValueError where no class has two images.
    """
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        count = min(max(1, round(fraction * len(members))), len(members) - 1)
        held[members[:count]] = True
    if not held.any():
        raise ValueError("no class has two images, so none can be held out: give a test set, or more images")
    return np.flatnonzero(~held), np.flatnonzero(held)


def stratified(labels: Indices, limit: int, rng: np.random.Generator) -> Indices:
    """Draw at most `limit` ascending indices into [N] labels, each class in proportion to its size."""
    order = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order[members] = (rng.permutation(len(members)) + rng.random()) / len(members)
    return np.sort(np.argsort(order, kind="stable")[:limit])
