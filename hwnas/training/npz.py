"""Data sets in a NumPy archive (.npz)."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hwnas.training.images import resize
from hwnas.training.source import MAX_BYTES, Indices, Pixels, Source, Split

CHANNELS = (1, 3)
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}

UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error)


def open_npz(path: Path, resolution: int | None) -> Source:
    """Open an archive of `images` and `labels`, optionally `test_images`, `test_labels` and `classes`.

    Images are [N, H, W, C], [N, C, H, W] or [N, H, W] with C of 1 or 3, uint8 or floats in [0, 1] or
    [0, 255]; labels are integers [N]; classes are strings. Channels stay as they are stored.
    Raises ValueError for anything else; nothing is unpickled.
    """
    arrays = _arrays(path)
    missing = [key for key in ("images", "labels") if key not in arrays]
    if missing:
        raise ValueError(
            f"{path} has no array {' and '.join(missing)} (it has {', '.join(arrays) or 'none'}): "
            "it needs images and labels, and may have test_images, test_labels and classes"
        )
    if ("test_images" in arrays) != ("test_labels" in arrays):
        raise ValueError(f"{path} has only one of test_images and test_labels: give both, or neither")
    unit = _is_unit_scale(arrays)
    train = _split(arrays, "", unit, path, resolution)
    test = _split(arrays, "test_", unit, path, resolution) if "test_images" in arrays else None
    return Source(train, test, _class_names(arrays["classes"], path) if "classes" in arrays else None)


def _class_names(names: NDArray[Any], path: Path) -> tuple[str, ...]:
    if names.dtype.kind != "U" or names.ndim != 1:
        raise ValueError(
            f"{path}: classes must be a list of strings; they are {names.dtype} of {names.shape}"
        )
    return tuple(str(name) for name in names)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as file:
                    _check_header(file, member)
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except UNREADABLE as error:
        raise ValueError(f"{path} is not a readable .npz archive: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _check_header(file: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Check an array's stated size before room is made for it."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"{member.filename} has npy version {version}; 1.0 and 2.0 can be read")
    shape, _, dtype = HEADERS[version](file)
    if dtype.hasobject:
        raise ValueError(
            f"{member.filename} holds Python objects, which are never loaded: store plain arrays"
        )
    if member.file_size > MAX_BYTES:
        raise ValueError(f"{member.filename} takes {member.file_size} bytes, more than {MAX_BYTES}")
    if prod(shape) * dtype.itemsize != member.file_size - file.tell():
        raise ValueError(f"{member.filename} states shape {shape} and holds {member.file_size} bytes")


def _is_unit_scale(arrays: Mapping[str, NDArray[Any]]) -> bool:
    images = [arrays[key] for key in ("images", "test_images") if key in arrays]
    return all(array.dtype.kind != "f" or array.max(initial=0) <= 1 for array in images)


def _split(
    arrays: Mapping[str, NDArray[Any]], prefix: str, unit: bool, path: Path, resolution: int | None
) -> Split:
    where = f"{path}, {prefix}images"
    images = _channels_first(_to_bytes(arrays[f"{prefix}images"], unit, where), where)
    labels = arrays[f"{prefix}labels"]
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{path}: {prefix}labels must be integers of shape {images.shape[:1]}, one for each image; "
            f"they are {labels.dtype} of shape {labels.shape}"
        )
    return Split(labels.astype(np.int64), lambda indices: _read(images, indices, resolution))


def _read(images: Pixels, indices: Indices, resolution: int | None) -> Pixels:
    return np.ascontiguousarray(resize(images[indices], resolution))


def _to_bytes(images: NDArray[Any], unit: bool, where: str) -> Pixels:
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise ValueError(f"{where} are {images.dtype}: give uint8, or floats in [0, 1] or [0, 255]")
    if not (np.isfinite(images).all() and images.min(initial=0) >= 0 and images.max(initial=0) <= 255):
        raise ValueError(f"{where} have values outside [0, 255]: give pixels that are not standardised")
    pixels: Pixels = np.rint(images * (255 if unit else 1)).astype(np.uint8)
    return pixels


def _channels_first(images: Pixels, where: str) -> Pixels:
    if images.ndim == 3:
        return images[:, None]
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(f"{where} have shape {images.shape}: give [N, H, W, C] or [N, C, H, W]")
    first, last = images.shape[1] in CHANNELS, images.shape[3] in CHANNELS
    if first == last:
        raise ValueError(
            f"{where} have shape {images.shape}, where the channels cannot be told: "
            "give [N, H, W, C] or [N, C, H, W] with 1 or 3 channels"
        )
    return images if first else images.transpose(0, 3, 1, 2)
