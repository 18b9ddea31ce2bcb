"""Settings by name against the annotations of what takes them: a wrong kind of value is named as such."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

_PLAIN = {
    int: "a whole number",
    float: "a finite number",
    bool: "True or False",
    str: "a word",
    NoneType: "None",
}
_SEVERAL = {int: "whole numbers", float: "finite numbers", bool: "values True or False", str: "words"}


def check_settings(kind: Callable[..., Any], settings: Mapping[str, Any], of: str) -> None:
    """Refuse a value of `settings` that is not what `kind` says that it takes.

    Numbers, words, truth values, None, sequences of them and classes are told apart; a constructor whose
    annotations cannot be resolved is not looked at.

    Args:
        kind: the class, or the function, that takes the settings.
        settings: values by parameter; those that `kind` does not have are left to others.
        of: whose they are, for the message: `strategy evolution`.

    Raises:
        ValueError: names the setting, and what it must be.
    """
    hints = _hints(kind)
    for name, value in settings.items():
        if name in hints and not _fits(value, hints[name]):
            raise ValueError(f"{of}: {name} must be {_in_words(hints[name])}, not {value!r}")


def _hints(kind: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(kind.__init__ if isinstance(kind, type) else kind)  # type: ignore[misc]
    except NameError:
        return {}


def is_whole(value: object) -> bool:
    """Whether it is a whole number, of Python or numpy, and no truth value."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether it is a finite number, of Python or numpy, and no truth value."""
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


def _fits(value: Any, hint: Any) -> bool:
    if hint is int:
        return is_whole(value)
    if hint is float:
        return is_number(value)
    if isinstance(hint, type):
        return isinstance(value, hint)
    if get_origin(hint) is Sequence:
        return _is_sequence(value, get_args(hint)[0])
    alternatives = get_args(hint)
    return not alternatives or any(_fits(value, one) for one in alternatives)


def _is_sequence(value: Any, item: Any) -> bool:
    return isinstance(value, Sequence) and all(_fits(one, item) for one in value)


def _in_words(hint: Any) -> str:
    if get_origin(hint) is Sequence:
        item = get_args(hint)[0]
        return f"several {_SEVERAL.get(item, _in_words(item))}, such as (…,…)"
    if isinstance(hint, type):
        return _PLAIN.get(hint, f"a {hint.__name__}")
    return " or ".join(dict.fromkeys(_in_words(one) for one in get_args(hint)))
