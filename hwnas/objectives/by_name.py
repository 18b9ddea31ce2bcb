"""Rewards and penalties by name, as the command line gives them: `soft:alpha=0,beta=-1`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")

_LEARNED = "multipliers"


def by_name(kind: str, table: Mapping[str, Callable[..., T]], text: str) -> T:
    """What `table` makes for `text`: a name of it, which may end in `:setting=number,...`.

    Args:
        kind: what the table holds, for the errors: `reward`.
        table: by name; the settings are the parameters of what stands there.
        text: what was given.

    Raises:
        ValueError: an unknown name or setting, or a setting out of range; says what would be right.
    """
    name, _, given = text.partition(":")
    if name not in table:
        close = get_close_matches(name, table, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        raise ValueError(f"unknown {kind} {name!r}{hint} Known: {', '.join(table)}")
    settings = _numbers(f"{kind} {name}", given) if given else {}
    parameters = inspect.signature(table[name]).parameters
    allowed = [key for key in parameters if key != _LEARNED]
    for key in settings:
        if key not in allowed:
            raise ValueError(f"{kind} {name} has no setting {key!r}; it has {', '.join(allowed) or 'none'}")
    missing = [
        key for key in allowed if key not in settings and parameters[key].default is inspect.Parameter.empty
    ]
    if missing:
        needed = ",".join(f"{key}=NUMBER" for key in missing)
        raise ValueError(f"{kind} {name} needs settings: {name}:{needed}")
    return table[name](**settings)


def _numbers(what: str, text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        try:
            if not (key and equals) or key in found:
                raise ValueError
            found[key] = float(value)
        except ValueError:
            raise ValueError(f"{what}: {part!r} must be setting=number, each setting once") from None
    return found
