"""Files of JSON objects, one in each line, safe against a kill at any moment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hwnas.files import read_file, sync_folder

_LARGEST = 1 << 32


class JsonLines:
    """Objects that are appended one by one; a last line without its newline was torn by a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[dict[str, Any]]:
        """All objects in order, none where there is no file; a torn last line is cut off.

        Raises:
            ValueError: no plain file, larger than 4 GiB, or a whole line is no JSON object.
        """
        if not self.path.exists():
            return []
        data = read_file(self.path, _LARGEST)
        whole = data[: data.rfind(b"\n") + 1]
        lines = [
            _parsed(line, f"{self.path}: line {i}") for i, line in enumerate(whole.splitlines(), start=1)
        ]
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))
        return lines

    def append(self, line: dict[str, Any]) -> None:
        """Write one object; it is on the disk when this returns.

        Raises:
            OSError: it could not be written; the message names the folder, and the file is as before.
        """
        size = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                size = file.tell()
                file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self.path.parent)
        except OSError as error:
            if size is not None:
                os.truncate(self.path, size)
            reason = error.strerror or error
            raise OSError(error.errno, f"cannot write into {self.path.parent}: {reason}") from error


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{where}: an object was expected")
    return data
