"""Folders of NATS-Bench: `NATS-tss-v1_0-3ffb9-simple` (topology) and `NATS-sss-v1_0-50262-simple` (size).

`meta.pickle.pbz2` lists the architectures' texts in `meta_archs`, and `000123.pickle.pbz2` holds what is
recorded of the one at position 123: pickles packed with bzip2.
"""

from __future__ import annotations

import bz2
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hwnas.oracles.arch_results import results_table
from hwnas.oracles.pickled_names import NAMES, Inert
from hwnas.oracles.safe_pickle import loads
from hwnas.oracles.table import MetricTable

META = "meta.pickle.pbz2"
MAX_BYTES = 64 * 1024**2


def read_nats_bench(
    folder: Path | str, *, dataset: str = "cifar10", epochs: int | None = None
) -> MetricTable:
    """The architectures whose files the folder has, with their results; see `results_table` for the columns.

    It takes tens of milliseconds for each architecture, most of them for bzip2.

    Args:
        folder: the unpacked folder.
        dataset: `cifar10`, `cifar10-valid`, `cifar100` or `ImageNet16-120`.
        epochs: 12 or 200 (topology), 1, 12 or 90 (size); the longest where None.

    Raises:
        ValueError: the folder is none of NATS-Bench, a file is damaged or larger than it may be, or there are
            no results of that data set or budget.
    """
    folder = Path(folder)
    if not (folder / META).is_file():
        raise ValueError(f"{folder} is no folder of NATS-Bench: {META} is missing")
    meta = _unpacked(folder / META)
    texts = meta.get("meta_archs") if isinstance(meta, dict) else None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{folder / META} has no list meta_archs of architectures")
    return results_table(_records(folder, texts), dataset=dataset, epochs=epochs, source=str(folder))


def _records(folder: Path, texts: list[str]) -> Iterator[tuple[str, Any]]:
    there = {path.name for path in folder.iterdir()}
    for index, text in enumerate(texts):
        name = f"{index:06d}.pickle.pbz2"
        if name in there:
            yield text, _unpacked(folder / name)


def _unpacked(path: Path) -> Any:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(
            f"{path}: {path.stat().st_size} bytes are more than a file of NATS-Bench's {MAX_BYTES}"
        )
    reader = bz2.BZ2Decompressor()
    try:
        data = reader.decompress(path.read_bytes(), max_length=MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"it unpacks to more than {MAX_BYTES} bytes")
        if not reader.eof:
            raise ValueError("it is cut off")
        return loads(data, NAMES, outside=Inert)[0]
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: {error}") from None
