"""The options that several devices have, and their checks."""

from __future__ import annotations

from collections.abc import Collection

PRECISIONS = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "int8": "int8"}
LAYOUTS = ("channels_first", "channels_last")
LARGEST_BATCH = 65_536


def checked_precision(device: str, precision: str, offered: Collection[str]) -> str:
    """A precision under its long name: ``fp32`` and ``float32`` are the same.

    Raises:
        ValueError: the device does not offer it.
    """
    full = PRECISIONS.get(precision, precision)
    if full not in offered:
        names = ", ".join(short for short, name in PRECISIONS.items() if name in offered)
        raise ValueError(f"{device}: precision must be one of {names}, not {precision!r}")
    return full


def checked_choice(device: str, option: str, value: str, offered: Collection[str]) -> str:
    """A value that must be one of those offered.

    Raises:
        ValueError: it is not.
    """
    if value not in offered:
        raise ValueError(f"{device}: {option} must be one of {', '.join(offered)}, not {value!r}")
    return value


def checked_batch(device: str, batch: int) -> int:
    """Samples in one inference.

    Raises:
        ValueError: fewer than 1, or absurdly many.
    """
    if not 1 <= batch <= LARGEST_BATCH:
        raise ValueError(f"{device}: batch must be 1 to {LARGEST_BATCH}, not {batch}")
    return batch
