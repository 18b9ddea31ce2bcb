"""Decoding image files, and bringing images to one size."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

from hwnas.training.source import Pixels, allocate

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")


def decode(encoded: bytes | Path, where: str, resolution: int | None = None) -> Pixels:
    """Decode one image to RGB, uint8 [3, H, W]; `where` names it in errors.

    With a `resolution` it becomes square: the middle of the longer side, resized (bilinear).
    Raises ValueError where the bytes are no whole image of a common format, or where the image has more
    pixels than `PIL.Image.MAX_IMAGE_PIXELS`; the size is checked before anything is decoded.
    """
    file = io.BytesIO(encoded) if isinstance(encoded, bytes) else encoded
    try:
        with Image.open(file, formats=FORMATS) as image:
            _check_pixels(image)
            rgb = image.convert("RGB")
    except Image.DecompressionBombWarning as warning:
        raise ValueError(f"{where}: the image is too large: {warning}") from None
    except (OSError, EOFError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{where}: the image cannot be decoded: {error}") from error
    if resolution is not None and rgb.size != (resolution, resolution):
        rgb = ImageOps.fit(rgb, (resolution, resolution), Image.Resampling.BILINEAR)
    return np.asarray(rgb).transpose(2, 0, 1)


def _check_pixels(image: Image.Image) -> None:
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and image.width * image.height > most:
        raise ValueError(f"it is {image.width}x{image.height}, more than {most} pixels")


def decode_all(items: Iterable[tuple[str, bytes | Path]], count: int, resolution: int | None) -> Pixels:
    """Decode `count` pairs of (name for errors, bytes or path) to uint8 [count, 3, H, W].

    Raises ValueError as `decode` does, and where sizes differ and no resolution is given.
    """
    images: Pixels | None = None
    for position, (where, encoded) in enumerate(items):
        image = decode(encoded, where, resolution)
        if images is None:
            images = allocate(count, *image.shape)
        if image.shape != images.shape[1:]:
            raise ValueError(
                f"{where}: the image is {image.shape[2]}x{image.shape[1]} and the first one "
                f"{images.shape[3]}x{images.shape[2]}: give a resolution, and all are resized to it"
            )
        images[position] = image
    assert images is not None
    return images


def resize(images: Pixels, resolution: int | None) -> Pixels:
    """Resize uint8 [N, C, H, W] to [N, C, resolution, resolution]: the middle square, bilinear."""
    height, width = images.shape[2:]
    if resolution is None or (height, width) == (resolution, resolution):
        return images
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = torch.from_numpy(np.ascontiguousarray(images[:, :, top : top + side, left : left + side]))
    resized = allocate(len(images), images.shape[1], resolution, resolution)
    for start in range(0, len(images), 1024):
        part = square[start : start + 1024]
        size = (resolution, resolution)
        resized[start : start + 1024] = F.interpolate(part, size, mode="bilinear", antialias=True).numpy()
    return resized
