"""An image classification data set, held in memory as bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from hwnas.training.source import hold_out


@dataclass(frozen=True, eq=False)
class DataSet:
    """Images and labels of a train and a test part.

    Shapes: images are uint8 [N, C, H, W], labels int64 [N] with values in 0..len(classes)-1.
    `mean` and `std` are of each channel of the train images, on the scale where a pixel is in [0, 1];
    `std` is at least 1/255. `mirrors` says whether a mirrored image keeps its label.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirrors: bool = True

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape (C, H, W) of one image."""
        _, channels, height, width = self.train_images.shape
        return channels, height, width

    def for_selection(self, fraction: float = 0.2, seed: int = 0) -> DataSet:
        """Give the train part alone, a stratified `fraction` of it in place of the test part.

        What is chosen by accuracy is chosen on that part, so that the test images stay unseen until the end.
        """
        rng = np.random.default_rng(seed)
        kept, held = map(torch.from_numpy, hold_out(self.train_labels.numpy(), fraction, rng))
        return replace(
            self,
            train_images=self.train_images[kept],
            train_labels=self.train_labels[kept],
            test_images=self.train_images[held],
            test_labels=self.train_labels[held],
        )

    def standardise(self, images: Tensor) -> Tensor:
        """Turn uint8 [N, C, H, W] into float32 of mean 0 and deviation 1 per channel of the train set."""
        mean = torch.tensor(self.mean, device=images.device).view(1, -1, 1, 1) * 255
        scale = torch.tensor(self.std, device=images.device).view(1, -1, 1, 1) * 255
        return images.float().sub_(mean).div_(scale)

    def batch(self, size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Draw a random train batch: standardised float32 [size, C, H, W], and labels int64 [size].

        Raises ValueError where the train set has fewer images than `size`.
        """
        if not 1 <= size <= len(self.train_labels):
            raise ValueError(f"size must be 1 to {len(self.train_labels)}, the train images; got {size}")
        drawn = torch.randperm(len(self.train_labels), generator=torch.Generator().manual_seed(seed))[:size]
        return self.standardise(self.train_images[drawn]), self.train_labels[drawn]

    def crops(self, size: int, side: int, seed: int = 0) -> Tensor:
        """Draw random crops of a single channel of train images: standardised float32 [size, 1, side, side].

        Each is of another image as long as there are enough. Raises ValueError where `size` is below 1 or
        `side` exceeds that of the images.
        """
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        channels, height, width = self.input_shape
        if not 1 <= side <= min(height, width):
            raise ValueError(f"side must be 1 to {min(height, width)}, that of the images; got {side}")
        generator = torch.Generator().manual_seed(seed)
        image = torch.randperm(len(self.train_labels), generator=generator)[
            torch.arange(size) % len(self.train_labels)
        ]
        channel, top, left = (
            torch.randint(high, (size,), generator=generator)
            for high in (channels, height - side + 1, width - side + 1)
        )
        pixels = torch.arange(side)
        rows, columns = (start.view(-1, 1) + pixels for start in (top, left))
        crops = self.train_images[
            image.view(-1, 1, 1, 1),
            torch.arange(channels).view(1, -1, 1, 1),
            rows.view(-1, 1, side, 1),
            columns.view(-1, 1, 1, side),
        ]
        return self.standardise(crops)[torch.arange(size), channel].unsqueeze(1)


def channel_statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give mean and standard deviation per channel of uint8 [N, C, H, W], pixels on the scale [0, 1]."""
    counts = [
        torch.bincount(images[:, c].reshape(-1), minlength=256).double() for c in range(images.shape[1])
    ]
    values = torch.arange(256, dtype=torch.float64) / 255
    means = [float((count * values).sum() / count.sum()) for count in counts]
    variances = [
        float((count * (values - mean) ** 2).sum() / count.sum())
        for count, mean in zip(counts, means, strict=True)
    ]
    return tuple(means), tuple(max(variance**0.5, 1 / 255) for variance in variances)
