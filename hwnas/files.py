"""Files that are there whole or not at all, and stay; and reading those that may be anybody's."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Write one file as `write_together` does; text as UTF-8."""
    write_together(path.parent, {path.name: content.encode() if isinstance(content, str) else content})


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, replacing those of their names.

    All are complete on the disk before the first gets its name. The last name is given last: a machine that
    stops between two of the names leaves a mixture in which that file is still the old one.

    Raises:
        OSError: the folder is missing or cannot be written, for instance the disk is full; what stood there
            is unchanged. It names the file, or the folder where several are written.
    """
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as drafts:
            for name, content in contents.items():
                _write_durably(Path(drafts) / name, content)
            for name in contents:
                (Path(drafts) / name).replace(folder / name)
        sync_folder(folder)
    except OSError as error:
        where = folder.joinpath(*contents) if len(contents) == 1 else folder
        error.filename, error.filename2 = str(where), None
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path, largest: int) -> bytes:
    """The content of a plain file, which may be anybody's: never through a link, and of a bounded size.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is a link, no plain file, or larger than `largest` bytes.
    """
    if path.is_symlink():
        raise ValueError(f"{path} is a link; a plain file is needed")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is no plain file")
        if status.st_size > largest:
            raise ValueError(f"{path}: {status.st_size} bytes are more than the {largest} that are allowed")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(status.st_size)
    finally:
        os.close(descriptor)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
