"""Data for a supernetwork: whether it fits, and what tells it from other data."""

from __future__ import annotations

import zlib

from hwnas.network.network import Shape
from hwnas.spaces.supernetwork import Supernetwork
from hwnas.training import DataSet, load


def fitting(supernetwork: Supernetwork, data: DataSet | str) -> DataSet:
    """The data, loaded at the networks' resolution where its name or path is given.

    Raises:
        ValueError: it cannot be loaded, or has other images or classes than the networks take.
    """
    (takes,), (gives,) = supernetwork.skeleton.inputs, supernetwork.skeleton.outputs
    loaded = load(data, resolution=takes.shape[-1]) if isinstance(data, str) else data
    if loaded.input_shape != takes.shape or gives.shape != (len(loaded.classes),):
        raise ValueError(
            f"space {supernetwork.space.name} takes images {_text(takes.shape)} and has {gives.size} "
            f"classes; {loaded.name} has images {_text(loaded.input_shape)} and {len(loaded.classes)} classes"
        )
    return loaded


def fingerprint(data: DataSet) -> str:
    """Name, number and a checksum of the train images and labels, by which a search knows its data again."""
    checksum = 0
    for tensor in (data.train_images, data.train_labels):
        checksum = zlib.crc32(tensor.contiguous().numpy().tobytes(), checksum)
    return f"{data.name}, {len(data.train_labels)} train images, checksum {checksum:08x}"


def _text(shape: Shape) -> str:
    return "×".join(map(str, shape))
