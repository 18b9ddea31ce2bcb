"""A training in one file: tensors by name and a document, written whole or not at all, read as data."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hwnas.files import write_whole
from hwnas.training.npz import HEADERS, UNREADABLE

DOCUMENT = "document"
LARGEST = 16 << 20
"""Bytes of a document."""


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Write a NumPy archive of the tensors, and of the document as JSON.

    Raises:
        OSError: the folder cannot be written; what stood there is unchanged.
    """
    arrays: dict[str, Any] = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    arrays[DOCUMENT] = np.frombuffer(json.dumps(document).encode(), dtype=np.uint8)
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_whole(path, content.getvalue())


class Checkpoint:
    """An open file.

    Attributes:
        document: as it was written, by name.
        names: of the tensors.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = {name.removesuffix(".npy") for name in archive.namelist()} - {DOCUMENT}
        self.document = json.loads(self._array(DOCUMENT, None).tobytes())
        if not isinstance(self.document, dict):
            raise ValueError(f"{DOCUMENT} is {self.document!r}")

    def read_into(self, name: str, tensor: Tensor) -> None:
        """Set the tensor to what is kept by that name.

        Raises:
            ValueError: it has another shape or type there.
        """
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(self._array(name, tensor)))

    def _array(self, name: str, like: Tensor | None) -> Any:
        with self._archive.open(f"{name}.npy") as file:
            shape, _, dtype = HEADERS[np.lib.format.read_magic(file)](file)
            size = np.prod(shape) * dtype.itemsize
        if like is None:
            fits = bool(dtype == np.uint8 and size <= LARGEST)
        else:
            fits = (shape, dtype) == (tuple(like.shape), torch.empty(0, dtype=like.dtype).numpy().dtype)
        if not fits:
            raise ValueError(f"{name} is {dtype} of {shape}")
        with self._archive.open(f"{name}.npy") as file:
            return np.lib.format.read_array(file, allow_pickle=False)


@contextmanager
def open_checkpoint(path: Path) -> Iterator[Checkpoint]:
    """Open what `write_checkpoint` wrote; of its tensors only those that are asked for are read.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged or no checkpoint; so is what is read from it inside.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield Checkpoint(archive)
    except FileNotFoundError:
        raise
    except (*UNREADABLE, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged, or no checkpoint of this training ({error}); without it, the training "
            "begins anew"
        ) from error


def differences(kept: Mapping[str, Any], wanted: Mapping[str, Any], within: str = "") -> list[str]:
    """Where two documents differ: `settings.training.epochs was 3, now 4`."""
    found: list[str] = []
    for name in dict.fromkeys([*kept, *wanted]):
        old, new = kept.get(name), wanted.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{within}{name}.")
        elif old != new:
            found.append(f"{within}{name} was {old}, now {new}")
    return found
