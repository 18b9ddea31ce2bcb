"""Pickles of plain data, read without running what they say.

An ordinary unpickler calls whatever a file names. This one is a machine of its own: it knows the
opcodes of plain data (protocols 2 to 5, `pickletools` of the standard library), and builds None,
numbers, texts, bytes, tuples, lists, sets and dicts. A name in the file is looked up in a closed table
of harmless stand-ins (`hwnas.oracles.pickled_names`) and nothing is imported. Lengths are held against
the bytes that are there before anything is made, and what the stand-ins make of texts and lists is held
to the size of the file, so that a small file cannot fill the memory.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from typing import Any

from hwnas.oracles.pickle_machine import Machine, Names, check_keys

STOP = ord(".")


def loads(
    data: Any, names: Names, *, outside: Callable[[], Any] | None = None, offset: int = 0
) -> tuple[Any, int]:
    """The object of the pickle that starts at `offset` of `data`, and where it ends.

    Args:
        data: bytes, or a memory map.
        names: what the names in the pickle stand for.
        outside: gives the stand-in for each object that is not in the pickle itself (a storage of torch).
        offset: where to start.

    Raises:
        ValueError: a name outside `names`, an opcode that plain data does not need, or a damaged pickle.
    """
    machine = Machine(data, names, outside, offset)
    try:
        if data[offset : offset + 1] != b"\x80":
            raise ValueError("not a pickle of protocol 2 or later")
        return _run(machine)
    except (struct.error, IndexError):
        raise ValueError("the pickle is cut off or damaged") from None
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"the pickle is damaged: {error}") from None


def _run(machine: Machine) -> tuple[Any, int]:
    data, operations = machine.data, _OPERATIONS
    while True:
        code = data[machine.position]
        machine.position += 1
        if code == STOP:
            return machine.stack.pop(), machine.position
        operation = operations.get(code)
        if operation is None:
            raise ValueError(f"the pickle has opcode {bytes([code])!r}, which plain data does not need")
        operation(machine)


_Operation = Callable[[Machine], None]


def _skip(size: int) -> _Operation:
    def read(machine: Machine) -> None:
        machine.take(size)

    return read


def _constant(value: Any) -> _Operation:
    return lambda machine: machine.stack.append(value)


def _fresh(kind: type) -> _Operation:
    return lambda machine: machine.stack.append(kind())


def _number(form: str) -> _Operation:
    size = struct.calcsize(form)
    return lambda machine: machine.stack.append(machine.number(form, size))


def _bytes(form: str) -> _Operation:
    size = struct.calcsize(form)
    return lambda machine: machine.stack.append(bytes(machine.take(machine.number(form, size))))


def _text(form: str) -> _Operation:
    size = struct.calcsize(form)

    def read(machine: Machine) -> None:
        machine.stack.append(machine.take(machine.number(form, size)).decode("utf-8", "surrogatepass"))

    return read


def _integer(form: str) -> _Operation:
    size = struct.calcsize(form)

    def read(machine: Machine) -> None:
        machine.stack.append(int.from_bytes(machine.take(machine.number(form, size)), "little", signed=True))

    return read


def _recall(form: str) -> _Operation:
    size = struct.calcsize(form)
    return lambda machine: machine.stack.append(machine.memo[machine.number(form, size)])


def _remember(form: str) -> _Operation:
    size = struct.calcsize(form)
    return lambda machine: machine.remember(machine.number(form, size))


def _tuple_of(count: int) -> _Operation:
    def read(machine: Machine) -> None:
        items = tuple(machine.stack[-count:])
        if len(items) < count:
            raise IndexError
        machine.stack[-count:] = [items]

    return read


def _stack_name(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.name(module, name)


def _global_name(machine: Machine) -> None:
    module = machine.line()
    machine.name(module, machine.line())


def _append(machine: Machine) -> None:
    item = machine.stack.pop()
    machine.target(list).append(item)


def _appends(machine: Machine) -> None:
    items = machine.since_mark()
    machine.target(list).extend(items)


def _set_item(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_items([key, value])


def _tuple(machine: Machine) -> None:
    machine.stack.append(tuple(machine.since_mark()))


def _frozenset(machine: Machine) -> None:
    items = machine.since_mark()
    check_keys(items)
    machine.stack.append(frozenset(items))


_BY_NAME: dict[str, _Operation] = {
    "PROTO": _skip(1),
    "FRAME": _skip(8),
    "MARK": Machine.mark,
    "POP": Machine.drop,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "BININT": _number("<i"),
    "BININT1": _number("<B"),
    "BININT2": _number("<H"),
    "LONG1": _integer("<B"),
    "LONG4": _integer("<i"),
    "BINFLOAT": _number(">d"),
    "BINUNICODE": _text("<I"),
    "SHORT_BINUNICODE": _text("<B"),
    "BINUNICODE8": _text("<Q"),
    "BINBYTES": _bytes("<I"),
    "SHORT_BINBYTES": _bytes("<B"),
    "BINBYTES8": _bytes("<Q"),
    "BYTEARRAY8": _bytes("<Q"),
    "EMPTY_TUPLE": _fresh(tuple),
    "EMPTY_LIST": _fresh(list),
    "EMPTY_DICT": _fresh(dict),
    "EMPTY_SET": _fresh(set),
    "TUPLE": _tuple,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": lambda machine: machine.set_items(machine.since_mark()),
    "ADDITEMS": lambda machine: machine.add_items(machine.since_mark()),
    "FROZENSET": _frozenset,
    "BINPUT": _remember("<B"),
    "LONG_BINPUT": _remember("<I"),
    "MEMOIZE": lambda machine: machine.remember(len(machine.memo)),
    "BINGET": _recall("<B"),
    "LONG_BINGET": _recall("<I"),
    "GLOBAL": _global_name,
    "STACK_GLOBAL": _stack_name,
    "REDUCE": Machine.reduce,
    "BUILD": Machine.build,
    "BINPERSID": Machine.persistent,
}
_OPERATIONS = {ord(one.code): _BY_NAME[one.name] for one in pickletools.opcodes if one.name in _BY_NAME}
