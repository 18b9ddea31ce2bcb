"""Real handwritten digits on a noisy canvas: a data set that needs no download.

The 1,797 images of 8x8 pixels are scikit-learn's copy of the test part of "Optical Recognition of Handwritten
Digits" (Alpaydin and Kaynak, 1998, UCI). Each is drawn four times: at a random size, tilt and place, light on
a darker ground of random colour and slanting brightness, with random contrast and noise. Which originals are
tested is decided before drawing, so no test image is another drawing of a train image.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from hwnas.training.source import Indices, Pixels, Source, Split, allocate, hold_out

CLASSES = tuple(str(digit) for digit in range(10))
TRAIN_RENDERINGS = 4
TEST_RENDERINGS = 4
TEST_FRACTION = 0.2
DRAWN_AT_ONCE = 256

Floats = NDArray[np.float32]


def open_digits(resolution: int | None, seed: int) -> Source:
    """Open the digits on canvases of 3 x resolution x resolution pixels (32 where it is None).

    The seed decides the split and every drawing. Raises ValueError for a resolution below 12.
    """
    side = 32 if resolution is None else resolution
    if side < 12:
        raise ValueError(f"the digits need a resolution of at least 12, got {side}")
    originals, labels = _originals()
    train, test = hold_out(labels, TEST_FRACTION, np.random.default_rng([seed, 0]))
    return Source(
        _split(originals[train], labels[train], TRAIN_RENDERINGS, side, [seed, 1]),
        _split(originals[test], labels[test], TEST_RENDERINGS, side, [seed, 2]),
        CLASSES,
        mirrors=False,
    )


def _originals() -> tuple[Floats, Indices]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images / 16).astype(np.float32), digits.target.astype(np.int64)


def _split(originals: Floats, labels: Indices, renderings: int, side: int, seed: list[int]) -> Split:
    def read(indices: Indices) -> Pixels:
        canvases = allocate(len(indices), 3, side, side)
        for start in range(0, len(indices), DRAWN_AT_ONCE):
            part = indices[start : start + DRAWN_AT_ONCE]
            rng = np.random.default_rng([*seed, int(part[0])])
            canvases[start : start + DRAWN_AT_ONCE] = draw(originals[part // renderings], side, rng)
        return canvases

    return Split(np.repeat(labels, renderings), read)


def draw(digits: Floats, side: int, rng: np.random.Generator) -> Pixels:
    """Draw float digits [n, 8, 8] in [0, 1] on canvases, uint8 [n, 3, side, side]."""
    each = (len(digits), 1, 1, 1)
    per_channel = (len(digits), 3, 1, 1)
    paper = 0.3 + rng.uniform(-0.15, 0.15, per_channel) + _slant(len(digits), side, rng)
    contrast = rng.uniform(0.35, 0.6, each) + rng.uniform(-0.15, 0.15, per_channel)
    noise = rng.standard_normal((len(digits), 3, side, side), dtype=np.float32)
    canvas = paper + contrast * _place(digits, side, rng) + rng.uniform(0.02, 0.12, each) * noise
    pixels: Pixels = np.rint(255 * canvas.clip(0, 1)).astype(np.uint8)
    return pixels


def _place(digits: Floats, side: int, rng: np.random.Generator) -> Floats:
    """Enlarge, tilt and move digits [n, 8, 8]; gives the ink of each pixel, [n, 1, side, side]."""
    count = len(digits)
    size = rng.uniform(0.55, 0.85, count)
    angle = rng.uniform(-0.2, 0.2, count)
    centre = rng.uniform(-1, 1, (count, 2)) * (1 - size)[:, None]
    cos, sin = np.cos(angle) / size, np.sin(angle) / size
    rotation = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], 1)
    shift = -(rotation @ centre[:, :, None])
    affine = torch.from_numpy(np.concatenate([rotation, shift], 2).astype(np.float32))
    grid = F.affine_grid(affine, [count, 1, side, side], align_corners=False)
    ink: Floats = F.grid_sample(torch.from_numpy(digits)[:, None], grid, align_corners=False).numpy()
    return ink


def _slant(count: int, side: int, rng: np.random.Generator) -> Floats:
    """Give a brightness that grows along a random direction, [n, 1, side, side]."""
    across = np.linspace(-1, 1, side, dtype=np.float32)
    slope = rng.uniform(-0.2, 0.2, (count, 2, 1, 1, 1)).astype(np.float32)
    return np.asarray(slope[:, 0] * across[None, None, None, :] + slope[:, 1] * across[None, None, :, None])
