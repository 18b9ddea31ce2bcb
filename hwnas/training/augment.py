"""Random changes to a batch of images, all images at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a train image.

    Attributes:
        crop: the image is padded by this fraction of its side on every side, and cropped to its size at a
            random place; 0.125 is the usual 4 pixels of 32.
        flip: whether it is mirrored left to right, half of the time.
        cutout: a square of this fraction of the side is painted over around a random pixel (DeVries and
            Taylor, 2017, arXiv:1708.04552); 0.5 is their 16 of 32 pixels.

    Raises ValueError for fractions outside [0, 1].
    """

    crop: float = 0.125
    flip: bool = True
    cutout: float = 0.0

    def __post_init__(self) -> None:
        for name, fraction in (("crop", self.crop), ("cutout", self.cutout)):
            if not 0 <= fraction <= 1:
                raise ValueError(f"{name} is a fraction of the image's side, from 0 to 1; got {fraction}")


def augment(images: Tensor, how: Augmentation, generator: torch.Generator, fill: Tensor) -> Tensor:
    """Change a batch [N, C, H, W] of any dtype at random; shape, dtype and device are kept.

    Args:
        images: the batch.
        how: which changes.
        generator: a CPU generator; it alone decides the draws, on any device.
        fill: the colour [C] of padding and cutout, in the dtype of the images.
    """
    moved = _crop_and_flip(images, how, generator, fill)
    return _cutout(moved, how.cutout, generator, fill) if how.cutout > 0 else moved


def _crop_and_flip(images: Tensor, how: Augmentation, generator: torch.Generator, fill: Tensor) -> Tensor:
    count, _, height, width = images.shape
    down, right = round(how.crop * height), round(how.crop * width)
    top = torch.randint(0, 2 * down + 1, (count, 1), generator=generator)
    left = torch.randint(0, 2 * right + 1, (count, 1), generator=generator)
    rows = top + torch.arange(height)
    columns = left + torch.arange(width)
    if how.flip:
        mirrored = torch.rand((count, 1), generator=generator) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    padded = _pad(images, down, right, fill)
    return _gather(padded, rows.to(images.device), columns.to(images.device))


def _pad(images: Tensor, down: int, right: int, fill: Tensor) -> Tensor:
    count, channels, height, width = images.shape
    colour = fill.to(images.device).view(1, channels, 1, 1)
    padded = colour.expand(count, channels, height + 2 * down, width + 2 * right).contiguous()
    padded[:, :, down : down + height, right : right + width] = images
    return padded


def _gather(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Take rows [N, h] and columns [N, w] of images [N, C, H, W]; gives [N, C, h, w]."""
    count, channels, _, width = images.shape
    tall = images.gather(2, rows[:, None, :, None].expand(count, channels, rows.shape[1], width))
    return tall.gather(3, columns[:, None, None, :].expand(count, channels, rows.shape[1], columns.shape[1]))


def _cutout(images: Tensor, fraction: float, generator: torch.Generator, fill: Tensor) -> Tensor:
    count, _, height, width = images.shape
    rows = _span(height, round(fraction * height), count, generator).to(images.device)
    columns = _span(width, round(fraction * width), count, generator).to(images.device)
    hole = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(hole, fill.to(images.device).view(1, -1, 1, 1), images)


def _span(side: int, length: int, count: int, generator: torch.Generator) -> Tensor:
    """Mark `length` places around a random one, cut off at the borders: bool [count, side]."""
    start = torch.randint(0, side, (count, 1), generator=generator) - length // 2
    place = torch.arange(side)
    return (place >= start) & (place < start + length)


def one_colour(mean: tuple[float, ...]) -> Tensor:
    """Give the colour of a mean on the scale [0, 1] as uint8 [C]."""
    return (torch.tensor(mean) * 255).round().to(torch.uint8)
