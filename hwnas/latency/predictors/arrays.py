"""Named plain arrays in a `.npz` file, read with distrust: sizes, types and values are checked first."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.files import read_file, write_whole

MAX_BYTES = 1 << 28
MAX_ARRAYS = 1 << 14
_MEMBER = b"PK\x01\x02"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_UNREADABLE = (EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, ValueError)


@dataclass(frozen=True)
class Arrays:
    """Arrays by name, and the file they come from for messages."""

    where: str
    by_name: Mapping[str, NDArray[Any]]

    def floats(self, name: str, *shape: int | None) -> NDArray[np.float64]:
        """The float array `name`, finite and of `shape` (None: any length); raises ValueError."""
        found = self._get(name, "f", shape)
        if not np.isfinite(found).all():
            raise ValueError(f"{self.where}: field {name!r} holds numbers that are not finite")
        return found.astype(np.float64)

    def integers(self, name: str, *shape: int | None, low: int, high: int) -> NDArray[np.int64]:
        """The integer array `name` with all values from `low` to `high`; raises ValueError."""
        found = self._get(name, "iu", shape)
        if found.size and not (low <= found.min() and found.max() <= high):
            raise ValueError(f"{self.where}: field {name!r} holds numbers outside {low} to {high}")
        return found.astype(np.int64)

    def booleans(self, name: str, *shape: int | None) -> NDArray[np.bool_]:
        """The boolean array `name`; raises ValueError."""
        return self._get(name, "b", shape)

    def texts(self, name: str, *shape: int | None) -> list[str]:
        """The array of texts `name`, `[n]`; raises ValueError."""
        return [str(text) for text in self._get(name, "U", shape)]

    def within(self, prefix: str) -> Arrays:
        """Those whose names begin with `prefix`, without it."""
        found = {name: array for name, array in self.by_name.items() if name.startswith(prefix)}
        return Arrays(
            f"{self.where}: {prefix}*", {name.removeprefix(prefix): array for name, array in found.items()}
        )

    def require(self, ok: bool, name: str, rule: str) -> None:
        """Raise ValueError naming file and field unless `ok`."""
        if not ok:
            raise ValueError(f"{self.where}: field {name!r} must be {rule}")

    def _get(self, name: str, types: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
        if name not in self.by_name:
            raise ValueError(f"{self.where}: field {name!r} is missing")
        found = self.by_name[name]
        fits = len(found.shape) == len(shape) and all(
            wanted in (None, size) for size, wanted in zip(found.shape, shape, strict=False)
        )
        if found.dtype.kind not in types or not fits:
            wanted_shape = tuple("any" if size is None else size for size in shape)
            raise ValueError(
                f"{self.where}: field {name!r} is {found.dtype} of shape {found.shape}; "
                f"type {types!r} of shape {wanted_shape} expected"
            )
        return found


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to `path`; equal arrays give equal bytes."""
    write_whole(path, pack(arrays))


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of the `.npz` file that holds `arrays`, the same whenever they are written."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(arrays[name]), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
            archive.writestr(info, member.getvalue(), compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def read_arrays(path: Path) -> Arrays:
    """Read the arrays of a `.npz` file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no plain file, too large, damaged, or holds anything but plain arrays.
    """
    return unpack(read_file(path, MAX_BYTES), str(path))


def unpack(content: bytes, where: str) -> Arrays:
    """The arrays in the bytes of a `.npz` file, which messages call `where`.

    Raises:
        ValueError: it is damaged, or holds anything but plain arrays, too many or too large ones.
    """
    try:
        _check_count(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive.infolist())
            return Arrays(
                where, {i.filename.removesuffix(".npy"): _read(archive, i) for i in archive.infolist()}
            )
    except _UNREADABLE as error:
        raise ValueError(f"{where}: not a readable .npz file: {error}") from error


def _check_count(content: bytes) -> None:
    """Refuse many members before the archive's list of them is read: each starts with the same four bytes."""
    count = content.count(_MEMBER)
    if count > MAX_ARRAYS:
        raise ValueError(f"its {count} arrays are more than {MAX_ARRAYS}")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES:
        raise ValueError(f"its arrays take {total} bytes, more than {MAX_BYTES}")
    for member in members:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{member.filename} has compression {member.compress_type}, not deflate")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array, its stated size checked before room is made for it."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"{member.filename} has npy version {version}; 1.0 and 2.0 can be read")
        shape, _, dtype = _HEADERS[version](file)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects, which are never loaded")
        if dtype.itemsize == 0:
            raise ValueError(f"{member.filename} holds {dtype}, values without a size")
        is_possible = all(0 <= size <= MAX_BYTES for size in shape)
        if not is_possible or math.prod(shape) * dtype.itemsize != member.file_size - file.tell():
            raise ValueError(f"{member.filename} states shape {shape} and holds {member.file_size} bytes")
    with archive.open(member) as file:
        found: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return found
