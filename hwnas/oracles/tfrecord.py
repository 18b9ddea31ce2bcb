"""TensorFlow's record files: each record with its length and two checksums.

A record is its length (8 bytes, little-endian), the masked CRC-32C of these 8 bytes, the data, and the
masked CRC-32C of the data (tensorflow/core/lib/io/record_writer.h).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

MAX_RECORD = 1 << 16
_AT_ONCE = 4096
_HEADER = struct.Struct("<QI")
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, reflected
_MASK = 0xA282EAD8


def read_records(path: Path) -> Iterator[bytes]:
    """The records of a file, in order.

    Raises:
        ValueError: a checksum does not fit, a record is larger than 64 KiB, or the file is cut off; the
            message names the record, the first is 1.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        first = 1
        framed = _framed(file, size, path)
        while batch := list(islice(framed, _AT_ONCE)):
            wrong = masked_crc32c([data for data, _ in batch]) != np.array([crc for _, crc in batch])
            if wrong.any():
                raise ValueError(
                    f"{path}: record {first + int(wrong.argmax())} is damaged: its checksum does not fit"
                )
            yield from (data for data, _ in batch)
            first += len(batch)


def _framed(file: BinaryIO, size: int, path: Path) -> Iterator[tuple[bytes, int]]:
    """Each record's data and the checksum that the file states for it."""
    record = 0
    while header := file.read(_HEADER.size):
        record += 1
        where = f"{path}: record {record}"
        if len(header) < _HEADER.size:
            raise ValueError(f"{where} is cut off")
        length, crc = _HEADER.unpack(header)
        if masked_crc32c([header[:8]])[0] != crc:
            raise ValueError(f"{where}: no TFRecord file, or damaged: the checksum of a length does not fit")
        if length > MAX_RECORD:
            raise ValueError(f"{where} states {length} bytes, more than {MAX_RECORD}")
        if file.tell() + length + 4 > size:
            raise ValueError(f"{where} is cut off")
        yield file.read(length), int.from_bytes(file.read(4), "little")


def masked_crc32c(rows: Sequence[bytes]) -> NDArray[np.uint32]:
    """The masked checksum of each row [N]: CRC-32C rotated by 15 bits, plus a constant."""
    table = _table()
    lengths = np.array([len(row) for row in rows])
    padded = np.zeros((int(lengths.max()), len(rows)), dtype=np.uint8)
    for column, row in enumerate(rows):
        padded[: len(row), column] = np.frombuffer(row, dtype=np.uint8)
    crc = np.full(len(rows), 0xFFFFFFFF, dtype=np.uint32)
    for position, bytes_here in enumerate(padded):
        step = table[(crc ^ bytes_here) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
        crc = np.where(position < lengths, step, crc)
    crc = ~crc
    rotated = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    return np.asarray(rotated + np.uint32(_MASK), dtype=np.uint32)


@lru_cache(maxsize=1)
def _table() -> NDArray[np.uint32]:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(
            values & np.uint32(1), (values >> np.uint32(1)) ^ np.uint32(_POLYNOMIAL), values >> np.uint32(1)
        )
    return values
