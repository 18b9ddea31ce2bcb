"""What `torch.save` wrote, read as plain data: its zip files, and the sequence of pickles before torch 1.6.

`torch.load(weights_only=True)` would do for tensors, but it refuses numpy's numbers unless names are
allowed for the whole process, makes every tensor that a file states, and reads no other pickle. This reads
any benchmark with one closed table of names (`hwnas.oracles.pickled_names`) and makes no tensor at all.
"""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path
from typing import Any

from hwnas.oracles.pickled_names import NAMES, Inert
from hwnas.oracles.safe_pickle import loads

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_ENCRYPTED = 1


def load_torch(path: Path) -> Any:
    """The saved object; tensors in it are stand-ins without values.

    Raises:
        ValueError: neither of torch's formats, damaged, or with a name beyond plain data.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _zipped(path) if data[:4] == b"PK\x03\x04" else _sequence(data)
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path}: {error}") from None


def _zipped(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        found = [one for one in archive.infolist() if one.filename.rpartition("/")[2] == "data.pkl"]
        if len(found) != 1:
            raise ValueError(f"a file of torch has one data.pkl, this zip file has {len(found)}")
        (member,) = found
        stored = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
        if not stored or member.flag_bits & _ENCRYPTED or member.file_size > path.stat().st_size:
            raise ValueError("data.pkl is compressed or encrypted; torch stores it as it is")
        return loads(archive.read(member), NAMES, outside=Inert)[0]


def _sequence(data: Any) -> Any:
    magic, offset = loads(data, NAMES)
    if magic != MAGIC:
        raise ValueError("not a file of torch: its magic number is missing")
    protocol, offset = loads(data, NAMES, offset=offset)
    if protocol != PROTOCOL:
        raise ValueError(f"protocol {protocol!r} of torch; {PROTOCOL} is read")
    _, offset = loads(data, NAMES, offset=offset)  # the sizes of integers there
    return loads(data, NAMES, outside=Inert, offset=offset)[0]
