"""Torch's threads: numbers on one thread do not depend on how many processes share the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


def one_torch_thread() -> AbstractContextManager[None]:
    """Run torch on one thread inside, on as many as before outside."""
    return torch_threads(1)


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Run torch on `count` threads inside, on as many as before outside; None leaves them as they are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
