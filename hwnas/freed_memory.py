"""Memory that a training step frees is kept for the next one."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

# From glibc's malloc.h, and the values that its own adjustment of both ends at.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_ADJUSTED = {_MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20}
_ALL = 2**31 - 1

_inside = 0


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Inside, the C library gives no freed memory back to the system; outside, it does as before.

    A step of a training frees large activations and asks for as many again: to have their pages mapped anew
    is a tenth of its time. Blocks of 2 GiB and more are given back, and all where the library is not glibc.
    """
    global _inside
    _inside += 1
    _set(dict.fromkeys(_ADJUSTED, _ALL))
    try:
        yield
    finally:
        _inside -= 1
        if _inside == 0:
            _set(_ADJUSTED)
            if (trim := _function("malloc_trim")) is not None:
                trim(0)


def _set(values: dict[int, int]) -> None:
    if (mallopt := _function("mallopt")) is not None:
        for parameter, value in values.items():
            mallopt(parameter, value)


@cache
def _function(name: str) -> Callable[..., int] | None:
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):  # no dynamic symbols of the process: not Linux
        return None
