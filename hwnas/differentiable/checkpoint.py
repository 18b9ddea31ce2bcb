"""A search between two epochs, in one file that is there whole or not at all."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hwnas.differentiable.records import RECORD
from hwnas.files import read_file, write_whole

CHECKPOINT = "checkpoint.pt"
_LARGEST = 16 << 30


@dataclass(frozen=True)
class Checkpoint:
    """Where a search is.

    Attributes:
        config: everything that decides the search, by the name of the setting; plain data.
        state: tensors and plain data that the search goes on from.
        epochs: of the record, as plain data.
        stopped: why the search ended early; empty where it did not.
    """

    config: Mapping[str, Any]
    state: Mapping[str, Any]
    epochs: list[dict[str, Any]]
    stopped: str

    def save(self, folder: Path) -> None:
        """Write it, in place of an earlier one."""
        content = io.BytesIO()
        torch.save(dict(vars(self)), content)
        write_whole(folder / CHECKPOINT, content.getvalue())


def read_checkpoint(folder: Path, config: Mapping[str, Any]) -> Checkpoint | None:
    """The checkpoint in a folder, or None where no search began there; nothing in it is executed.

    Raises:
        ValueError: it is of a search with another `config`, whose differing settings are named; it is
            damaged, or missing beside a record.
    """
    path = folder / CHECKPOINT
    try:
        content = torch.load(io.BytesIO(read_file(path, _LARGEST)), map_location="cpu", weights_only=True)
        found = Checkpoint(**content)
    except FileNotFoundError:
        if (folder / RECORD).exists():
            raise ValueError(
                f"{folder} holds a search whose {CHECKPOINT} is missing; choose another folder"
            ) from None
        return None
    except (RuntimeError, EOFError, TypeError, KeyError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    different = [
        f"{name} was {found.config.get(name)}, now {config.get(name)}"
        for name in {**found.config, **config}
        if found.config.get(name) != config.get(name)
    ]
    if different:
        raise ValueError(
            f"{folder} holds a search with other settings ({'; '.join(different)}); choose another folder"
        )
    return found
