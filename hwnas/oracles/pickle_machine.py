"""The machine that reads a pickle: its position, its stack and its memo."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from hwnas.oracles.message import shortened

_MARK = object()
_KEYS = (str, bytes, int, float, bool, type(None))


class Name:
    """A name in a pickle: what it makes of its arguments; it has no other use."""

    __slots__ = ("_make", "text")

    def __init__(self, text: str, make: Callable[..., Any]) -> None:
        self.text = text
        self._make = make

    def make(self, arguments: tuple[Any, ...]) -> Any:
        """The stand-in for the object; raises ValueError where the arguments are none of its own."""
        try:
            return self._make(*arguments)
        except (TypeError, ValueError, AttributeError, LookupError, OverflowError) as error:
            raise ValueError(f"{self.text} has arguments that do not fit: {shortened(error)}") from None


class Buildable:
    """A stand-in that takes a state after it was made."""

    __slots__ = ()

    def build(self, state: Any) -> None:
        """Take the state; raises ValueError where it is none of its own."""
        raise ValueError(f"{type(self).__name__} takes no state")


Names = Mapping[tuple[str, str], Name]


class Machine:
    """The state of one reading: position, stack with marks, and memo."""

    def __init__(self, data: Any, names: Names, outside: Callable[[], Any] | None, offset: int) -> None:
        self.data = data
        self.names = names
        self.outside = outside
        self.position = offset
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.allowance = len(data)

    # --- reading

    def take(self, size: int) -> Any:
        """The next `size` bytes, if they are there."""
        end = self.position + size
        if size < 0 or end > len(self.data):
            raise ValueError(
                f"the pickle states {size} bytes where {len(self.data) - self.position} are left"
            )
        start, self.position = self.position, end
        return self.data[start:end]

    def number(self, form: str, size: int) -> Any:
        """The next number, of a form of `struct` that takes `size` bytes."""
        (value,) = struct.unpack_from(form, self.data, self.position)
        self.position += size
        return value

    def line(self) -> str:
        """The text up to the end of the line."""
        end = self.data.find(b"\n", self.position, self.position + 256)
        if end < 0:
            raise ValueError("the pickle has a name without an end")
        text = self.take(end - self.position).decode("utf-8")
        self.position += 1
        return str(text)

    def mark(self) -> None:
        """Push a mark."""
        self.stack.append(_MARK)

    def since_mark(self) -> list[Any]:
        """What lies above the topmost mark; both leave the stack."""
        stack = self.stack
        for position in range(len(stack) - 1, -1, -1):
            if stack[position] is _MARK:
                items = stack[position + 1 :]
                del stack[position:]
                return items
        raise ValueError("the pickle is damaged: a mark is missing")

    def target(self, kind: type) -> Any:
        """The topmost object, which must be a `kind`."""
        if not isinstance(self.stack[-1], kind):
            raise ValueError(f"the pickle is damaged: a {kind.__name__} was expected")
        return self.stack[-1]

    def drop(self) -> None:
        """Drop the topmost object."""
        self.stack.pop()

    # --- names and stand-ins

    def name(self, module: Any, name: Any) -> None:
        """Push what a name stands for; raises ValueError where it stands for nothing here."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("the pickle is damaged: a name is no text")
        if (module, name) not in self.names:
            raise ValueError(
                f"the pickle names {shortened(f'{module}.{name}')}, which is refused: only plain data is read"
            )
        self.stack.append(self.names[module, name])

    def reduce(self) -> None:
        """Replace a name and its arguments by the stand-in for the object."""
        arguments, name = self.stack.pop(), self.stack.pop()
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise ValueError("the pickle calls what is no name")
        self.allowance -= sum(len(one) for one in arguments if isinstance(one, (str, bytes, list, dict)))
        if self.allowance < 0:
            raise ValueError("the pickle makes more than its own size of texts and lists")
        self.stack.append(name.make(arguments))

    def persistent(self) -> None:
        """Replace a reference to outside by its stand-in."""
        if self.outside is None:
            raise ValueError("the pickle refers to data outside itself")
        self.stack[-1] = self.outside()

    def build(self) -> None:
        """Give the stand-in below it the topmost object as its state."""
        state = self.stack.pop()
        self.target(Buildable).build(state)

    # --- containers

    def set_items(self, items: list[Any]) -> None:
        """Put keys and values, by turns, into the topmost dict."""
        target = self.target(dict)
        keys = items[::2]
        if len(items) % 2:
            raise ValueError("the pickle is damaged: a key has no value")
        check_keys(keys)
        target.update(zip(keys, items[1::2], strict=True))

    def add_items(self, items: list[Any]) -> None:
        """Put the items into the topmost set."""
        check_keys(items)
        self.target(set).update(items)

    def remember(self, index: int) -> None:
        """Keep the topmost object under a number."""
        self.memo[index] = self.stack[-1]


def check_keys(keys: list[Any]) -> None:
    """Raise ValueError unless all are atoms or tuples of atoms: hashing what is nested deeper can crash."""
    for key in keys:
        if type(key) not in _KEYS and not (type(key) is tuple and all(type(one) in _KEYS for one in key)):
            raise ValueError(f"the pickle has a key of type {type(key).__name__}")
