"""Files of a report in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path


def write_files(folder: Path | str, writers: Mapping[str, Callable[[Path], object]]) -> tuple[Path, ...]:
    """Call each writer with the path of its file in `folder`, which is made if missing.

    Returns:
        The paths, in the order of `writers`.

    Raises:
        OSError: the folder cannot be written.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name, write in writers.items():
        write(place / name)
    return tuple([place / name for name in writers])
