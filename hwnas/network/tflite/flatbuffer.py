"""Read the tables of a flatbuffer that nobody vouches for: every offset and length is checked first.

The layout is that of https://flatbuffers.dev/internals: a table starts with the distance to its vtable,
which holds the size of the vtable, the size of the table, and the place of each field in it (0: absent).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_FORMS = {
    name: struct.Struct(form)
    for name, form in {
        "Bool": "<?",
        "Int8": "<b",
        "Uint8": "<B",
        "Uint16": "<H",
        "Int32": "<i",
        "Uint32": "<I",
        "Uint64": "<Q",
        "Float32": "<f",
    }.items()
}
_VTABLE_HEADER = 4


class Content:
    """The content of a file, and how much of it may still be handed out.

    Vectors may overlap in a hostile file, so that a small one describes a huge one: together they may be four
    times as long as the file.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._left = 4 * len(data) + 1024

    def number(self, type_name: str, position: int) -> Any:
        """The number at `position`."""
        form = _FORMS[type_name]
        if not 0 <= position <= len(self.data) - form.size:
            raise ValueError("it is damaged or cut off: an offset leads out of it")
        return form.unpack_from(self.data, position)[0]

    def follow(self, position: int) -> int:
        """Where the offset at `position` leads."""
        return position + int(self.number("Uint32", position))

    def vector(self, position: int, width: int) -> tuple[int, int]:
        """First position and length of the vector at `position`, of items of `width` bytes."""
        length, start = int(self.number("Uint32", position)), position + 4
        if length * width > len(self.data) - start:
            raise ValueError("it is damaged or cut off: a list is longer than the file")
        return start, length

    def spend(self, size: int) -> None:
        """Count `size` bytes as handed out."""
        self._left -= size
        if self._left < 0:
            raise ValueError("it is damaged: its lists overlap")


@dataclass(frozen=True, slots=True)
class Table:
    """A table at `position`; its fields are known by their number in the schema."""

    content: Content
    position: int

    @classmethod
    def root(cls, data: bytes) -> Table:
        """The outermost table of a file."""
        whole = Content(data)
        return cls(whole, whole.follow(0))

    def number(self, field: int, type_name: str, default: Any = 0) -> Any:
        """A number of a type such as `Int32`, or `default`."""
        place = self._place(field)
        return default if place is None else self.content.number(type_name, place)

    def numbers(self, field: int, dtype: npt.DTypeLike) -> npt.NDArray[Any] | None:
        """A vector of numbers, which is a view of the file."""
        kind = np.dtype(dtype).newbyteorder("<")
        place = self._place(field)
        if place is None:
            return None
        start, length = self.content.vector(self.content.follow(place), kind.itemsize)
        self.content.spend(length * kind.itemsize)
        return np.frombuffer(self.content.data, kind, length, start)

    def span(self, field: int) -> tuple[int, int]:
        """Position and length of a vector of bytes; length 0 where it is absent."""
        place = self._place(field)
        return (0, 0) if place is None else self.content.vector(self.content.follow(place), 1)

    def text(self, field: int) -> str:
        """A string, empty where it is absent; what is no UTF-8 is replaced."""
        start, length = self.span(field)
        self.content.spend(length)
        return self.content.data[start : start + length].decode(errors="replace")

    def table(self, field: int) -> Table | None:
        """A table in a field of its own."""
        place = self._place(field)
        return None if place is None else Table(self.content, self.content.follow(place))

    def tables(self, field: int) -> list[Table]:
        """A vector of tables."""
        place = self._place(field)
        if place is None:
            return []
        start, length = self.content.vector(self.content.follow(place), 4)
        self.content.spend(4 * length)
        return [Table(self.content, self.content.follow(start + 4 * index)) for index in range(length)]

    def _place(self, field: int) -> int | None:
        """Where a field's content lies."""
        vtable = self.position - int(self.content.number("Int32", self.position))
        entry = _VTABLE_HEADER + 2 * field
        if entry >= int(self.content.number("Uint16", vtable)):
            return None
        offset = int(self.content.number("Uint16", vtable + entry))
        return self.position + offset if offset else None
