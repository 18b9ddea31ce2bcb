"""The synthetic regression targets of GenNAS: waves, blurred dots and shrunken images, added up.

Every function draws from its own generator, so that all networks of one seed get the same task.
"""

import math
from dataclasses import dataclass

import torch
from scipy.ndimage import gaussian_filter
from torch import Generator, Tensor
from torch.nn import functional as F

SIDE = 8


@dataclass(frozen=True)
class Waves:
    """Sines over rows or columns (`plane=False`), or over both.

    `level` is their amplitude; a channel's frequencies, in waves per pixel, are drawn from `frequencies`.
    """

    level: float
    frequencies: tuple[float, ...]
    plane: bool = False


@dataclass(frozen=True)
class Dots:
    """Random signs at a `share` of the pixels, blurred (sigma 1) and scaled to a largest size of `level`."""

    level: float
    share: float


@dataclass(frozen=True)
class Target:
    """What one stage is to give: (B, channels, 8, 8).

    `own` says whether each image has waves and dots of its own, or all have the same; `image` is the level of
    the images' own colours.
    """

    channels: int
    own: bool
    waves: tuple[Waves, ...] = ()
    dots: Dots | None = None
    image: float = 0.0


def draw_target(target: Target, images: Tensor, generator: Generator) -> Tensor:
    """Draw the target (B, channels, 8, 8) of a stage for images (B, colours, height, width)."""
    shape = (len(images) if target.own else 1, target.channels)
    total = torch.zeros(*shape, SIDE, SIDE)
    for waves in target.waves:
        total = total + _waves(waves, shape, generator)
    if target.dots is not None:
        total = total + _dots(target.dots, shape, generator)
    if target.image:
        total = total + target.image * _colours(images, target.channels, generator)
    return total.expand(len(images), -1, -1, -1).to(images)


def _waves(waves: Waves, shape: tuple[int, int], generator: Generator) -> Tensor:
    """Sines with random frequencies and phases; those over both axes rise to the left or to the right."""
    frequencies = torch.tensor(waves.frequencies)
    drawn = torch.randint(len(frequencies), (2, *shape), generator=generator)
    along_rows, along_columns = frequencies[drawn]
    coin = torch.randint(2, shape, generator=generator)
    phase = torch.rand(shape, generator=generator)
    if waves.plane:
        along_rows = along_rows * (2 * coin - 1)
    else:
        along_rows, along_columns = along_rows * coin, along_columns * (1 - coin)
    pixels = torch.arange(1.0, SIDE + 1)
    turns = (
        along_rows[..., None, None] * pixels[:, None]
        + along_columns[..., None, None] * pixels
        + phase[..., None, None]
    )
    return torch.sin(2 * math.pi * turns) * waves.level


def _dots(dots: Dots, shape: tuple[int, int], generator: Generator) -> Tensor:
    places = SIDE * SIDE
    order = torch.rand(*shape, places, generator=generator).argsort(-1)
    signs = 2 * torch.randint(2, (*shape, places), generator=generator) - 1
    points = torch.where(order < int(dots.share * places), signs, 0).reshape(*shape, SIDE, SIDE)
    blurred = torch.from_numpy(gaussian_filter(points.numpy().astype("float32"), (0, 0, 1, 1)))
    return dots.level * blurred / blurred.abs().amax((2, 3), keepdim=True)


def _colours(images: Tensor, channels: int, generator: Generator) -> Tensor:
    """The images at 8x8 pixels, from -1 to 1 over the batch, a random colour for each channel."""
    small = F.interpolate(images.detach().cpu().float(), (SIDE, SIDE))
    low, high = small.min(), small.max()
    scaled = 2 * (small - low) / (high - low).clamp(min=torch.finfo(small.dtype).tiny) - 1
    return scaled[:, torch.randint(images.shape[1], (channels,), generator=generator)]
