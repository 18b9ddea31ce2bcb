"""Loading a data set by its name or path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from hwnas.training.dataset import DataSet, channel_statistics
from hwnas.training.digits import open_digits
from hwnas.training.folder import open_folder
from hwnas.training.npz import open_npz
from hwnas.training.parquet import open_parquet
from hwnas.training.source import Indices, Source, Split, hold_out, stratified

TEST_FRACTION = 0.2
KNOWN = (
    "digits",
    "a .npz file",
    "a .parquet file",
    "a folder with train.parquet and test.parquet",
    "a folder with a folder of images for each class",
)


def load(spec: str | Path, resolution: int | None = None, limit: int | None = None, seed: int = 0) -> DataSet:
    """Load an image classification data set into memory.

    Args:
        spec: `digits`, or the path of a .npz file, a .parquet file, a folder with train.parquet and
            test.parquet, or a folder with a folder of images for each class; `open_npz`, `open_parquet` and
            `open_folder` say what each holds. Where there is no test part, a fifth of each class is held out.
        resolution: height and width in pixels to bring the images to; their own size where None (digits: 32).
        limit: at most so many train images and so many test images, drawn in proportion to the classes.
        seed: decides the part held out, what a limit keeps, and how the digits are drawn.

    Raises:
        ValueError: an unknown spec, a file that is not what it should be, or fewer than two classes.
    """
    _check_arguments(resolution, limit, seed)
    source = _open(spec, resolution, seed)
    classes = _check_classes(source, str(spec))
    rng = np.random.default_rng([seed, 3])
    train, test = _with_test(source, rng)
    if limit is not None:
        train, test = (part.subset(stratified(part.labels, limit, rng)) for part in (train, test))
    return _read(_name(spec), train, test, classes, source.mirrors)


def _check_arguments(resolution: int | None, limit: int | None, seed: int) -> None:
    if resolution is not None and resolution < 1:
        raise ValueError(f"resolution must be a positive number of pixels, got {resolution}")
    if limit is not None and limit < 2:
        raise ValueError(f"limit must be at least 2 images, got {limit}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")


def _open(spec: str | Path, resolution: int | None, seed: int) -> Source:
    if spec == "digits":
        return open_digits(resolution, seed)
    path = Path(spec)
    if path.is_dir():
        opener = open_parquet if (path / "train.parquet").exists() else open_folder
        return opener(path, resolution)
    if not path.is_file() or path.suffix not in (".npz", ".parquet"):
        reason = "" if path.exists() else " (there is no such file)"
        raise ValueError(
            f"unknown data set {str(spec)!r}{reason}: give {', '.join(KNOWN[:-1])}, or {KNOWN[-1]}"
        )
    return open_npz(path, resolution) if path.suffix == ".npz" else open_parquet(path, resolution)


def _name(spec: str | Path) -> str:
    return str(spec) if spec == "digits" else Path(spec).resolve().stem


def _check_classes(source: Source, where: str) -> tuple[str, ...]:
    """Check every label, and give the names of the classes ("0", "1", ... where the source has none)."""
    labels = source.train.labels
    if len(labels) == 0:
        raise ValueError(f"{where} holds no train images")
    if len(np.unique(labels)) < 2:
        raise ValueError(
            f"{where} has images of one class only, of label {labels[0]}: at least two are needed"
        )
    classes = source.classes or _numbered(labels, where)
    for part, split in (("train", source.train), ("test", source.test)):
        if split is not None:
            _check_labels(split.labels, classes, f"{where}, {part}")
    return classes


def _numbered(labels: Indices, where: str) -> tuple[str, ...]:
    present = np.unique(labels)
    if not np.array_equal(present, np.arange(len(present))):
        raise ValueError(
            f"{where} has {len(present)} classes with labels from {present[0]} to {present[-1]}: "
            f"labels must be 0 to {len(present) - 1}, each with an image"
        )
    return tuple(str(label) for label in present)


def _check_labels(labels: Indices, classes: tuple[str, ...], where: str) -> None:
    if len(labels) == 0:
        raise ValueError(f"{where}: there are no images")
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(wrong):
        raise ValueError(
            f"{where}, image {wrong[0]}: label {labels[wrong[0]]} is out of range, "
            f"it must be 0 to {len(classes) - 1} ({len(classes)} classes)"
        )


def _with_test(source: Source, rng: np.random.Generator) -> tuple[Split, Split]:
    if source.test is not None:
        return source.train, source.test
    kept, held = hold_out(source.train.labels, TEST_FRACTION, rng)
    return source.train.subset(kept), source.train.subset(held)


def _read(name: str, train: Split, test: Split, classes: tuple[str, ...], mirrors: bool) -> DataSet:
    train_images, test_images = (torch.from_numpy(part.images()) for part in (train, test))
    if train_images.shape[1:] != test_images.shape[1:]:
        raise ValueError(
            f"{name}: train images are {list(train_images.shape[1:])} and test images "
            f"{list(test_images.shape[1:])} (channels, height, width): give a resolution"
        )
    mean, std = channel_statistics(train_images)
    labels = (torch.from_numpy(part.labels.copy()) for part in (train, test))
    train_labels, test_labels = labels
    return DataSet(name, train_images, train_labels, test_images, test_labels, classes, mean, std, mirrors)
