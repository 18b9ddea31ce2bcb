"""Numbers and names as people read them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from hwnas.objectives.quantity import format_quantity
from hwnas.search.records import MetricInfo

UNKNOWN = "–"
_MOST_IN_FULL = 1e15
_SUFFIX = re.compile(r"_(ms|bytes|mj)$")
_NUMBER_AND_UNIT = re.compile(r"(\d) ([kMG%]|[kM]B|ms|mJ)(?!\w)")
_ACRONYMS = {"sram": "SRAM", "flops": "FLOPs", "macs": "MACs"}


def quantity(value: float | None, metric: MetricInfo) -> str:
    """`3.41 ms`, `2.35 M`, or a dash where the number is not known."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= _MOST_IN_FULL:
        return f"{value:.3g} {metric.unit}".rstrip()
    return format_quantity(value, metric.unit)


def count(value: float) -> str:
    """A count with a power of 1000: `51.20 M`."""
    return format_quantity(value, "")


def percent(fraction: float, signed: bool = False) -> str:
    """A fraction as `2.1 %`, or a dash for NaN."""
    if math.isnan(fraction):
        return UNKNOWN
    return f"{100 * fraction:{'+' if signed else ''}.1f} %".replace("-", "−")


def label(name: str) -> str:
    """A metric's name without its unit: `peak SRAM` for `peak_sram_bytes`."""
    words = _SUFFIX.sub("", name).split("_")
    return " ".join(_ACRONYMS.get(word, word) for word in words)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the middle left out."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, broken after `,`, `|`, `+` or a space where there is one."""
    lines = []
    while len(text) > width:
        cut = 1 + max(text.rfind(mark, 0, width) for mark in ",|+ ")
        lines.append(text[: cut or width])
        text = text[cut or width :]
    return [*lines, text]


def unbroken(text: str) -> str:
    """The same, with spaces between a number and its unit at which no line ends."""
    return _NUMBER_AND_UNIT.sub("\\1\u00a0\\2", text)


def plain(value: Any) -> str:
    """A setting as text: yes and no, lists with commas, None as not told."""
    if value is None:
        return "not told"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) or "none"
    return str(value)


def flattened(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as (dotted name, text) pairs."""
    rows: list[tuple[str, str]] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            rows += flattened(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", plain(value)))
    return rows


def described(value: Any) -> str:
    """A card such as a device's in a few words: its model, name or id, and its version."""
    if not isinstance(value, Mapping):
        return plain(value)
    name = next((value[key] for key in ("id", "model", "name") if value.get(key)), None)
    if name is None:
        return ", ".join(f"{key} {text}" for key, text in flattened(value))
    version = value.get("version")
    return f"{plain(name)} {plain(version)}" if version else plain(name)
