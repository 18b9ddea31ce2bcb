"""Records of searches as JSON in a folder: written whole or not at all, read as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from hwnas.files import read_file, write_whole

Record = TypeVar("Record")
_LARGEST = 1 << 30


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as JSON; raises ValueError where a number is NaN or infinite, which JSON has not."""
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_record(path: Path, kind: str, made: Callable[[dict[str, Any]], Record]) -> Record:
    """What `made` makes of the content of a record.

    Args:
        path: of the file.
        kind: of search that writes such files, for messages.
        made: raises AttributeError, KeyError, TypeError or ValueError where the content is no such record.

    Raises:
        ValueError: the file is missing or damaged; names it.
    """
    try:
        return made(json.loads(read_file(path, _LARGEST)))
    except FileNotFoundError:
        raise ValueError(f"{path.parent} holds no {kind}: {path.name} is missing") from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
