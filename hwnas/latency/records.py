"""Plain dataclasses to and from JSON, checking every field: files of others are data, not truth."""

from __future__ import annotations

import math
import sys
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(record: Any) -> Any:
    """A dataclass as dicts, lists, numbers and strings. NaN becomes None."""
    if is_dataclass(record):
        return {f.name: to_plain(getattr(record, f.name)) for f in fields(record)}
    if isinstance(record, dict):
        return {key: to_plain(value) for key, value in record.items()}
    if isinstance(record, (list, tuple)):
        return [to_plain(value) for value in record]
    return None if isinstance(record, float) and math.isnan(record) else record


def from_plain(cls: type[T], data: Any, where: str) -> T:
    """The reverse of `to_plain`; None becomes NaN in a float field.

    Raises:
        ValueError: a field is missing, not known, of another type, or refused by the class; the
            message starts with ``where`` and names the field.
    """
    if not isinstance(data, dict):
        raise ValueError(f"{where}: an object was expected, not {_short(data)}")
    hints = get_type_hints(cls)
    names = [f.name for f in fields(cast(Any, cls))]
    for name in [*names, *data]:
        if name not in data:
            raise ValueError(f"{where}: field {name!r} is missing")
        if name not in names:
            raise ValueError(f"{where}: field {name!r} is not known")
    values = {name: _value(hints[name], data[name], f"{where}: field {name!r}") for name in names}
    try:
        return cls(**values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _value(hint: Any, data: Any, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return None if data is None else _value(arguments[0], data, where)
    if is_dataclass(hint):
        return from_plain(cast(type[Any], hint), data, where)
    if origin is tuple:
        return _sequence(arguments, data, where)
    if origin is dict and isinstance(data, dict):
        return {str(key): _value(arguments[1], value, f"{where}[{key!r}]") for key, value in data.items()}
    if hint is float and data is None:
        return math.nan
    if hint is float and type(data) in (int, float) and abs(data) <= sys.float_info.max:
        return float(data)
    if type(data) is hint:
        if hint is str and not data.isprintable():
            raise ValueError(f"{where}: {_short(data)} has unprintable characters")
        return data
    raise ValueError(f"{where}: {_short(data)} is not {getattr(hint, '__name__', hint)}")


def _sequence(arguments: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise ValueError(f"{where}: a list was expected, not {_short(data)}")
    hints = [arguments[0]] * len(data) if arguments[-1] is Ellipsis else list(arguments)
    if len(hints) != len(data):
        raise ValueError(f"{where}: {len(hints)} values were expected, not {len(data)}")
    return tuple(
        _value(hint, value, f"{where}[{i}]") for i, (hint, value) in enumerate(zip(hints, data, strict=True))
    )


def _short(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 60 else text[:57] + "..."
