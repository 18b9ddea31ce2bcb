"""Batches of images for a search, drawn by one generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hwnas.training import Augmentation, DataSet, augment
from hwnas.training.augment import one_colour

Batch = tuple[Tensor, Tensor]
"""Standardised images float32 [n, C, H, W], channels last in memory, and labels int64 [n]."""


@dataclass(frozen=True, eq=False)
class Batches:
    """The images that the weights learn from, and those of the logits.

    Attributes:
        data: the train part for the weights, the test part for the logits.
        size: images in a batch; a last batch that is not full is left out.
        device: where the batches are.
        generator: draws orders, crops and flips; its state is all that a pass depends on.
    """

    data: DataSet
    size: int
    device: torch.device
    generator: torch.Generator

    @classmethod
    def split(cls, data: DataSet, share: float, size: int, seed: int, device: torch.device) -> Batches:
        """Hold out that share of each class of the train images for the logits; test images are not used.

        Raises:
            ValueError: a part has fewer images than a batch.
        """
        parts = data.for_selection(share, seed)
        fewest = min(len(parts.train_labels), len(parts.test_labels))
        if fewest < size:
            raise ValueError(
                f"batch_size must be at most {fewest}: {len(parts.train_labels)} images are for the weights "
                f"and {len(parts.test_labels)} for the architecture; got {size}"
            )
        return cls(parts, size, device, torch.Generator().manual_seed(seed))

    def __len__(self) -> int:
        """Batches in a pass of the weights."""
        return len(self.data.train_labels) // self.size

    def for_weights(self) -> Iterator[Batch]:
        """One pass."""
        yield from self._pass(self.data.train_images, self.data.train_labels)

    def for_logits(self) -> Iterator[Batch]:
        """Pass after pass, without end."""
        while True:
            yield from self._pass(self.data.test_images, self.data.test_labels)

    def _pass(self, images: Tensor, labels: Tensor) -> Iterator[Batch]:
        how = replace(Augmentation(), flip=self.data.mirrors)
        order = torch.randperm(len(labels), generator=self.generator)
        for chosen in order[: len(labels) // self.size * self.size].view(-1, self.size):
            pixels = images[chosen].to(self.device)
            pixels = augment(pixels, how, self.generator, one_colour(self.data.mean))
            ready = self.data.standardise(pixels).contiguous(memory_format=torch.channels_last)
            yield ready, labels[chosen].to(self.device)
