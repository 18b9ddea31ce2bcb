"""Data sets that are a folder of image files for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hwnas.training.images import SUFFIXES, decode_all
from hwnas.training.source import Indices, Pixels, Source, Split


def open_folder(root: Path, resolution: int | None) -> Source:
    """Open `root/class/*.png`, or `root/train/class/*` and perhaps `root/test/class/*`.

    Classes are the names of the folders, sorted; files that are no images by their suffix are passed over.
    Raises ValueError for a folder without classes, a class without images, and a class that only the test
    part has.
    """
    has_train = (root / "train").is_dir()
    train_root, test_root = (root / "train" if has_train else root), root / "test"
    classes = _class_names(train_root)
    train = _split(train_root, classes, resolution)
    if not (has_train and test_root.is_dir()):
        return Source(train, None, classes)
    held = _class_names(test_root)
    unknown = sorted(set(held) - set(classes))
    if unknown:
        raise ValueError(f"{test_root} has classes that {train_root} has not: {', '.join(unknown)}")
    return Source(train, _split(test_root, classes, resolution), classes)


def _class_names(root: Path) -> tuple[str, ...]:
    names = sorted(
        entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )
    if not names:
        raise ValueError(
            f"{root} holds no folders: give a folder with one folder of images for each class, "
            "or with train/ and test/ of them, or with train.parquet and test.parquet"
        )
    for name in names:
        if not _files(root / name):
            raise ValueError(f"{root / name} holds no images ({', '.join(SUFFIXES)})")
    return tuple(names)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)


def _split(root: Path, classes: tuple[str, ...], resolution: int | None) -> Split:
    labelled = [(file, label) for label, name in enumerate(classes) for file in _files(root / name)]

    def read(indices: Indices) -> Pixels:
        chosen = [labelled[index][0] for index in indices]
        return decode_all(((str(file), file) for file in chosen), len(chosen), resolution)

    return Split(np.array([label for _, label in labelled], dtype=np.int64), read)
