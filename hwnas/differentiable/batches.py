"""Batches of images for a search, drawn by one generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from hwnas.training import Augmentation, DataSet
from hwnas.training.batches import Batch, shuffled


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
        return self._pass(self.data)

    def for_logits(self) -> Iterator[Batch]:
        """Pass after pass, without end."""
        data = self.data
        held_out = replace(data, train_images=data.test_images, train_labels=data.test_labels)
        while True:
            yield from self._pass(held_out)

    def _pass(self, data: DataSet) -> Iterator[Batch]:
        return shuffled(data, self.size, Augmentation(), self.generator, self.device)
