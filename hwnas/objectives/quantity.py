"""Numbers with units, as people type them: `5ms`, `320kB`, `50M`."""

from __future__ import annotations

import math
import re

_TIME = {"ms": 1.0, "us": 1e-3, "µs": 1e-3, "s": 1e3, "min": 6e4}
_BYTES = {
    "B": 1.0,
    "kB": 1024.0,
    "KB": 1024.0,
    "KiB": 1024.0,
    "MB": 1024.0**2,
    "MiB": 1024.0**2,
    "GB": 1024.0**3,
}
_ENERGY = {"mJ": 1.0, "uJ": 1e-3, "µJ": 1e-3, "J": 1e3}
_COUNT = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
_SUFFIXES = {"ms": _TIME, "bytes": _BYTES, "mJ": _ENERGY, "": _COUNT}
_NUMBER = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zA-Zµ%]*)\s*$")


def parse_quantity(text: str, unit: str = "") -> float:
    """The number that `text` states, in `unit` (`"ms"`, `"bytes"`, `"mJ"`, `"fraction"`, or `""` for counts).

    kB is 1024 bytes; k, M and G of a count are powers of 1000; `%` of a fraction is a hundredth. A number
    without a suffix is in `unit` already.

    Raises:
        ValueError: not a finite number, or a suffix that does not fit the unit.
    """
    match = _NUMBER.match(text)
    if not match:
        raise ValueError(
            f"{text.strip()!r} is not a number, or a number with a unit such as {_example(unit)}"
        )
    value = float(match[1])
    suffixes = {"%": 0.01} if unit == "fraction" else _SUFFIXES.get(unit, {})
    if match[2]:
        if match[2] not in suffixes:
            allowed = ", ".join(suffixes) or "none"
            near = [suffix for suffix in suffixes if suffix.lower().startswith(match[2].lower())]
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"unit {match[2]!r} in {text.strip()!r} does not fit{meant}; units that do: {allowed}"
            )
        value *= suffixes[match[2]]
    if not math.isfinite(value):
        raise ValueError(f"{text.strip()!r} is not finite")
    return value


def format_quantity(value: float, unit: str = "") -> str:
    """`value` for people: `3.41 ms`, `318.0 kB`, `2.35 M`, `91.2 %`; bytes as such below 1 kB."""
    if unit == "bytes" and abs(value) < 1024:
        return f"{value:.4g} {'byte' if value == 1 else 'bytes'}"
    if unit == "bytes":
        return f"{value / 1024:.1f} kB" if value < 1024**2 else f"{value / 1024**2:.2f} MB"
    if unit == "fraction":
        return f"{100 * value:.1f} %"
    if unit:
        return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
    for suffix, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= factor:
            return f"{value / factor:.2f} {suffix}"
    return f"{value:.4g}"


def _example(unit: str) -> str:
    return {"ms": "5ms", "bytes": "320kB", "mJ": "2mJ", "fraction": "90%"}.get(unit, "50M")
