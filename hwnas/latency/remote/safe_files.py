"""Read files that may be anybody's: plain files of a bounded size only, never through a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_file(path: Path, largest: int) -> bytes:
    """The content of a plain file.

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
            return file.read(largest)
    finally:
        os.close(descriptor)
